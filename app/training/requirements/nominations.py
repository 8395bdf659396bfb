"""Nominations of Medication Champions: made by somebody who knows the learner, decided by the programme team."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from app.directory.models import TenantLocation
from app.training.errors import TrainingRefusal
from app.training.requirements.finding import row_of, said, same_version, standing_learner
from app.training.requirements.models import ChampionNomination
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


async def nominate(
    work: UnitOfWork,
    *,
    learner_id: UUID,
    tenant_location_id: UUID,
    nominator_name: str,
    nominator_role: str,
    statement: str,
) -> UUID:
    """Put a learner forward. Raises TrainingRefusal `NO_SUCH_LEARNER`, `NO_SUCH_LOCATION`, `NOMINATOR_MISSING`,
    `STATEMENT_MISSING` or `NOMINATED_ALREADY`.
    """
    name = said(nominator_name, "NOMINATOR_MISSING", "Say who nominates the learner.", "nominatorName")
    role = said(nominator_role, "NOMINATOR_MISSING", "Say what the nominator's role is.", "nominatorRole")
    words = said(statement, "STATEMENT_MISSING", "Say why the learner would make a good champion.", "statement")
    await row_of(work, TenantLocation, tenant_location_id, "NO_SUCH_LOCATION", "location", "locationId")
    learner_id = await standing_learner(work, learner_id)
    new = insert(ChampionNomination).values(
        tenant_id=work.tenant_id,
        id=new_id(),
        learner_id=learner_id,
        tenant_location_id=tenant_location_id,
        nominator_name=name,
        nominator_role=role,
        statement=words,
        status="nominated",
        pending=True,
        version=1,
        nominated_at=work.now,
    )
    made = new.on_conflict_do_nothing().returning(ChampionNomination.id)
    nomination_id = (await work.session.execute(made)).scalar_one_or_none()
    if nomination_id is None:
        message = "The learner has a nomination that waits for a decision already. Decide that one first."
        raise TrainingRefusal("NOMINATED_ALREADY", message, "learnerId")
    work.record(
        Action.CHAMPION_NOMINATED,
        "champion_nomination",
        nomination_id,
        after={"learner": str(learner_id), "location": str(tenant_location_id), "status": "nominated"},
    )
    announce(work, EventType.NOMINATION_CHANGED, f"ChampionNomination:{nomination_id}")
    return nomination_id


async def approve(work: UnitOfWork, nomination_id: UUID, version: int, reason: str = "") -> None:
    """Let the learner book the champions' tier. Raises TrainingRefusal `NO_SUCH_NOMINATION`, `CHANGED_MEANWHILE` or
    `DECIDED_ALREADY`.
    """
    await _decide(work, nomination_id, version, "approved", Action.NOMINATION_APPROVED, " ".join(reason.split()))


async def decline(work: UnitOfWork, nomination_id: UUID, version: int, reason: str) -> None:
    """Do not take the learner. Raises as `approve`, and `REASON_MISSING`."""
    why = said(reason, "REASON_MISSING", "Say why the nomination is declined.", "reason")
    await _decide(work, nomination_id, version, "declined", Action.NOMINATION_DECLINED, why)


async def withdraw(work: UnitOfWork, nomination_id: UUID, version: int, reason: str) -> None:
    """Take a nomination back, approved or not decided yet. Raises as `decline`."""
    why = said(reason, "REASON_MISSING", "Say why the nomination is withdrawn.", "reason")
    await _decide(work, nomination_id, version, "withdrawn", Action.NOMINATION_WITHDRAWN, why)


async def _decide(
    work: UnitOfWork, nomination_id: UUID, version: int, status: str, action: Action, reason: str
) -> None:
    nomination = await row_of(work, ChampionNomination, nomination_id, "NO_SUCH_NOMINATION", "nomination", "id")
    same_version(version, nomination.version, "nomination")
    before = nomination.status
    if before != "nominated" and not (status == "withdrawn" and before == "approved"):
        message = f"The nomination was {before} already. Make a new one if the learner is to be considered again."
        raise TrainingRefusal("DECIDED_ALREADY", message, "id")
    nomination.status, nomination.pending = status, None
    nomination.decided_at, nomination.decided_by = work.now, work.context.actor_id
    nomination.decided_because = reason or None
    nomination.version += 1
    work.record(action, "champion_nomination", nomination.id, before={"status": before}, after={
        "status": status, "reason": reason, "learner": str(nomination.learner_id),
    })  # fmt: skip
    announce(work, EventType.NOMINATION_CHANGED, f"ChampionNomination:{nomination.id}")
