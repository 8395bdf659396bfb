"""Who is trained and who is not: the overview with drill-down, one learner with every why, an employer's people."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Date, Text, Uuid, and_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.certificate_pages import learners_certificates
from app.console.csv_files import csv_file
from app.console.pages import (
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.directory.models import CqcLocation, Employer, Employment, Learner, TenantLocation
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.models import Attendance, Completion, Course, Tier, TrainingSession
from app.training.requirements import oversight, standing
from app.training.requirements.gating import reasons_against
from app.training.requirements.models import (
    CompetenceAssessment,
    CourseProgress,
    EmploymentTask,
    LearnerStanding,
    PrerequisiteOverride,
    Requirement,
)
from app.training.requirements.nominations import nominate
from app.training.requirements.oversight import By
from app.training.requirements.prerequisites import override_prerequisites
from app.training.requirements.rules import Spell, visible_to_employer
from app.training.requirements.standing import employed
from tenants.base import table_of
from tenants.clock import london_date

PEOPLE_SHOWN = 100
HEADINGS = ("Needed", "Trained", "Not trained", "Share", "All staff")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _overview(request: Request) -> dict[str, Any]:
    """Rows of the chosen view, with what was chosen."""
    asked = request.query_params
    by = By(asked["by"]) if asked.get("by") in set(By) else By.PROVIDER
    inside = By(asked["within"]) if asked.get("within") in set(By) - {By.TIER} else None
    key, tier = asked.get("key", ""), _uuid(asked.get("tier", ""))
    principal = principal_here(request)
    day = london_date(services_of(request).clock())
    tenant = literal(principal.tenant_id, Uuid)
    statement = oversight.oversight(
        tenant,
        literal(day, Date),
        by,
        tier=None if tier is None else literal(tier, Uuid),
        within=None if inside is None else (inside, literal(key, Text)),
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(statement)).all()
        tiers = (await session.scalars(select(Tier).order_by(Tier.position, Tier.id))).all()
        coverage = (await session.execute(oversight.competence_coverage(tenant, literal(day, Date)))).one()
        waiting = (await session.execute(oversight.not_assessed(tenant, literal(day, Date)).limit(PEOPLE_SHOWN))).all()
        names = await _names(session, [row.learner_id for row in waiting])
    chosen = {"by": str(by), "tier": str(tier or ""), "within": str(inside or ""), "key": key if inside else ""}
    return {"by": by, "rows": rows, "tiers": tiers, "chosen": chosen, "day": day, "coverage": coverage,
            "waiting": waiting, "names": names}  # fmt: skip


async def _names(session: AsyncSession, learner_ids: Sequence[UUID]) -> dict[UUID, str]:
    found = await session.execute(select(Learner.id, Learner.display_name).where(Learner.id.in_(learner_ids)))
    return {row.id: row.display_name for row in found}


def _label(by: By, label: str) -> str:
    known = words.SETTINGS.get(label, label) if by is By.SETTING else label
    return known or words.UNKNOWN


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "–"


def _counted(by: By, row: Any) -> list[object]:
    return [row.needing, row.trained, row.untrained, _share(row.trained, row.needing), row.staff]


async def standing_overview(request: Request) -> Response:
    """Trained and untrained by provider, setting, job role or tier; each label drills down."""
    found = await _overview(request)
    by, principal = found["by"], principal_here(request)
    table = []
    for row in found["rows"]:
        label: Any = _label(by, row.label)
        if by is not By.TIER and not found["chosen"]["within"]:
            deeper = {"by": "setting" if by is not By.SETTING else "provider", "within": str(by), "key": row.key}
            query = urlencode(deeper | {"tier": found["chosen"]["tier"]})
            label = {"text": label, "href": f"/console/standing?{query}"}
        table.append([label, *_counted(by, row)])
    totals = [sum(getattr(row, name) for row in found["rows"]) for name in ("needing", "trained", "untrained", "staff")]
    if found["rows"] and by is not By.TIER:
        table.append(["All", *totals[:3], _share(totals[1], totals[0]), totals[3]])
    elif found["rows"]:
        table.append(["All", *totals[:3], _share(totals[1], totals[0]), "–"])
    waiting = [
        [
            {
                "text": words.learner_name(principal, found["names"].get(row.learner_id), row.learner_id),
                "href": f"/console/standing/learners/{row.learner_id}",
            },
            "Never assessed" if row.outcome is None else words.OUTCOMES[row.outcome],
            row.review_due_on,
        ]
        for row in found["waiting"]
    ]
    return render(
        request,
        "standing.jinja",
        table=table,
        headings=[words.VIEWS[by], *HEADINGS],
        waiting=waiting,
        views=words.VIEWS,
        query=urlencode(found["chosen"]),
        may_write=principal.may(Permission.TRAINING_WRITE),
        **{name: found[name] for name in ("chosen", "tiers", "day", "coverage")},
    )


async def standing_csv(request: Request) -> Response:
    """The same rows as a file."""
    found = await _overview(request)
    by = found["by"]
    rows = [[_label(by, row.label), *_counted(by, row)] for row in found["rows"]]
    return csv_file("standing.csv", [words.VIEWS[by], *HEADINGS], rows)


async def standing_compute(request: Request) -> Response:
    """Have everybody's standing computed now rather than tonight."""
    async with tenant_work(request) as work:
        await standing.request_by_hand(work)
    return redirect("/console/standing", done="standing-asked")


async def standing_learner(request: Request) -> Response:
    """One learner: every requirement with its state and why, competence, progress, and what stands against a place."""
    return await _learner_page(request, 200, [], {})


async def override_grant(request: Request) -> Response:
    """Let the learner pass what a tier asks for, until a day."""
    form = await form_of(request)
    values = {name: form.text(name) for name in ("tier_id", "reason", "until")}
    tier_id = _uuid(values["tier_id"])
    try:
        until = date.fromisoformat(values["until"])
    except ValueError:
        return await _learner_page(request, 422, [Problem("until", "Enter the last day on which it counts.")], values)
    if tier_id is None:
        return await _learner_page(request, 422, [Problem("tier_id", "Choose a tier.")], values)
    learner_id: UUID = request.path_params["learner_id"]
    try:
        async with tenant_work(request) as work:
            await override_prerequisites(
                work, learner_id=learner_id, tier_id=tier_id, rule_id=None, reason=values["reason"], until=until
            )
    except TrainingRefusal as refusal:
        return await _learner_page(request, 422, [Problem(_FIELDS.get(refusal.field, ""), refusal.message)], values)
    return redirect(f"/console/standing/learners/{learner_id}", done="override-granted")


async def nomination_make(request: Request) -> Response:
    """Put the learner forward as Medication Champion."""
    form = await form_of(request)
    names = ("location_id", "nominator_name", "nominator_role", "statement")
    values = {name: form.text(name) for name in names}
    location_id = _uuid(values["location_id"])
    if location_id is None:
        return await _learner_page(request, 422, [Problem("location_id", "Choose the location.")], values)
    try:
        async with tenant_work(request) as work:
            nomination_id = await nominate(
                work,
                learner_id=request.path_params["learner_id"],
                tenant_location_id=location_id,
                nominator_name=values["nominator_name"],
                nominator_role=values["nominator_role"],
                statement=values["statement"],
            )
    except TrainingRefusal as refusal:
        return await _learner_page(request, 422, [Problem(_FIELDS.get(refusal.field, ""), refusal.message)], values)
    return redirect(f"/console/nominations/{nomination_id}", done="nominated")


_FIELDS = {
    "tierId": "tier_id",
    "reason": "reason",
    "until": "until",
    "locationId": "location_id",
    "nominatorName": "nominator_name",
    "nominatorRole": "nominator_role",
    "statement": "statement",
}
"""The form's field for each field of a refusal."""


async def _learner_page(request: Request, status: int, problems: list[Problem], values: dict[str, str]) -> Response:
    learner_id: UUID = request.path_params["learner_id"]
    principal = principal_here(request)
    context = principal.tenant_context(request_id=request.state.request_id, read_only=True)
    async with services_of(request).database.unit_of_work(context) as work:
        session = work.session
        learner = await session.get(Learner, (work.tenant_id, learner_id))
        if learner is None:
            raise HTTPException(404)
        rows = await session.execute(
            select(
                LearnerStanding.state,
                LearnerStanding.since,
                LearnerStanding.valid_until,
                LearnerStanding.evidence_kind,
                LearnerStanding.evidence_id,
                Employer.id.label("employer_id"),
                Employer.name.label("employer"),
                Requirement.topic_code,
                Tier.position,
                Tier.name.label("tier_name"),
            )
            .join(
                Employer,
                and_(Employer.tenant_id == LearnerStanding.tenant_id, Employer.id == LearnerStanding.employer_id),
            )
            .join(
                Requirement,
                and_(
                    Requirement.tenant_id == LearnerStanding.tenant_id, Requirement.id == LearnerStanding.requirement_id
                ),
            )
            .outerjoin(Tier, and_(Tier.tenant_id == Requirement.tenant_id, Tier.id == Requirement.tier_id))
            .where(LearnerStanding.learner_id == learner_id)
            .order_by(
                LearnerStanding.state.desc(), Tier.position, Requirement.topic_code, Employer.name, Requirement.id
            )
        )
        found = rows.all()
        why = await _why(session, [row.evidence_id for row in found if row.evidence_id])
        day = london_date(work.now)
        tiers = (await session.scalars(select(Tier).order_by(Tier.position, Tier.id))).all()
        against = {
            tier: (await reasons_against(work, tier_id=tier.id, learner_ids=[learner_id], on=day)).get(learner_id, ())
            for tier in tiers
        }
        assessments = (
            await session.scalars(
                select(CompetenceAssessment)
                .where(CompetenceAssessment.learner_id == learner_id)
                .order_by(CompetenceAssessment.assessed_on.desc(), CompetenceAssessment.id.desc())
            )
        ).all()
        progress = (
            await session.execute(
                select(Course.title, CourseProgress.state, CourseProgress.told_at)
                .join(Course, and_(Course.tenant_id == CourseProgress.tenant_id, Course.id == CourseProgress.course_id))
                .where(CourseProgress.learner_id == learner_id)
                .order_by(CourseProgress.told_at.desc(), CourseProgress.id)
            )
        ).all()
        overrides = (
            await session.execute(
                select(PrerequisiteOverride, Tier.name)
                .join(
                    Tier,
                    and_(Tier.tenant_id == PrerequisiteOverride.tenant_id, Tier.id == PrerequisiteOverride.tier_id),
                )
                .where(PrerequisiteOverride.learner_id == learner_id)
                .order_by(PrerequisiteOverride.granted_at.desc(), PrerequisiteOverride.id)
            )
        ).all()
        tasks = await session.scalars(
            select(EmploymentTask.task).where(EmploymentTask.learner_id == learner_id).distinct()
        )
        places = (
            await session.execute(
                select(TenantLocation.id, CqcLocation.name)
                .distinct()
                .join(
                    Employer,
                    and_(
                        Employer.tenant_id == TenantLocation.tenant_id, Employer.tenant_location_id == TenantLocation.id
                    ),
                )
                .join(
                    Employment, and_(Employment.tenant_id == Employer.tenant_id, Employment.employer_id == Employer.id)
                )
                .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
                .where(Employment.learner_id == learner_id, employed(table_of(Employment), literal(day, Date)))
                .order_by(CqcLocation.name, TenantLocation.id)
            )
        ).all()
        gives = oversight.GIVES_MEDICINES in set(tasks)
    current = any(one.outcome == "competent" and one.review_due_on >= day for one in assessments[:1])
    sees = principal.may(Permission.PEOPLE_READ)
    return render(
        request,
        "standing_learner.jinja",
        status=status,
        problems=problems,
        values=values,
        may_write=principal.may(Permission.TRAINING_WRITE),
        tier_choices=[(tier.id, f"{tier.position}. {tier.name}") for tier in tiers],
        place_choices=[(row.id, row.name) for row in places],
        name=words.learner_name(principal, learner.display_name, learner.id),
        learner_id=learner_id,
        rows=[(row, words.needed(row), why.get(row.evidence_id)) for row in found],
        states=words.STATES,
        against=list(against.items()),
        certificates=await learners_certificates(request, learner_id),
        assessments=[
            [
                one.assessed_on,
                words.OUTCOMES[one.outcome],
                [words.TASKS.get(skill, skill) for skill in one.skills],
                one.review_due_on,
                one.assessor_name if sees else one.assessor_profession,
            ]
            for one in assessments
        ],
        progress=[[title, words.PROGRESS[state], told] for title, state, told in progress],
        overrides=[
            [tier, one.reason if sees else None, one.granted_at, one.until, "Ended" if one.ended_at else "Open"]
            for one, tier in overrides
        ],
        not_assessed=gives and not current,
    )


async def _why(session: AsyncSession, evidence: Sequence[UUID]) -> dict[UUID, str]:
    """What each standing rests on: the course and its day, or the session and its day."""
    told: dict[UUID, str] = {}
    completed = await session.execute(
        select(Completion.id, Course.title, Completion.completed_at)
        .join(Course, and_(Course.tenant_id == Completion.tenant_id, Course.id == Completion.course_id))
        .where(Completion.id.in_(evidence))
    )
    attended = await session.execute(
        select(Attendance.id, TrainingSession.title, TrainingSession.ends_at)
        .join(
            TrainingSession,
            and_(TrainingSession.tenant_id == Attendance.tenant_id, TrainingSession.id == Attendance.session_id),
        )
        .where(Attendance.id.in_(evidence))
    )
    for verb, rows in (("Completed", completed), ("Attended", attended)):
        for row_id, title, at in rows:
            told[row_id] = f"{verb} {title} on {london_date(at):%-d %B %Y}"
    return told


async def _employer_rows(request: Request) -> tuple[str, list[list[object]]]:
    """An employer's people and what they learned while they worked there, latest first."""
    employer_id: UUID = request.path_params["employer_id"]
    principal = principal_here(request)
    async with tenant_reads(request) as session:
        employer = await session.get(Employer, (principal.tenant_id, employer_id))
        if employer is None:
            raise HTTPException(404)
        here = select(Employment.learner_id).where(Employment.employer_id == employer_id)
        known = await session.execute(select(Learner.id, Learner.display_name).where(Learner.id.in_(here)))
        names = {row.id: row.display_name for row in known}
        spells: dict[UUID, list[Spell]] = {learner_id: [] for learner_id in names}
        for row in await session.scalars(select(Employment).where(Employment.employer_id == employer_id)):
            spells.setdefault(row.learner_id, []).append(Spell(row.employer_id, row.started_on, row.ended_on))
        completed = select(Completion.learner_id, Course.title, Completion.completed_at).join(
            Course, and_(Course.tenant_id == Completion.tenant_id, Course.id == Completion.course_id)
        )
        attended = (
            select(Attendance.learner_id, TrainingSession.title, TrainingSession.ends_at)
            .join(
                TrainingSession,
                and_(TrainingSession.tenant_id == Attendance.tenant_id, TrainingSession.id == Attendance.session_id),
            )
            .where(Attendance.qualifies)
        )
        records = [
            (kind, *row)
            for kind, statement, column in (
                ("Completed", completed, Completion.learner_id),
                ("Attended", attended, Attendance.learner_id),
            )
            for row in await session.execute(statement.where(column.in_(list(names))))
        ]
    visible = [
        (london_date(at), kind, title, learner_id)
        for kind, learner_id, title, at in records
        if visible_to_employer(london_date(at), spells[learner_id], employer_id)
    ]
    visible.sort(key=lambda one: (one[0], one[2], str(one[3])), reverse=True)
    rows: list[list[object]] = [
        [words.learner_name(principal, names[learner_id], learner_id), kind, title, day]
        for day, kind, title, learner_id in visible
    ]
    return employer.name, rows


EMPLOYER_HEADINGS = ("Learner", "What", "Course or session", "On")


async def standing_employer(request: Request) -> Response:
    """What an employer's people learned while they worked there."""
    name, rows = await _employer_rows(request)
    employer_id = request.path_params["employer_id"]
    shown = rows[:PEOPLE_SHOWN]
    return render(
        request, "standing_employer.jinja", name=name, rows=shown, total=len(rows), headings=EMPLOYER_HEADINGS,
        employer_id=employer_id,
    )  # fmt: skip


async def standing_employer_csv(request: Request) -> Response:
    """The same as a file, whole."""
    _, rows = await _employer_rows(request)
    return csv_file("learning.csv", EMPLOYER_HEADINGS, rows)


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/standing", standing_overview, needs=_READ),
    page("/standing/overview.csv", standing_csv, needs=_READ),
    page("/standing/compute", standing_compute, needs=_WRITE, methods=("POST",)),
    page("/standing/learners/{learner_id:uuid}", standing_learner, needs=_READ),
    page("/standing/learners/{learner_id:uuid}/override", override_grant, needs=_WRITE, methods=("POST",)),
    page("/standing/learners/{learner_id:uuid}/nominate", nomination_make, needs=_WRITE, methods=("POST",)),
    page("/standing/employers/{employer_id:uuid}", standing_employer, needs=_READ),
    page("/standing/employers/{employer_id:uuid}/learning.csv", standing_employer_csv, needs=_READ),
]
