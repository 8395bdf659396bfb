"""Mutations of governance: partners, items, forums, themes and changes, incidents. Plans are beside them."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.governance import incidents, items, themes
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.governance_payload import GovernanceRefused, answering
from medstead_graphql.mutations.mapping_payload import key, optional_key
from medstead_graphql.mutations.payload import Handler, Payload, command, success
from medstead_graphql.types.governance import (
    ContentChange,
    ForumMinutes,
    GovernanceItem,
    IncidentCategory,
    LearningNeed,
    MedicineIncident,
    PartnerOrganisation,
)
from medstead_graphql.types.governance_words import (
    GovernanceItemKind,
    GovernanceStatus,
    HarmLevel,
    IncidentStage,
    NeedStatus,
    PartnerKind,
)
from medstead_graphql.types.training import FeedbackForm
from tenants.session import UnitOfWork

WRITE = "governance:write"
OF_A_NEW_ONE = "`version`: 0 for a new one, else the one that you read."


@strawberry.type(description="The partner is as asked.")
class PartnerSaved:
    """Success of savePartnerOrganisation."""

    partner: PartnerOrganisation


@strawberry.type(description="The item is as asked.")
class GovernanceItemChanged:
    """Success of creating and changing an item."""

    item: GovernanceItem


@strawberry.type(description="The minutes are kept.")
class MinutesWritten:
    """Success of writeForumMinutes."""

    minutes: ForumMinutes


@strawberry.type(description="The theme cites the responses.")
class FeedbackCited:
    """Success of citeFeedback."""

    theme: GovernanceItem
    added: int = strawberry.field(description="Responses that it did not cite before.")


@strawberry.type(description="It is known what the form asked about.")
class FeedbackSubjectTold:
    """Success of setFeedbackSubject."""

    form: FeedbackForm


@strawberry.type(description="The change is in the log.")
class ContentChangeLogged:
    """Success of logContentChange."""

    change: ContentChange


@strawberry.type(description="The category is as asked.")
class IncidentCategorySaved:
    """Success of saveIncidentCategory."""

    category: IncidentCategory


@strawberry.type(description="The incident is kept.")
class IncidentRecorded:
    """Success of recordIncident."""

    incident: MedicineIncident
    suggested: LearningNeed | None = strawberry.field(
        description="What people there should learn about; null where the category has no topic."
    )


@strawberry.type(description="The need is decided.")
class LearningNeedDecided:
    """Success of decideLearningNeed."""

    need: LearningNeed


PartnerResult = Annotated[PartnerSaved | GovernanceRefused, strawberry.union("PartnerResult")]
GovernanceItemResult = Annotated[GovernanceItemChanged | GovernanceRefused, strawberry.union("GovernanceItemResult")]
ForumMinutesResult = Annotated[MinutesWritten | GovernanceRefused, strawberry.union("ForumMinutesResult")]
CiteFeedbackResult = Annotated[FeedbackCited | GovernanceRefused, strawberry.union("CiteFeedbackResult")]
FeedbackSubjectResult = Annotated[FeedbackSubjectTold | GovernanceRefused, strawberry.union("FeedbackSubjectResult")]
ContentChangeResult = Annotated[ContentChangeLogged | GovernanceRefused, strawberry.union("ContentChangeResult")]
IncidentCategoryResult = Annotated[
    IncidentCategorySaved | GovernanceRefused, strawberry.union("IncidentCategoryResult")
]
IncidentResult = Annotated[IncidentRecorded | GovernanceRefused, strawberry.union("IncidentResult")]
LearningNeedResult = Annotated[LearningNeedDecided | GovernanceRefused, strawberry.union("LearningNeedResult")]


@strawberry.input(description=f"A partner organisation. {OF_A_NEW_ONE}")
class PartnerInput:
    """A partner."""

    id: strawberry.ID | None = None
    version: int
    name: str
    kind: PartnerKind
    registry_organisation: strawberry.ID | None = None


@strawberry.input(description="What is put under governance. An action of a forum names `session` and `dueOn`.")
class GovernanceItemInput:
    """A new item."""

    kind: GovernanceItemKind
    title: str
    owner: str
    owner_organisation: strawberry.ID
    review_on: date
    details: str | None = None
    owner_role: str | None = None
    due_on: date | None = None
    session: strawberry.ID | None = None


@strawberry.input(description="What is left out stays as it is. `version` is the one that you read.")
class GovernanceItemChange:
    """An item to be changed."""

    id: strawberry.ID
    version: int
    title: str | None = None
    details: str | None = None
    owner: str | None = None
    owner_role: str | None = None
    owner_organisation: strawberry.ID | None = None
    review_on: date | None = None
    due_on: date | None = None
    status: GovernanceStatus | None = None


@strawberry.input(description=f"The minutes of a forum. {OF_A_NEW_ONE}")
class ForumMinutesInput:
    """Minutes."""

    session: strawberry.ID
    version: int
    text: str


@strawberry.input(description="Name one course or session, and the themes that led to the change.")
class ContentChangeInput:
    """A change of content."""

    description: str
    changed_on: date
    themes: list[strawberry.ID]
    course: strawberry.ID | None = None
    session: strawberry.ID | None = None


@strawberry.input(description=f"A category of incidents and its topic. {OF_A_NEW_ONE}")
class IncidentCategoryInput:
    """A category."""

    id: strawberry.ID | None = None
    version: int
    name: str
    topic: strawberry.ID | None = None


@strawberry.input(description="An incident, without any person.")
class IncidentInput:
    """An incident."""

    category: strawberry.ID
    stage: IncidentStage
    harm: HarmLevel
    location: strawberry.ID
    occurred_on: date
    safeguarding_raised: bool = False


@strawberry.input(description="What becomes of a learning need. `version` is the one that you read.")
class LearningNeedInput:
    """A decision."""

    id: strawberry.ID
    version: int
    status: NeedStatus


def word(value: Any) -> Any:
    """The stored word of an enum's value."""
    return getattr(value, "value", value)


def optional(given: dict[str, Any], name: str, type_name: str) -> UUID | None:
    """The row that an input field names, or None."""
    return optional_key(given, name, type_name)


async def _partner(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    partner_id = await items.save_partner(
        work,
        given["name"],
        word(given["kind"]),
        registry_organisation_id=optional(given, "registryOrganisation", "Organisation"),
        partner_id=optional(given, "id", "PartnerOrganisation"),
        version=given["version"],
    )
    return success("PartnerSaved", {"partner": partner_id})


async def _create(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    item = items.ItemGiven(
        word(given["kind"]),
        given["title"],
        given["owner"],
        key(given, "ownerOrganisation", "PartnerOrganisation"),
        given["reviewOn"],
        given.get("details"),
        given.get("ownerRole"),
        given.get("dueOn"),
        optional(given, "session", "Session"),
    )
    return success("GovernanceItemChanged", {"item": await items.create_item(work, item)})


async def _change(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    item_id = key(given, "id", "GovernanceItem")
    change = items.ItemChange(
        given.get("title"),
        given.get("details"),
        given.get("owner"),
        given.get("ownerRole"),
        optional(given, "ownerOrganisation", "PartnerOrganisation"),
        given.get("reviewOn"),
        given.get("dueOn"),
        word(given.get("status")),
    )
    await items.change_item(work, item_id, change, version=given["version"])
    return success("GovernanceItemChanged", {"item": item_id})


async def _minutes(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    session_id = key(given, "session", "Session")
    minutes_id = await items.write_minutes(work, session_id, given["text"], version=given["version"])
    return success("MinutesWritten", {"minutes": minutes_id})


async def _cite(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    theme_id = key(arguments, "theme", "GovernanceItem")
    responses = [key({"responses": text}, "responses", "FeedbackResponse") for text in arguments["responses"]]
    added = await themes.cite(work, theme_id, responses)
    return success("FeedbackCited", {"theme": theme_id}, {"added": added})


async def _subject(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    form_id = await themes.tell_subject(
        work,
        key(arguments, "form", "FeedbackForm"),
        course_id=optional(arguments, "course", "Course"),
        session_id=optional(arguments, "session", "Session"),
    )
    return success("FeedbackSubjectTold", {"form": form_id})


async def _content(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    change_id = await themes.change_content(
        work,
        given["description"],
        given["changedOn"],
        [key({"themes": text}, "themes", "GovernanceItem") for text in given["themes"]],
        course_id=optional(given, "course", "Course"),
        session_id=optional(given, "session", "Session"),
    )
    return success("ContentChangeLogged", {"change": change_id})


async def _category(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    category_id = await incidents.save_category(
        work,
        given["name"],
        optional(given, "topic", "Topic"),
        category_id=optional(given, "id", "IncidentCategory"),
        version=given["version"],
    )
    return success("IncidentCategorySaved", {"category": category_id})


async def _incident(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    incident = incidents.IncidentGiven(
        key(given, "category", "IncidentCategory"),
        word(given["stage"]),
        word(given["harm"]),
        key(given, "location", "Location"),
        given["occurredOn"],
        given["safeguardingRaised"],
    )
    incident_id, need_id = await incidents.record_incident(work, incident)
    return success("IncidentRecorded", {"incident": incident_id, "suggested": need_id})


async def _need(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    need_id = key(given, "id", "LearningNeed")
    await incidents.decide_need(work, need_id, word(given["status"]), version=given["version"])
    return success("LearningNeedDecided", {"need": need_id})


def typed(handler: Handler) -> Handler:
    """The handler, with refusals of governance as payloads."""
    return answering("GovernanceRefused", handler)


@strawberry.type
class GovernanceMutations:
    """Mutations of governance."""

    save_partner_organisation: PartnerResult | None = command(
        typed(_partner), WRITE, {"input": PartnerInput}, description="Make or change a partner organisation."
    )
    create_governance_item: GovernanceItemResult | None = command(
        typed(_create), WRITE, {"input": GovernanceItemInput}, description="Put something under governance."
    )
    update_governance_item: GovernanceItemResult | None = command(
        typed(_change), WRITE, {"input": GovernanceItemChange}, description="Change an item; the trail keeps both."
    )
    write_forum_minutes: ForumMinutesResult | None = command(
        typed(_minutes), WRITE, {"input": ForumMinutesInput}, description="Keep or change the minutes of a forum."
    )
    cite_feedback: CiteFeedbackResult | None = command(
        typed(_cite),
        WRITE,
        {"theme": strawberry.ID, "responses": list[strawberry.ID]},
        description="Say which responses speak of a theme.",
    )
    set_feedback_subject: FeedbackSubjectResult | None = command(
        typed(_subject),
        WRITE,
        {"form": strawberry.ID, "course": strawberry.ID | None, "session": strawberry.ID | None},
        description="Say which course or session a form asked about.",
    )
    log_content_change: ContentChangeResult | None = command(
        typed(_content), WRITE, {"input": ContentChangeInput}, description="Log what was changed because of feedback."
    )
    save_incident_category: IncidentCategoryResult | None = command(
        typed(_category), WRITE, {"input": IncidentCategoryInput}, description="Make or change a category of incidents."
    )
    record_incident: IncidentResult | None = command(
        typed(_incident), WRITE, {"input": IncidentInput}, description="Keep an incident; it may suggest learning."
    )
    decide_learning_need: LearningNeedResult | None = command(
        typed(_need), WRITE, {"input": LearningNeedInput}, description="Accept, decline or meet a learning need."
    )
