"""What is announced, by the operations that make it happen; and what is thrown away."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.directory.models import Learner
from app.evidence.operations import refresh_figures
from app.imports.models import ImportPart
from app.training.merging import merge_learners, undo_merge
from app.training.settings import change_settings
from app.webhooks import tidying
from app.webhooks.deliveries import replay
from app.webhooks.events import EventType
from app.webhooks.models import WebhookEvent
from app.webhooks.tidying import forget_old_webhooks
from tests.imports.support import completion, completions, send, take
from tests.imports.support import work_off as work_off_import
from tests.support import Installation
from tests.webhooks.receiver import receiving
from tests.webhooks.support import attempts, deliveries, events, happen, make_endpoint, the_delivery, work_off
from workers import evidence
from workers.sweeper import tidy


async def told(installation: Installation) -> list[tuple[str, str]]:
    """Type and subject of what was announced in the north."""
    return [(event.type, event.subject) for event in await events(installation)]


async def test_an_import_that_finishes_and_one_that_fails_are_announced(installation: Installation) -> None:
    finished = await take(installation, installation.north, completions([completion(1)]), options={"tier": 1})
    received = await send(installation, installation.north, completions([completion(2)]), options={"tier": 1})
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await work.session.execute(update(ImportPart).values(content=b""))  # as if the store had lost it
    failed = await work_off_import(installation, installation.north, received.import_id)
    assert (finished.state, failed.state) == ("finished", "failed")
    expected = [("import.finished", f"Import:{finished.id}"), ("import.failed", f"Import:{failed.id}")]
    assert await told(installation) == expected


async def test_a_merge_and_its_undoing_are_announced(installation: Installation) -> None:
    await take(installation, installation.north, completions([completion(1), completion(2)]), options={"tier": 1})
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        kept, merged = (await work.session.scalars(select(Learner.id))).all()
        merge_id = await merge_learners(work, kept, merged, "the same person")
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await undo_merge(work, merge_id)
    subject = f"LearnerMerge:{merge_id}"
    assert (await told(installation))[1:] == [("learners.merged", subject), ("learners.merge_undone", subject)]


async def test_settings_and_figures_are_announced_when_they_have_changed(installation: Installation) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await change_settings(work, version=1, attendance_threshold_percent=80)
    assert await told(installation) == [], "nothing was changed"
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await change_settings(work, version=1, attendance_threshold_percent=75)
        await refresh_figures(work, 1)
    subject = f"Tenant:{installation.north}"
    assert await told(installation) == [("settings.changed", subject), ("figures.refreshed", subject)]


async def test_what_is_not_committed_is_not_announced(installation: Installation) -> None:
    async with receiving() as receiver:
        await make_endpoint(installation, receiver.url)
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            await change_settings(work, version=1, attendance_threshold_percent=75)
            await work.settle()
            assert await work.session.scalar(select(WebhookEvent.type)) == "settings.changed"
            await work.session.rollback()
        await work_off(installation)
    assert (await told(installation), receiver.received) == ([], [])


async def test_a_subject_can_be_asked_for_by_its_id(installation: Installation) -> None:
    async with receiving() as receiver:
        await make_endpoint(installation, receiver.url, types=[EventType.IMPORT_FINISHED])
        run = await take(installation, installation.north, completions([completion(1)]), options={"tier": 1})
        evidence.register_handlers()
        await work_off(installation)
    (request,) = receiver.received
    document = "query ($id: ID!) { node(id: $id) { ... on Import { state } } }"
    data = await installation.data(installation.north, document, {"id": request.event["data"]["id"]})
    assert data == {"node": {"state": "FINISHED"}}
    assert request.event["data"]["id"] == f"Import:{run.id}"
    for private in (b"Given", b"Family", b"care.example", b"Rose"):
        assert private not in request.body


@pytest.mark.row("C1")
async def test_after_thirty_days_a_ledger_is_thrown_away_tenant_by_tenant(installation: Installation) -> None:
    async with receiving() as receiver:
        await make_endpoint(installation, receiver.url)
        await make_endpoint(installation, receiver.url, installation.south)
        for tenant_id in (installation.north, installation.south):
            await happen(installation, tenant_id)
            await work_off(installation, tenant_id)
        installation.clock.move(tidying.KEPT)
        await happen(installation)
        await work_off(installation)
        await tidy(installation.database)
        assert [len(await rows(installation)) for rows in (events, deliveries, attempts)] == [2, 2, 2], "not a day over"
        installation.clock.move(timedelta(seconds=1))
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            assert await forget_old_webhooks(work) == 1
        south = installation.south
        assert [len(await rows(installation)) for rows in (events, deliveries, attempts)] == [1, 1, 1]
        assert [len(await rows(installation, south)) for rows in (events, deliveries, attempts)] == [1, 1, 1]
        await tidy(installation.database)
        assert [len(await rows(installation, south)) for rows in (events, deliveries, attempts)] == [0, 0, 0]


async def test_a_first_delivery_stays_as_long_as_its_replay(installation: Installation) -> None:
    async with receiving() as receiver:
        await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
        installation.clock.move(timedelta(days=20))
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            await replay(work, (await the_delivery(installation)).id)
        await work_off(installation)
    installation.clock.move(timedelta(days=20))
    await tidy(installation.database)
    assert [len(await rows(installation)) for rows in (events, deliveries, attempts)] == [1, 2, 2]
    installation.clock.move(timedelta(days=20))
    await tidy(installation.database)
    assert [len(await rows(installation)) for rows in (events, deliveries, attempts)] == [0, 0, 0]
