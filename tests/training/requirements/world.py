"""A small programme's people, courses and evidence, made through operations and models, for tests of requirements."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.directory.models import (
    CqcLocation,
    CqcProvider,
    Employer,
    Employment,
    Learner,
    ProviderGroup,
    ProviderGroupLocation,
    TenantLocation,
)
from app.training.models import Attendance, Completion, Course, Programme, Tier, TrainingProvider, TrainingSession
from tenants.base import table_of
from tenants.identifiers import new_id
from tenants.session import UnitOfWork
from tests.support import NOW, Installation

TODAY = date(2026, 11, 24)


@dataclass
class World:
    """What stands in tenant north: ids by name."""

    tenant_id: UUID
    programme: UUID
    tiers: dict[int, UUID]
    learners: dict[str, UUID] = field(default_factory=dict)
    courses: dict[str, UUID] = field(default_factory=dict)
    employers: dict[str, UUID] = field(default_factory=dict)
    locations: dict[str, UUID] = field(default_factory=dict)
    sessions: dict[str, UUID] = field(default_factory=dict)
    groups: dict[str, UUID] = field(default_factory=dict)
    training_provider: UUID = field(default_factory=new_id)


async def open_world(work: UnitOfWork) -> World:
    """The tenant's programme with its three tiers."""
    programme = (await work.session.scalars(select(Programme))).one()
    tiers = {tier.position: tier.id for tier in await work.session.scalars(select(Tier))}
    world = World(work.tenant_id, programme.id, tiers)
    work.add(TrainingProvider(tenant_id=work.tenant_id, id=world.training_provider, name="Provider", key="provider"))
    await work.session.flush()
    return world


def course(work: UnitOfWork, world: World, name: str, tier: int | None, **others: Any) -> UUID:
    """A course of a tier."""
    world.courses[name] = new_id()
    work.add(
        Course(
            tenant_id=work.tenant_id,
            id=world.courses[name],
            training_provider_id=world.training_provider,
            title=name,
            title_key=name.casefold(),
            version="1",
            tier_id=None if tier is None else world.tiers[tier],
            created_at=work.now,
            **others,
        )
    )
    return world.courses[name]


def learner(work: UnitOfWork, world: World, name: str) -> UUID:
    """A learner."""
    world.learners[name] = new_id()
    work.add(
        Learner(
            tenant_id=work.tenant_id,
            id=world.learners[name],
            display_name=name,
            given_name=None,
            family_name=None,
            name_key=name.casefold(),
            merged_into_id=None,
            created_at=work.now,
        )
    )
    return world.learners[name]


async def employer(
    work: UnitOfWork, world: World, name: str, provider: str | None = None, group: str | None = None
) -> UUID:
    """An employer at a CQC location of a provider, in a group if one is named."""
    location = None
    if provider is not None:
        shared = table_of(CqcLocation)
        if (await work.session.scalars(select(CqcProvider.id).where(CqcProvider.id == provider))).first() is None:
            await work.session.execute(
                table_of(CqcProvider).insert().values(id=provider, name=provider, updated_at=work.now)
            )
        values = {"id": f"1-{name}", "original_id": f"1-{name}", "name": name, "provider_id": provider}
        lists: dict[str, list[str]] = {"service_types": [], "user_bands": [], "regulated_activities": []}
        await work.session.execute(shared.insert().values(**values, **lists, updated_at=work.now))
        location = world.locations[name] = new_id()
        work.add(
            TenantLocation(
                tenant_id=work.tenant_id,
                id=location,
                location_id=f"1-{name}",
                relationship="in_area",
                since=TODAY,
                until=None,
                created_at=work.now,
            )
        )
        await work.session.flush()
    if group is not None:
        if group not in world.groups:
            world.groups[group] = new_id()
            work.add(ProviderGroup(tenant_id=work.tenant_id, id=world.groups[group], name=group, created_at=work.now))
            await work.session.flush()
        work.add(
            ProviderGroupLocation(
                tenant_id=work.tenant_id,
                id=new_id(),
                provider_group_id=world.groups[group],
                tenant_location_id=location,
            )
        )
    world.employers[name] = new_id()
    work.add(
        Employer(
            tenant_id=work.tenant_id,
            id=world.employers[name],
            name=name,
            kind="care_provider",
            tenant_location_id=location,
            created_at=work.now,
        )
    )
    await work.session.flush()
    return world.employers[name]


def employ(work: UnitOfWork, world: World, who: str, where: str, **others: Any) -> UUID:
    """An employment, begun a year ago unless told otherwise."""
    values: dict[str, Any] = {
        "job_role_code": None,
        "job_title": None,
        "setting": None,
        "started_on": TODAY - timedelta(days=365),
        "ended_on": None,
    }
    identifier = new_id()
    work.add(
        Employment(
            tenant_id=work.tenant_id,
            id=identifier,
            learner_id=world.learners[who],
            employer_id=world.employers[where],
            created_at=work.now,
            **(values | others),
        )
    )
    return identifier


def complete(work: UnitOfWork, world: World, who: str, what: str, on: date, source: str = "test") -> UUID:
    """A completion at noon in London on that day."""
    identifier = new_id()
    work.add(
        Completion(
            tenant_id=work.tenant_id,
            id=identifier,
            learner_id=world.learners[who],
            course_id=world.courses[what],
            completed_at=datetime.combine(on, time(12), UTC),
            source=source,
            minutes=None,
            score=None,
            certificate_number=None,
            short_duration=False,
            import_id=None,
            import_row_number=None,
            created_at=work.now,
        )
    )
    return identifier


def session(work: UnitOfWork, world: World, name: str, tier: int, on: date, minutes: int = 90) -> UUID:
    """A webinar of a tier."""
    world.sessions[name] = new_id()
    start = datetime.combine(on, time(10), UTC)
    work.add(
        TrainingSession(
            tenant_id=work.tenant_id,
            id=world.sessions[name],
            title=name,
            tier_id=world.tiers[tier],
            starts_at=start,
            ends_at=start + timedelta(minutes=minutes),
            online_mode="webinar",
            external_key=name,
            created_at=work.now,
        )
    )
    return world.sessions[name]


def attend(work: UnitOfWork, world: World, who: str, what: str, *, qualifies: bool = True) -> UUID:
    """An attendance at a session."""
    identifier = new_id()
    work.add(
        Attendance(
            tenant_id=work.tenant_id,
            id=identifier,
            session_id=world.sessions[what],
            learner_id=world.learners[who],
            seconds=5_000,
            qualifies=qualifies,
            decided_because="reaches_threshold",
            updated_at=NOW,
        )
    )
    return identifier


async def change(installation: Installation, field_: str, variables: dict[str, Any], answer: str) -> dict[str, Any]:
    """What a mutation of tenant north answers: `field_` is `name(InputType)`; success fields are in `answer`."""
    name, _, kind = field_.rstrip(")").partition("(")
    document = f"""mutation($input: {kind}!) {{ {name}(input: $input) {{ __typename {answer}
      ... on UserError {{ code message path }} }} }}"""
    given: dict[str, Any] = (await installation.data(installation.north, document, {"input": variables}))[name]
    return given
