"""Reminders: rules become due rows for each session, and a due row becomes messages, once.

The rows of a session follow it: planned anew when it is published, moved or cancelled, and when a rule or the clock
changes. A session's own rules stand instead of those of its series, and those instead of the tenant's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.messaging.ledger import Asked, ask
from app.messaging.models import MessageSettings, MessageTemplate, Reminder, ReminderRule
from app.messaging.rules import Distance, Occasion, due_at, is_missed, when_to_remind
from app.messaging.settings import ahead_of, message_settings
from app.messaging.templates import template_for
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from app.training.requirements.finding import row_of, same_version
from app.training.sessions.models import SessionSeries
from tenants.audit import Action
from tenants.base import SCHEMA, among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

OCCASIONS = {"booked": Occasion.REMINDER, "attended": Occasion.AFTER_ATTENDED, "absent": Occasion.AFTER_ABSENT}
LOOKED_BACK = timedelta(days=91)
"""Sessions that ended longer ago have no reminder that could still be due."""


@dataclass(frozen=True, slots=True)
class RuleGiven:
    """A rule as somebody set it. Neither session nor series: for all sessions."""

    moment: str
    audience: str
    template_code: str
    days: int = 0
    minutes: int = 0
    at_time: time | None = None
    session_id: UUID | None = None
    series_id: UUID | None = None
    active: bool = True


async def save_rule(work: UnitOfWork, given: RuleGiven, *, rule_id: UUID | None = None, version: int = 0) -> UUID:
    """Set a rule, a new one or an other; gives its id. Sessions are planned anew.

    Raises TrainingRefusal `NO_SENDER`, `NO_SUCH_RULE`, `CHANGED_MEANWHILE`, `OUT_OF_RANGE`, `UNKNOWN_AUDIENCE`,
    `NO_SUCH_TEMPLATE`, `NO_SUCH_SESSION`, `NO_SUCH_SERIES` or `ONE_SCOPE`.
    """
    if await message_settings(work) is None:
        raise TrainingRefusal("NO_SENDER", "Say first who the messages come from, under Messages, Sender.", "rule")
    await _check(work, given)
    if rule_id is None:
        rule = ReminderRule(tenant_id=work.tenant_id, id=new_id(), version=0, created_at=work.now)
        work.add(rule)
        before = None
    else:
        rule = await row_of(work, ReminderRule, rule_id, "NO_SUCH_RULE", "rule", "id")
        same_version(version, rule.version, "rule")
        before = _told(rule)
    rule.moment, rule.audience, rule.template_code = given.moment, given.audience, given.template_code
    rule.days, rule.minutes, rule.at_time = given.days, given.minutes, given.at_time
    rule.session_id, rule.series_id, rule.active = given.session_id, given.series_id, given.active
    rule.version += 1
    await work.session.flush()
    work.record(Action.REMINDER_RULE_SAVED, "reminder_rule", rule.id, before=before, after=_told(rule))
    work.emit(Topic.REMINDERS_PLAN, f"rule:{rule.id}:{rule.version}")
    return rule.id


async def _check(work: UnitOfWork, given: RuleGiven) -> None:
    if given.audience not in OCCASIONS or (given.audience == "booked") != (given.moment == "before_start"):
        message = "Before a session everybody with a place is reminded; after it, those who came or those who did not."
        raise TrainingRefusal("UNKNOWN_AUDIENCE", message, "audience")
    if not (0 <= given.days <= 90 and 0 <= given.minutes < 24 * 60):
        raise TrainingRefusal("OUT_OF_RANGE", "Choose at most 90 days, and less than a day in minutes.", "days")
    if await template_for(work, OCCASIONS[given.audience], given.template_code) is None:
        message = "There is no template of that name for it. Choose one from the list, or write it first."
        raise TrainingRefusal("NO_SUCH_TEMPLATE", message, "templateCode")
    if given.session_id is not None and given.series_id is not None:
        raise TrainingRefusal("ONE_SCOPE", "Choose a session or a series, not both.", "sessionId")
    if given.session_id is not None:
        await row_of(work, TrainingSession, given.session_id, "NO_SUCH_SESSION", "session", "sessionId")
    if given.series_id is not None:
        await row_of(work, SessionSeries, given.series_id, "NO_SUCH_SERIES", "series", "seriesId")


def distance_of(rule: ReminderRule) -> Distance:
    """How far from a session the rule's reminders are due."""
    return Distance(rule.moment, rule.days, rule.minutes, rule.at_time)


def applying(rules: Iterable[ReminderRule], session: TrainingSession) -> list[ReminderRule]:
    """The rules that count for a session: its own, else those of its series, else the tenant's."""
    active = [rule for rule in rules if rule.active]
    own = [rule for rule in active if rule.session_id == session.id]
    serial = [rule for rule in active if rule.series_id is not None and rule.series_id == session.series_id]
    return own or serial or [rule for rule in active if rule.session_id is None and rule.series_id is None]


async def plan(work: UnitOfWork, session_id: UUID | None) -> int:
    """Set the due rows of one session, or of all that may still have any; how many are scheduled.

    Two plannings of a tenant wait for each other at its settings, so that a row is made once.
    """
    settings = await message_settings(work, lock=True)
    if settings is None:
        return 0
    rules = (await work.session.scalars(select(ReminderRule).order_by(ReminderRule.id))).all()
    wanted = select(TrainingSession).order_by(TrainingSession.id).with_for_update(read=True, key_share=True)
    if session_id is None:
        wanted = wanted.where(TrainingSession.ends_at > work.now - LOOKED_BACK)
    else:
        wanted = wanted.where(TrainingSession.id == session_id)
    sessions = (await work.session.scalars(wanted)).all()
    found = select(Reminder).where(among(Reminder.session_id, [session.id for session in sessions]))
    present: dict[UUID, list[Reminder]] = {}
    for reminder in await work.session.scalars(found.order_by(Reminder.id).with_for_update()):
        present.setdefault(reminder.session_id, []).append(reminder)
    return sum(
        [
            _plan_one(work, settings, session, applying(rules, session), present.get(session.id, []))
            for session in sessions
        ]
    )


def _plan_one(
    work: UnitOfWork,
    settings: MessageSettings,
    session: TrainingSession,
    rules: Sequence[ReminderRule],
    present: Sequence[Reminder],
) -> int:
    now = work.now + ahead_of(settings)
    occurs_on = london_date(session.starts_at)
    kept = {reminder.rule_id: reminder for reminder in present if reminder.occurs_on == occurs_on}
    counts = {rule.id for rule in rules} if session.state == "published" else set()
    for reminder in present:
        if reminder.state == "scheduled" and (reminder.occurs_on != occurs_on or reminder.rule_id not in counts):
            reminder.state = "withdrawn"
    scheduled = 0
    for rule in rules if session.state == "published" else ():
        distance = distance_of(rule)
        due = due_at(distance, session.starts_at, session.ends_at)
        quiet = (settings.quiet_from, settings.quiet_until)
        due = when_to_remind(due, session.starts_at if rule.moment == "before_start" else None, quiet)
        late = is_missed(distance, due, session.starts_at, now)
        if late and rule.id not in kept:
            continue  # it was too late before there was such a rule or session
        reminder = kept.get(rule.id) or _new(work, rule, session)
        if reminder.state in ("done", "missed"):
            continue
        reminder.due_at, reminder.state = due, "missed" if late else "scheduled"
        if not late:
            scheduled += 1
            at = due - ahead_of(settings)
            work.emit(
                Topic.REMINDER_RUN, f"{reminder.id}:{at.isoformat()}", at=max(at, work.now), reminder_id=reminder.id
            )
    return scheduled


def _new(work: UnitOfWork, rule: ReminderRule, session: TrainingSession) -> Reminder:
    reminder = Reminder(
        tenant_id=work.tenant_id,
        id=new_id(),
        rule_id=rule.id,
        session_id=session.id,
        occurs_on=london_date(session.starts_at),
        state="scheduled",
        messages=0,
        done_at=None,
    )
    work.add(reminder)
    return reminder


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whom a reminder is about: whether a message goes out, and why or why not, as a code."""

    learner_id: UUID
    booking_id: UUID
    goes: bool
    why: str


_BOOKED = f"""
    SELECT b.id AS booking_id, b.learner_id, b.state, coalesce(b.confirmed_at, b.booked_at) AS since, a.qualifies,
           EXISTS (SELECT FROM {SCHEMA}.learner_identifier i
                    WHERE i.tenant_id = $1 AND i.learner_id = b.learner_id AND i.kind = 'email' AND NOT i.shared
                      AND i.undeliverable_since IS NULL) AS reachable,
           EXISTS (SELECT FROM {SCHEMA}.message_objection x
                    WHERE x.tenant_id = $1 AND x.learner_id = b.learner_id AND x.ended_at IS NULL
                      AND x.kind IN ('all', $3)) AS objects
      FROM {SCHEMA}.booking b
      LEFT JOIN {SCHEMA}.attendance a
        ON a.tenant_id = $1 AND a.session_id = b.session_id AND a.learner_id = b.learner_id
     WHERE b.tenant_id = $1 AND b.session_id = $2 AND b.state IN ('confirmed', 'cancelled')
     ORDER BY b.number
"""


async def candidates(
    work: UnitOfWork, rule: ReminderRule, session_id: UUID, due: datetime, message_class: str
) -> list[Candidate]:
    """Whom a reminder reaches and whom it passes over, each with the reason: what a preview shows and a run does."""
    rows = await work.fetch(_BOOKED, session_id, message_class)
    return [_candidate(row, rule.audience, due) for row in rows]


def _candidate(row: Any, audience: str, due: datetime) -> Candidate:
    checks = (
        (row["state"] != "confirmed", "BOOKING_ENDED"),
        (audience == "booked" and row["since"] >= due, "BOOKED_AFTER_DUE"),
        (audience == "attended" and not row["qualifies"], "NOT_ATTENDED"),
        (audience == "absent" and bool(row["qualifies"]), "ATTENDED"),
        (row["objects"], "OBJECTS"),
        (not row["reachable"], "NO_ADDRESS"),
    )
    why_not = next((code for holds, code in checks if holds), None)
    return Candidate(row["learner_id"], row["booking_id"], why_not is None, why_not or audience.upper())


async def run(work: UnitOfWork, reminder_id: UUID) -> int:
    """Ask for the messages of a due row; how many. One that is done, withdrawn, or not due any more asks for none."""
    reminder = await work.session.get(Reminder, (work.tenant_id, reminder_id), with_for_update=True)
    settings = await message_settings(work)
    if reminder is None or settings is None or reminder.state != "scheduled":
        return 0
    now = work.now + ahead_of(settings)
    if reminder.due_at > now:
        return 0  # it moved on; planning has asked for another run
    rule = await work.session.get_one(ReminderRule, (work.tenant_id, reminder.rule_id))
    session = await work.session.get_one(TrainingSession, (work.tenant_id, reminder.session_id))
    reminder.done_at = work.now
    if is_missed(distance_of(rule), reminder.due_at, session.starts_at, now):
        reminder.state = "missed"
        return 0
    reminder.state = "done"
    template = await template_for(work, OCCASIONS[rule.audience], rule.template_code)
    if template is None:
        return 0
    found = await candidates(work, rule, session.id, reminder.due_at, template.message_class)
    asked = [_asked(template, rule, reminder, session, one) for one in found if one.goes]
    reminder.messages = await ask(work, asked, work.now)
    work.record(Action.REMINDER_SENT, "reminder", reminder.id, after={"messages": len(asked)})
    return len(asked)


def _asked(
    template: MessageTemplate, rule: ReminderRule, reminder: Reminder, session: TrainingSession, one: Candidate
) -> Asked:
    return Asked(
        f"reminder:{rule.id}:{one.booking_id}:{reminder.occurs_on}",
        OCCASIONS[rule.audience],
        template.message_class,
        template.id,
        reminder_id=reminder.id,
        learner_id=one.learner_id,
        session_id=session.id,
        booking_id=one.booking_id,
    )


def _told(rule: ReminderRule) -> dict[str, Any]:
    return {
        "moment": rule.moment,
        "audience": rule.audience,
        "days": rule.days,
        "minutes": rule.minutes,
        "at": None if rule.at_time is None else f"{rule.at_time:%H:%M}",
        "template": rule.template_code,
        "active": rule.active,
    }
