"""Nudges: who is found and why, once for each cause, and never those who object or a kind that is switched off."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.messaging.nudges import candidates, set_nudge
from app.messaging.objections import end_objection, object_to
from app.training.booking.check_in import Seen, mark
from app.training.models import Completion, Course, Programme, Tier
from app.training.requirements.programmes import publish_programme
from app.training.sessions.details import Places
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tests.booking.support import book, make_session, make_staff
from tests.imports.support import completion, completions, take
from tests.messaging.mailbox import Mailbox
from tests.messaging.support import give_addresses, set_sender, work_on
from tests.support import NOW, Installation


async def nudged(installation: Installation, kind: str, days: int) -> list[tuple[UUID, bool, str]]:
    """Whom a kind is about now: learner, whether one goes out, why."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        found = await candidates(work, kind, days, installation.clock())
        return [(one.learner_id, one.goes, one.why) for one in found]


async def switch(
    installation: Installation, kind: str, code: str, days: int, *, active: bool = True, version: int = 0
) -> None:
    """Set a kind."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await set_nudge(work, kind, active=active, days=days, code=code, version=version)


async def a_day_passes(installation: Installation) -> None:
    """The daily run, some seconds after it is due."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        work.emit(Topic.NUDGES_RUN, installation.clock().isoformat())
    await work_on(installation, timedelta(minutes=1))


async def complete(installation: Installation, learners: list[UUID], at: datetime) -> None:
    """Each learner completes a course of tier 1."""
    await take(installation, installation.north, completions([completion(1)]), options={"tier": 1})
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        course = (await work.session.scalars(select(Course))).one()
        run = (await work.session.scalars(select(Completion))).one()
        names = (
            "id",
            "learner_id",
            "course_id",
            "completed_at",
            "source",
            "import_id",
            "import_row_number",
            "short_duration",
            "created_at",
        )
        rows = [
            (new_id(), one, course.id, at, "test", run.import_id, 2 + number, False, NOW)
            for number, one in enumerate(learners)
        ]
        await work.insert_rows(Completion, names, rows)
        programme = (await work.session.scalars(select(Programme))).one()
        await publish_programme(work, programme.id, programme.version, has_locked_mapping=True)


@pytest.mark.row("A36")
async def test_dormant_and_next_tier(installation: Installation, mailbox: Mailbox) -> None:
    _, learners = await make_staff(installation, 4)
    await give_addresses(installation, learners[:3])
    await set_sender(installation)
    await complete(installation, learners, NOW - timedelta(days=40))
    mine = set(learners)
    assert [one for one in await nudged(installation, "dormant", 41) if one[0] in mine] == []
    for kind in ("dormant", "next_tier"):
        found = [one for one in await nudged(installation, kind, 40) if one[0] in mine]
        assert sorted(found) == sorted(
            [(learner, True, kind.upper()) for learner in learners[:3]] + [(learners[3], False, "NO_ADDRESS")]
        )
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        objection = await object_to(work, "next_tier", "team", learner_id=learners[0])
        await object_to(work, "all", "learner", learner_id=learners[1])
    await switch(installation, "next_tier", "nudge-next-tier", 30)
    await switch(installation, "dormant", "nudge-dormant", 30, active=False)
    await a_day_passes(installation)
    imported = mailbox.to("learner1@care.example")
    assert len(mailbox.to("learner2@home.example")) == len(imported) == len(mailbox.messages) / 2 == 1
    await a_day_passes(installation)
    assert len(mailbox.messages) == 2, "once for the tier that they hold"
    async with installation.database.unit_of_work(context) as work:
        await end_objection(work, objection)
    await a_day_passes(installation)
    assert len(mailbox.to("learner0@home.example")) == 1
    await switch(installation, "dormant", "nudge-dormant", 30, version=1)
    await a_day_passes(installation)
    subjects = [str(message["Subject"]) for message in mailbox.to("learner0@home.example")]
    assert subjects == ["Your next step in medicines training", "Your medicines training"]
    assert mailbox.to("learner1@home.example") == []


@pytest.mark.row("A36")
async def test_who_did_not_come_is_asked_again_once_attendance_is_known(
    installation: Installation, mailbox: Mailbox
) -> None:
    _, learners = await make_staff(installation, 3)
    await give_addresses(installation, learners)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        tier = (await work.session.scalars(select(Tier).where(Tier.position == 1))).one()
    first = await make_session(installation, Places(10, "promote"), tier_id=tier.id)
    await book(installation, first, learners)
    await work_on(installation, timedelta(days=8))
    await set_sender(installation)
    await switch(installation, "no_show", "nudge-no-show", 1)
    assert await nudged(installation, "no_show", 1) == [], "nobody has marked anybody yet"
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await mark(work, first, [Seen(learners[0], 1, present=True)], "list")
    assert sorted(await nudged(installation, "no_show", 1)) == sorted([(one, True, "NO_SHOW") for one in learners[1:]])
    assert await nudged(installation, "no_show", 2) == []
    await a_day_passes(installation)
    assert sorted(str(message["To"]) for message in mailbox.messages.values()) == [
        "learner1@home.example", "learner2@home.example",
    ]  # fmt: skip
    assert mailbox.subjects == ["Another date for PRN medicines?"] * 2
    assert london_date(installation.clock()) == date(2026, 12, 2)
    await a_day_passes(installation)
    assert len(mailbox.messages) == 2
