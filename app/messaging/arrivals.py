"""Those who come by a campaign's link: its sessions that are still open, workplaces to choose from, and registering.

Nothing here tells whether somebody is known. A link counts for its campaign, whoever it was passed on to.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import func, or_, select

from app.directory.employers import EmployerInFile, place_employers
from app.directory.employment import AtWork, bear_witness
from app.directory.models import CqcLocation, Employer, TenantLocation
from app.directory.placement import PersonInFile, lock_register, make_learner, place_learners
from app.directory.rules import Candidate, full_name_key, normalise_email
from app.messaging.models import CampaignRegistration, CampaignVisit
from app.messaging.settings import is_address
from app.training.booking.operations import book
from app.training.booking.places import lock
from app.training.booking.placing import Request
from app.training.booking.rules import Gate, closed_because
from app.training.errors import TrainingRefusal
from app.training.requirements import standing
from app.training.requirements.finding import said
from tenants.base import SCHEMA
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

MOST_WORKPLACES = 12
SHORTEST_SEARCH = 3
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a link's token leads to. `contact_location_id`: the location whose mailbox the copy was for."""

    link_id: UUID
    campaign_id: UUID
    session_ids: tuple[UUID, ...]
    contact_location_id: UUID | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that can be booked now. `full`: only its waiting list is open."""

    id: UUID
    title: str
    starts_at: datetime
    ends_at: datetime
    where: str | None
    full: bool


@dataclass(frozen=True, slots=True)
class Workplace:
    """A location of the tenant, as the regulator publishes it."""

    id: UUID
    name: str
    postcode: str | None


@dataclass(frozen=True, slots=True)
class RegistrationGiven:
    """Who wants to come to what. `location_id`: where they work; None: it is not in the list."""

    given_name: str
    family_name: str
    email: str
    session_id: UUID | None
    location_id: UUID | None


_ARRIVAL = f"""
    SELECT k.id AS link_id, k.campaign_id, c.session_ids::text AS session_ids,
           coalesce(p.tenant_location_id, e.tenant_location_id) AS location_id
      FROM {SCHEMA}.campaign_link k
      JOIN {SCHEMA}.campaign c ON c.tenant_id = $1 AND c.id = k.campaign_id
      JOIN {SCHEMA}.message m ON m.tenant_id = $1 AND m.id = k.message_id
      LEFT JOIN {SCHEMA}.provider_contact p ON p.tenant_id = $1 AND p.id = m.contact_id
      LEFT JOIN {SCHEMA}.employer e ON e.tenant_id = $1 AND e.id = p.employer_id
     WHERE k.tenant_id = $1 AND k.token = $2
"""
_OPEN = f"""
    SELECT s.id, s.title, s.state, s.starts_at, s.ends_at, s.online_mode, v.name AS venue, v.postcode,
           p.opens_at, p.closes_at, p.waiting_list,
           p.capacity <= (SELECT count(*) FROM {SCHEMA}.booking b
                           WHERE b.tenant_id = $1 AND b.session_id = s.id
                             AND b.state IN ('confirmed', 'offered')) AS full
      FROM {SCHEMA}.training_session s
      JOIN {SCHEMA}.session_places p ON p.tenant_id = $1 AND p.session_id = s.id
      LEFT JOIN {SCHEMA}.venue v ON v.tenant_id = $1 AND v.id = s.venue_id
     WHERE s.tenant_id = $1 AND s.id = ANY($2::uuid[])
     ORDER BY s.starts_at, s.id
"""
_OF_THAT_NAME = f"""
    SELECT l.id FROM {SCHEMA}.learner_identifier i
      JOIN {SCHEMA}.learner l ON l.tenant_id = $1 AND l.id = i.learner_id
     WHERE i.tenant_id = $1 AND i.kind = 'email' AND i.value = $2 AND l.name_key = $3 AND l.merged_into_id IS NULL
     ORDER BY l.id LIMIT 1
"""


async def arrival_of(work: UnitOfWork, token: str) -> Arrival | None:
    """What a token leads to; None for one that we did not send."""
    rows = await work.fetch(_ARRIVAL, token)
    if not rows:
        return None
    row = rows[0]
    sessions = tuple(UUID(text) for text in orjson.loads(row["session_ids"]))
    return Arrival(row["link_id"], row["campaign_id"], sessions, row["location_id"])


async def open_sessions(work: UnitOfWork, arrival: Arrival) -> list[OpenSession]:
    """The campaign's sessions that somebody can book or wait for now, the next one first."""
    found = []
    for row in await work.fetch(_OPEN, list(arrival.session_ids)):
        gate = Gate(row["state"], row["starts_at"], row["opens_at"], row["closes_at"])
        if closed_because(gate, work.now, by_team=False) or (row["full"] and row["waiting_list"] == "none"):
            continue
        place = ", ".join(part for part in (row["venue"], row["postcode"]) if part)
        where = place or ("Online" if row["online_mode"] != "none" else None)
        found.append(OpenSession(row["id"], row["title"], row["starts_at"], row["ends_at"], where, row["full"]))
    return found


async def note_visit(work: UnitOfWork, arrival: Arrival) -> None:
    """Somebody pressed on."""
    work.add(CampaignVisit(tenant_id=work.tenant_id, id=new_id(), link_id=arrival.link_id, at=work.now))
    await work.session.flush()


async def workplaces(
    work: UnitOfWork, *, search: str = "", location_id: UUID | None = None, most: int = MOST_WORKPLACES
) -> list[Workplace]:
    """The tenant's locations by a part of the name or the beginning of the postcode; or the one of that id."""
    text = " ".join(search.split())
    if location_id is None and len(text) < SHORTEST_SEARCH:
        return []
    postcode = func.replace(func.upper(CqcLocation.postcode), " ", "")
    wanted = or_(
        CqcLocation.name.icontains(text, autoescape=True),
        postcode.startswith(text.upper().replace(" ", ""), autoescape=True),
    )
    rows = await work.session.execute(
        select(TenantLocation.id, CqcLocation.name, CqcLocation.postcode)
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .where(
            TenantLocation.relationship != "former", wanted if location_id is None else TenantLocation.id == location_id
        )
        .order_by(CqcLocation.name, TenantLocation.id)
        .limit(most)
    )
    return [Workplace(*row) for row in rows]


async def register(work: UnitOfWork, arrival: Arrival, given: RegistrationGiven) -> None:
    """Book somebody who came by a link, as a known learner or as a new one who works at the place that they named.

    Who is booked already stays so, and nothing tells that. An employment of somebody known is not touched: nobody has
    shown here who they are. Raises TrainingRefusal `NAME_MISSING`, `TOO_LONG`, `BAD_ADDRESS`, `NO_SUCH_SESSION`,
    `NO_SUCH_LOCATION`, or as `book`.
    """
    person, session_id = _person(given), given.session_id
    if session_id not in {session.id for session in await open_sessions(work, arrival)} or session_id is None:
        raise TrainingRefusal("NO_SUCH_SESSION", "Choose a session from the list.", "session")
    employer_id = None if given.location_id is None else await _employer(work, given.location_id)
    await lock(work, [session_id])  # before the register of learners, as whoever merges two of them does
    learner_id, new = await _learner(work, person, employer_id)
    if new and employer_id is not None:
        await bear_witness(work, [AtWork(learner_id, employer_id, london_date(work.now))], {})
        standing.request(work, learner_id, f"registration:{learner_id}")
    try:
        (booking_id,) = await book(work, Request(session_id, (learner_id,), "learner", employer_id if new else None))
    except TrainingRefusal as refusal:
        if refusal.code == "ALREADY_BOOKED":
            return
        raise
    work.add(
        CampaignRegistration(
            tenant_id=work.tenant_id, id=new_id(), link_id=arrival.link_id, booking_id=booking_id, at=work.now
        )
    )
    await work.session.flush()


def _person(given: RegistrationGiven) -> PersonInFile:
    first = said(given.given_name, "NAME_MISSING", "Enter your first name.", "givenName")
    last = said(given.family_name, "NAME_MISSING", "Enter your last name.", "familyName")
    for name, field in ((first, "givenName"), (last, "familyName")):
        if len(name) > LONGEST_NAME:
            raise TrainingRefusal("TOO_LONG", f"Enter at most {LONGEST_NAME} characters.", field)
    key = full_name_key(first, last)
    if not key:
        raise TrainingRefusal("NAME_MISSING", "Enter your name in letters.", "givenName")
    email = normalise_email(given.email.strip()) if is_address(given.email.strip()) else None
    if email is None:
        raise TrainingRefusal("BAD_ADDRESS", "Enter an e-mail address, such as alex@example.org.", "email")
    return PersonInFile(Candidate(None, email, key), first, last)


async def _employer(work: UnitOfWork, location_id: UUID) -> UUID:
    """The employer at a location: the oldest, or a new one that bears its name."""
    oldest = select(Employer.id).where(Employer.tenant_location_id == location_id)
    found = (await work.session.scalars(oldest.order_by(Employer.created_at, Employer.id).limit(1))).first()
    if found is not None:
        return found
    place = await work.session.get(TenantLocation, (work.tenant_id, location_id))
    if place is None or place.relationship == "former":
        raise TrainingRefusal("NO_SUCH_LOCATION", "Choose your workplace from the list.", "location")
    wanted = EmployerInFile(None, place.location_id)
    return (await place_employers(work, [wanted]))[wanted].id


async def _learner(work: UnitOfWork, person: PersonInFile, employer_id: UUID | None) -> tuple[UUID, bool]:
    """Who it is, and whether they are new. Whom the directory would ask somebody about is somebody new here: two
    records can be merged, but what went to the wrong person is not found again.
    """
    await lock_register(work)
    who = person.candidate
    same = await work.fetch(_OF_THAT_NAME, who.email, who.name)
    if same:
        return same[0]["id"], False
    at_work = replace(person, candidate=replace(who, employer=str(employer_id or "")))
    (placed,) = await place_learners(work, [at_work])
    if placed.learner_id is None:
        return await make_learner(work, at_work), True
    return placed.learner_id, placed.decision.kind == "new"
