"""Whom a segment reaches, as one statement: counted before a campaign is sent, and given chunk by chunk as it is.

One address gets one copy, whoever shares it. Where anybody of an address objects, or mail to it came back, it gets
none.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on

from app.directory.models import (
    CqcLocation,
    Employer,
    Employment,
    Learner,
    LearnerIdentifier,
    ProviderGroupLocation,
    TenantLocation,
)
from app.messaging.models import Message, MessageObjection, ProviderContact
from app.messaging.segments import Segment
from app.training.models import MedicationChampion
from app.training.requirements.evidence import by_attendance, by_completion
from app.training.requirements.standing import employed, setting_of
from tenants.base import table_of
from tenants.clock import london_date
from tenants.session import UnitOfWork

Clause = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Reach:
    """What would become of a campaign sent now. `shared`: people whose address gets its copy for somebody else."""

    goes: int
    objects: int
    undeliverable: int
    no_address: int
    shared: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a copy goes to."""

    learner_id: UUID | None
    contact_id: UUID | None


async def reach(work: UnitOfWork, segment: Segment, message_class: str) -> Reach:
    """Count the recipients of a segment."""
    (row,) = await work.session.execute(_Statement(work, segment, message_class).counts())
    return Reach(*row)


async def next_recipients(
    work: UnitOfWork, segment: Segment, message_class: str, campaign_id: UUID, most: int
) -> list[Recipient]:
    """Some of those who get a campaign and have no copy yet, neither for themselves nor at their address."""
    statement = _Statement(work, segment, message_class).left(literal(campaign_id, Uuid), most)
    return [Recipient(row.learner_id, row.contact_id) for row in await work.session.execute(statement)]


class _Statement:
    """The statement of a segment, put together."""

    def __init__(self, work: UnitOfWork, segment: Segment, message_class: str) -> None:
        self._segment, self._class = segment, message_class
        self._tenant = literal(work.tenant_id, Uuid)
        self._today = literal(london_date(work.now), Date)
        self._people = (self._contacts() if segment.who == "contacts" else self._learners()).cte("people")
        self._addresses = self._by_address()

    def counts(self) -> Select[Any]:
        people, one = self._people, self._addresses
        goes = and_(~one.c.objects, ~one.c.undeliverable)
        addressed = select(func.count()).select_from(people).where(people.c.address.is_not(None)).scalar_subquery()
        without = select(func.count()).select_from(people).where(people.c.address.is_(None)).scalar_subquery()
        return select(
            func.count().filter(goes),
            func.count().filter(one.c.objects),
            func.count().filter(and_(one.c.undeliverable, ~one.c.objects)),
            without,
            addressed - func.count(),
        ).select_from(one)

    def left(self, campaign: Clause, most: int) -> Select[Any]:
        one, message = self._addresses, table_of(Message).alias()
        has_one = exists().where(
            message.c.tenant_id == self._tenant,
            message.c.campaign_id == campaign,
            or_(message.c.learner_id == one.c.learner_id, message.c.contact_id == one.c.contact_id),
        )
        return (
            select(one.c.learner_id, one.c.contact_id)
            .where(
                ~one.c.objects, ~one.c.undeliverable, ~has_one, one.c.address.not_in(select(self._written(campaign)))
            )
            .order_by(one.c.address)
            .limit(most)
        )

    def _written(self, campaign: Clause) -> CTE:
        """Addresses at which a copy of the campaign is read."""
        written: CTE = self._addresses_of(table_of(Message), campaign).cte("written")
        return written

    def _addresses_of(self, model: Any, campaign: Clause | None) -> Any:
        """Addresses of the contacts and learners that rows of a table name."""
        found = []
        for column, address in (("contact_id", ProviderContact), ("learner_id", LearnerIdentifier)):
            row, mail = model.alias(), table_of(address).alias()
            owner, value = (mail.c.id, mail.c.address) if column == "contact_id" else (mail.c.learner_id, mail.c.value)
            statement = select(func.lower(value).label("address")).where(
                row.c.tenant_id == self._tenant, mail.c.tenant_id == self._tenant, owner == row.c[column]
            )
            if column == "learner_id":
                statement = statement.where(mail.c.kind == "email", ~mail.c.shared)
            if campaign is None:
                statement = statement.where(row.c.ended_at.is_(None), row.c.kind.in_(("all", self._class)))
            else:
                statement = statement.where(row.c.campaign_id == campaign)
            found.append(statement)
        return union(*found)

    def _by_address(self) -> CTE:
        """One row for each address, the oldest contact or learner first."""
        people = self._people
        objecting = self._addresses_of(table_of(MessageObjection), None).cte("objecting")
        contact, mail = table_of(ProviderContact).alias(), table_of(LearnerIdentifier).alias()
        dead = union(
            select(func.lower(contact.c.address).label("address")).where(
                contact.c.tenant_id == self._tenant, contact.c.undeliverable_since.is_not(None)
            ),
            select(func.lower(mail.c.value)).where(
                mail.c.tenant_id == self._tenant, mail.c.kind == "email", mail.c.undeliverable_since.is_not(None)
            ),
        ).cte("dead")
        return (
            select(
                people.c.address,
                people.c.learner_id,
                people.c.contact_id,
                people.c.address.in_(select(objecting.c.address)).label("objects"),
                people.c.address.in_(select(dead.c.address)).label("undeliverable"),
            )
            .where(people.c.address.is_not(None))
            .ext(distinct_on(people.c.address))
            .order_by(people.c.address, people.c.contact_id, people.c.learner_id)
            .cte("addresses")
        )

    def _contacts(self) -> Select[Any]:
        segment, tenant = self._segment, self._tenant
        contact, employer, location, cqc = (
            table_of(table).alias() for table in (ProviderContact, Employer, TenantLocation, CqcLocation)
        )
        place = func.coalesce(contact.c.tenant_location_id, employer.c.tenant_location_id)
        rows = (
            contact.outerjoin(employer, and_(employer.c.tenant_id == tenant, employer.c.id == contact.c.employer_id))
            .outerjoin(location, and_(location.c.tenant_id == tenant, location.c.id == place))
            .outerjoin(cqc, cqc.c.id == location.c.location_id)
        )
        statement = (
            select(
                cast(null(), Uuid).label("learner_id"),
                contact.c.id.label("contact_id"),
                func.lower(contact.c.address).label("address"),
            )
            .select_from(rows)
            .where(
                contact.c.tenant_id == tenant,
                or_(contact.c.ended_on.is_(None), contact.c.ended_on > self._today),
                func.coalesce(location.c.relationship, literal("", Text)) != "former",
                *self._at(location, cqc, cqc.c.primary_setting),
            )
        )
        if segment.roles:
            statement = statement.where(contact.c.role.in_(segment.roles))
        if segment.tier is not None:
            held = self._held_there(contact, location, self._holders(segment.tier))
            statement = statement.where(held if segment.tier_held else ~held)
        return statement

    def _held_there(self, contact: Any, location: Any, holders: CTE) -> Clause:
        post, works = table_of(Employment).alias(), table_of(Employer).alias()
        return exists().where(
            works.c.tenant_id == self._tenant,
            or_(works.c.tenant_location_id == location.c.id, works.c.id == contact.c.employer_id),
            post.c.tenant_id == self._tenant,
            post.c.employer_id == works.c.id,
            employed(post, self._today),
            post.c.learner_id.in_(select(holders.c.learner_id)),
        )

    def _learners(self) -> Select[Any]:
        segment, tenant = self._segment, self._tenant
        learner, mail = table_of(Learner).alias(), table_of(LearnerIdentifier).alias()
        address = (
            select(func.lower(mail.c.value))
            .where(
                mail.c.tenant_id == tenant, mail.c.learner_id == learner.c.id, mail.c.kind == "email", ~mail.c.shared
            )
            .order_by(mail.c.undeliverable_since.nulls_first(), mail.c.created_at.desc(), mail.c.id)
            .limit(1)
            .scalar_subquery()
        )
        statement = select(
            learner.c.id.label("learner_id"), cast(null(), Uuid).label("contact_id"), address.label("address")
        ).where(
            learner.c.tenant_id == tenant,
            learner.c.merged_into_id.is_(None),
            self._is_champion(learner) if segment.who == "champions" else self._works(learner),
        )
        if segment.tier is not None:
            held = learner.c.id.in_(select(self._holders(segment.tier).c.learner_id))
            statement = statement.where(held if segment.tier_held else ~held)
        return statement

    def _works(self, learner: Any) -> Clause:
        """Whether somebody works where the segment says; where it says nothing, whether they have not left."""
        post, employer, location, cqc = (
            table_of(table).alias() for table in (Employment, Employer, TenantLocation, CqcLocation)
        )
        any_post = table_of(Employment).alias()
        at_work = (post.c.tenant_id == self._tenant, post.c.learner_id == learner.c.id, employed(post, self._today))
        if not self._segment.by_place:
            ever = exists().where(any_post.c.tenant_id == self._tenant, any_post.c.learner_id == learner.c.id)
            return or_(exists().where(*at_work), ~ever)
        return exists().where(
            *at_work,
            employer.c.tenant_id == self._tenant,
            employer.c.id == post.c.employer_id,
            location.c.tenant_id == self._tenant,
            location.c.id == employer.c.tenant_location_id,
            location.c.relationship != "former",
            cqc.c.id == location.c.location_id,
            *self._at(location, cqc, setting_of(post, cqc)),
        )

    def _is_champion(self, learner: Any) -> Clause:
        role, location, cqc = (table_of(table).alias() for table in (MedicationChampion, TenantLocation, CqcLocation))
        active = (role.c.tenant_id == self._tenant, role.c.learner_id == learner.c.id, role.c.state == "active")
        if not self._segment.by_place:
            return exists().where(*active)
        return exists().where(
            *active,
            location.c.tenant_id == self._tenant,
            location.c.id == role.c.tenant_location_id,
            cqc.c.id == location.c.location_id,
            *self._at(location, cqc, cqc.c.primary_setting),
        )

    def _at(self, location: Any, cqc: Any, setting: Clause) -> list[Clause]:
        """What the segment asks of a place."""
        segment = self._segment
        asked: list[Clause] = []
        if segment.settings:
            asked.append(setting.in_(segment.settings))
        if segment.local_authorities:
            asked.append(cqc.c.local_authority.in_(segment.local_authorities))
        if segment.provider_groups:
            member = table_of(ProviderGroupLocation).alias()
            asked.append(
                exists().where(
                    member.c.tenant_id == self._tenant,
                    member.c.tenant_location_id == location.c.id,
                    member.c.provider_group_id.in_(segment.provider_groups),
                )
            )
        if segment.without_champion:
            role = table_of(MedicationChampion).alias()
            has_one = exists().where(
                role.c.tenant_id == self._tenant, role.c.tenant_location_id == location.c.id, role.c.state == "active"
            )
            asked += [location.c.id.is_not(None), ~has_one]
        return asked

    def _holders(self, tier_id: UUID) -> CTE:
        """Who holds the tier today."""
        proof = union_all(by_completion(self._tenant), by_attendance(self._tenant)).subquery()
        holds = case((proof.c.until.is_(None), True), else_=proof.c.until >= self._today)
        tier = literal(tier_id, Uuid)
        return (
            select(proof.c.learner_id).where(proof.c.tier_id == tier, proof.c.day <= self._today, holds).cte("holders")
        )
