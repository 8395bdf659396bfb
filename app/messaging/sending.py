"""Sending what is due of one tenant: claim, write, hand over, note; batch by batch, while its turn lasts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import select, update

from app.directory.models import LearnerIdentifier
from app.identity.secrets import Vault
from app.messaging import ledger
from app.messaging.attaching import certificates_of
from app.messaging.composing import Composed, compose, sender_of
from app.messaging.ledger import Outcome
from app.messaging.letters import Letter
from app.messaging.models import Message, MessageSettings, ProviderContact
from app.messaging.settings import ahead_of, message_settings
from tenants.base import among
from tenants.models import Tenant
from tenants.session import UnitOfWork

MESSAGES_A_TURN = 2_000
"""After so many a tenant gives the worker's place to whoever waits."""
NOTED_TOGETHER = 100
PAUSE_SECONDS = 2.0
"""Until the next look where the tenant's pace or the daily allowance is used up."""
AWAY_SECONDS = 15.0
"""Until the next try where nobody takes our mail."""

log = structlog.get_logger()


class SenderUnavailable(RuntimeError):
    """Nobody answers, or nobody takes our mail at all: the letters are not at fault. `seconds`: until the next try."""

    def __init__(self, why: str, seconds: float = AWAY_SECONDS) -> None:
        super().__init__(why)
        self.seconds = seconds


class Way(Protocol):
    """A way by which letters go out."""

    async def send(self, letters: Sequence[Letter], attempts: dict[UUID, int], told: Callable[[Outcome], None]) -> None:
        """Hand letters over and tell what became of each as it is known. Raises SenderUnavailable.

        Letters of which nothing was told were not handed over.
        """

    async def known(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Of letters that were perhaps sent before, those that the sender has already; none where it cannot tell."""


@dataclass(frozen=True, slots=True)
class Office:
    """What sending needs of the process: transactions in the tenant, the ways, and where our pages are."""

    unit_of_work: Callable[[], AbstractAsyncContextManager[UnitOfWork]]
    renew: Callable[[UnitOfWork], Awaitable[None]]
    way_for: Callable[[MessageSettings], Way]
    vault: Vault
    base_url: str
    lease: timedelta


async def send_due(office: Office) -> float | None:
    """Send the tenant's due messages for one turn. None: nothing is left; else the seconds until the next look."""
    handed = 0
    while handed < MESSAGES_A_TURN:
        async with office.unit_of_work() as work:
            await office.renew(work)
            settings = await message_settings(work, lock=True)
            if settings is None or settings.paused_at is not None:
                return None
            tenant = await work.session.get_one(Tenant, work.tenant_id)
            sender = sender_of(settings, tenant.slug, tenant.name, office.base_url, office.vault)
            if not handed:
                await ledger.take_back(work)
                await ledger.look_after_leases(work, office.lease)
                if await ledger.enough_at_work(work):
                    return None  # one tenant's crowd of messages must leave places in the worker to others
            claimed = await ledger.claim(work, settings, office.lease)
            if not claimed:
                return PAUSE_SECONDS if await ledger.more_is_due(work) else None
            composed = await compose(work, sender, claimed, ahead_of(settings))
            composed = replace(composed, letters=await certificates_of(work, composed, sender))
            if composed.outcomes:
                await _note(work, composed, composed.outcomes, settings.channel)
            way, channel = office.way_for(settings), settings.channel
        away = await _hand_over(office, way, channel, composed)
        if away is not None:
            return away
        handed += len(claimed)
    return 0.0


async def _hand_over(office: Office, way: Way, channel: str, composed: Composed) -> float | None:
    """Hand letters over and note what became of them, also when this process is told to stop.

    Gives the seconds to wait where nobody takes them.
    """
    notes = _Notes(office, channel, composed)
    letters = composed.letters
    doubtful = [letter for letter in letters if letter.message_id in composed.uncertain]
    away: float | None = None
    try:
        for outcome in await way.known(doubtful) if doubtful else ():
            notes.add(outcome)
        letters = [letter for letter in letters if letter.message_id not in notes.told]
        await way.send(letters, composed.attempts, notes.add)
    except SenderUnavailable as error:
        away = error.seconds
        log.warning("mail is not taken", channel=channel, error=str(error), seconds=away)
    finally:
        # Shielded: what was handed over must be known as sent, or it would be sent once more.
        await asyncio.shield(notes.finish(away or 0.0))
    return away


class _Notes:
    """Notes what became of letters while others are on their way, so that a death leaves few in doubt."""

    def __init__(self, office: Office, channel: str, composed: Composed) -> None:
        self._office, self._channel, self._composed = office, channel, composed
        self._waiting: list[Outcome] = []
        self._writing: asyncio.Task[None] | None = None
        self.told: set[UUID] = set()

    def add(self, outcome: Outcome) -> None:
        """Hear what became of a letter."""
        self.told.add(outcome.message_id)
        self._waiting.append(outcome)
        if len(self._waiting) >= NOTED_TOGETHER and (self._writing is None or self._writing.done()):
            self._writing = asyncio.ensure_future(self._write([], 0.0))

    async def _write(self, left: Sequence[UUID], seconds: float) -> None:
        outcomes, self._waiting = self._waiting, []
        try:
            async with self._office.unit_of_work() as work:
                await _note(work, self._composed, outcomes, self._channel)
                if left:
                    await ledger.give_back(work, left, "SENDER_UNAVAILABLE", timedelta(seconds=seconds))
        except BaseException:
            self._waiting = outcomes + self._waiting
            raise

    async def finish(self, seconds: float) -> None:
        """Note the rest; letters of which nothing is known come back."""
        if self._writing is not None:
            # What it could not write is written with the rest.
            await asyncio.gather(self._writing, return_exceptions=True)
        left = [letter.message_id for letter in self._composed.letters if letter.message_id not in self.told]
        if self._waiting or left:
            await self._write(left, seconds)


async def _note(work: UnitOfWork, composed: Composed, outcomes: Sequence[Outcome], channel: str) -> None:
    await ledger.settle(work, outcomes, channel)
    bounced = [one.message_id for one in outcomes if one.state == "bounced"]
    if bounced:
        addresses = {letter.message_id: letter.to_address for letter in composed.letters}
        await mark_undeliverable(work, bounced, [addresses[one] for one in bounced if one in addresses])


async def mark_undeliverable(work: UnitOfWork, message_ids: Sequence[UUID], addresses: Sequence[str]) -> None:
    """Send nothing more to addresses that do not exist; the people stay."""
    recipients = select(Message.learner_id, Message.contact_id).where(among(Message.id, message_ids))
    rows = (await work.session.execute(recipients)).all()
    lowered = [address.lower() for address in addresses]
    for statement in (
        update(LearnerIdentifier)
        .where(
            among(LearnerIdentifier.learner_id, [row.learner_id for row in rows if row.learner_id]),
            LearnerIdentifier.kind == "email",
            among(LearnerIdentifier.value, [*addresses, *lowered]),
            LearnerIdentifier.undeliverable_since.is_(None),
        )
        .values(undeliverable_since=work.now),
        update(ProviderContact)
        .where(
            among(ProviderContact.id, [row.contact_id for row in rows if row.contact_id]),
            ProviderContact.undeliverable_since.is_(None),
        )
        .values(undeliverable_since=work.now),
    ):
        await work.session.execute(statement.execution_options(synchronize_session=False))
