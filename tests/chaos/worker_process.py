"""A worker process for chaos tests: product code with handlers for test topics, and a place where it kills itself."""

import asyncio
import os
import signal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.directory.models import Employer
from app.identity.secrets import Vault
from app.messaging import queueing
from app.settings import Settings
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import BoundSession, UnitOfWork
from workers import main
from workers.handlers import ManyTransactions, OneTransaction, WorkerContext, register
from workers.queue import Queue

EFFECT, CHUNKS = "test.effect", "test.chunks"
CHUNK_COUNT = 4
_MARK = "effect of a test"


class Kill(StrEnum):
    """Where the process kills itself, as kill -9 would."""

    NEVER = "never"
    BETWEEN_CLAIM_AND_WAKE = "between claim and wake"
    BEFORE_EFFECT = "before the effect"
    AFTER_EFFECT = "after the effect"
    BEFORE_COMMIT = "before the commit"
    AFTER_COMMIT = "after the commit"
    WITHIN_CHUNK = "within the third chunk"
    AFTER_CHUNK = "after the commit of the third chunk"
    WITHIN_CAMPAIGN = "within the second chunk of a campaign"
    BETWEEN_CAMPAIGNS_CHUNKS = "between the second and the third chunk of a campaign"


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _effect(work: UnitOfWork, name: str) -> None:
    """One row and one audit row, neither of them guarded by a unique key: a second effect would show."""
    work.session.sync_session.info[_MARK] = True
    employer = Employer(tenant_id=work.tenant_id, id=new_id(), name=name, kind="agency", created_at=work.now)
    work.add(employer)
    work.record(Action.EMPLOYER_CREATED, "employer", employer.id, after={"process": os.getpid()})
    await work.session.flush()


def _die_in_campaign(kill: Kill) -> None:
    """Have campaigns queued in small chunks, and the process die at one of them."""
    queueing.CHUNK = 20
    step, begun = queueing.step, 0

    async def fatal_step(work: UnitOfWork, campaign_id: UUID, vault: Vault) -> queueing.Step:
        nonlocal begun
        begun += 1
        if kill is Kill.BETWEEN_CAMPAIGNS_CHUNKS and begun == 3:
            _die()
        came_to = await step(work, campaign_id, vault)
        if kill is Kill.WITHIN_CAMPAIGN and begun == 2:
            await work.session.flush()
            _die()
        return came_to

    queueing.step = fatal_step


def serve(settings: dict[str, Any], kill: Kill, effect_seconds: float) -> None:
    """Run a worker on `settings`; each effect takes `effect_seconds`. Ends on SIGTERM or where `kill` says."""

    async def effect(context: WorkerContext, work: UnitOfWork) -> None:
        if kill is Kill.BEFORE_EFFECT:
            _die()
        await asyncio.sleep(effect_seconds)
        await _effect(work, str(context.outbox_id))
        if kill is Kill.AFTER_EFFECT:
            _die()

    async def chunks(context: WorkerContext) -> None:
        for number in range(CHUNK_COUNT):
            name = f"{context.outbox_id} chunk {number}"
            async with context.services.database.unit_of_work(context.tenant) as work:
                await context.renew(work)
                if (await work.session.scalars(select(Employer.id).where(Employer.name == name))).first() is None:
                    await _effect(work, name)
                if kill is Kill.WITHIN_CHUNK and number == 2:
                    _die()
            if kill is Kill.AFTER_CHUNK and number == 2:
                _die()

    if kill in (Kill.WITHIN_CAMPAIGN, Kill.BETWEEN_CAMPAIGNS_CHUNKS):
        _die_in_campaign(kill)

    def before_commit(session: Session) -> None:
        if kill is Kill.BEFORE_COMMIT and session.info.get(_MARK):
            _die()

    def after_commit(session: Session) -> None:
        if kill is Kill.AFTER_COMMIT and session.info.get(_MARK):
            _die()

    register(EFFECT, OneTransaction(effect))
    register(CHUNKS, ManyTransactions(chunks))
    event.listen(BoundSession, "before_commit", before_commit)
    event.listen(BoundSession, "after_commit", after_commit)
    if kill is Kill.BETWEEN_CLAIM_AND_WAKE:
        Queue.wake = lambda *_: _die()  # type: ignore[assignment, method-assign]
    asyncio.run(main.run(Settings.model_validate(settings)))
