"""Nudges: who has not learned for long, did not come, or could go on to the next tier, of a whole tenant at once.

Each is sent once for its cause: the last thing learned, the booking missed, the tier held. A tenant switches each kind
on; a learner can object to each.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, Text, Uuid, and_, cast, exists, func, literal, null, or_, select, union_all

from app.directory.models import Employment, Learner, LearnerIdentifier
from app.messaging.ledger import Asked, ask
from app.messaging.models import NUDGES, Message, MessageObjection, NudgeRule
from app.messaging.rules import Occasion, after_quiet
from app.messaging.settings import ahead_of, message_settings
from app.messaging.templates import template_for
from app.training.booking.models import LIVE, Booking
from app.training.errors import TrainingRefusal
from app.training.models import Attendance, Completion, Programme, Tier, TrainingSession
from app.training.requirements.evidence import by_attendance, by_completion, london_day
from app.training.requirements.finding import same_version
from tenants.audit import Action
from tenants.base import table_of
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

OCCASIONS = {
    "dormant": Occasion.NUDGE_DORMANT,
    "no_show": Occasion.NUDGE_NO_SHOW,
    "next_tier": Occasion.NUDGE_NEXT_TIER,
}
DEFAULT_DAYS = {"dormant": 180, "no_show": 3, "next_tier": 30}
NO_SHOW_WINDOW = timedelta(days=30)
"""Somebody who did not come longer ago than this beyond the rule's days is not asked any more."""
AT_MOST = 5_000
"""Nudges of one kind and day: the others come on the next days."""


async def set_nudge(work: UnitOfWork, kind: str, *, active: bool, days: int, code: str, version: int = 0) -> UUID:
    """Switch a kind on or off, and say after how many days it comes; gives its rule.

    Raises TrainingRefusal `NO_SENDER`, `UNKNOWN_KIND`, `OUT_OF_RANGE`, `NO_SUCH_TEMPLATE` or `CHANGED_MEANWHILE`.
    """
    if await message_settings(work) is None:
        raise TrainingRefusal("NO_SENDER", "Say first who the messages come from, under Messages, Sender.", "kind")
    if kind not in NUDGES:
        raise TrainingRefusal("UNKNOWN_KIND", f"Choose among {', '.join(NUDGES)}.", "kind")
    if not 1 <= days <= 730:
        raise TrainingRefusal("OUT_OF_RANGE", "Choose 1 to 730 days.", "days")
    if await template_for(work, OCCASIONS[kind], code) is None:
        raise TrainingRefusal("NO_SUCH_TEMPLATE", "There is no template of that name for it. Choose one.", "template")
    rule = (await work.session.scalars(select(NudgeRule).where(NudgeRule.kind == kind).with_for_update())).first()
    before = None
    if rule is None:
        rule = NudgeRule(tenant_id=work.tenant_id, id=new_id(), kind=kind, version=0)
        work.add(rule)
    else:
        same_version(version, rule.version, "nudge")
        before = {"active": rule.active, "days": rule.days, "template": rule.template_code}
    rule.active, rule.days, rule.template_code, rule.updated_at = active, days, code, work.now
    rule.version += 1
    await work.session.flush()
    after = {"kind": kind, "active": active, "days": days, "template": code}
    work.record(Action.NUDGE_RULE_SAVED, "nudge_rule", rule.id, before=before, after=after)
    return rule.id


@dataclass(frozen=True, slots=True)
class Nudged:
    """Somebody whom a nudge is about: whether a message goes out, and the reason as a code. `cause` makes it unique."""

    learner_id: UUID
    cause: str
    session_id: UUID | None
    booking_id: UUID | None
    goes: bool
    why: str


async def candidates(work: UnitOfWork, kind: str, days: int, now: datetime) -> list[Nudged]:
    """Whom a kind of nudge is about now, with the reason why one goes out or not; who had it for that cause is not
    named again.
    """
    found = FINDERS[kind](work.tenant_id, now, days).subquery()
    identifier, objection, message = (
        table_of(table).alias() for table in (LearnerIdentifier, MessageObjection, Message)
    )
    tenant = work.tenant_id
    key = literal(f"nudge:{kind}:", Text) + cast(found.c.learner_id, Text) + ":" + found.c.cause
    reachable = exists().where(
        identifier.c.tenant_id == tenant,
        identifier.c.learner_id == found.c.learner_id,
        identifier.c.kind == "email",
        ~identifier.c.shared,
        identifier.c.undeliverable_since.is_(None),
    )
    objects = exists().where(
        objection.c.tenant_id == tenant,
        objection.c.learner_id == found.c.learner_id,
        objection.c.ended_at.is_(None),
        objection.c.kind.in_(("all", "programme", kind)),
    )
    asked = exists().where(message.c.tenant_id == tenant, message.c.send_key == key)
    statement = (
        select(found, reachable.label("reachable"), objects.label("objects"))
        .where(~asked)
        .order_by(found.c.learner_id)
        .limit(AT_MOST)
    )
    rows = (await work.session.execute(statement)).all()
    return [_nudged(row, kind) for row in rows]


def _nudged(row: Any, kind: str) -> Nudged:
    why_not = "OBJECTS" if row.objects else "NO_ADDRESS" if not row.reachable else None
    return Nudged(row.learner_id, row.cause, row.session_id, row.booking_id, why_not is None, why_not or kind.upper())


async def run(work: UnitOfWork) -> int:
    """Ask for the nudges of today; how many."""
    settings = await message_settings(work)
    if settings is None:
        return 0
    now = work.now + ahead_of(settings)
    count = 0
    for rule in (await work.session.scalars(select(NudgeRule).where(NudgeRule.active).order_by(NudgeRule.kind))).all():
        template = await template_for(work, OCCASIONS[rule.kind], rule.template_code)
        if template is None:
            continue
        wanted = [one for one in await candidates(work, rule.kind, rule.days, now) if one.goes]
        asked = [
            Asked(
                f"nudge:{rule.kind}:{one.learner_id}:{one.cause}",
                OCCASIONS[rule.kind],
                template.message_class,
                template.id,
                learner_id=one.learner_id,
                session_id=one.session_id,
                booking_id=one.booking_id,
            )
            for one in wanted
        ]
        count += await ask(work, asked, after_quiet(work.now, settings.quiet_from, settings.quiet_until))
    if count:
        work.record(Action.NUDGES_SENT, "nudge_rule", None, after={"messages": count})
    return count


def _employed(tenant: UUID, learner_id: Any, today: date) -> Any:
    employment = table_of(Employment).alias()
    return exists().where(
        employment.c.tenant_id == tenant,
        employment.c.learner_id == learner_id,
        employment.c.started_on <= today,
        or_(employment.c.ended_on.is_(None), employment.c.ended_on >= today),
    )


def _booked_on(tenant: UUID, now: datetime, learner_id: Any, *more: Any) -> Any:
    """Whether the learner has a live booking for a session that is still to come, as `more` says of `session`."""
    booking, session = table_of(Booking).alias(), _SESSION
    return exists().where(
        booking.c.tenant_id == tenant,
        booking.c.learner_id == learner_id,
        booking.c.state.in_(LIVE),
        session.c.tenant_id == tenant,
        session.c.id == booking.c.session_id,
        session.c.starts_at > literal(now, session.c.starts_at.type),
        *more,
    )


_SESSION = table_of(TrainingSession).alias("coming")


def _dormant(tenant: UUID, now: datetime, days: int) -> Select[Any]:
    """At work, learned before, nothing since so many days, and nothing booked."""
    today = london_date(now)
    learner, completion, attendance, session = (
        table_of(table).alias() for table in (Learner, Completion, Attendance, TrainingSession)
    )
    learned = union_all(
        select(completion.c.learner_id, london_day(completion.c.completed_at).label("day")).where(
            completion.c.tenant_id == tenant
        ),
        select(attendance.c.learner_id, london_day(session.c.ends_at)).where(
            attendance.c.tenant_id == tenant,
            attendance.c.qualifies,
            session.c.tenant_id == tenant,
            session.c.id == attendance.c.session_id,
        ),
    ).subquery()
    last = func.max(learned.c.day)
    latest = select(learned.c.learner_id, last.label("day")).group_by(learned.c.learner_id).subquery()
    return select(
        latest.c.learner_id,
        cast(latest.c.day, Text).label("cause"),
        cast(null(), Uuid).label("session_id"),
        cast(null(), Uuid).label("booking_id"),
    ).where(
        latest.c.day <= literal(today - timedelta(days=days), Date),
        learner.c.tenant_id == tenant,
        learner.c.id == latest.c.learner_id,
        learner.c.merged_into_id.is_(None),
        _employed(tenant, latest.c.learner_id, today),
        ~_booked_on(tenant, now, latest.c.learner_id),
    )


def _no_show(tenant: UUID, now: datetime, days: int) -> Select[Any]:
    """Had a place, did not come, so many days ago, and has booked nothing of that tier since nor come to any."""
    booking, session, attendance = (table_of(table).alias() for table in (Booking, TrainingSession, Attendance))
    later, came = table_of(TrainingSession).alias(), table_of(Attendance).alias()
    until = london_date(now) - timedelta(days=days)
    day = london_day(session.c.ends_at)
    marked = exists().where(attendance.c.tenant_id == tenant, attendance.c.session_id == session.c.id)
    there = exists().where(
        attendance.c.tenant_id == tenant,
        attendance.c.session_id == session.c.id,
        attendance.c.learner_id == booking.c.learner_id,
        attendance.c.qualifies,
    )
    since = exists().where(
        came.c.tenant_id == tenant,
        came.c.learner_id == booking.c.learner_id,
        came.c.qualifies,
        later.c.tenant_id == tenant,
        later.c.id == came.c.session_id,
        later.c.tier_id.is_not_distinct_from(session.c.tier_id),
        later.c.starts_at > session.c.starts_at,
    )
    return select(
        booking.c.learner_id,
        cast(booking.c.id, Text).label("cause"),
        session.c.id.label("session_id"),
        booking.c.id.label("booking_id"),
    ).where(
        booking.c.tenant_id == tenant,
        booking.c.state == "confirmed",
        session.c.tenant_id == tenant,
        session.c.id == booking.c.session_id,
        session.c.state == "published",
        day <= literal(until, Date),
        day > literal(until - NO_SHOW_WINDOW, Date),
        marked,  # while nobody's attendance is known, nobody is told that they did not come
        ~there,
        ~since,
        ~_booked_on(tenant, now, booking.c.learner_id, _SESSION.c.tier_id.is_not_distinct_from(session.c.tier_id)),
    )


def _next_tier(tenant: UUID, now: datetime, days: int) -> Select[Any]:
    """Has the first tier of a published programme since so many days, nothing of the second, and nothing booked."""
    today = london_date(now)
    first, second, programme = table_of(Tier).alias(), table_of(Tier).alias(), table_of(Programme).alias()
    value = literal(tenant, Uuid)
    held = union_all(by_completion(value), by_attendance(value)).subquery()
    more = held.alias()
    since = func.min(held.c.day)
    return (
        select(
            held.c.learner_id,
            cast(first.c.id, Text).label("cause"),
            cast(null(), Uuid).label("session_id"),
            cast(null(), Uuid).label("booking_id"),
        )
        .where(
            programme.c.tenant_id == tenant,
            programme.c.status == "published",
            first.c.tenant_id == tenant,
            first.c.programme_id == programme.c.id,
            first.c.position == 1,
            second.c.tenant_id == tenant,
            second.c.programme_id == programme.c.id,
            second.c.position == 2,
            held.c.tier_id == first.c.id,
            or_(held.c.until.is_(None), held.c.until >= literal(today, Date)),
            ~exists(
                select(literal(1)).where(and_(more.c.learner_id == held.c.learner_id, more.c.tier_id == second.c.id))
            ),
            _employed(tenant, held.c.learner_id, today),
            ~_booked_on(tenant, now, held.c.learner_id, _SESSION.c.tier_id == second.c.id),
        )
        .group_by(held.c.learner_id, first.c.id)
        .having(since <= literal(today - timedelta(days=days), Date))
    )


FINDERS = {"dormant": _dormant, "no_show": _no_show, "next_tier": _next_tier}
