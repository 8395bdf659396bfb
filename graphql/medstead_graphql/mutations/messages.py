"""Mutations of messages: templates, reminders, nudges, objections, the ledger."""

from collections.abc import Awaitable, Callable
from datetime import time
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.messaging import ledger, nudges, objections, reminders, settings, templates
from app.training.errors import TrainingRefusal
from medstead_graphql.mutations.nominations import refused_as
from medstead_graphql.mutations.payload import Payload, RefusalReason, UserError, command, row_id, success
from medstead_graphql.types.directory import Tenant
from medstead_graphql.types.message_words import (
    MessageClass,
    MessageOccasion,
    NudgeKind,
    ObjectionKind,
    ReminderAudience,
)
from medstead_graphql.types.messages import Message, MessageObjection, MessageTemplate, NudgeRule, ReminderRule
from tenants.session import UnitOfWork

WRITE = "messages:write"
Change = Callable[[UnitOfWork, dict[str, Any]], Awaitable[Payload]]


@strawberry.type(description="Why it cannot be done as asked.")
class MessageRefused(UserError):
    """A refusal about messages."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The template's new version; messages sent before keep theirs.")
class MessageTemplateSaved:
    """Success of saveMessageTemplate."""

    template: MessageTemplate


@strawberry.type(description="No template of that name is sent by any more.")
class MessageTemplateRetired:
    """Success of retireMessageTemplate."""

    tenant: Tenant


@strawberry.type(description="The rule as it stands now. The reminders of all sessions are planned anew.")
class ReminderRuleSaved:
    """Success of saveReminderRule."""

    rule: ReminderRule


@strawberry.type(description="The kind as it is set now.")
class NudgeSet:
    """Success of setNudge."""

    nudge: NudgeRule


@strawberry.type(description="The message as it stands now.")
class MessageChanged:
    """Success of the mutations of one message."""

    sent: Message


@strawberry.type(description="The objection as it stands now.")
class ObjectionChanged:
    """Success of the mutations of objections."""

    objection: MessageObjection


@strawberry.type(description="Sending is paused, or goes on.")
class SendingPaused:
    """Success of pauseSending."""

    tenant: Tenant


SaveMessageTemplateResult = Annotated[
    MessageTemplateSaved | MessageRefused, strawberry.union("SaveMessageTemplateResult")
]
RetireMessageTemplateResult = Annotated[
    MessageTemplateRetired | MessageRefused, strawberry.union("RetireMessageTemplateResult")
]
ReminderRuleResult = Annotated[ReminderRuleSaved | MessageRefused, strawberry.union("ReminderRuleResult")]
NudgeResult = Annotated[NudgeSet | MessageRefused, strawberry.union("NudgeResult")]
MessageResult = Annotated[MessageChanged | MessageRefused, strawberry.union("MessageResult")]
ObjectionResult = Annotated[ObjectionChanged | MessageRefused, strawberry.union("ObjectionResult")]
SendingResult = Annotated[SendingPaused | MessageRefused, strawberry.union("SendingResult")]


@strawberry.input(description="A template to be. The newest version of a name is sent.")
class MessageTemplateInput:
    """A template to be."""

    code: str
    occasion: MessageOccasion
    message_class: MessageClass
    subject: str
    body: str


@strawberry.input(description="A rule to be; with `id` and `version` another setting of one that there is.")
class ReminderRuleInput:
    """A rule to be."""

    audience: ReminderAudience
    template_code: str
    days: int = 0
    minutes: int = 0
    at_time: str | None = strawberry.field(default=None, description="A time of day in England instead, as 09:00.")
    session_id: strawberry.ID | None = None
    series_id: strawberry.ID | None = None
    active: bool = True
    id: strawberry.ID | None = None
    version: int = 0


@strawberry.input(description="How a kind of nudge is to be. `version` is the one that you read, 0 for the first time.")
class NudgeInput:
    """A nudge to be."""

    kind: NudgeKind
    active: bool
    days: int
    template_code: str
    version: int = 0


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _id(given: dict[str, Any], name: str, type_name: str) -> UUID:
    return row_id(given[name], type_name, TrainingRefusal)


def _maybe(given: dict[str, Any], name: str, type_name: str) -> UUID | None:
    return None if given.get(name) is None else _id(given, name, type_name)


async def _save_template(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    wanted = templates.TemplateGiven(
        given["code"], _word(given["occasion"]), _word(given["messageClass"]), given["subject"], given["body"]
    )
    return success("MessageTemplateSaved", {"template": await templates.save_template(work, wanted)})


async def _retire_template(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    await templates.retire_template(work, arguments["code"])
    return success("MessageTemplateRetired", {"tenant": work.tenant_id})


async def _save_rule(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    audience = _word(given["audience"])
    try:
        at_time = time.fromisoformat(given["atTime"]) if given.get("atTime") else None
    except ValueError as error:
        raise TrainingRefusal("NO_TIME", "Give a time of day such as 09:00.", "atTime") from error
    wanted = reminders.RuleGiven(
        "before_start" if audience == "booked" else "after_end",
        audience,
        given["templateCode"],
        given.get("days", 0),
        given.get("minutes", 0),
        at_time,
        _maybe(given, "sessionId", "Session"),
        _maybe(given, "seriesId", "SessionSeries"),
        given.get("active", True),
    )
    rule_id = await reminders.save_rule(
        work, wanted, rule_id=_maybe(given, "id", "ReminderRule"), version=given.get("version", 0)
    )
    return success("ReminderRuleSaved", {"rule": rule_id})


async def _set_nudge(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    nudge_id = await nudges.set_nudge(
        work,
        _word(given["kind"]),
        active=given["active"],
        days=given["days"],
        code=given["templateCode"],
        version=given.get("version", 0),
    )
    return success("NudgeSet", {"nudge": nudge_id})


async def _retry(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    message_id = _id(arguments, "id", "Message")
    await ledger.retry(work, message_id)
    return success("MessageChanged", {"sent": message_id})


async def _withdraw(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    message_id = _id(arguments, "id", "Message")
    await ledger.withdraw(work, message_id)
    return success("MessageChanged", {"sent": message_id})


async def _object(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    learner_id = _id(arguments, "learnerId", "Learner")
    objection_id = await objections.object_to(work, _word(arguments["kind"]), "learner", learner_id=learner_id)
    return success("ObjectionChanged", {"objection": objection_id})


async def _end_objection(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    objection_id = _id(arguments, "id", "MessageObjection")
    await objections.end_objection(work, objection_id)
    return success("ObjectionChanged", {"objection": objection_id})


async def _pause(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    await settings.pause(work, paused=arguments["paused"])
    return success("SendingPaused", {"tenant": work.tenant_id})


def _mutation(change: Change, arguments: dict[str, Any], description: str) -> Any:
    return command(refused_as("MessageRefused", change), WRITE, arguments, description=description)


@strawberry.type
class MessageMutations:
    """Mutations of messages."""

    save_message_template: SaveMessageTemplateResult | None = _mutation(
        _save_template, {"input": MessageTemplateInput}, "Check a text and make it the next version of its template."
    )
    retire_message_template: RetireMessageTemplateResult | None = _mutation(
        _retire_template, {"code": str}, "Send nothing by that template any more."
    )
    save_reminder_rule: ReminderRuleResult | None = _mutation(
        _save_rule, {"input": ReminderRuleInput}, "When people are reminded: of one session, of a series, or of all."
    )
    set_nudge: NudgeResult | None = _mutation(_set_nudge, {"input": NudgeInput}, "Switch a kind of nudge on or off.")
    retry_message: MessageResult | None = _mutation(
        _retry, {"id": strawberry.ID}, "Send a message again that failed or came back."
    )
    withdraw_message: MessageResult | None = _mutation(
        _withdraw, {"id": strawberry.ID}, "Take back a message that still waits."
    )
    object_to_messages: ObjectionResult | None = _mutation(
        _object, {"learner_id": strawberry.ID, "kind": ObjectionKind}, "A learner does not want messages of a kind."
    )
    end_message_objection: ObjectionResult | None = _mutation(
        _end_objection, {"id": strawberry.ID}, "They want such messages again."
    )
    pause_sending: SendingResult | None = _mutation(
        _pause, {"paused": bool}, "Stop sending, or go on. What is asked for waits."
    )
