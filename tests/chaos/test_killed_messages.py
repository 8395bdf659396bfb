"""Workers killed while they send mail, servers that go away: each message is in the mailbox once, and none is lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import func, select

from app.messaging.ledger import Asked, ask
from app.messaging.models import Campaign, Message
from app.messaging.rules import Occasion
from app.messaging.sending import NOTED_TOGETHER
from app.messaging.settings import SettingsGiven, save_settings
from app.messaging.smtp import CONNECTIONS
from app.messaging.templates import template_for
from tenants.clock import system_clock
from tests import servers
from tests.booking.support import make_staff
from tests.chaos.support import PATIENCE_SECONDS, Post, ended
from tests.chaos.worker_process import Kill
from tests.messaging.campaigning import approved
from tests.messaging.mailbox import Mailbox, receiving
from tests.messaging.support import give_addresses
from tests.support import Installation

pytestmark = pytest.mark.one_login
COUNT = 300
LONG_LEASE = 20
"""Where nobody is killed: no slow machine must make a lease run out."""


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server of the test's own."""
    async with receiving() as opened:
        yield opened


async def ask_for(installation: Installation, post: Post, count: int) -> None:
    """Queue a message to each of `count` learners."""
    _, learners = await make_staff(installation, count)
    await give_addresses(installation, learners)
    async with post.database.unit_of_work(installation.context(installation.north)) as work:
        await save_settings(
            work, SettingsGiven("Training", "training@council.example", quiet_from=None, quiet_until=None)
        )
        template = await template_for(work, Occasion.NUDGE_DORMANT)
        assert template is not None
        asked = [
            Asked(f"test:{learner}", Occasion.NUDGE_DORMANT, "programme", template.id, learner_id=learner)
            for learner in learners
        ]
        await ask(work, asked, system_clock())
        await ask(work, asked, system_clock())


async def states(installation: Installation) -> dict[str, int]:
    """How many messages are in which state."""
    async with installation.database.session(installation.context(installation.north)) as session:
        rows = await session.execute(select(Message.state, func.count()).group_by(Message.state))
        return {row[0]: row[1] for row in rows}


async def until(installation: Installation, wanted: dict[str, int]) -> None:
    """Wait until so many are in each state."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (found := await states(installation)) != wanted:
        assert time.monotonic() < end, found
        await asyncio.sleep(0.05)


@pytest.mark.row("C6")
@pytest.mark.row("A32")
async def test_five_kills_while_mail_goes_out_repeat_and_lose_nothing(
    installation: Installation, post: Post, mailbox: Mailbox
) -> None:
    post = replace(post, others={"smtp_port": mailbox.port})
    await ask_for(installation, post, COUNT)
    for number in range(5):
        with post.worker() as doomed:
            target = len(mailbox.messages) + 20 + 7 * number

            def kill(kill: Callable[[], None] = doomed.kill, at: int = target) -> None:
                if len(mailbox.messages) >= at:
                    kill()

            mailbox.on_message = kill
            await ended(doomed)
    mailbox.on_message = None
    assert len(mailbox.messages) < COUNT, "there is still something to do"
    with post.worker():
        await until(installation, {"sent": COUNT})
    assert len(mailbox.messages) == COUNT
    again = sum(mailbox.handed.values()) - COUNT
    assert again <= 5 * (2 * NOTED_TOGETHER + CONNECTIONS), "what was on its way came again, with its Message-ID"


@pytest.mark.row("C6")
async def test_a_campaign_whose_worker_is_killed_twice_reaches_everybody_once(
    installation: Installation, post: Post, mailbox: Mailbox
) -> None:
    post = replace(post, others={"smtp_port": mailbox.port})
    _, learners = await make_staff(installation, 90)
    await give_addresses(installation, learners)
    async with post.database.unit_of_work(installation.context(installation.north)) as work:
        await save_settings(
            work, SettingsGiven("Training", "training@council.example", quiet_from=None, quiet_until=None)
        )
    campaign_id = await approved(installation, segment={"who": "learners"})
    for place, copies in ((Kill.WITHIN_CAMPAIGN, 20), (Kill.BETWEEN_CAMPAIGNS_CHUNKS, 60)):
        with post.worker(place) as doomed:
            await ended(doomed)
        assert sum((await states(installation)).values()) == copies
    with post.worker():
        await until(installation, {"sent": 90})
    assert len(mailbox.messages) == 90
    async with installation.database.session(installation.context(installation.north)) as session:
        campaign = await session.get_one(Campaign, (installation.north, campaign_id))
        assert campaign.recipients == 90


async def test_the_mail_server_goes_away_in_the_middle(
    installation: Installation, post: Post, mailbox: Mailbox
) -> None:
    post = replace(post, others={"smtp_port": mailbox.port, "lease_seconds": LONG_LEASE})
    await ask_for(installation, post, 60)
    mailbox.refusals = ["421 Going away"] * 10
    with post.worker():
        await until(installation, {"sent": 50, "queued": 10})
    assert set(mailbox.handed.values()) == {1}


async def test_stopping_a_worker_leaves_no_doubt(installation: Installation, post: Post, mailbox: Mailbox) -> None:
    post = replace(post, others={"smtp_port": mailbox.port, "lease_seconds": LONG_LEASE})
    await ask_for(installation, post, COUNT)
    with post.worker() as stopping:
        mailbox.on_message = lambda: stopping.terminate() if len(mailbox.messages) == 30 else None
        await ended(stopping)
    mailbox.on_message = None
    with post.worker():
        await until(installation, {"sent": COUNT})
    assert set(mailbox.handed.values()) == {1}


async def test_the_database_cuts_every_connection_while_mail_goes_out(
    installation: Installation, post: Post, mailbox: Mailbox
) -> None:
    post = replace(post, others={"smtp_port": mailbox.port})
    await ask_for(installation, post, COUNT)
    administrator = await asyncpg.connect(servers.running().superuser_url)
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = $1 AND usename = 'medstead_app' AND pid <> pg_backend_pid()"
    )
    name = installation.urls.app.rpartition("/")[2].partition("?")[0]
    cuts = 0
    with post.worker():
        for share in (50, 120, 200):
            end = time.monotonic() + PATIENCE_SECONDS
            while len(mailbox.messages) < share:
                assert time.monotonic() < end
                await asyncio.sleep(0.01)
            cuts += await administrator.fetchval(cut, name)
        await administrator.close()
        await installation.database.engine.dispose()  # this process's own were cut, too
        await until(installation, {"sent": COUNT})
    assert cuts > 3
    assert len(mailbox.messages) == COUNT
    again = sum(mailbox.handed.values()) - COUNT
    assert again <= 3 * (2 * NOTED_TOGETHER + CONNECTIONS)
