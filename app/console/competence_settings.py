"""The programme's rules of competence and confidence: who may assess, the review, and how few people are told of."""

from typing import Any

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.competence_pages import SETTINGS, WHY_NOT, assessors
from app.console.pages import Problem, form_of, page, principal_here, redirect, render, tenant_look
from app.console.reports import Field, ShortForm
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, may_write, number, tried, typed
from app.directory.models import JobRole
from app.identity.permissions import Permission
from app.training.requirements import competence
from app.training.requirements.models import AssessorRule, RequirementSettings
from tenants.session import UnitOfWork

FIELDS = ("job_role_code", "profession", "needs_own", "review_months", "people")


async def competence_settings(request: Request) -> Response:
    """Who may assess, when competence is reviewed, and the fewest people whose change of confidence is told."""
    return await _page(request, [], {})


async def _people(request: Request, work: UnitOfWork) -> Table:
    principal = principal_here(request)
    rows = [
        (
            Link(words.learner_name(principal, name, row_id), f"/console/standing/learners/{row_id}"),
            role,
            f"Not today: {WHY_NOT[fault]}" if fault else "Yes",
        )
        for row_id, name, role, fault in await assessors(work)
    ]
    return Table(
        "People here whom a rule names",
        ("Who", "Job role", "May assess today"),
        rows,
        f"{SETTINGS}/assessors.csv",
        nothing="Nobody who works here has a job role that a rule names.",
    )


async def _page(request: Request, problems: list[Problem], sent: dict[str, Any]) -> Response:
    async with tenant_look(request) as work:
        saved = (await work.session.scalars(select(RequirementSettings))).first()
        months = saved.competence_review_months if saved else competence.REVIEW_MONTHS
        fewest = saved.confidence_minimum if saved else competence.CONFIDENCE_MINIMUM
        rules = await work.session.execute(
            select(AssessorRule, JobRole.label)
            .outerjoin(JobRole, JobRole.code == AssessorRule.job_role_code)
            .order_by(JobRole.label.nulls_last(), AssessorRule.profession, AssessorRule.id)
        )
        roles = await work.session.execute(select(JobRole.code, JobRole.label).order_by(JobRole.label))
        people = await _people(request, work)
    add = [
        Field("choice", "job_role_code", "Job role", options=[(row.code, row.label) for row in roles], any="Any"),
        Field("text", "profession", "Profession (optional)", "Such as Pharmacist, for people from outside."),
        Field("many", "needs_own", "Only with", options=[("yes", "current competence of their own")]),
    ]
    review = [Field("text", "review_months", "Months until competence is reviewed", "From the next assessment on.")]
    minimum = [
        Field("text", "people", "Fewest people", "Means of fewer people are withheld, so that nobody can be guessed.")
    ]
    return render(
        request,
        "competence.jinja",
        status=422 if problems else 200,
        problems=problems,
        values={"review_months": months, "people": fewest} | sent,
        rules=[
            (rule.id, [label or "Any", rule.profession or "Any", "Yes" if rule.needs_own_competence else "No"])
            for rule, label in rules
        ],
        table=people,
        path=SETTINGS,
        may_write=may_write(request),
        months=months,
        fewest=fewest,
        add=ShortForm(f"{SETTINGS}/assessors/add", "Add the rule", add, "Let others assess", second=True),
        forms=[
            ShortForm(f"{SETTINGS}/review", "Save the review", review, "Review of competence", second=True),
            ShortForm(f"{SETTINGS}/minimum", "Save the number", minimum, "Change of confidence", second=True),
        ],
    )


async def assessors_file(request: Request) -> Response:
    """People whom a rule names, as a CSV."""
    async with tenant_look(request) as work:
        return csv_of("assessors.csv", await _people(request, work))


async def _present(work: UnitOfWork) -> dict[Any, competence.NewAssessorRule]:
    """The rules by id. The tenant's settings are locked, so that changes of the whole list wait for each other."""
    await competence.settings_of(work)
    await work.session.get(RequirementSettings, (work.tenant_id, work.tenant_id), with_for_update=True)
    return {
        rule.id: competence.NewAssessorRule(rule.job_role_code, rule.profession, rule.needs_own_competence)
        for rule in await work.session.scalars(select(AssessorRule).order_by(AssessorRule.id))
    }


async def assessor_add(request: Request) -> Response:
    """Another rule of who may assess."""
    form = await form_of(request)

    async def change(work: UnitOfWork) -> None:
        rule = competence.NewAssessorRule(
            number(form, "job_role_code"),
            " ".join(form.text("profession").split()) or None,
            bool(form.texts("needs_own")),
        )
        if rule.job_role_code is None and rule.profession is None:
            raise Invalid("job_role_code", "Choose a job role, or name a profession.")
        present = (await _present(work)).values()
        if rule in present:
            raise Invalid("job_role_code", "There is such a rule already. Nothing was changed.")
        await competence.set_assessor_rules(work, [*present, rule])

    problem = await tried(request, FIELDS, change)
    if problem is not None:
        return await _page(request, [problem], typed(form, FIELDS[:2]) | {"needs_own": form.texts("needs_own")})
    return redirect(SETTINGS, done="assessors-changed")


async def assessor_remove(request: Request) -> Response:
    """Take a rule away."""

    async def change(work: UnitOfWork) -> None:
        present = await _present(work)
        if present.pop(request.path_params["rule_id"], None) is None:
            raise HTTPException(404)
        await competence.set_assessor_rules(work, list(present.values()))

    problem = await tried(request, FIELDS, change)
    if problem is not None:
        return await _page(request, [problem], {})
    return redirect(SETTINGS, done="assessors-changed")


async def review_change(request: Request) -> Response:
    """After how many months competence is reviewed."""
    form = await form_of(request)

    async def change(work: UnitOfWork) -> None:
        await competence.change_review(work, number(form, "review_months") or 0)

    problem = await tried(request, FIELDS, change)
    if problem is not None:
        return await _page(request, [problem], typed(form, ["review_months"]))
    return redirect(SETTINGS, done="competence-settings-changed")


async def minimum_change(request: Request) -> Response:
    """The fewest people whose change of confidence is told."""
    form = await form_of(request)

    async def change(work: UnitOfWork) -> None:
        await competence.change_confidence_minimum(work, number(form, "people") or 0)

    problem = await tried(request, FIELDS, change)
    if problem is not None:
        return await _page(request, [problem], typed(form, ["people"]))
    return redirect(SETTINGS, done="competence-settings-changed")


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/programme/competence", competence_settings, needs=_READ),
    page("/programme/competence/assessors.csv", assessors_file, needs=_READ),
    page("/programme/competence/assessors/add", assessor_add, needs=_WRITE, methods=("POST",)),
    page("/programme/competence/assessors/{rule_id:uuid}/remove", assessor_remove, needs=_WRITE, methods=("POST",)),
    page("/programme/competence/review", review_change, needs=_WRITE, methods=("POST",)),
    page("/programme/competence/minimum", minimum_change, needs=_WRITE, methods=("POST",)),
]
