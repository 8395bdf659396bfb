"""Answers of people: who an account is. What its statements said counts from then on, or no longer."""

from uuid import UUID

from sqlalchemy import select

from app.directory.models import LearnerIdentifier
from app.directory.placement import PersonInFile, add_identifiers, make_learner
from app.directory.rules import Candidate
from app.training.elearning.models import LearningAccount, LearningSystem
from app.training.elearning.people import candidate_of, place
from app.training.elearning.reopening import reopen_account
from app.training.errors import TrainingRefusal
from app.training.requirements.finding import row_of, standing_learner
from tenants.audit import Action
from tenants.outbox import Topic
from tenants.session import UnitOfWork


async def say_who(work: UnitOfWork, account_id: UUID, learner_id: UUID) -> None:
    """The account is this learner's. Raises TrainingRefusal `NO_SUCH_ACCOUNT`, `NO_SUCH_LEARNER` or `ACCOUNT_TAKEN`."""
    account, system = await _found(work, account_id)
    learner_id = await standing_learner(work, learner_id, "learner")
    who = candidate_of(account, system)
    if who.account is not None:
        held = select(LearnerIdentifier.learner_id).where(
            LearnerIdentifier.kind == "account",
            LearnerIdentifier.value == who.account,
            LearnerIdentifier.learner_id.not_in({learner_id, account.learner_id} - {None}),
        )
        if (await work.session.scalars(held)).first() is not None:
            message = "The account is known as another learner's. If the two are one person, merge them first."
            raise TrainingRefusal("ACCOUNT_TAKEN", message, "learner")
        await _forget(work, account, who)
        await add_identifiers(work, learner_id, Candidate(account=who.account))
    await _answered(work, account, "known", learner_id)


async def say_new(work: UnitOfWork, account_id: UUID, name: str) -> UUID:
    """The account is somebody who is not known yet; gives the learner.

    Raises TrainingRefusal `NO_SUCH_ACCOUNT`, `NAME_MISSING` or `ALREADY_KNOWN`.
    """
    account, system = await _found(work, account_id)
    if account.state == "known":
        raise TrainingRefusal("ALREADY_KNOWN", "Somebody said meanwhile who it is. Look at the list again.")
    shown = " ".join(name.split())
    if not shown or len(shown) > 200:
        raise TrainingRefusal("NAME_MISSING", "Enter the person's name, of at most 200 characters.", "new_name")
    who = candidate_of(account, system)
    person = PersonInFile(Candidate(who.account, None, shown.casefold()), display_name=shown)
    learner_id = await make_learner(work, person)
    await work.session.flush()
    await _answered(work, account, "known", learner_id)
    return learner_id


async def leave_out(work: UnitOfWork, account_id: UUID) -> None:
    """The account is of no learner here, such as a tester's. Raises TrainingRefusal `NO_SUCH_ACCOUNT`."""
    account, system = await _found(work, account_id)
    await _forget(work, account, candidate_of(account, system))
    await _answered(work, account, "left_out", None)


async def look_again(work: UnitOfWork) -> int:
    """Ask the directory once more about accounts that wait; how many it knows now."""
    waiting = select(LearningAccount).where(LearningAccount.state == "waiting").with_for_update()
    accounts = (await work.session.scalars(waiting)).all()
    systems = {row.id: row for row in await work.session.scalars(select(LearningSystem))}
    for system in systems.values():
        await place(work, system, [one for one in accounts if one.learning_system_id == system.id])
    found = [account for account in accounts if account.state == "known"]
    for account in found:
        await reopen_account(work, account)
    return len(found)


async def _forget(work: UnitOfWork, account: LearningAccount, who: Candidate) -> None:
    """Take the account from the learner who was said to hold it."""
    if account.learner_id is None or who.account is None:
        return
    rows = select(LearnerIdentifier).where(
        LearnerIdentifier.kind == "account",
        LearnerIdentifier.value == who.account,
        LearnerIdentifier.learner_id == account.learner_id,
    )
    for row in await work.session.scalars(rows):
        await work.session.delete(row)
    await work.session.flush()


async def _found(work: UnitOfWork, account_id: UUID) -> tuple[LearningAccount, LearningSystem]:
    account = await row_of(work, LearningAccount, account_id, "NO_SUCH_ACCOUNT", "account")
    return account, await work.session.get_one(LearningSystem, (work.tenant_id, account.learning_system_id))


async def _answered(work: UnitOfWork, account: LearningAccount, state: str, learner_id: UUID | None) -> None:
    before = {"state": account.state, "learner": str(account.learner_id or "")}
    account.state, account.learner_id, account.reason, account.suggestions = state, learner_id, None, []
    await reopen_account(work, account)
    after = {"state": state, "learner": str(learner_id or "")}
    work.record(Action.LEARNING_ACCOUNT_ANSWERED, "learning_account", account.id, before=before, after=after)
    work.emit(Topic.STATEMENTS_DERIVE, f"answered:{account.id}:{work.context.request_id}")
