"""Mutations of campaigns and provider contacts. A campaign is approved in the console: by a person, not a program."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from app.messaging import campaigns, contacts
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.governance_payload import answering
from medstead_graphql.mutations.mapping_payload import key, optional_key, word
from medstead_graphql.mutations.payload import Handler, Payload, RefusalReason, UserError, command, success
from medstead_graphql.types.campaigns import (
    Campaign,
    CampaignClass,
    ContactRole,
    ProviderContact,
    SegmentOf,
)
from tenants.session import UnitOfWork

WRITE = "messages:write"


@strawberry.type(description="Why a campaign or a contact cannot be changed as asked.")
class CampaignRefused(UserError):
    """A refusal of campaigns."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The campaign is as asked.")
class CampaignChanged:
    """Success of the mutations of a campaign."""

    campaign: Campaign


@strawberry.type(description="The campaign does not go out, or no further.")
class CampaignWithdrawn:
    """Success of withdrawCampaign."""

    campaign: Campaign
    stopped: int = strawberry.field(description="Copies that waited and do not go out.")


@strawberry.type(description="The contact is as asked.")
class ProviderContactSaved:
    """Success of saving and ending a contact."""

    contact: ProviderContact


CampaignResult = Annotated[CampaignChanged | CampaignRefused, strawberry.union("CampaignResult")]
WithdrawCampaignResult = Annotated[CampaignWithdrawn | CampaignRefused, strawberry.union("WithdrawCampaignResult")]
ProviderContactResult = Annotated[ProviderContactSaved | CampaignRefused, strawberry.union("ProviderContactResult")]


@strawberry.input(description="Whom a campaign is for. What is left out narrows nothing down.")
class SegmentInput:
    """A segment."""

    who: SegmentOf
    roles: list[ContactRole] | None = None
    settings: list[str] | None = None
    local_authorities: list[str] | None = None
    provider_groups: list[strawberry.ID] | None = None
    tier: strawberry.ID | None = None
    tier_held: bool = True
    without_champion: bool = False


@strawberry.input(
    description="A campaign, whole. Put ((link)) into the body where you name sessions. `startsAt`: not before."
)
class CampaignInput:
    """A campaign."""

    name: str
    message_class: CampaignClass
    subject: str
    body: str
    segment: SegmentInput
    sessions: list[strawberry.ID] | None = None
    starts_at: datetime | None = None


@strawberry.input(description="A draft, written anew as a whole. `version` is the one that you read.")
class CampaignChange(CampaignInput):
    """A changed campaign."""

    id: strawberry.ID
    version: int


@strawberry.input(description="A contact of a location or of an employer. Without `id`: a new one.")
class ProviderContactInput:
    """A contact."""

    id: strawberry.ID | None = None
    role: ContactRole
    address: str
    name: str = ""
    location: strawberry.ID | None = None
    employer: strawberry.ID | None = None


def _given(given: dict[str, Any]) -> campaigns.CampaignGiven:
    asked = given["segment"]
    groups = asked.get("providerGroups") or []
    tier = optional_key(asked, "tier", "Tier")
    segment = {
        "who": word(asked["who"]),
        "roles": [word(role) for role in asked.get("roles") or []],
        "settings": list(asked.get("settings") or []),
        "local_authorities": list(asked.get("localAuthorities") or []),
        "provider_groups": [str(key({"providerGroups": group}, "providerGroups", "ProviderGroup")) for group in groups],
        "tier": None if tier is None else str(tier),
        "tier_held": asked["tierHeld"],
        "without_champion": asked["withoutChampion"],
    }
    sessions = [key({"sessions": session}, "sessions", "Session") for session in given.get("sessions") or []]
    return campaigns.CampaignGiven(
        given["name"],
        word(given["messageClass"]),
        given["subject"],
        given["body"],
        segment,
        sessions,
        given.get("startsAt"),
    )


async def _create(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    campaign_id = await campaigns.create_campaign(work, _given(arguments["input"]))
    return success("CampaignChanged", {"campaign": campaign_id})


async def _change(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    campaign_id = key(given, "id", "Campaign")
    await campaigns.change_campaign(work, campaign_id, _given(given), given["version"])
    return success("CampaignChanged", {"campaign": campaign_id})


def _moved(move: Any) -> Handler:
    async def moved(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
        campaign_id = key(arguments, "id", "Campaign")
        await move(work, campaign_id, arguments["version"])
        return success("CampaignChanged", {"campaign": campaign_id})

    return typed(moved)


async def _withdraw(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    campaign_id = key(arguments, "id", "Campaign")
    stopped = await campaigns.withdraw_campaign(work, campaign_id, arguments["version"])
    return success("CampaignWithdrawn", {"campaign": campaign_id}, {"stopped": stopped})


async def _save_contact(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    contact = contacts.ContactGiven(
        word(given["role"]),
        given["address"],
        given["name"],
        optional_key(given, "location", "Location"),
        optional_key(given, "employer", "Employer"),
    )
    contact_id = await contacts.save_contact(work, contact, contact_id=optional_key(given, "id", "ProviderContact"))
    return success("ProviderContactSaved", {"contact": contact_id})


async def _end_contact(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    contact_id = key(arguments, "id", "ProviderContact")
    await contacts.end_contact(work, contact_id)
    return success("ProviderContactSaved", {"contact": contact_id})


def typed(handler: Handler) -> Handler:
    """The handler, with refusals of campaigns as payloads."""
    return answering("CampaignRefused", handler)


_ONE = {"id": strawberry.ID, "version": int}


@strawberry.type
class CampaignMutations:
    """Mutations of campaigns."""

    create_campaign: CampaignResult | None = command(
        typed(_create), WRITE, {"input": CampaignInput}, description="Write a campaign, as a draft."
    )
    update_campaign: CampaignResult | None = command(
        typed(_change), WRITE, {"input": CampaignChange}, description="Write a draft anew."
    )
    submit_campaign: CampaignResult | None = command(
        _moved(campaigns.submit), WRITE, _ONE, description="Ask somebody else to approve it."
    )
    take_back_campaign: CampaignResult | None = command(
        _moved(campaigns.take_back), WRITE, _ONE, description="Make a submitted campaign a draft again."
    )
    withdraw_campaign: WithdrawCampaignResult | None = command(
        typed(_withdraw), WRITE, _ONE, description="Stop it for good, also while it is being sent."
    )
    save_provider_contact: ProviderContactResult | None = command(
        typed(_save_contact), WRITE, {"input": ProviderContactInput}, description="Add or change a contact."
    )
    end_provider_contact: ProviderContactResult | None = command(
        typed(_end_contact), WRITE, {"id": strawberry.ID}, description="Write there no more."
    )
