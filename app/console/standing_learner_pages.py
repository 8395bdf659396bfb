"""One learner's standing: every requirement with its why, and what is kept beside it; overrides, nominations."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Date, and_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.certificate_pages import learners_certificates
from app.console.competence_pages import confidence_pairs
from app.console.learner_pages import employments_of, learner_here, page_of
from app.console.pages import Problem, form_of, page, principal_here, redirect, render, tenant_look
from app.console.training_forms import may_write, needed_day, needed_key, tried, typed
from app.directory.models import CqcLocation, Employer, Employment, TenantLocation
from app.identity.permissions import Permission
from app.training.models import Attendance, Completion, Course, Tier, TrainingSession
from app.training.requirements import oversight
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
from app.training.requirements.prerequisites import end_override, override_prerequisites
from app.training.requirements.standing import employed
from tenants.base import table_of
from tenants.clock import london_date
from tenants.session import UnitOfWork

OVERRIDE_FIELDS = ("tier_id", "reason", "until")
NOMINATION_FIELDS = ("location_id", "nominator_name", "nominator_role", "statement")


async def standing_learner(request: Request) -> Response:
    """One learner: every requirement with its state and why, competence, progress, and what stands against a place."""
    return await _learner_page(request, [], {})


async def override_grant(request: Request) -> Response:
    """Let the learner pass what a tier asks for, until a day."""
    form = await form_of(request)

    async def change(work: UnitOfWork) -> None:
        await override_prerequisites(
            work,
            learner_id=request.path_params["learner_id"],
            tier_id=needed_key(form, "tier_id", "a tier"),
            rule_id=None,
            reason=form.text("reason"),
            until=needed_day(form, "until", "the last day on which it counts"),
        )

    problem = await tried(request, OVERRIDE_FIELDS, change)
    if problem is not None:
        return await _learner_page(request, [problem], typed(form, OVERRIDE_FIELDS))
    return redirect(page_of(request), done="override-granted")


async def override_end(request: Request) -> Response:
    """End an override before its day."""

    async def change(work: UnitOfWork) -> None:
        override = await work.session.get(PrerequisiteOverride, (work.tenant_id, request.path_params["override_id"]))
        if override is None or override.learner_id != request.path_params["learner_id"]:
            raise HTTPException(404)
        await end_override(work, override.id)

    problem = await tried(request, (), change)
    if problem is not None:
        return await _learner_page(request, [problem], {})
    return redirect(page_of(request), done="override-ended")


async def nomination_make(request: Request) -> Response:
    """Put the learner forward as Medication Champion."""
    form = await form_of(request)

    async def change(work: UnitOfWork) -> UUID:
        return await nominate(
            work,
            learner_id=request.path_params["learner_id"],
            tenant_location_id=needed_key(form, "location_id", "the location"),
            nominator_name=form.text("nominator_name"),
            nominator_role=form.text("nominator_role"),
            statement=form.text("statement"),
        )

    done = await tried(request, NOMINATION_FIELDS, change)
    if isinstance(done, Problem):
        return await _learner_page(request, [done], typed(form, NOMINATION_FIELDS))
    return redirect(f"/console/nominations/{done}", done="nominated")


async def _standing(session: AsyncSession, learner_id: UUID) -> Sequence[Any]:
    """Where the learner stands by each requirement."""
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
            and_(Requirement.tenant_id == LearnerStanding.tenant_id, Requirement.id == LearnerStanding.requirement_id),
        )
        .outerjoin(Tier, and_(Tier.tenant_id == Requirement.tenant_id, Tier.id == Requirement.tier_id))
        .where(LearnerStanding.learner_id == learner_id)
        .order_by(LearnerStanding.state.desc(), Tier.position, Requirement.topic_code, Employer.name, Requirement.id)
    )
    return rows.all()


async def _progress(session: AsyncSession, learner_id: UUID) -> Sequence[Any]:
    rows = await session.execute(
        select(Course.title, CourseProgress.state, CourseProgress.told_at, CourseProgress.corrected_because)
        .join(Course, and_(Course.tenant_id == CourseProgress.tenant_id, Course.id == CourseProgress.course_id))
        .where(CourseProgress.learner_id == learner_id)
        .order_by(CourseProgress.told_at.desc(), CourseProgress.id)
    )
    return rows.all()


async def _overrides(session: AsyncSession, learner_id: UUID) -> Sequence[Any]:
    rows = await session.execute(
        select(PrerequisiteOverride, Tier.name)
        .join(Tier, and_(Tier.tenant_id == PrerequisiteOverride.tenant_id, Tier.id == PrerequisiteOverride.tier_id))
        .where(PrerequisiteOverride.learner_id == learner_id)
        .order_by(PrerequisiteOverride.granted_at.desc(), PrerequisiteOverride.id)
    )
    return rows.all()


async def _places(session: AsyncSession, learner_id: UUID, day: date) -> Sequence[Any]:
    """Locations at which the learner works."""
    rows = await session.execute(
        select(TenantLocation.id, CqcLocation.name)
        .distinct()
        .join(
            Employer,
            and_(Employer.tenant_id == TenantLocation.tenant_id, Employer.tenant_location_id == TenantLocation.id),
        )
        .join(Employment, and_(Employment.tenant_id == Employer.tenant_id, Employment.employer_id == Employer.id))
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .where(Employment.learner_id == learner_id, employed(table_of(Employment), literal(day, Date)))
        .order_by(CqcLocation.name, TenantLocation.id)
    )
    return rows.all()


async def _learner_page(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    learner_id: UUID = request.path_params["learner_id"]
    principal = principal_here(request)
    sees = principal.may(Permission.PEOPLE_READ)
    async with tenant_look(request) as work:
        session = work.session
        name = await learner_here(request, session)
        found = await _standing(session, learner_id)
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
        tasks = await session.scalars(select(EmploymentTask.task).where(EmploymentTask.learner_id == learner_id))
        gives = oversight.GIVES_MEDICINES in set(tasks)
        progress = await _progress(session, learner_id)
        overrides = await _overrides(session, learner_id)
        places = await _places(session, learner_id, day)
        employments = await employments_of(session, learner_id)
        confidence = await confidence_pairs(session, learner_id)
    current = any(one.outcome == "competent" and one.review_due_on >= day for one in assessments[:1])
    return render(
        request,
        "standing_learner.jinja",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        may_write=may_write(request),
        tier_choices=[(tier.id, f"{tier.position}. {tier.name}") for tier in tiers],
        place_choices=[(row.id, row.name) for row in places],
        name=name,
        path=page_of(request),
        learner_id=learner_id,
        rows=[(row, words.needed(row), why.get(row.evidence_id)) for row in found],
        states=words.STATES,
        against=list(against.items()),
        certificates=await learners_certificates(request, learner_id),
        employments=employments,
        confidence=confidence,
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
        progress=[
            [row.title, words.PROGRESS[row.state], row.told_at, row.corrected_because if sees else None]
            for row in progress
        ],
        overrides=[
            (
                [tier, one.reason if sees else None, one.granted_at, one.until, _state(one, day)],
                one.id if _state(one, day) == "Open" else None,
            )
            for one, tier in overrides
        ],
        not_assessed=gives and not current,
    )


def _state(override: PrerequisiteOverride, day: date) -> str:
    if override.ended_at is not None:
        return "Ended"
    return "Open" if override.until >= day else "Over"


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


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/standing/learners/{learner_id:uuid}", standing_learner, needs=_READ),
    page("/standing/learners/{learner_id:uuid}/override", override_grant, needs=_WRITE, methods=("POST",)),
    page(
        "/standing/learners/{learner_id:uuid}/overrides/{override_id:uuid}/end",
        override_end,
        needs=_WRITE,
        methods=("POST",),
    ),
    page("/standing/learners/{learner_id:uuid}/nominate", nomination_make, needs=_WRITE, methods=("POST",)),
]
