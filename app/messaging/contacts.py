"""Provider contacts: the mailboxes at which locations and employers read what a council writes."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.directory.models import Employer, TenantLocation
from app.messaging.models import ProviderContact
from app.messaging.settings import is_address
from app.training.errors import TrainingRefusal
from app.training.requirements.finding import row_of
from tenants.audit import Action
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

ROLES = ("registered_manager", "medicines_lead", "training_lead", "office")


@dataclass(frozen=True, slots=True)
class ContactGiven:
    """A contact as somebody entered it: of one of the tenant's locations, or of an employer. `name` may be empty."""

    role: str
    address: str
    name: str = ""
    tenant_location_id: UUID | None = None
    employer_id: UUID | None = None


async def save_contact(work: UnitOfWork, given: ContactGiven, *, contact_id: UUID | None = None) -> UUID:
    """Add a contact, or change one; gives its id. One that had ended is in use again.

    A new address is not known to be undeliverable. Raises TrainingRefusal `UNKNOWN_ROLE`, `BAD_ADDRESS`, `ONE_PLACE`,
    `NO_SUCH_LOCATION`, `NO_SUCH_EMPLOYER`, `NO_SUCH_CONTACT` or `ADDRESS_TAKEN`.
    """
    address = " ".join(given.address.split())
    if given.role not in ROLES:
        raise TrainingRefusal("UNKNOWN_ROLE", "Choose what the contact is at the location.", "role")
    if not is_address(address):
        raise TrainingRefusal("BAD_ADDRESS", "Enter an e-mail address, such as manager@example.org.", "address")
    await _check_place(work, given)
    there = select(ProviderContact).where(
        ProviderContact.tenant_location_id.is_not_distinct_from(given.tenant_location_id),
        ProviderContact.employer_id.is_not_distinct_from(given.employer_id),
        ProviderContact.address == address,
    )
    same = (await work.session.scalars(there.with_for_update())).first()
    if same is not None and (same.id != contact_id if contact_id else same.ended_on is None):
        message = "That address is a contact of the place already. Look for it in the list."
        raise TrainingRefusal("ADDRESS_TAKEN", message, "address")
    if contact_id is not None:
        contact = await row_of(work, ProviderContact, contact_id, "NO_SUCH_CONTACT", "contact", "id")
    elif same is not None:
        contact = same
    else:
        contact = ProviderContact(tenant_id=work.tenant_id, id=new_id(), created_at=work.now, address=address)
        work.add(contact)
    if contact.address != address:
        contact.undeliverable_since = None
    contact.role, contact.name, contact.address = given.role, " ".join(given.name.split()), address
    contact.tenant_location_id, contact.employer_id = given.tenant_location_id, given.employer_id
    contact.ended_on = None
    await work.session.flush()
    work.record(Action.CONTACT_SAVED, "provider_contact", contact.id, after=_told(contact))
    return contact.id


async def _check_place(work: UnitOfWork, given: ContactGiven) -> None:
    if (given.tenant_location_id is None) == (given.employer_id is None):
        raise TrainingRefusal("ONE_PLACE", "Choose one location, or one employer.", "location")
    if given.tenant_location_id is not None:
        if await work.session.get(TenantLocation, (work.tenant_id, given.tenant_location_id)) is None:
            raise TrainingRefusal(
                "NO_SUCH_LOCATION", "There is no such location. Choose one of your own from the directory.", "location"
            )
    elif await work.session.get(Employer, (work.tenant_id, given.employer_id)) is None:
        raise TrainingRefusal("NO_SUCH_EMPLOYER", "There is no such employer. Choose one from the list.", "employer")


async def end_contact(work: UnitOfWork, contact_id: UUID) -> None:
    """Write there no more, from now on. Raises TrainingRefusal `NO_SUCH_CONTACT` or `ENDED_ALREADY`."""
    contact = await row_of(work, ProviderContact, contact_id, "NO_SUCH_CONTACT", "contact", "id")
    if contact.ended_on is not None:
        raise TrainingRefusal("ENDED_ALREADY", "The contact has ended already. Nothing was changed.", "id")
    contact.ended_on = london_date(work.now)
    await work.session.flush()
    work.record(Action.CONTACT_SAVED, "provider_contact", contact_id, after=_told(contact))


async def save_many(work: UnitOfWork, rows: list[tuple[str, str, str, str]]) -> int:
    """Add the contacts of a file, all or none: CQC location id, role, name, address of each. How many are new.

    Those that are there already are left as they are. Raises TrainingRefusal as `save_contact`; its message names the
    line.
    """
    wanted = {location.strip().upper() for location, *_ in rows}
    found = await work.session.execute(
        select(TenantLocation.location_id, TenantLocation.id).where(among(TenantLocation.location_id, sorted(wanted)))
    )
    own = {row.location_id: row.id for row in found}
    new = 0
    for line, (location, role, name, address) in enumerate(rows, 2):
        kind = "_".join(role.casefold().split())
        given = ContactGiven(kind, address, name, own.get(location.strip().upper()))
        try:
            await save_contact(work, given)
            new += 1
        except TrainingRefusal as refusal:
            if refusal.code == "ADDRESS_TAKEN":
                continue
            code = "NO_SUCH_LOCATION" if refusal.code == "ONE_PLACE" else refusal.code
            message = "The location is none of yours." if code == "NO_SUCH_LOCATION" else refusal.message
            raise TrainingRefusal(code, f"Line {line}: {message} Nothing was added.", "file") from refusal
    return new


def _told(contact: ProviderContact) -> dict[str, object]:
    """What the trail may say: no name and no address."""
    return {"role": contact.role, "ended": contact.ended_on is not None}
