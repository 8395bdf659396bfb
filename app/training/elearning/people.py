"""Whom statements are about: known by account, weighed by the directory's rules, or left for a person to say."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.directory.models import LearnerIdentifier
from app.directory.placement import PersonInFile, place_learners
from app.directory.rules import Candidate, candidate
from app.training.elearning.models import LearningAccount, LearningSystem
from app.training.elearning.statements import home_key
from tenants.base import among
from tenants.session import UnitOfWork

REASONS = {
    "NO_NAME": "The statements name nobody, only an account that is not known.",
    "OTHER_SYSTEM": "The account belongs to another system than the one that is connected.",
    "NOT_LEGIBLE": "The statements name the person by a code that nothing here can be compared with.",
    "SHARED_MAILBOX": "The address is a shared mailbox.",
    "SAME_EMAIL_OTHER_NAME": "The address belongs to a learner of another name.",
    "SAME_NAME_AND_EMPLOYER": "Somebody of this name works there already.",
    "SEVERAL_MATCH": "Several learners match.",
    "NAME_ONLY": "There is only a name.",
}
"""Why an account waits, by code."""


def candidate_of(account: LearningAccount, system: LearningSystem) -> Candidate:
    """The account as the directory weighs it; one of another home page is no account of this system."""
    own = not system.home_page or home_key(account.home_page or "") == home_key(system.home_page)
    return candidate(
        source=system.source,
        account=account.account if own else None,
        email=account.email,
        display_name=account.name,
    )


async def place(work: UnitOfWork, system: LearningSystem, accounts: Sequence[LearningAccount]) -> None:
    """Say for each account who it is, as far as that is clear. Nobody is made of an account without a name."""
    nameless, named = [], []
    for account in accounts:
        who = candidate_of(account, system)
        if who.account is None and who.email is None:
            _wait(account, "OTHER_SYSTEM" if account.account else "NOT_LEGIBLE")
        elif who.name:
            named.append((account, who))
        else:
            nameless.append((account, who))
    holders = await _holders(work, {value for _, who in nameless for value in (who.account, who.email) if value})
    for account, who in nameless:
        found = holders.get(who.account or "", set()) or holders.get(who.email or "", set())
        if len(found) == 1:
            _known(account, next(iter(found)))
        else:
            _wait(account, "SEVERAL_MATCH" if found else "NO_NAME", sorted(found))
    placed = await place_learners(work, [PersonInFile(who, display_name=account.name) for account, who in named])
    for (account, _), place in zip(named, placed, strict=True):
        if place.learner_id is not None:
            _known(account, place.learner_id)
        else:
            _wait(account, place.decision.reasons[0], [learner_id for learner_id, _ in place.decision.suggestions])


def _known(account: LearningAccount, learner_id: UUID) -> None:
    account.learner_id, account.state, account.reason, account.suggestions = learner_id, "known", None, []


def _wait(account: LearningAccount, reason: str, suggestions: Sequence[UUID] = ()) -> None:
    account.state, account.reason, account.suggestions = "waiting", reason, [str(one) for one in suggestions]


async def _holders(work: UnitOfWork, values: set[str]) -> dict[str, set[UUID]]:
    """Who holds accounts and personal addresses; a shared mailbox says of nobody who it is."""
    held: dict[str, set[UUID]] = defaultdict(set)
    rows = await work.session.execute(
        select(LearnerIdentifier.value, LearnerIdentifier.learner_id).where(
            among(LearnerIdentifier.value, values), LearnerIdentifier.shared.is_(False)
        )
    )
    for value, learner_id in rows:
        held[value].add(learner_id)
    return held
