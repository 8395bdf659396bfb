"""Mutations of topics and of the guidance that they are drawn from."""

from datetime import date
from typing import Annotated, Any

import strawberry

from app.training.mapping import taxonomy
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.mapping_payload import WRITE, MappingRefused, key, typed, word
from medstead_graphql.mutations.payload import Payload, command, success
from medstead_graphql.types.mapping import GuidanceDocument, Topic, TopicReference
from medstead_graphql.types.mapping_words import GuidanceKind
from tenants.session import UnitOfWork


@strawberry.type(description="The base taxonomy is there.")
class TaxonomyLoaded:
    """Success of loadBaseTaxonomy."""

    added: int


@strawberry.type(description="The document is as asked.")
class GuidanceSaved:
    """Success of createGuidanceDocument and updateGuidanceDocument."""

    document: GuidanceDocument


@strawberry.type(description="The topic is as asked.")
class TopicSaved:
    """Success of createTopic, updateTopic and removeTopicReference."""

    topic: Topic


@strawberry.type(description="The topic refers to the part.")
class TopicReferenceAdded:
    """Success of addTopicReference."""

    reference: TopicReference


LoadBaseTaxonomyResult = Annotated[TaxonomyLoaded | MappingRefused, strawberry.union("LoadBaseTaxonomyResult")]
GuidanceResult = Annotated[GuidanceSaved | MappingRefused, strawberry.union("GuidanceResult")]
TopicResult = Annotated[TopicSaved | MappingRefused, strawberry.union("TopicResult")]
AddTopicReferenceResult = Annotated[TopicReferenceAdded | MappingRefused, strawberry.union("AddTopicReferenceResult")]


@strawberry.input(description="A document that topics refer to.")
class GuidanceInput:
    """A document to be added."""

    code: str
    title: str
    kind: GuidanceKind
    edition: str | None = None
    issued_on: date | None = None
    review_on: date | None = None
    url: str | None = None
    withdrawn: bool = False


@strawberry.input(description="The whole document as it shall be. `version` is the one that you read.")
class GuidanceChange(GuidanceInput):
    """A document to be changed."""

    id: strawberry.ID
    version: int


@strawberry.input(description="A topic. `mandatoryIn` are settings such as `domiciliary`.")
class TopicInput:
    """A topic to be added."""

    code: str
    title: str
    theme: str
    audience: str | None = None
    mandatory_in: list[str] = strawberry.field(default_factory=list)
    retired: bool = False


@strawberry.input(description="The whole topic as it shall be. `version` is the one that you read.")
class TopicChange(TopicInput):
    """A topic to be changed."""

    id: strawberry.ID
    version: int


@strawberry.input(description="A part of a document; its summary is needed where the part is new.")
class TopicReferenceInput:
    """A reference to be added."""

    topic: strawberry.ID
    document: strawberry.ID
    number: str
    summary: str | None = None


async def _load(work: UnitOfWork, _: Caller, __: dict[str, Any]) -> Payload:
    return success("TaxonomyLoaded", {}, {"added": await taxonomy.load_base_taxonomy(work)})


def _guidance(given: dict[str, Any]) -> taxonomy.Guidance:
    return taxonomy.Guidance(
        given["code"],
        given["title"],
        word(given["kind"]),
        given.get("edition") or "",
        given.get("issuedOn"),
        given.get("reviewOn"),
        given.get("url"),
        bool(given.get("withdrawn")),
    )


async def _create_guidance(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    return success("GuidanceSaved", {"document": await taxonomy.save_guidance(work, _guidance(arguments["input"]))})


async def _update_guidance(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    document_id = key(given, "id", "GuidanceDocument")
    await taxonomy.save_guidance(work, _guidance(given), document_id, given["version"])
    return success("GuidanceSaved", {"document": document_id})


def _topic(given: dict[str, Any]) -> taxonomy.NewTopic:
    return taxonomy.NewTopic(
        given["code"],
        given["title"],
        given["theme"],
        given.get("audience") or "",
        given.get("mandatoryIn") or (),
        bool(given.get("retired")),
    )


async def _create_topic(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    return success("TopicSaved", {"topic": await taxonomy.save_topic(work, _topic(arguments["input"]))})


async def _update_topic(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    topic_id = key(given, "id", "Topic")
    await taxonomy.save_topic(work, _topic(given), topic_id, given["version"])
    return success("TopicSaved", {"topic": topic_id})


async def _add_reference(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    topic_id, document_id = key(given, "topic", "Topic"), key(given, "document", "GuidanceDocument")
    reference_id = await taxonomy.add_reference(
        work, topic_id, document_id, given["number"], given.get("summary") or ""
    )
    return success("TopicReferenceAdded", {"reference": reference_id})


async def _remove_reference(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    topic_id = await taxonomy.remove_reference(work, key(arguments, "id", "TopicReference"))
    return success("TopicSaved", {"topic": topic_id})


@strawberry.type
class TaxonomyMutations:
    """Mutations of topics and guidance."""

    load_base_taxonomy: LoadBaseTaxonomyResult | None = command(
        typed(_load), WRITE, {}, description="Add what is missing of the base taxonomy. Your own words stay."
    )
    create_guidance_document: GuidanceResult | None = command(
        typed(_create_guidance), WRITE, {"input": GuidanceInput}, description="Add a document, such as local guidance."
    )
    update_guidance_document: GuidanceResult | None = command(
        typed(_update_guidance), WRITE, {"input": GuidanceChange}, description="Change a document."
    )
    create_topic: TopicResult | None = command(
        typed(_create_topic), WRITE, {"input": TopicInput}, description="Add a topic."
    )
    update_topic: TopicResult | None = command(
        typed(_update_topic), WRITE, {"input": TopicChange}, description="Change a topic."
    )
    add_topic_reference: AddTopicReferenceResult | None = command(
        typed(_add_reference),
        WRITE,
        {"input": TopicReferenceInput},
        description="Draw a topic from a part of a document.",
    )
    remove_topic_reference: TopicResult | None = command(
        typed(_remove_reference), WRITE, {"id": strawberry.ID}, description="Take a reference away."
    )
