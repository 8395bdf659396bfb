"""Placing the people of a file: who is known, who is new, and who needs a person's eye."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.directory.models import Employment, Learner, LearnerIdentifier, LearnerRegister
from app.directory.names import is_shared_mailbox
from app.directory.rules import Candidate, KnownLearner, MatchDecision, match_learner
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class PersonInFile:
    """A person as a row names them. `candidate.employer` is the id of the placed employer as text, or empty."""

    candidate: Candidate
    given_name: str | None = None
    family_name: str | None = None
    display_name: str | None = None

    @property
    def shown(self) -> str:
        """The name to show; the address or account where there is none."""
        whole = " ".join(part for part in (self.given_name, self.family_name) if part) or self.display_name
        return whole or self.candidate.email or (self.candidate.account or "").partition(":")[2]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a person was placed; `learner_id` is None when somebody has to look."""

    learner_id: UUID | None
    decision: MatchDecision


@dataclass(slots=True)
class _Known:
    name: str
    accounts: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    employers: set[str] = field(default_factory=set)


async def lock_register(work: UnitOfWork) -> None:
    """Let nobody else of this tenant place, merge or part learners until this transaction ends."""
    lock = select(LearnerRegister.id).where(LearnerRegister.id == work.tenant_id).with_for_update()
    if (await work.session.execute(lock)).first() is None:
        start = insert(LearnerRegister).values(tenant_id=work.tenant_id, id=work.tenant_id)
        await work.session.execute(start.on_conflict_do_nothing())
        await work.session.execute(lock)


async def place_learners(work: UnitOfWork, people: Sequence[PersonInFile]) -> list[Placed]:
    """Find or make a learner for each person, in order; what is new about a known one is remembered."""
    await lock_register(work)
    register = _Register()
    async with work.planned_for_values():
        await register.load(work, [person.candidate for person in people])
    placed = [register.place(person) for person in people]
    await register.save(work)
    return placed


async def count_known(work: UnitOfWork, candidates: Sequence[Candidate]) -> int:
    """How many of the candidates have an account or an address that is held already: a forecast, not a decision."""
    accounts = {who.account for who in candidates if who.account}
    emails = {who.email for who in candidates if who.email}
    held = set(
        await work.session.scalars(
            select(LearnerIdentifier.value).where(among(LearnerIdentifier.value, accounts | emails))
        )
    )
    return sum(who.account in held or who.email in held for who in candidates)


class NoSuchLearner(LookupError):
    """There is no learner of that id, or the record was merged into another."""


async def place_by_hand(work: UnitOfWork, person: PersonInFile, learner_id: UUID | None) -> UUID:
    """The learner that a person said somebody is: a known one, or with None somebody new. Raises NoSuchLearner."""
    if learner_id is None:
        learner_id = await make_learner(work, person)
        await work.session.flush()
        return learner_id
    learner = await work.session.get(Learner, (work.tenant_id, learner_id))
    if learner is None or learner.merged_into_id is not None:
        raise NoSuchLearner(str(learner_id))
    await add_identifiers(work, learner_id, person.candidate)
    return learner_id


async def make_learner(work: UnitOfWork, person: PersonInFile) -> UUID:
    """A new learner, because a person said that it is nobody known."""
    await lock_register(work)
    register = _Register()
    learner_id = register.make(person)
    await register.save(work)
    return learner_id


async def add_identifiers(work: UnitOfWork, learner_id: UUID, candidate: Candidate) -> None:
    """Remember a person's account and address, because a person said whose they are."""
    rows = [("account", candidate.account, False), ("email", candidate.email, False)]
    register = _Register()
    register.identifiers = [
        (learner_id, kind, value, kind == "email" and is_shared_mailbox(value)) for kind, value, _ in rows if value
    ]
    await register.save(work)


async def _held(work: UnitOfWork, kind: str, values: set[str]) -> list[tuple[UUID, str, str]]:
    """Who holds identifiers of a kind: learner, kind, value."""
    found = await work.session.execute(
        select(LearnerIdentifier.learner_id, LearnerIdentifier.value).where(
            LearnerIdentifier.kind == kind, among(LearnerIdentifier.value, values)
        )
    )
    return [(learner_id, kind, value) for learner_id, value in found]


class _Register:
    """The learners that people of one batch may be, and what the batch adds to them."""

    def __init__(self) -> None:
        self.learners: dict[UUID, _Known] = {}
        self.by_account: dict[str, set[UUID]] = defaultdict(set)
        self.by_email: dict[str, set[UUID]] = defaultdict(set)
        self.by_employer: dict[str, set[UUID]] = defaultdict(set)
        self.by_name: dict[str, set[UUID]] = defaultdict(set)
        self.made: list[tuple[UUID, PersonInFile]] = []
        self.identifiers: list[tuple[UUID, str, str, bool]] = []
        self.held: set[tuple[UUID, str, str]] = set()

    async def load(self, work: UnitOfWork, candidates: Sequence[Candidate]) -> None:
        accounts = {who.account for who in candidates if who.account}
        emails = {who.email for who in candidates if who.email}
        held = [*await _held(work, "account", accounts), *await _held(work, "email", emails)]
        known_accounts: set[str] = set()
        holders: dict[str, set[UUID]] = defaultdict(set)
        for learner_id, kind, value in held:
            if kind == "account":
                known_accounts.add(value)
                self.by_account[value].add(learner_id)
            else:
                holders[value].add(learner_id)
            self.held.add((learner_id, kind, value))
        # An account of the same source decides, so more is asked only about people whose account is not known.
        open_ones = [who for who in candidates if who.account not in known_accounts]
        if not open_ones:
            return
        found = {learner_id for who in open_ones if who.email for learner_id in holders.get(who.email, ())}
        found |= self._met_in_this_batch(candidates, open_ones)
        found |= await self._colleagues(work, open_ones)
        only_named = {who.name for who in open_ones if who.name and not (who.account or who.email or who.employer)}
        if only_named:
            found |= set(
                await work.session.scalars(
                    select(Learner.id).where(among(Learner.name_key, only_named), Learner.merged_into_id.is_(None))
                )
            )
        await self._enter(work, found)

    def _met_in_this_batch(self, candidates: Sequence[Candidate], open_ones: Sequence[Candidate]) -> set[UUID]:
        """Learners with a known account who, by what this batch says of them, may be one of the open people."""
        emails = {who.email for who in open_ones if who.email}
        names: dict[str, set[str]] = defaultdict(set)
        for who in open_ones:
            if who.employer:
                names[who.employer] |= set(who.name.split())
        return {
            learner_id
            for who in candidates
            if who.account in self.by_account
            and (who.email in emails or names.get(who.employer, set()) & set(who.name.split()))
            for learner_id in self.by_account[who.account]
        }

    async def _colleagues(self, work: UnitOfWork, candidates: Iterable[Candidate]) -> set[UUID]:
        """Staff of the candidates' employers who share a word of a candidate's name."""
        at_work = [who for who in candidates if who.employer and who.name]
        if not at_work:
            return set()
        words = sorted({word for who in at_work for word in who.name.split()})
        shares_a_word: ColumnElement[bool] = func.string_to_array(Learner.name_key, " ", type_=ARRAY(Text)).op("&&")(
            cast(literal(words, ARRAY(Text)), ARRAY(Text))
        )
        found = await work.session.scalars(
            select(Learner.id)
            .join(Employment, and_(Employment.tenant_id == Learner.tenant_id, Employment.learner_id == Learner.id))
            .where(
                among(Employment.employer_id, {UUID(who.employer) for who in at_work}),
                Learner.merged_into_id.is_(None),
                shares_a_word,
            )
        )
        return set(found)

    async def _enter(self, work: UnitOfWork, found: set[UUID]) -> None:
        if not found:
            return
        for learner_id, name in await work.session.execute(
            select(Learner.id, Learner.name_key).where(among(Learner.id, found))
        ):
            self.learners[learner_id] = _Known(name)
            self.by_name[name].add(learner_id)
        for learner_id, kind, value in await work.session.execute(
            select(LearnerIdentifier.learner_id, LearnerIdentifier.kind, LearnerIdentifier.value).where(
                among(LearnerIdentifier.learner_id, found)
            )
        ):
            self._hold(learner_id, kind, value)
        for learner_id, employer_id in await work.session.execute(
            select(Employment.learner_id, Employment.employer_id).where(among(Employment.learner_id, found))
        ):
            self._employ(learner_id, str(employer_id))

    def _hold(self, learner_id: UUID, kind: str, value: str) -> None:
        self.held.add((learner_id, kind, value))
        known = self.learners.get(learner_id)
        if kind == "account":
            self.by_account[value].add(learner_id)
            if known is not None:
                known.accounts.add(value)
        elif known is not None:
            known.emails.add(value)
            self.by_email[value].add(learner_id)

    def _employ(self, learner_id: UUID, employer: str) -> None:
        known = self.learners.get(learner_id)
        if known is not None:
            known.employers.add(employer)
            self.by_employer[employer].add(learner_id)

    def place(self, person: PersonInFile) -> Placed:
        who = person.candidate
        holders = self.by_account.get(who.account, set()) if who.account else set()
        if len(holders) == 1:
            # What the rule would say, without weighing anybody else: an account of the same source decides.
            (learner_id,) = holders
            decision = MatchDecision("matched", learner_id, 1.0, ("SAME_ACCOUNT",))
        else:
            decision = match_learner(who, [self._known(learner_id) for learner_id in sorted(self._near(who))])
        if decision.kind == "review":
            return Placed(None, decision)
        learner_id = decision.learner_id or self.make(person)
        self._remember(learner_id, who)
        return Placed(learner_id, decision)

    def _near(self, who: Candidate) -> set[UUID]:
        near: set[UUID] = set()
        if who.account:
            near |= self.by_account.get(who.account, set())
        if who.email:
            near |= self.by_email.get(who.email, set())
        if who.employer:
            words = set(who.name.split())
            colleagues = self.by_employer.get(who.employer, set())
            near |= {one for one in colleagues if words & set(self.learners[one].name.split())}
        if not near and not (who.account or who.email or who.employer):
            near |= self.by_name.get(who.name, set())
        return near

    def _known(self, learner_id: UUID) -> KnownLearner:
        known = self.learners[learner_id]
        return KnownLearner(
            learner_id,
            frozenset({known.name}) if known.name else frozenset(),
            frozenset(known.accounts),
            frozenset(known.emails),
            frozenset(known.employers),
        )

    def make(self, person: PersonInFile) -> UUID:
        learner_id = new_id()
        self.learners[learner_id] = _Known(person.candidate.name)
        self.by_name[person.candidate.name].add(learner_id)
        self.made.append((learner_id, person))
        self._remember(learner_id, person.candidate)
        return learner_id

    def _remember(self, learner_id: UUID, who: Candidate) -> None:
        if who.account and (learner_id, "account", who.account) not in self.held:
            self._hold(learner_id, "account", who.account)
            self.identifiers.append((learner_id, "account", who.account, False))
        if who.email and (learner_id, "email", who.email) not in self.held:
            self._hold(learner_id, "email", who.email)
            self.identifiers.append((learner_id, "email", who.email, is_shared_mailbox(who.email)))
        if who.employer:
            self._employ(learner_id, who.employer)

    async def save(self, work: UnitOfWork) -> None:
        await work.insert_rows(
            Learner,
            ("id", "display_name", "given_name", "family_name", "name_key", "created_at"),
            (
                (learner_id, person.shown, person.given_name, person.family_name, person.candidate.name, work.now)
                for learner_id, person in self.made
            ),
        )
        await work.insert_rows(
            LearnerIdentifier,
            ("id", "learner_id", "kind", "value", "shared", "created_at"),
            ((new_id(), *identifier, work.now) for identifier in self.identifiers),
            on_conflict="ON CONFLICT DO NOTHING",
        )
