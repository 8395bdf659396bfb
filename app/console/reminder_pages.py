"""Reminders of sessions and nudges: the rules, what they will send to whom and why."""

from datetime import time
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import message_words as words
from app.console import training_words
from app.console.message_pages import BACK, HOME, may_send
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
from app.console.reports import Field, ShortForm, report
from app.console.tables import Button, Link, Table, csv_of
from app.console.training_forms import Invalid, key, number, tried, typed, version_of
from app.directory.models import Learner
from app.identity.permissions import Permission
from app.messaging import nudges as nudging
from app.messaging import reminders as reminding
from app.messaging.models import MessageTemplate, NudgeRule, Reminder, ReminderRule
from app.messaging.settings import ahead_of, message_settings
from app.messaging.templates import template_for
from app.training.models import TrainingSession
from app.training.sessions.models import SessionSeries
from tenants.base import among
from tenants.clock import LONDON
from tenants.session import UnitOfWork

REMINDERS, NUDGES = f"{HOME}/reminders", f"{HOME}/nudges"
FIELDS = ("audience", "days", "minutes", "at_time", "template_code", "series_id", "session_id")
SHOWN = 100


def rule_words(rule: ReminderRule) -> str:
    """A rule in words, such as: 7 days before it begins."""
    parts = []
    if rule.days:
        parts.append(f"{rule.days} day" + ("s" if rule.days > 1 else ""))
    if rule.minutes:
        hours, rest = divmod(rule.minutes, 60)
        parts += [f"{hours} hour" + ("s" if hours > 1 else "")] if hours else []
        parts += [f"{rest} minutes"] if rest else []
    at = f", at {rule.at_time:%H:%M}" if rule.at_time else ""
    side = "before it begins" if rule.moment == "before_start" else "after it ended"
    return f"{' '.join(parts) or 'At once'} {side}{at}"


async def reminders(request: Request) -> Response:
    """The rules and what comes next."""
    return await _reminders(request, [], {"audience": "booked"})


async def _tables(request: Request) -> dict[str, Table]:
    writes = may_send(request)
    listed = (
        select(ReminderRule, TrainingSession.title, SessionSeries.title)
        .outerjoin(
            TrainingSession,
            and_(TrainingSession.tenant_id == ReminderRule.tenant_id, TrainingSession.id == ReminderRule.session_id),
        )
        .outerjoin(
            SessionSeries,
            and_(SessionSeries.tenant_id == ReminderRule.tenant_id, SessionSeries.id == ReminderRule.series_id),
        )
        .order_by(ReminderRule.moment.desc(), ReminderRule.days.desc(), ReminderRule.minutes.desc(), ReminderRule.id)
    )
    coming = (
        select(Reminder, ReminderRule, TrainingSession.title, TrainingSession.starts_at)
        .join(ReminderRule, and_(ReminderRule.tenant_id == Reminder.tenant_id, ReminderRule.id == Reminder.rule_id))
        .join(
            TrainingSession,
            and_(TrainingSession.tenant_id == Reminder.tenant_id, TrainingSession.id == Reminder.session_id),
        )
        .where(Reminder.state.in_(("scheduled", "done", "missed")))
        .order_by(Reminder.state != "scheduled", Reminder.due_at, Reminder.id)
        .limit(SHOWN)
    )
    async with tenant_reads(request) as session:
        rules = (await session.execute(listed)).all()
        due = (await session.execute(coming)).all()
    return {
        "rules": Table(
            "Rules",
            ("When", "To whom", "Sessions", "Template", "State"),
            [
                (
                    rule_words(rule),
                    words.AUDIENCES[rule.audience].partition(": ")[2].capitalize(),
                    title or (f"Series: {series}" if series else "All"),
                    rule.template_code,
                    "In use" if rule.active else "Switched off",
                )
                for rule, title, series in rules
            ],
            f"{REMINDERS}/rules.csv",
            nothing="Nobody is reminded of anything yet.",
            does="Switch" if writes else "",
            buttons=[
                Button(f"{REMINDERS}/{rule.id}/switch", f"{rule_words(rule)} {'off' if rule.active else 'on'}")
                if writes
                else None
                for rule, _, _ in rules
            ],
        ),
        "coming": Table(
            "What comes next",
            ("Due", "Session", "Begins", "Rule", "State", "Messages"),
            [
                (
                    Link(f"{due_row.due_at.astimezone(LONDON):%-d %B %Y, %H:%M}", f"{REMINDERS}/{due_row.id}"),
                    title,
                    starts_at,
                    rule_words(rule),
                    words.REMINDER_STATES[due_row.state],
                    due_row.messages,
                )
                for due_row, rule, title, starts_at in due
            ],
            f"{REMINDERS}/coming.csv",
            (5,),
            "No reminder is due.",
        ),
    }


async def reminders_file(request: Request) -> Response:
    """One of the tables as a CSV."""
    tables = await _tables(request)
    name = request.path_params["table"]
    if name not in tables:
        raise HTTPException(404)
    return csv_of(f"{name}.csv", tables[name])


async def _reminders(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    tables = await _tables(request)
    forms = []
    if may_send(request):
        forms = [ShortForm(f"{REMINDERS}/add", "Add the rule", await _fields(request), "Add a rule")]
    return report(
        request,
        "Reminders of sessions",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        back=BACK,
        intro=[
            "A session’s own rules stand instead of those of its series, and those instead of the rules for all.",
            "Nobody is reminded twice by one rule, nor of a booking that ended, nor by one due before they booked.",
        ],
        tables=tables.values(),
        forms=forms,
    )


async def _fields(request: Request) -> list[Field]:
    now = services_of(request).clock()
    async with tenant_reads(request) as session:
        templates = await session.execute(
            select(MessageTemplate.code)
            .where(
                MessageTemplate.state == "ready",
                MessageTemplate.occasion.in_([one.value for one in reminding.OCCASIONS.values()]),
            )
            .distinct()
            .order_by(MessageTemplate.code)
        )
        series = await session.execute(select(SessionSeries.id, SessionSeries.title).order_by(SessionSeries.title))
        sessions = await session.execute(
            select(TrainingSession.id, TrainingSession.title, TrainingSession.starts_at)
            .where(TrainingSession.starts_at > now, TrainingSession.state != "cancelled")
            .order_by(TrainingSession.starts_at)
            .limit(200)
        )
        codes = [(code, code) for (code,) in templates]
        return [
            Field("one", "audience", "When and to whom", options=list(words.AUDIENCES.items())),
            Field("text", "days", "Days before or after", "Such as 7 or 1. Left empty: on the day itself."),
            Field("text", "minutes", "Minutes before or after", "Such as 60. Left empty: at the same time of day."),
            Field(
                "time", "at_time", "At this time of day instead (optional)", "For rules of whole days. Time in England."
            ),
            Field("choice", "template_code", "Template", options=codes),
            Field(
                "choice",
                "series_id",
                "Only for this series",
                options=[(row.id, row.title) for row in series],
                any="Any",
            ),
            Field(
                "choice",
                "session_id",
                "Only for this session",
                options=[(row.id, f"{row.title}, {row.starts_at:%-d %B %Y}") for row in sessions],
                any="Any",
            ),
        ]


def _given(form: Form) -> reminding.RuleGiven:
    at = form.text("at_time").strip()
    try:
        at_time = time.fromisoformat(at) if at else None
    except ValueError as error:
        raise Invalid("at_time", "Enter a time of day, such as 09:00.") from error
    audience = form.text("audience")
    return reminding.RuleGiven(
        "before_start" if audience == "booked" else "after_end",
        audience,
        form.text("template_code"),
        number(form, "days") or 0,
        number(form, "minutes") or 0,
        at_time,
        key(form, "session_id"),
        key(form, "series_id"),
    )


async def reminder_add(request: Request) -> Response:
    """Add a rule."""
    form = await form_of(request)

    async def change(work: UnitOfWork) -> UUID:
        return await reminding.save_rule(work, _given(form))

    done = await tried(request, FIELDS, change)
    if isinstance(done, Problem):
        return await _reminders(request, [done], typed(form, FIELDS))
    return redirect(REMINDERS, done="rule-saved")


async def reminder_switch(request: Request) -> Response:
    """Switch a rule on or off."""

    async def change(work: UnitOfWork) -> None:
        rule = await work.session.get(ReminderRule, (work.tenant_id, request.path_params["rule_id"]))
        if rule is None:
            raise HTTPException(404)
        given = reminding.RuleGiven(
            rule.moment, rule.audience, rule.template_code, rule.days, rule.minutes, rule.at_time, rule.session_id,
            rule.series_id, not rule.active,
        )  # fmt: skip
        await reminding.save_rule(work, given, rule_id=rule.id, version=rule.version)

    problem = await tried(request, FIELDS, change)
    if problem is not None:
        return await _reminders(request, [problem], {})
    return redirect(REMINDERS, done="rule-saved")


async def reminder(request: Request) -> Response:
    """What one reminder will send to whom, or has sent."""
    table, facts = await _preview(request)
    return report(
        request,
        "Whom a reminder reaches",
        back=Link("Back to reminders", REMINDERS),
        facts=facts,
        tables=[table],
    )


async def reminder_file(request: Request) -> Response:
    """The same as a CSV."""
    table, _ = await _preview(request)
    return csv_of("reminder.csv", table)


async def _preview(request: Request) -> tuple[Table, list[tuple[str, Any]]]:
    reminder_id = request.path_params["reminder_id"]
    async with tenant_look(request) as work:
        row = await work.session.get(Reminder, (work.tenant_id, reminder_id))
        if row is None:
            raise HTTPException(404)
        rule = await work.session.get_one(ReminderRule, (work.tenant_id, row.rule_id))
        session = await work.session.get_one(TrainingSession, (work.tenant_id, row.session_id))
        template = await template_for(work, reminding.OCCASIONS[rule.audience], rule.template_code)
        message_class = template.message_class if template else "programme"
        found = await reminding.candidates(work, rule, row.session_id, row.due_at, message_class)
        names = await _names(work, [one.learner_id for one in found])
    rows = [
        (
            training_words.learner_name(principal_here(request), names.get(one.learner_id), one.learner_id),
            one.goes,
            words.reason(one.why),
        )
        for one in found
    ]
    facts: list[tuple[str, Any]] = [
        ("Session", session.title),
        ("Due", row.due_at),
        ("Rule", rule_words(rule)),
        ("State", words.REMINDER_STATES[row.state]),
        ("Would go to", sum(one.goes for one in found)),
    ]
    table = Table(
        "As things stand now", ("Learner", "Gets it", "Why"), rows, f"{REMINDERS}/{row.id}/who.csv", nothing="Nobody."
    )
    return table, facts


async def _names(work: UnitOfWork, learners: list[UUID]) -> dict[UUID, str]:
    rows = await work.session.execute(select(Learner.id, Learner.display_name).where(among(Learner.id, learners)))
    return {row.id: row.display_name for row in rows}


NUDGE_FIELDS = ("days", "template", "kind")


async def nudges(request: Request) -> Response:
    """The three kinds, switched on or off."""
    return await _nudges(request, [], {})


async def _nudges(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    table = await _nudge_table(request)
    return report(
        request,
        "Nudges",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        back=BACK,
        intro=[
            "Each day at 10, whoever fits gets one message, once for its cause.",
            "Each kind can be switched off here, and by each learner for themselves.",
        ],
        tables=[table],
    )


async def _nudge_table(request: Request) -> Table:
    async with tenant_reads(request) as session:
        rules = {rule.kind: rule for rule in await session.scalars(select(NudgeRule))}
    return Table(
        "Kinds",
        ("Nudge", "After", "Template", "State"),
        [
            (
                Link(text, f"{NUDGES}/{kind}"),
                f"{rules[kind].days if kind in rules else nudging.DEFAULT_DAYS[kind]} days",
                rules[kind].template_code if kind in rules else None,
                "Switched on" if kind in rules and rules[kind].active else "Switched off",
            )
            for kind, text in words.NUDGES.items()
        ],
        f"{NUDGES}/all.csv",
    )


async def nudges_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("nudges.csv", await _nudge_table(request))


async def nudge(request: Request) -> Response:
    """One kind: whom it would reach now, and its form."""
    return await _nudge(request, [], {})


async def _nudge(request: Request, problems: list[Problem], sent: dict[str, Any]) -> Response:
    kind = _kind(request)
    async with tenant_reads(request) as session:
        rule = (await session.scalars(select(NudgeRule).where(NudgeRule.kind == kind))).first()
        codes = await session.scalars(
            select(MessageTemplate.code)
            .where(MessageTemplate.state == "ready", MessageTemplate.occasion == nudging.OCCASIONS[kind].value)
            .distinct()
        )
        fields = [
            Field("text", "days", "After so many days"),
            Field("choice", "template", "Template", options=[(code, code) for code in codes]),
            Field("one", "active", "State", options=[("yes", "Switched on"), ("no", "Switched off")]),
        ]
    values = {
        "days": rule.days if rule else nudging.DEFAULT_DAYS[kind],
        "template": rule.template_code if rule else "",
        "active": "yes" if rule and rule.active else "no",
    }
    forms = []
    if may_send(request):
        forms = [ShortForm(f"{NUDGES}/{kind}/set", "Save", fields, "Set it", rule.version if rule else 0)]
    return report(
        request,
        words.NUDGES[kind],
        status=422 if problems else 200,
        problems=problems,
        values=values | sent,
        caption="Nudge",
        back=Link("Back to nudges", NUDGES),
        tables=[await _nudged(request, kind, rule.days if rule else nudging.DEFAULT_DAYS[kind])],
        forms=forms,
    )


def _kind(request: Request) -> str:
    kind = str(request.path_params["kind"])
    if kind not in words.NUDGES:
        raise HTTPException(404)
    return kind


async def _nudged(request: Request, kind: str, days: int) -> Table:
    async with tenant_look(request) as work:
        settings = await message_settings(work)
        now = work.now + (ahead_of(settings) if settings else work.now - work.now)
        found = await nudging.candidates(work, kind, days, now)
        shown = found[:SHOWN]
        names = await _names(work, [one.learner_id for one in shown])
    return Table(
        f"Whom it would reach now: {sum(one.goes for one in found):,}",
        ("Learner", "Gets it", "Why"),
        [
            (
                Link(
                    training_words.learner_name(principal_here(request), names.get(one.learner_id), one.learner_id),
                    f"{HOME}/learners/{one.learner_id}",
                ),
                one.goes,
                words.reason(one.why),
            )
            for one in shown
        ],
        f"{NUDGES}/{kind}/who.csv",
        nothing="Nobody fits now.",
    )


async def nudge_file(request: Request) -> Response:
    """Whom it would reach, as a CSV."""
    kind = _kind(request)
    async with tenant_reads(request) as session:
        rule = (await session.scalars(select(NudgeRule).where(NudgeRule.kind == kind))).first()
    return csv_of("nudge.csv", await _nudged(request, kind, rule.days if rule else nudging.DEFAULT_DAYS[kind]))


async def nudge_set(request: Request) -> Response:
    """Set a kind."""
    kind = _kind(request)
    form = await form_of(request)

    async def change(work: UnitOfWork) -> UUID:
        return await nudging.set_nudge(
            work,
            kind,
            active=form.text("active") == "yes",
            days=number(form, "days") or 0,
            code=form.text("template"),
            version=version_of(form),
        )

    done = await tried(request, NUDGE_FIELDS, change)
    if isinstance(done, Problem):
        return await _nudge(request, [done], typed(form, ("days", "template", "active")))
    return redirect(f"{NUDGES}/{kind}", done="nudge-saved")


_READ, _WRITE = Permission.MESSAGES_READ, Permission.MESSAGES_WRITE

ROUTES = [
    page("/messages/reminders", reminders, needs=_READ),
    page("/messages/reminders/add", reminder_add, needs=_WRITE, methods=("POST",)),
    page("/messages/reminders/{rule_id:uuid}/switch", reminder_switch, needs=_WRITE, methods=("POST",)),
    page("/messages/reminders/{reminder_id:uuid}", reminder, needs=_READ, also=Permission.TRAINING_READ),
    page("/messages/reminders/{reminder_id:uuid}/who.csv", reminder_file, needs=_READ, also=Permission.TRAINING_READ),
    page("/messages/reminders/{table}.csv", reminders_file, needs=_READ),
    page("/messages/nudges", nudges, needs=_READ),
    page("/messages/nudges/all.csv", nudges_file, needs=_READ),
    page("/messages/nudges/{kind}", nudge, needs=_READ),
    page("/messages/nudges/{kind}/who.csv", nudge_file, needs=_READ),
    page("/messages/nudges/{kind}/set", nudge_set, needs=_WRITE, methods=("POST",)),
]
