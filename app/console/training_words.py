"""Words for the programme's rules: settings, tasks, states, and names of learners for those who may see them."""

from typing import Any
from uuid import UUID

from app.identity.permissions import Permission
from app.identity.principal import Principal
from app.reporting.words import OUTCOMES as OUTCOMES

SETTINGS = {
    "care_home_with_nursing": "Care home with nursing",
    "care_home_without_nursing": "Care home without nursing",
    "extra_care": "Extra care",
    "supported_living": "Supported living",
    "domiciliary": "Care at home",
    "shared_lives": "Shared Lives",
    "other": "Other",
}
TASKS = {
    "administers": "Gives medicines",
    "orders": "Orders medicines",
    "stores": "Stores medicines",
    "records": "Keeps records of medicines",
    "witnesses_controlled_drugs": "Witnesses controlled drugs",
    "disposes": "Disposes of medicines",
    "delegated_healthcare": "Does delegated healthcare",
}
MODES = {
    "e_learning": "E-learning",
    "webinar": "Webinar",
    "face_to_face": "Face to face",
    "practical": "Practical, on the job",
    "blended": "Blended",
}
STATES = {
    "met": ("Met", "nhsuk-tag--green"),
    "expiring": ("Ends soon", "nhsuk-tag--yellow"),
    "expired": ("Expired", "nhsuk-tag--red"),
    "missing": ("Missing", "nhsuk-tag--red"),
}
NOMINATIONS = {
    "nominated": ("Waiting", "nhsuk-tag--yellow"),
    "approved": ("Approved", "nhsuk-tag--green"),
    "declined": ("Declined", "nhsuk-tag--grey"),
    "withdrawn": ("Withdrawn", "nhsuk-tag--grey"),
}
PROGRAMMES = {
    "draft": ("Draft", "nhsuk-tag--grey"),
    "published": ("Published", "nhsuk-tag--green"),
    "retired": ("Retired", "nhsuk-tag--grey"),
}
SCOPES = {
    "system": "Everybody in the area",
    "provider_group": "One group of providers",
    "single_provider": "One provider",
}
PROGRESS = {
    "not_started": "Not started",
    "in_progress": "In progress",
    "completed": "Completed",
    "expired": "Expired",
}
VIEWS = {"provider": "Provider", "setting": "Setting", "job_role": "Job role", "tier": "Tier"}
UNKNOWN = "Not known"


def learner_name(principal: Principal, name: str | None, learner_id: UUID) -> str:
    """The name for those who may see it, else the end of the id."""
    if principal.may(Permission.PEOPLE_READ) and name:
        return name
    return f"Learner {str(learner_id)[-8:]}"


def needed(row: Any) -> str:
    """What a row of the matrix asks for."""
    return f"Topic {row.topic_code}" if row.topic_code else f"Tier {row.position}: {row.tier_name}"
