"""Claims as people look at them: by deadline, with how urgent each is and the certificate that proves it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.models import Employer, Learner
from app.training.certificates.models import Certificate
from app.training.models import Completion, Course
from app.training.refunds.models import LdssClaim
from app.training.refunds.rules import days_in_hand, urgency
from app.training.requirements.evidence import london_day
from tenants.base import among, table_of
from tenants.clock import london_date


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """A claim with names. `days_left` counts down to the deadline; `certificate` is its number, `issued_on` its day."""

    claim: LdssClaim
    learner: str
    employer: str
    course: str
    days_left: int
    urgency: str
    certificate: str | None
    issued_on: date | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How claims stand: overdue and due soon, pounds to claim; days in hand of certificates (median, late, of all)."""

    overdue: int
    soon: int
    pounds: Any
    median_days: float | None
    late: int
    certified: int


async def claims(session: AsyncSession, today: date, employers: Collection[UUID] | None = None) -> list[ClaimShown]:
    """All claims, or those of some employers, the next deadline first; those that were made or are closed come last."""
    rows = await session.execute(_statement(employers))
    found = []
    for claim, learner, employer, course, certificate, issued_at, told in rows:
        issued_on = london_date(issued_at) if issued_at else None
        left = (claim.due_on - today).days
        how = urgency(claim.state, claim.due_on, today)
        found.append(ClaimShown(claim, learner, employer, course, left, how, certificate or told, issued_on))
    return sorted(found, key=lambda one: one.claim.state != "to_claim")


def _statement(employers: Collection[UUID] | None) -> Select[Any]:
    certificate, completion = table_of(Certificate).alias(), table_of(Completion).alias()
    issued = (
        select(certificate.c.number, certificate.c.issued_at)
        .where(
            certificate.c.tenant_id == LdssClaim.tenant_id,
            certificate.c.learner_id == LdssClaim.learner_id,
            certificate.c.course_id == LdssClaim.course_id,
            certificate.c.achieved_on == LdssClaim.completed_on,
            certificate.c.state == "issued",
        )
        .order_by(certificate.c.issued_at)
        .limit(1)
        .lateral()
    )
    told = (
        select(func.max(completion.c.certificate_number))
        .where(
            completion.c.tenant_id == LdssClaim.tenant_id,
            completion.c.learner_id == LdssClaim.learner_id,
            completion.c.course_id == LdssClaim.course_id,
            london_day(completion.c.completed_at) == LdssClaim.completed_on,
        )
        .scalar_subquery()
    )
    statement = (
        select(LdssClaim, Learner.display_name, Employer.name, Course.title, issued.c.number, issued.c.issued_at, told)
        .join(Learner, and_(Learner.tenant_id == LdssClaim.tenant_id, Learner.id == LdssClaim.learner_id))
        .join(Employer, and_(Employer.tenant_id == LdssClaim.tenant_id, Employer.id == LdssClaim.employer_id))
        .join(Course, and_(Course.tenant_id == LdssClaim.tenant_id, Course.id == LdssClaim.course_id))
        .outerjoin(issued, LdssClaim.id.is_not(None))
        .order_by(LdssClaim.due_on, Employer.name, Learner.name_key, LdssClaim.id)
    )
    return statement if employers is None else statement.where(among(LdssClaim.employer_id, employers))


def narrowed(found: Collection[ClaimShown], chosen: str) -> list[ClaimShown]:
    """Those of a state, or `overdue` or `soon`; all for an empty word."""
    return [one for one in found if not chosen or chosen in (one.claim.state, one.urgency)]


def counted(found: Collection[ClaimShown]) -> Counts:
    """How they stand together."""
    hands = [(one.issued_on, one.claim.due_on) for one in found if one.issued_on is not None]
    return Counts(
        sum(one.urgency == "overdue" for one in found),
        sum(one.urgency == "soon" for one in found),
        sum(one.claim.amount for one in found if one.urgency in ("soon", "open")),
        *days_in_hand(hands),
    )
