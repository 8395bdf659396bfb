"""Competence and confidence: of a learner, assessed and rated by hand; and the programme's rules for both."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Date, and_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.learner_pages import learner_form, learner_here, page_of
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    services_of,
    tenant_look,
    tenant_reads,
)
from app.console.reports import Field, ShortForm
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, key, needed_day, needed_key, number, tried, typed
from app.directory.models import Employment, JobRole, Learner
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.mapping.models import Topic
from app.training.models import Tier
from app.training.requirements import competence, confidence
from app.training.requirements.models import AssessorRule, ConfidenceRating
from app.training.requirements.standing import employed
from tenants.base import among, table_of
from tenants.clock import london_date
from tenants.session import UnitOfWork

SETTINGS = "/console/programme/competence"
ASSESS_FIELDS = ("assessor_id", "assessor_name", "assessor_profession", "outcome", "assessed_on")
RATING_FIELDS = ("tier_id", "topic_code", "moment", "rating", "scale_points", "rated_on")
WHY_NOT = {
    "OWN_COMPETENCE_MISSING": "their own competence is not assessed, or was due for review",
    "PROFESSION_MISSING": "your rules ask for a profession beside the job role",
    "NOT_NAMED": "your rules name neither their job role nor their profession",
}
MOMENTS = {"before": "Before the training", "after": "After the training"}
ASSESSORS_SHOWN = 500


async def assessors(work: UnitOfWork) -> list[tuple[UUID, str, str, str | None]]:
    """People whose job role the rules name: id, name, job role, and why they may not assess today (None: they may)."""
    codes = select(AssessorRule.job_role_code).where(AssessorRule.job_role_code.is_not(None))
    today = london_date(work.now)
    rows = await work.session.execute(
        select(Learner.id, Learner.display_name, JobRole.label)
        .join(Employment, and_(Employment.tenant_id == Learner.tenant_id, Employment.learner_id == Learner.id))
        .join(JobRole, JobRole.code == Employment.job_role_code)
        .where(
            among(Employment.job_role_code, await work.session.scalars(codes)),
            employed(table_of(Employment), literal(today, Date)),
        )
        .order_by(Learner.name_key, Learner.id, JobRole.label)
        .limit(ASSESSORS_SHOWN)
    )
    found = {row.id: row for row in rows}
    faults = await competence.why_not(work, list(found), None, today)
    return [(row.id, row.display_name, row.label, faults[row.id]) for row in found.values()]


async def _professions(session: AsyncSession) -> Sequence[str]:
    named = select(AssessorRule.profession).where(AssessorRule.profession.is_not(None)).distinct()
    return sorted(profession for profession in await session.scalars(named) if profession)


async def assess(request: Request) -> Response:
    """Record an assessment of the learner's competence."""
    form = await form_of(request) if request.method == "POST" else None
    problem = None
    if form is not None:
        sent = form

        async def change(work: UnitOfWork) -> UUID:
            return await _assessed(work, request, sent)

        done = await tried(request, (*ASSESS_FIELDS, "skills"), change)
        if not isinstance(done, Problem):
            return redirect(page_of(request), done="competence-assessed")
        problem = done
    principal = principal_here(request)
    async with tenant_look(request) as work:
        name = await learner_here(request, work.session)
        people = await assessors(work)
        professions = await _professions(work.session)
        topics = await work.session.scalars(select(Topic).where(Topic.status == "active").order_by(Topic.code))
        topic_choices = [(topic.code, f"{topic.code}: {topic.title}") for topic in topics]
    own = request.path_params["learner_id"]
    listed = [
        (row_id, f"{words.learner_name(principal, who, row_id)}, {role}" + _why(row_id, own, fault))
        for row_id, who, role, fault in sorted(people, key=lambda one: (one[0] == own, one[3] is not None))
    ]
    fields = [
        Field("choice", "assessor_id", "Assessor", "Those who may assess come first.", listed, "Somebody from outside"),
        Field("text", "assessor_name", "Name, if from outside"),
        Field(
            "choice",
            "assessor_profession",
            "Profession of the assessor",
            "Needed if from outside, or if your rules ask for it beside the job role.",
            [(profession, profession) for profession in professions],
            "None of these",
        ),
        Field("one", "outcome", "Outcome", options=list(words.OUTCOMES.items())),
        Field("many", "skills", "Tasks that were assessed", options=list(words.TASKS.items())),
        Field("folded", "topics", "Topics that were assessed", options=topic_choices),
        Field("date", "assessed_on", "Assessed on"),
    ]
    intro = [] if listed or professions else ["Nobody may assess yet. Say first who may."]
    links = [Link("Who may assess", SETTINGS)]
    short = ShortForm(f"{page_of(request)}/assess", "Record the assessment", fields)
    return learner_form(request, name, "Record an assessment", short, problem, _sent(form), intro=intro, links=links)


def _why(row_id: UUID, own: UUID, fault: str | None) -> str:
    if row_id == own:
        return " (may not: nobody assesses themselves)"
    return f" (may not today: {WHY_NOT[fault]})" if fault else ""


def _sent(form: Form | None) -> dict[str, Any]:
    if form is None:
        return {}
    return typed(form, ASSESS_FIELDS) | {name: form.texts(name) for name in ("skills", "topics")}


async def _assessed(work: UnitOfWork, request: Request, form: Form) -> UUID:
    """Keep the assessment of the form; a refusal of the assessor says why."""
    if form.text("outcome") not in words.OUTCOMES:
        raise Invalid("outcome", "Choose the outcome.")
    assessed_on = needed_day(form, "assessed_on", "the day of the assessment")
    assessor_id, profession = key(form, "assessor_id"), form.text("assessor_profession") or None
    name = form.text("assessor_name")
    if assessor_id is not None:
        who = await work.session.get(Learner, (work.tenant_id, assessor_id))
        name = who.display_name if who else ""
    elif not name.strip():
        raise Invalid("assessor_id", "Choose the assessor, or name somebody from outside.")
    try:
        return await competence.assess(
            work,
            learner_id=request.path_params["learner_id"],
            assessor=competence.Assessor(name, assessor_id, profession),
            outcome=form.text("outcome"),
            skills=[*form.texts("skills"), *form.texts("topics")],
            assessed_on=assessed_on,
        )
    except TrainingRefusal as refusal:
        if refusal.code != "ASSESSOR_NOT_ELIGIBLE":
            raise
        people = [assessor_id] if assessor_id else []
        why = str((await competence.why_not(work, people, profession, assessed_on))[assessor_id])
        raise Invalid("assessor_id", f"That person may not assess: {WHY_NOT[why]}. Name another.") from refusal


async def confidence_pairs(session: AsyncSession, learner_id: UUID) -> list[list[Any]]:
    """How confident the learner felt: tier, topic, before, after, and the change where both were told."""
    rows = await session.execute(
        select(ConfidenceRating, Tier.position, Tier.name)
        .join(Tier, and_(Tier.tenant_id == ConfidenceRating.tenant_id, Tier.id == ConfidenceRating.tier_id))
        .where(ConfidenceRating.learner_id == learner_id)
        .order_by(Tier.programme_id, Tier.position, ConfidenceRating.topic_code)
    )
    pairs: dict[tuple[UUID, str], dict[str, ConfidenceRating]] = {}
    tiers: dict[UUID, str] = {}
    for rating, position, name in rows:
        tiers[rating.tier_id] = f"{position}. {name}"
        pairs.setdefault((rating.tier_id, rating.topic_code), {})[rating.moment] = rating
    return [
        [
            tiers[tier_id],
            topic,
            *(_rated(pair.get(moment)) for moment in MOMENTS),
            f"{pair['after'].rating - pair['before'].rating:+d}" if len(pair) == len(MOMENTS) else None,
        ]
        for (tier_id, topic), pair in pairs.items()
    ]


def _rated(rating: ConfidenceRating | None) -> str | None:
    if rating is None:
        return None
    return f"{rating.rating} of {rating.scale_points}, on {rating.rated_on:%-d %B %Y}"


async def _pairs(request: Request, session: AsyncSession) -> Table:
    return Table(
        "What was told so far",
        ("Tier", "Topic", "Before", "After", "Change"),
        await confidence_pairs(session, request.path_params["learner_id"]),
        f"{page_of(request)}/confidence.csv",
        nothing="Nothing was told yet. Record how the learner feels before the training, and again after it.",
    )


async def confidence_rate(request: Request) -> Response:
    """Record how confident the learner feels about a topic, before or after training."""
    form = await form_of(request) if request.method == "POST" else None
    problem = None
    if form is not None:
        sent = form

        async def change(work: UnitOfWork) -> UUID:
            if sent.text("moment") not in MOMENTS:
                raise Invalid("moment", "Choose when it was told.")
            return await confidence.rate(
                work,
                learner_id=request.path_params["learner_id"],
                tier_id=needed_key(sent, "tier_id", "the tier"),
                topic_code=sent.text("topic_code"),
                moment=sent.text("moment"),
                rating=number(sent, "rating") or 0,
                scale_points=number(sent, "scale_points") or 0,
                rated_on=needed_day(sent, "rated_on", "the day on which it was told"),
            )

        done = await tried(request, RATING_FIELDS, change)
        if not isinstance(done, Problem):
            return redirect(f"{page_of(request)}/confidence", done="confidence-rated")
        problem = done
    async with tenant_reads(request) as session:
        name = await learner_here(request, session)
        table = await _pairs(request, session)
        tiers = await session.scalars(select(Tier).order_by(Tier.programme_id, Tier.position))
        topics = await session.scalars(select(Topic).where(Topic.status == "active").order_by(Topic.code))
        topic_choices = [(topic.code.upper(), f"{topic.code}: {topic.title}") for topic in topics]
        fields = [
            Field("choice", "tier_id", "Tier", options=[(row.id, f"{row.position}. {row.name}") for row in tiers]),
            Field("choice", "topic_code", "Topic", options=topic_choices),
            Field("one", "moment", "When it was told", options=list(MOMENTS.items())),
            Field("text", "rating", "Rating", "From 1, the least, to the points of the scale."),
            Field("text", "scale_points", "Points of the scale", "The same before and after."),
            Field("date", "rated_on", "Told on"),
        ]
    values = {"scale_points": "5", "rated_on": london_date(services_of(request).clock()).isoformat()}
    short = ShortForm(f"{page_of(request)}/confidence", "Record the rating", fields, "Another rating")
    intro = ["A rating of the same topic and moment replaces the one before."]
    sent_values = values if form is None else typed(form, RATING_FIELDS)
    return learner_form(request, name, "Confidence", short, problem, sent_values, intro=intro, tables=[table])


async def confidence_file(request: Request) -> Response:
    """The learner's ratings as a CSV."""
    async with tenant_reads(request) as session:
        await learner_here(request, session)
        return csv_of("confidence.csv", await _pairs(request, session))


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/standing/learners/{learner_id:uuid}/assess", assess, needs=_WRITE, methods=("GET", "POST")),
    page("/standing/learners/{learner_id:uuid}/confidence", confidence_rate, needs=_WRITE, methods=("GET", "POST")),
    page("/standing/learners/{learner_id:uuid}/confidence.csv", confidence_file, needs=_READ),
]
