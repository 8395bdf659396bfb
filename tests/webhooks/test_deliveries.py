"""Deliveries from the event to the receiver and back: once, again, given up, disabled, replayed, in turn."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from app.services import Services
from app.settings import Settings
from app.webhooks import deliveries as delivering
from app.webhooks.deliveries import QUEUE, TENANT_AT_ONCE, begin_attempt, replay, send_test, stand_back
from app.webhooks.endpoints import disable_endpoint, enable_endpoint, rotate_secret
from app.webhooks.errors import WebhookRefusal
from app.webhooks.events import EventType, fan_out, new_event, owe
from app.webhooks.rules import GIVE_UP_AFTER
from app.webhooks.sending import SENDS_AT_ONCE, Sender
from tenants.audit import Action
from tenants.outbox import OutboxMessage
from tests.support import KEY, Installation
from tests.webhooks.receiver import OK, hang, is_signed, raw, receiving, status
from tests.webhooks.support import (
    SUBJECT,
    attempts,
    deliveries,
    endpoint,
    events,
    happen,
    make_endpoint,
    the_delivery,
    trail,
    work_off,
)

A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def without_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delays of their own length, so that the settable clock can be moved exactly."""
    monkeypatch.setattr(delivering, "_chance", lambda: 0.5)


async def test_an_event_arrives_signed_and_thin(installation: Installation) -> None:
    async with receiving() as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
    (request,) = receiver.received
    (event,), delivery = await events(installation), await the_delivery(installation)
    assert request.event == {
        "type": "import.finished",
        "timestamp": "2026-11-24T10:00:00.000Z",
        "data": {"id": SUBJECT},
    }
    now = installation.clock().timestamp()
    assert is_signed(request, made.secret, now)
    other = made.secret[:10] + ("A" if made.secret[10] != "A" else "B") + made.secret[11:]
    assert not is_signed(request, other, now)
    assert not is_signed(replace(request, body=request.body + b" "), made.secret, now)
    assert request.headers["webhook-id"] == str(event.id)
    assert request.headers["webhook-timestamp"] == str(int(now))
    assert request.headers["medstead-delivery-id"] == str(delivery.id)
    assert request.headers["medstead-attempt"] == "1"
    assert request.headers["user-agent"].startswith("Medstead-Webhooks/")
    assert (delivery.state, delivery.attempt_count, delivery.finished_at) == ("delivered", 1, installation.clock())
    (attempt,) = await attempts(installation)
    assert (attempt.status_code, attempt.error_code, attempt.response_body) == (200, None, "")
    assert await work_off(installation) == 0


async def test_only_enabled_endpoints_that_asked_for_the_type_hear_of_it(installation: Installation) -> None:
    async with receiving() as asked, receiving() as other, receiving() as off, receiving() as theirs:
        await make_endpoint(installation, asked.url, types=[EventType.IMPORT_FAILED, EventType.SETTINGS_CHANGED])
        await make_endpoint(installation, other.url, types=[EventType.IMPORT_FINISHED])
        disabled = await make_endpoint(installation, off.url)
        await make_endpoint(installation, theirs.url, installation.south)
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            await disable_endpoint(work, disabled.id)
        await happen(installation, kind=EventType.SETTINGS_CHANGED)
        await work_off(installation)
        await work_off(installation, installation.south)
    assert [len(one.received) for one in (asked, other, off, theirs)] == [1, 0, 0, 0]
    assert len(await deliveries(installation, installation.south)) == 0


async def test_one_event_goes_to_each_endpoint_under_one_id(installation: Installation) -> None:
    async with receiving() as first, receiving() as second:
        await make_endpoint(installation, first.url)
        await make_endpoint(installation, second.url)
        await happen(installation)
        await work_off(installation)
    one, other = first.received[0], second.received[0]
    assert one.headers["webhook-id"] == other.headers["webhook-id"]
    assert one.headers["medstead-delivery-id"] != other.headers["medstead-delivery-id"]
    assert one.headers["webhook-signature"] != other.headers["webhook-signature"], "each has a secret of its own"


async def test_a_failure_is_tried_again_under_the_same_id_with_the_same_body(installation: Installation) -> None:
    async with receiving(status(500, b"out of order"), status(503)) as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        for number, wait in ((1, 5), (2, 15)):
            await work_off(installation)
            delivery = await the_delivery(installation)
            assert (delivery.state, delivery.attempt_count) == ("waiting", number)
            assert delivery.next_attempt_at == installation.clock() + timedelta(seconds=wait)
            installation.clock.move(timedelta(seconds=wait - 1))
            assert await work_off(installation) == 0, "not before its time"
            assert (await endpoint(installation, made.id)).failing_since is not None
            installation.clock.move(timedelta(seconds=1))
        await work_off(installation)
    assert (await the_delivery(installation)).state == "delivered"
    assert (await endpoint(installation, made.id)).failing_since is None
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert len({request.body for request in receiver.received}) == 1
    assert [request.headers["medstead-attempt"] for request in receiver.received] == ["1", "2", "3"]
    assert all(is_signed(request, made.secret, installation.clock().timestamp()) for request in receiver.received)
    told = [(one.number, one.status_code, one.response_body) for one in await attempts(installation)]
    assert told == [(1, 500, "out of order"), (2, 503, ""), (3, 200, "")]


async def test_what_a_receiver_asks_for_by_retry_after_is_kept_to(installation: Installation) -> None:
    async with receiving(status(429, retry_after="600")) as receiver:
        await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
        delivery = await the_delivery(installation)
        assert delivery.next_attempt_at == installation.clock() + timedelta(seconds=600)
        installation.clock.move(timedelta(seconds=599))
        assert await work_off(installation) == 0
        installation.clock.move(timedelta(seconds=1))
        await work_off(installation)
    assert (await the_delivery(installation)).state == "delivered"


async def test_after_a_day_of_failures_a_delivery_is_given_up(installation: Installation) -> None:
    begun = installation.clock()
    async with receiving(otherwise=raw(b"")) as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
        while (delivery := await the_delivery(installation)).state == "waiting":
            assert delivery.next_attempt_at is not None
            installation.clock.move(delivery.next_attempt_at - installation.clock())
            await work_off(installation)
    assert (delivery.state, delivery.failure_code) == ("failed", "GAVE_UP")
    assert installation.clock() - begun == GIVE_UP_AFTER, "the last attempt is made when the day is over"
    assert len(receiver.received) == delivery.attempt_count == 14
    assert {one.error_code for one in await attempts(installation)} == {"CONNECTION_CLOSED"}
    assert (await endpoint(installation, made.id)).state == "enabled"
    installation.clock.move(A_DAY)
    assert await work_off(installation) == 0
    async with installation.database.session(installation.context(installation.north)) as session:
        left = select(OutboxMessage).where(OutboxMessage.done_at.is_(None))
        assert (await session.scalars(left)).all() == []


@pytest.mark.parametrize(("code", "error"), [(400, None), (404, None), (422, None), (301, "REDIRECTED")])
async def test_what_will_not_mend_by_itself_fails_at_once(
    installation: Installation, code: int, error: str | None
) -> None:
    async with receiving(status(code, location="http://169.254.169.254/")) as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
    delivery = await the_delivery(installation)
    assert (delivery.state, delivery.failure_code, delivery.attempt_count) == ("failed", "REFUSED", 1)
    (attempt,) = await attempts(installation)
    assert (attempt.status_code, attempt.error_code) == (code, error)
    assert (await endpoint(installation, made.id)).state == "enabled"


async def test_gone_disables_the_endpoint_and_what_waits_for_it(installation: Installation) -> None:
    async with receiving(status(500), status(410)) as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
        await happen(installation)
        await work_off(installation)
        installation.clock.move(A_DAY)
        await work_off(installation)
    assert len(receiver.received) == 2
    stands = await endpoint(installation, made.id)
    assert (stands.state, stands.disabled_reason, stands.version) == ("disabled", "gone", 2)
    failed = [(one.state, one.failure_code) for one in await deliveries(installation)]
    assert failed == [("failed", "ENDPOINT_DISABLED"), ("failed", "GONE")]
    (row,) = await trail(installation, Action.WEBHOOK_ENDPOINT_DISABLED)
    assert row.actor_kind == "worker"
    assert row.subject_id == made.id
    assert row.after is not None
    assert row.after["reason"] == "gone"


async def test_days_of_nothing_but_failures_disable_an_endpoint(installation: Installation) -> None:
    """Five days by default; one success in between begins the count anew."""
    async with receiving(otherwise=status(500)) as receiver:
        made = await make_endpoint(installation, receiver.url)

        async def a_day_on() -> str:
            await happen(installation)
            await work_off(installation)
            installation.clock.move(A_DAY)
            await work_off(installation)
            return (await endpoint(installation, made.id)).state

        assert {await a_day_on() for _ in range(4)} == {"enabled"}
        receiver.replies.append(OK)
        await happen(installation)
        await work_off(installation)
        assert (await endpoint(installation, made.id)).failing_since is None
        assert [await a_day_on() for _ in range(5)] == ["enabled"] * 4 + ["disabled"]
    stands = await endpoint(installation, made.id)
    assert stands.disabled_reason == "failing"
    assert {one.state for one in await deliveries(installation)} == {"failed", "delivered"}
    (row,) = await trail(installation, Action.WEBHOOK_ENDPOINT_DISABLED)
    assert row.after is not None
    assert row.after["reason"] == "failing"
    before = len(receiver.received)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await enable_endpoint(work, made.id)
    stands = await endpoint(installation, made.id)
    assert (stands.state, stands.disabled_reason, stands.failing_since) == ("enabled", None, None)
    await work_off(installation)
    assert len(receiver.received) == before, "what failed stays failed until it is replayed"


async def test_both_secrets_sign_for_a_day_after_a_rotation(installation: Installation) -> None:
    async with receiving() as receiver:
        made = await make_endpoint(installation, receiver.url)
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            secret = await rotate_secret(work, installation.services.vault, made.id)
        for seconds in (0, 86_399, 1):
            installation.clock.move(timedelta(seconds=seconds))
            await happen(installation)
            await work_off(installation)
    assert secret != made.secret
    now = installation.clock().timestamp()
    first, last_of_both, after = receiver.received
    assert is_signed(last_of_both, secret, now)
    assert is_signed(last_of_both, made.secret, now)
    assert (is_signed(after, secret, now), is_signed(after, made.secret, now)) == (True, False)
    assert [len(one.headers["webhook-signature"].split(" ")) for one in (first, last_of_both, after)] == [2, 2, 1]


async def test_a_replay_is_a_delivery_of_its_own_under_the_same_id(installation: Installation) -> None:
    async with receiving(status(400)) as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
        failed = await the_delivery(installation)
        again: list[UUID] = []
        for delivery_id in (failed.id, None):
            async with installation.database.unit_of_work(installation.context(installation.north)) as work:
                again.append(await replay(work, delivery_id or again[0]))
            await work_off(installation)
    first, second, third = await deliveries(installation)
    assert (first.id, first.state) == (failed.id, "failed"), "what happened stays to be seen"
    assert [(one.state, one.replay_of_id, one.attempt_count) for one in (second, third)] == [
        ("delivered", failed.id, 1)
    ] * 2
    assert [second.id, third.id] == again
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    rows = await trail(installation, Action.WEBHOOK_REPLAYED)
    assert [row.subject_id for row in rows] == again
    assert made.secret not in str([row.after for row in rows])


async def test_what_is_on_its_way_or_disabled_is_not_replayed(installation: Installation) -> None:
    async with receiving(status(500), otherwise=status(400)) as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
        delivery = await the_delivery(installation)

        async def refused() -> str:
            with pytest.raises(WebhookRefusal) as refusal:
                async with installation.database.unit_of_work(installation.context(installation.north)) as work:
                    await replay(work, delivery.id)
            return refusal.value.code

        assert await refused() == "STILL_WAITING"
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            await disable_endpoint(work, made.id)
        assert await refused() == "ENDPOINT_DISABLED"
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            await enable_endpoint(work, made.id)
            await replay(work, delivery.id)
        assert await refused() == "STILL_WAITING", "a replay waits already"
        await work_off(installation)
    assert [one.state for one in await deliveries(installation)] == ["failed", "failed"]


async def test_a_test_goes_to_one_endpoint_alone(installation: Installation) -> None:
    async with receiving() as asked, receiving() as other:
        made = await make_endpoint(installation, asked.url, types=[EventType.IMPORT_FAILED])
        await make_endpoint(installation, other.url)
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            await send_test(work, made.id)
        await work_off(installation)
    assert [request.event["type"] for request in asked.received] == ["webhook.test"]
    assert asked.received[0].event["data"] == {"id": f"WebhookEndpoint:{made.id}"}
    assert other.received == []
    assert len(await trail(installation, Action.WEBHOOK_TEST_SENT)) == 1


async def test_an_attempt_that_was_cut_off_is_told_and_made_again(installation: Installation) -> None:
    """As after a worker's death: the first attempt is written down, and nobody comes back for it."""
    async with receiving() as receiver:
        await make_endpoint(installation, receiver.url)
        await happen(installation)
        await _only_fan_out(installation)
        delivery = await the_delivery(installation)
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            assert await begin_attempt(work, installation.services.vault, delivery.id) is not None
        await work_off(installation)
    assert len(receiver.received) == 1
    told = [(one.number, one.error_code, one.status_code) for one in await attempts(installation)]
    assert told == [(1, "INTERRUPTED", None), (2, None, 200)]
    assert receiver.received[0].headers["medstead-attempt"] == "2"


async def _only_fan_out(installation: Installation) -> None:
    (event,) = await events(installation)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        assert await fan_out(work, event.id) == 1
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        assert await fan_out(work, event.id) == 0, "repeated, it owes nothing twice"


async def test_few_requests_of_a_tenant_are_on_their_way_and_fewer_to_one_that_fails(
    installation: Installation,
) -> None:
    async def most_at_once(answer: bytes, state: str) -> int:
        """With six events at once, how many requests the receiver had before it at a time."""
        slow = raw(b"", b"HTTP/1.1 " + answer + b"\r\ncontent-length: 0\r\n\r\n", pause=0.2)
        async with receiving(otherwise=slow) as receiver:
            made = await make_endpoint(installation, receiver.url, types=[EventType.SETTINGS_CHANGED])
            for _ in range(6):
                await happen(installation, kind=EventType.SETTINGS_CHANGED)
            for _ in range(8):
                await work_off(installation)
                installation.clock.move(timedelta(seconds=2))
            own = [one for one in await deliveries(installation) if one.endpoint_id == made.id]
            assert {(one.state, one.attempt_count > 0) for one in own} == {(state, True)}
            async with installation.database.unit_of_work(installation.context(installation.north)) as work:
                await disable_endpoint(work, made.id)
            return receiver.most_at_once

    assert await most_at_once(b"200 OK", "delivered") == TENANT_AT_ONCE
    async with receiving(status(500)) as receiver:
        # One failure before, so that the endpoint is known to fail when six more come at once.
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
        slow = raw(b"", b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", pause=0.2)
        receiver.otherwise = slow
        for _ in range(6):
            await happen(installation)
        for _ in range(5):
            await work_off(installation)
            installation.clock.move(timedelta(seconds=2))
        assert (await endpoint(installation, made.id)).failing_since is not None
        assert len(receiver.received) > 5
        assert receiver.most_at_once == 1


async def test_a_receiver_that_hangs_does_not_hold_up_another_tenant(installation: Installation) -> None:
    """Its requests hold two of three places at most, so that the other tenant's go out meanwhile."""
    assert TENANT_AT_ONCE < SENDS_AT_ONCE
    services = replace(installation.services, webhooks=Sender(allow_loopback=True, seconds=3))
    async with receiving(otherwise=hang) as hanging, receiving() as receiver:
        for _ in range(2):
            await make_endpoint(installation, hanging.url)
        await make_endpoint(installation, receiver.url, installation.south)
        for _ in range(10):
            await happen(installation)
        stuck = asyncio.create_task(work_off(installation, services=services))
        while hanging.at_once < TENANT_AT_ONCE:  # noqa: ASYNC110 - told by nothing else
            await asyncio.sleep(0.01)
        await happen(installation, installation.south)
        await asyncio.wait_for(work_off(installation, installation.south, services), 2.5)
        assert len(receiver.received) == 1
        assert not stuck.done()
        await stuck
    assert hanging.most_at_once == TENANT_AT_ONCE
    assert {one.error_code for one in await attempts(installation)} == {"TIMEOUT"}
    await services.webhooks.close()


async def test_nobody_waits_for_an_answer_longer_than_the_message_is_held(installation: Installation) -> None:
    settings = installation.services.settings.model_copy(update={"lease_seconds": 1.0})
    services = await Services.open(settings, installation.clock)
    async with receiving(otherwise=hang) as receiver:
        await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation, services=services)
    await services.close()
    (attempt,) = await attempts(installation)
    assert attempt.error_code == "TIMEOUT"
    assert attempt.duration_ms is not None
    assert 400 < attempt.duration_ms < 900


def test_loopback_is_never_open_in_production() -> None:
    sound = {
        "environment": "production",
        "database_url": "postgresql://app@database.example/medstead",
        "redis_url": "redis://valkey.example",
        "secret_key": KEY,
        "base_url": "https://medstead.example",
    }
    assert not Settings.model_validate(sound).webhook_allow_loopback
    with pytest.raises(ValidationError, match="MEDSTEAD_WEBHOOK_ALLOW_LOOPBACK must not be set in production"):
        Settings.model_validate(sound | {"webhook_allow_loopback": True})


async def test_the_more_wait_the_longer_each_stands_back(installation: Installation) -> None:
    """So that a backlog does not keep relay and workers busy with asking."""
    made = await make_endpoint(installation, "https://partner.example/")
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        assert await stand_back(work) == timedelta(seconds=1)
        happened = [new_event(work, EventType.IMPORT_FINISHED, SUBJECT) for _ in range(5 * QUEUE)]
        await work.session.flush()
        for event in happened:
            owe(work, made.id, event.id)
        await work.session.flush()
        assert await stand_back(work) == timedelta(seconds=5)
    async with installation.database.unit_of_work(installation.context(installation.south)) as work:
        assert await stand_back(work) == timedelta(seconds=1), "another tenant's backlog is its own"


async def test_a_log_line_tells_of_each_attempt_without_query_or_secret(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    async with receiving(status(500, b"words of the receiver")) as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
    told = capsys.readouterr().out
    assert "webhook attempt" in told
    assert f"endpoint_id={made.id}" in told
    assert "status=500" in told
    for secret in ("of-the-partner", made.secret, receiver.url, "words of the receiver"):
        assert secret not in told
