"""Incidents with medicines and the learning that they suggest. Nobody is named: neither resident nor reporter."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.directory.models import TenantLocation
from app.governance.items import chosen
from app.governance.models import (
    HARM_LEVELS,
    INCIDENT_STAGES,
    NEED_STATES,
    IncidentCategory,
    LearningNeed,
    MedicineIncident,
)
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, same_version, told, words
from app.training.mapping.models import Topic
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


async def save_category(
    work: UnitOfWork, name: str, topic_id: UUID | None, *, category_id: UUID | None = None, version: int = 0
) -> UUID:
    """A category of incidents and the topic to learn about after one, new or changed.

    Raises TrainingRefusal `TEXT_MISSING`, `NO_SUCH_TOPIC`, `NAME_TAKEN`, `NO_SUCH_INCIDENT_CATEGORY` or
    `CHANGED_MEANWHILE`.
    """
    name = words(name, "name", "the category's name")
    if topic_id is not None:
        await found(work, Topic, topic_id, "topic", "topic")
    same = (await work.session.scalars(select(IncidentCategory.id).where(IncidentCategory.name == name))).first()
    if same is not None and same != category_id:
        raise TrainingRefusal("NAME_TAKEN", "There is a category of that name already. Change that one.", "name")
    if category_id is None:
        category = IncidentCategory(tenant_id=work.tenant_id, id=new_id(), version=0)
        work.add(category)
    else:
        category = await found(work, IncidentCategory, category_id, "incident category", lock=True)
        same_version(category.version, version, "category")
    category.name, category.topic_id = name, topic_id
    category.version += 1
    work.record(Action.INCIDENT_CATEGORY_SAVED, "incident_category", category.id, after=told(category, "topic_id"))
    return category.id


@dataclass(frozen=True, slots=True)
class IncidentGiven:
    """An incident as somebody tells it, without any person."""

    category_id: UUID
    stage: str
    harm: str
    location_id: UUID
    occurred_on: date
    safeguarding_raised: bool = False


async def record_incident(work: UnitOfWork, given: IncidentGiven) -> tuple[UUID, UUID | None]:
    """Keep an incident; its id, and the learning need that it suggests where its category has a topic.

    Raises TrainingRefusal `NO_SUCH_INCIDENT_CATEGORY`, `NO_SUCH_LOCATION`, `UNKNOWN_CHOICE` or `IN_THE_FUTURE`.
    """
    category = await found(work, IncidentCategory, given.category_id, "incident category", "category")
    await found(work, TenantLocation, given.location_id, "location", "location")
    stage, harm = chosen(given.stage, INCIDENT_STAGES, "stage"), chosen(given.harm, HARM_LEVELS, "harm")
    if given.occurred_on > london_date(work.now):
        raise TrainingRefusal("IN_THE_FUTURE", "Enter a day that has been.", "occurredOn")
    incident = MedicineIncident(
        tenant_id=work.tenant_id,
        id=new_id(),
        category_id=category.id,
        stage=stage,
        harm=harm,
        tenant_location_id=given.location_id,
        occurred_on=given.occurred_on,
        safeguarding_raised=given.safeguarding_raised,
        created_at=work.now,
    )
    work.add(incident)
    await work.session.flush()
    need_id = None
    if category.topic_id is not None:
        need_id = new_id()
        work.add(
            LearningNeed(
                tenant_id=work.tenant_id,
                id=need_id,
                incident_id=incident.id,
                topic_id=category.topic_id,
                tenant_location_id=given.location_id,
                status="suggested",
                version=1,
                created_at=work.now,
            )
        )
        announce(work, EventType.LEARNING_NEED_SUGGESTED, f"LearningNeed:{need_id}")
    after = told(incident, "category_id", "stage", "harm") | {"learning_need": need_id and str(need_id)}
    work.record(Action.INCIDENT_RECORDED, "medicine_incident", incident.id, after=after)
    return incident.id, need_id


async def decide_need(work: UnitOfWork, need_id: UUID, status: str, *, version: int) -> None:
    """Accept, decline or meet a need that was suggested.

    Raises TrainingRefusal `NO_SUCH_LEARNING_NEED`, `CHANGED_MEANWHILE` or `UNKNOWN_CHOICE`.
    """
    need = await found(work, LearningNeed, need_id, "learning need", lock=True)
    same_version(need.version, version, "learning need")
    before = told(need, "status")
    need.status = chosen(status, NEED_STATES, "status")
    need.version += 1
    work.record(Action.LEARNING_NEED_DECIDED, "learning_need", need_id, before=before, after=told(need, "status"))
