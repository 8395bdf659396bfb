"""Mutations of the directory: records found to be one person and the way back; groups of providers' locations."""

from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.directory.errors import DirectoryRefusal
from app.directory.operations import add_group_locations, create_provider_group, remove_group_location
from app.training.merging import merge_learners, undo_merge
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.identifiers import key_of
from medstead_graphql.mutations.payload import Payload, UserError, command, refusal, success
from medstead_graphql.types.directory import Learner, LearnerMerge
from medstead_graphql.types.requirements import ProviderGroup
from tenants.session import UnitOfWork

WRITE = "directory:write"


@strawberry.type(description="Why learners cannot be merged or parted as asked.")
class LearnerRefused(UserError):
    """A refusal about learners."""

    code: str
    message: str
    path: list[str]


@strawberry.type(description="Everything stands with the kept learner now.")
class LearnersMerged:
    """Success of mergeLearners."""

    learner: Learner
    merge: LearnerMerge


@strawberry.type(description="What changed hands was given back.")
class LearnerMergeUndone:
    """Success of undoLearnerMerge."""

    merge: LearnerMerge


@strawberry.type(description="Why a provider group cannot be changed as asked.")
class ProviderGroupRefused(UserError):
    """A refusal about provider groups."""

    code: str
    message: str
    path: list[str]


@strawberry.type(description="The group as it stands now.")
class ProviderGroupChanged:
    """Success of the mutations of provider groups."""

    provider_group: ProviderGroup


ProviderGroupResult = Annotated[ProviderGroupChanged | ProviderGroupRefused, strawberry.union("ProviderGroupResult")]
MergeLearnersResult = Annotated[LearnersMerged | LearnerRefused, strawberry.union("MergeLearnersResult")]
UndoLearnerMergeResult = Annotated[LearnerMergeUndone | LearnerRefused, strawberry.union("UndoLearnerMergeResult")]


def _identifier(text: str, type_name: str, code: str) -> UUID:
    found = key_of(text, type_name, UUID)
    if not isinstance(found, UUID):
        raise DirectoryRefusal(code, "There is none with that id. Use an id that this API gave.")
    return found


async def _merge(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    try:
        kept = _identifier(arguments["keep"], "Learner", "NO_SUCH_LEARNER")
        merged = _identifier(arguments["merge"], "Learner", "NO_SUCH_LEARNER")
        merge_id = await merge_learners(work, kept, merged, arguments["reason"])
    except DirectoryRefusal as error:
        return refusal("LearnerRefused", error.code, error.message)
    return success("LearnersMerged", {"learner": kept, "merge": merge_id})


async def _undo(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    try:
        merge_id = _identifier(arguments["id"], "LearnerMerge", "NO_SUCH_MERGE")
        await undo_merge(work, merge_id)
    except DirectoryRefusal as error:
        return refusal("LearnerRefused", error.code, error.message)
    return success("LearnerMergeUndone", {"merge": merge_id})


async def _create_group(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    try:
        group_id = await create_provider_group(work, arguments["name"], _locations(arguments))
    except DirectoryRefusal as error:
        return refusal("ProviderGroupRefused", error.code, error.message)
    return success("ProviderGroupChanged", {"providerGroup": group_id})


async def _extend_group(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    try:
        group_id = _identifier(arguments["id"], "ProviderGroup", "NO_SUCH_GROUP")
        await add_group_locations(work, group_id, _locations(arguments))
    except DirectoryRefusal as error:
        return refusal("ProviderGroupRefused", error.code, error.message)
    return success("ProviderGroupChanged", {"providerGroup": group_id})


async def _reduce_group(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    try:
        group_id = _identifier(arguments["id"], "ProviderGroup", "NO_SUCH_GROUP")
        await remove_group_location(
            work, group_id, _identifier(arguments["locationId"], "Location", "NO_SUCH_LOCATION")
        )
    except DirectoryRefusal as error:
        return refusal("ProviderGroupRefused", error.code, error.message)
    return success("ProviderGroupChanged", {"providerGroup": group_id})


def _locations(arguments: dict[str, Any]) -> list[UUID]:
    return [_identifier(text, "Location", "NO_SUCH_LOCATION") for text in arguments["locationIds"]]


@strawberry.type
class DirectoryMutations:
    """Mutations of the directory."""

    merge_learners: MergeLearnersResult | None = command(
        _merge,
        WRITE,
        {"keep": strawberry.ID, "merge": strawberry.ID, "reason": str},
        description="Two records are one person: give everything of `merge` to `keep`. It can be undone.",
    )
    undo_learner_merge: UndoLearnerMergeResult | None = command(
        _undo, WRITE, {"id": strawberry.ID}, description="Two records were two people after all."
    )
    create_provider_group: ProviderGroupResult | None = command(
        _create_group,
        WRITE,
        {"name": str, "location_ids": list[strawberry.ID]},
        description="Locations of one manager or brand under a name.",
    )
    add_provider_group_locations: ProviderGroupResult | None = command(
        _extend_group,
        WRITE,
        {"id": strawberry.ID, "location_ids": list[strawberry.ID]},
        description="Put locations into a group. One that is in it already stays.",
    )
    remove_provider_group_location: ProviderGroupResult | None = command(
        _reduce_group,
        WRITE,
        {"id": strawberry.ID, "location_id": strawberry.ID},
        description="Take a location out of a group.",
    )
