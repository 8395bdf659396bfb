"""The programme: its tiers and what they ask for, publishing; the requirement matrix; nominations to be decided."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.csv_files import csv_file
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    tenant_look,
    tenant_reads,
    tenant_work,
)
from app.console.prerequisite_form import ShownRule, grouped, rules_in_words
from app.directory.models import CqcLocation, JobRole, Learner, TenantLocation
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.mapping.state import has_locked_exercise
from app.training.models import Programme, Tier
from app.training.requirements import matrix, nominations, programmes
from app.training.requirements.models import ChampionNomination, PrerequisiteRule, Requirement

GONE = {"NO_SUCH_PROGRAMME", "NO_SUCH_TIER", "NO_SUCH_NOMINATION", "NO_SUCH_REQUIREMENT"}
REQUIREMENT_FIELDS = {"topicCode": "topic_code", "tierId": "tier_id", "jobRoleCode": "job_role", "setting": "setting"}
"""The form's field for each field of a refusal."""
NOMINATIONS_SHOWN = 200


def _number(form: Form, name: str) -> int | None:
    """A whole number, None for nothing. Raises TrainingRefusal `OUT_OF_RANGE`."""
    text = form.text(name).strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 8):
        raise TrainingRefusal("OUT_OF_RANGE", "Enter a whole number, or nothing.", name)
    return int(text)


def _version(form: Form) -> int:
    text = form.text("version")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise HTTPException(404)
    return int(text)


async def programme_list(request: Request) -> Response:
    """Every programme with its tiers."""
    return await _programmes(request, 200, [])


async def _programmes(request: Request, status: int, problems: list[Problem], warned: UUID | None = None) -> Response:
    async with tenant_look(request) as work:
        found = await programmes.visible_programmes(work, None)
        tiers = await tiers_of(work.session, work.tenant_id)
    write = principal_here(request).may(Permission.TRAINING_WRITE)
    listed = [
        (programme, [tier_row(tier, asked, write=write) for tier, asked in tiers.get(programme.id, [])])
        for programme in found
    ]
    return render(
        request,
        "programme.jinja",
        status=status,
        problems=problems,
        listed=listed,
        headings=TIER_HEADINGS,
        warned=warned,
        may_write=write,
        states=words.PROGRAMMES,
        scopes=words.SCOPES,
    )


TIER_HEADINGS = ("Tier", "Before a place", "Shortest course", "Met by", "Valid for")


async def tiers_of(session: AsyncSession, tenant_id: UUID) -> dict[UUID, list[tuple[Tier, list[str]]]]:
    """The tiers of each programme in their order, with what each asks for."""
    asked: dict[UUID, list[ShownRule]] = {}
    for rule, shown in await rules_in_words(session, tenant_id, PrerequisiteRule.tier_id.is_not(None)):
        asked.setdefault(rule.tier_id, []).append(shown)
    found: dict[UUID, list[tuple[Tier, list[str]]]] = {}
    for tier in await session.scalars(select(Tier).order_by(Tier.position, Tier.id)):
        groups = [" or ".join(rule.words for rule in group) for group in grouped(asked.get(tier.id, []))]
        found.setdefault(tier.programme_id, []).append((tier, groups))
    return found


def tier_row(tier: Tier, asked: Sequence[str], *, write: bool) -> list[Any]:
    """A tier as a row of TIER_HEADINGS."""
    name: Any = f"{tier.position}. {tier.name}"
    if write:
        name = {"text": name, "href": f"/console/programme/tiers/{tier.id}"}
    return [
        name,
        "; ".join(asked) or "Nothing",
        None if tier.minimum_minutes is None else f"{tier.minimum_minutes} minutes",
        [words.MODES[mode] for mode in tier.accepted_modes] or "Any",
        "For ever" if tier.validity_months is None else f"{tier.validity_months} months",
    ]


async def programme_publish(request: Request) -> Response:
    """Publish, after a warning where no mapping exercise is locked."""
    programme_id: UUID = request.path_params["programme_id"]
    form = await form_of(request)
    version = _version(form)
    try:
        async with tenant_work(request) as work:
            await programmes.publish_programme(
                work,
                programme_id,
                version,
                has_locked_mapping=await has_locked_exercise(work),
                anyway=form.text("anyway") == "yes",
            )
    except TrainingRefusal as refusal:
        if refusal.code in GONE:
            raise HTTPException(404) from refusal
        warned = programme_id if refusal.code == "NO_LOCKED_MAPPING" else None
        return await _programmes(request, 422, [Problem("", refusal.message)], warned)
    return redirect("/console/programme", done="programme-published")


async def _matrix(request: Request) -> list[Any]:
    async with tenant_reads(request) as session:
        rows = await session.execute(
            select(
                Requirement.id,
                Requirement.setting,
                Requirement.task,
                Requirement.topic_code,
                Tier.position,
                Tier.name.label("tier_name"),
                JobRole.label.label("job_role"),
                Programme.name.label("programme"),
            )
            .join(
                Programme, and_(Programme.tenant_id == Requirement.tenant_id, Programme.id == Requirement.programme_id)
            )
            .outerjoin(Tier, and_(Tier.tenant_id == Requirement.tenant_id, Tier.id == Requirement.tier_id))
            .outerjoin(JobRole, JobRole.code == Requirement.job_role_code)
            .order_by(Programme.name, JobRole.label.nulls_first(), Requirement.setting.nulls_first(), Requirement.id)
        )
        return list(rows.all())


def _matrix_cells(row: Any) -> list[str]:
    return [
        row.job_role or "Any job role",
        words.SETTINGS[row.setting] if row.setting else "Any setting",
        words.TASKS[row.task] if row.task else "Whatever they do",
        words.needed(row),
        row.programme,
    ]


MATRIX_HEADINGS = ("Job role", "Setting", "Task", "Needs", "Programme")


async def requirements(request: Request) -> Response:
    """The requirement matrix, and a form for another row."""
    return await _requirements(request, 200, [], {})


async def _requirements(request: Request, status: int, problems: list[Problem], values: dict[str, str]) -> Response:
    rows = await _matrix(request)
    async with tenant_reads(request) as session:
        roles = (await session.scalars(select(JobRole).order_by(JobRole.label))).all()
        found = (await session.scalars(select(Programme).order_by(Programme.name, Programme.id))).all()
        tiers = (await session.scalars(select(Tier).order_by(Tier.position, Tier.id))).all()
    return render(
        request,
        "requirements.jinja",
        status=status,
        problems=problems,
        values=values,
        rows=[(row.id, _matrix_cells(row)) for row in rows],
        headings=MATRIX_HEADINGS,
        may_write=principal_here(request).may(Permission.TRAINING_WRITE),
        role_choices=[(role.code, role.label) for role in roles],
        programme_choices=[(programme.id, programme.name) for programme in found],
        tier_choices=[(tier.id, f"{tier.position}. {tier.name}") for tier in tiers],
        settings=words.SETTINGS,
        tasks=words.TASKS,
    )


async def requirements_csv(request: Request) -> Response:
    """The matrix as a file."""
    return csv_file("requirements.csv", MATRIX_HEADINGS, [_matrix_cells(row) for row in await _matrix(request)])


def _chosen_id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise HTTPException(404) from error


async def requirement_add(request: Request) -> Response:
    """Add a row to the matrix."""
    form = await form_of(request)
    names = ("job_role", "setting", "task", "topic_code", "tier_id", "programme_id")
    values = {name: form.text(name) for name in names}
    programme_id = _chosen_id(values["programme_id"])
    if programme_id is None:
        return await _requirements(request, 422, [Problem("programme_id", "Choose a programme.")], values)
    try:
        wanted = matrix.NewRequirement(
            _number(form, "job_role"),
            values["setting"] or None,
            values["task"] or None,
            values["topic_code"] or None,
            _chosen_id(values["tier_id"]),
        )
        async with tenant_work(request) as work:
            programme = await work.session.get(Programme, (work.tenant_id, programme_id), with_for_update=True)
            if programme is None:
                raise HTTPException(404)
            await matrix.add_requirement(work, programme_id, programme.version, wanted)
    except TrainingRefusal as refusal:
        field = REQUIREMENT_FIELDS.get(refusal.field, refusal.field)
        return await _requirements(request, 422, [Problem(field, refusal.message)], values)
    return redirect("/console/requirements", done="requirement-added")


async def requirement_remove(request: Request) -> Response:
    """Take a row out of the matrix."""
    try:
        async with tenant_work(request) as work:
            await matrix.remove_requirement(work, request.path_params["requirement_id"])
    except TrainingRefusal as refusal:
        raise HTTPException(404) from refusal
    return redirect("/console/requirements", done="requirement-removed")


NOMINATION_HEADINGS = ("Learner", "Location", "Nominated by", "On", "State")


async def _nominations(request: Request, limit: int | None) -> list[Any]:
    async with tenant_reads(request) as session:
        rows = await session.execute(
            select(ChampionNomination, Learner.display_name, CqcLocation.name)
            .join(
                Learner,
                and_(Learner.tenant_id == ChampionNomination.tenant_id, Learner.id == ChampionNomination.learner_id),
            )
            .join(
                TenantLocation,
                and_(
                    TenantLocation.tenant_id == ChampionNomination.tenant_id,
                    TenantLocation.id == ChampionNomination.tenant_location_id,
                ),
            )
            .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
            .order_by(
                ChampionNomination.pending.nulls_last(), ChampionNomination.nominated_at.desc(), ChampionNomination.id
            )
            .limit(limit)
        )
        return list(rows.all())


def _nomination_cells(request: Request, row: Any) -> list[Any]:
    nomination, learner, location = row
    principal = principal_here(request)
    sees = principal.may(Permission.PEOPLE_READ)
    by = f"{nomination.nominator_name}, {nomination.nominator_role}" if sees else nomination.nominator_role
    name = words.learner_name(principal, learner, nomination.learner_id)
    return [name, location, by, nomination.nominated_at, words.NOMINATIONS[nomination.status][0]]


async def nomination_list(request: Request) -> Response:
    """Nominations, those that wait first."""
    rows = await _nominations(request, NOMINATIONS_SHOWN)
    table = []
    for row in rows:
        cells = _nomination_cells(request, row)
        cells[0] = {"text": cells[0], "href": f"/console/nominations/{row[0].id}"}
        table.append(cells)
    return render(request, "nominations.jinja", table=table, headings=NOMINATION_HEADINGS)


async def nomination_csv(request: Request) -> Response:
    """All of them as a file."""
    rows = [_nomination_cells(request, row) for row in await _nominations(request, None)]
    return csv_file("nominations.csv", NOMINATION_HEADINGS, rows)


async def nomination(request: Request) -> Response:
    """One nomination with what was said."""
    return await _nomination(request, 200, [], {})


async def _nomination(request: Request, status: int, problems: list[Problem], values: dict[str, str]) -> Response:
    wanted: UUID = request.path_params["nomination_id"]
    row = next((row for row in await _nominations(request, None) if row[0].id == wanted), None)
    if row is None:
        raise HTTPException(404)
    principal = principal_here(request)
    return render(
        request,
        "nomination.jinja",
        status=status,
        problems=problems,
        values=values,
        nomination=row[0],
        cells=_nomination_cells(request, row),
        state=words.NOMINATIONS[row[0].status],
        sees=principal.may(Permission.PEOPLE_READ),
        may_write=principal.may(Permission.TRAINING_WRITE),
    )


async def nomination_decide(request: Request) -> Response:
    """Approve, decline or withdraw."""
    nomination_id: UUID = request.path_params["nomination_id"]
    form = await form_of(request)
    decide = {"approve": nominations.approve, "decline": nominations.decline, "withdraw": nominations.withdraw}
    chosen = decide.get(form.text("decision"))
    if chosen is None:
        return await _nomination(
            request, 422, [Problem("decision", "Choose a decision.")], {"reason": form.text("reason")}
        )
    try:
        async with tenant_work(request) as work:
            await chosen(work, nomination_id, _version(form), form.text("reason"))
    except TrainingRefusal as refusal:
        if refusal.code in GONE:
            raise HTTPException(404) from refusal
        field = refusal.field if refusal.field == "reason" else ""
        return await _nomination(request, 422, [Problem(field, refusal.message)], {"reason": form.text("reason")})
    return redirect("/console/nominations", done="nomination-decided")


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/programme", programme_list, needs=_READ),
    page("/programme/{programme_id:uuid}/publish", programme_publish, needs=_WRITE, methods=("POST",)),
    page("/requirements", requirements, needs=_READ),
    page("/requirements/matrix.csv", requirements_csv, needs=_READ),
    page("/requirements/add", requirement_add, needs=_WRITE, methods=("POST",)),
    page("/requirements/{requirement_id:uuid}/remove", requirement_remove, needs=_WRITE, methods=("POST",)),
    page("/nominations", nomination_list, needs=_READ),
    page("/nominations/all.csv", nomination_csv, needs=_READ),
    page("/nominations/{nomination_id:uuid}", nomination, needs=_READ),
    page("/nominations/{nomination_id:uuid}/decide", nomination_decide, needs=_WRITE, methods=("POST",)),
]
