"""What people decide about registrations that wait for them: who it is, or to leave it out."""

from uuid import UUID

from app.directory.placement import NoSuchLearner, lock_register, place_by_hand
from app.outside.coming import told_by
from app.outside.errors import OutsideRefusal
from app.outside.models import OutsideRegistration
from app.outside.settling import employer_named, keep_learner, person_of
from tenants.audit import Action
from tenants.outbox import Topic
from tenants.session import UnitOfWork


async def choose(work: UnitOfWork, registration_id: UUID, learner_id: UUID | None) -> UUID:
    """Say who registered: a known learner, or with None somebody new; what is asked for follows. Gives the event's id.

    Raises OutsideRefusal `NO_SUCH_REGISTRATION`, `PLACED_ALREADY` or `NO_SUCH_LEARNER`.
    """
    await lock_register(work)
    row = await _waiting(work, registration_id)
    employer_id = await employer_named(work, told_by(row).who)
    person = person_of(told_by(row).who, employer_id)
    try:
        placed = await place_by_hand(work, person, learner_id)
    except NoSuchLearner as nobody:
        message = "There is no such learner. Choose one from the list."
        raise OutsideRefusal("NO_SUCH_LEARNER", message, "answer") from nobody
    await keep_learner(work, row, placed, employer_id if learner_id is None else None)
    row.revision += 1
    row.pending, row.left_out = True, False
    work.record(Action.OUTSIDE_REGISTRATION_PLACED, "outside_registration", row.id, after={"learner": str(placed)})
    work.emit(Topic.OUTSIDE_SETTLE, f"{row.id}:{row.revision}", registration_id=row.id)
    return row.event_id


async def leave_out(work: UnitOfWork, registration_id: UUID) -> UUID:
    """Ask nothing for a registration, as for one made by mistake. Gives the event's id. Raises as `choose`."""
    row = await _waiting(work, registration_id)
    row.left_out, row.pending = True, False
    row.problem = row.problem_text = None
    row.candidates = []
    row.revision += 1
    work.record(Action.OUTSIDE_REGISTRATION_LEFT_OUT, "outside_registration", row.id)
    return row.event_id


async def _waiting(work: UnitOfWork, registration_id: UUID) -> OutsideRegistration:
    key = (work.tenant_id, registration_id)
    row = await work.session.get(OutsideRegistration, key, with_for_update=True, populate_existing=True)
    if row is None:
        raise OutsideRefusal("NO_SUCH_REGISTRATION", "There is no such registration. Look at the list again.")
    if row.learner_id is not None:
        raise OutsideRefusal("PLACED_ALREADY", "It is known who this is already. Look at the list again.")
    return row
