"""Changes of the programme's team and of venues."""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from app.training.errors import TrainingRefusal
from app.training.sessions.models import PROFESSIONS, TEAM_ROLES, TeamMember, Venue
from app.training.sessions.rules import Leader, Remark, registration_remarks
from tenants.audit import Action
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the team. `whole_time_equivalent` is from 0 to 1."""

    name: str
    profession: str
    roles: tuple[str, ...]
    whole_time_equivalent: Decimal | None = None
    registration_body: str | None = None
    registration_number: str | None = None
    started_on: date | None = None
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A venue. `day_cost` in pounds a day; None: not known."""

    name: str
    address: str | None = None
    postcode: str | None = None
    local_authority: str | None = None
    capacity: int | None = None
    access_features: tuple[str, ...] = ()
    day_cost: Decimal | None = None


async def save_member(
    work: UnitOfWork, told: Member, member_id: UUID | None = None, version: int = 0
) -> tuple[UUID, list[Remark]]:
    """A team member, new or changed; the id and what to look at (a registration number that is missing).

    Raises TrainingRefusal for what cannot be, with the field, or `NO_SUCH_TEAM_MEMBER`.
    """
    name = " ".join(told.name.split())
    if not name:
        raise TrainingRefusal("NAME_MISSING", "Give the team member's name.", "name")
    if told.profession not in PROFESSIONS:
        raise TrainingRefusal("UNKNOWN_PROFESSION", f"Choose one of: {', '.join(PROFESSIONS)}.", "profession")
    if not told.roles or not set(told.roles) <= set(TEAM_ROLES):
        raise TrainingRefusal("UNKNOWN_ROLE", f"Choose at least one of: {', '.join(TEAM_ROLES)}.", "roles")
    if told.whole_time_equivalent is not None and not 0 <= told.whole_time_equivalent <= 1:
        raise TrainingRefusal("WTE", "The whole-time equivalent is from 0 to 1.", "wholeTimeEquivalent")
    started = told.started_on or london_date(work.now)
    if told.ended_on is not None and told.ended_on < started:
        raise TrainingRefusal("DATES", "The last day is not before the first.", "endedOn")
    member = TeamMember(tenant_id=work.tenant_id, id=new_id(), created_at=work.now, version=0, started_on=started)
    if member_id is not None:
        found = await work.session.get(TeamMember, (work.tenant_id, member_id), with_for_update=True)
        if found is None:
            raise TrainingRefusal("NO_SUCH_TEAM_MEMBER", "There is no such team member. Look at the list.", "id")
        _unchanged(found.version, version)
        member = found
        member.started_on = told.started_on or member.started_on
    member.name, member.profession, member.roles = name, told.profession, sorted(set(told.roles))
    member.whole_time_equivalent, member.ended_on = told.whole_time_equivalent, told.ended_on
    member.registration_body, member.registration_number = told.registration_body, told.registration_number
    member.version += 1
    work.add(member)
    await work.session.flush()
    found_remarks = registration_remarks([Leader(name, told.profession, told.registration_number)])
    work.record(
        Action.TEAM_MEMBER_SAVED,
        "team_member",
        member.id,
        after={"profession": told.profession, "roles": member.roles, "remarks": [item.code for item in found_remarks]},
    )
    return member.id, found_remarks


def _unchanged(present: int, read: int) -> None:
    if present != read:
        raise TrainingRefusal("CHANGED_MEANWHILE", "Somebody changed this meanwhile. Read it again first.", "version")


async def save_venue(work: UnitOfWork, told: Place, venue_id: UUID | None = None, version: int = 0) -> UUID:
    """A venue, new or changed. Raises TrainingRefusal for what cannot be, with the field."""
    name = " ".join(told.name.split())
    if not name:
        raise TrainingRefusal("NAME_MISSING", "Give the venue a name.", "name")
    if told.capacity is not None and told.capacity < 1:
        raise TrainingRefusal("CAPACITY", "A venue holds at least one person; leave it open if unknown.", "capacity")
    if told.day_cost is not None and not 0 <= told.day_cost < 10**8:
        raise TrainingRefusal("COST", "The cost of a day is 0 pounds or more.", "dayCost")
    same = (await work.session.scalars(select(Venue.id).where(Venue.name == name))).first()
    if same is not None and same != venue_id:
        raise TrainingRefusal("NAME_TAKEN", "There is a venue of that name already. Choose another name.", "name")
    venue = Venue(tenant_id=work.tenant_id, id=new_id(), created_at=work.now, version=0)
    if venue_id is not None:
        found = await work.session.get(Venue, (work.tenant_id, venue_id), with_for_update=True)
        if found is None:
            raise TrainingRefusal("NO_SUCH_VENUE", "There is no such venue. Look at the list.", "id")
        _unchanged(found.version, version)
        venue = found
    for field, value in (asdict(told) | {"name": name, "access_features": list(told.access_features)}).items():
        setattr(venue, field, value)
    venue.version += 1
    work.add(venue)
    await work.session.flush()
    work.record(Action.VENUE_SAVED, "venue", venue.id, after={"name": name, "capacity": told.capacity})
    return venue.id
