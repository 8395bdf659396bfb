"""Clients' buckets in a real Valkey: taken, given back, filled again, and what happens when Valkey is away."""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis.asyncio as redis

from infra.embedded import start_valkey
from infra.embedded.valkey import ValkeyServer
from medstead_graphql.account import REFUSED_COST, preparation
from medstead_graphql.buckets import Buckets
from tenants.identifiers import new_id
from tests import servers
from tests.graphql_api.test_hostile import GRAPHQL_JSON, asked, code_of, send
from tests.support import BYPASS_LOGIN, Installation, open_installation

CARD = "{ tenant { slug } }"
PAGE = "{ learners(first: 100) { nodes { id } } }"
PAGES = "{ learners(first: 100) { nodes { completions(first: 100) { nodes { id } } } } }"


def never_seen(text: str) -> str:
    """The document under a name that no process has prepared yet."""
    return f"query A{new_id().hex} {text}"


@pytest.fixture
async def buckets(redis_url: str) -> AsyncIterator[Buckets]:
    """Buckets of 100 points that get one point back in 1,000 s: as good as never."""
    opened = Buckets(redis_url, 100, 1, 40)
    yield opened
    await opened.close()


async def left(redis_url: str, client: object) -> float:
    """What Valkey holds of a client's bucket."""
    valkey = redis.Redis.from_url(redis_url)
    found = await valkey.hget(f"medstead:bucket:{client}", "left")
    await valkey.aclose()
    return float(found or -1)


async def test_a_bucket_gives_what_it_holds_and_no_more(redis_url: str) -> None:
    first, second = Buckets(redis_url, 100, 1, 40), Buckets(redis_url, 100, 1, 40)
    client = new_id()
    taken = [await bucket.take(client, 30) for bucket in (first, second, first, second)]
    assert [one.granted for one in taken] == [True, True, True, False], "processes share the bucket"
    assert 9 < taken[3].left < 13
    assert (await first.take(new_id(), 100)).granted, "another client has a bucket of its own"
    first.give_back(client, 25, here=False)
    assert (await first.take(client, 30)).granted, "a refund goes before the next request of the same process"
    second.give_back(client, 30, here=False)
    await second.flush()
    assert 30 < await left(redis_url, client) < 40
    second.give_back(client, 5_000, here=False)
    await second.close()
    await first.flush()
    assert (await first.take(client, 0)).left == 100, "never more than the bucket holds"
    await first.close()


async def test_few_requests_wait_for_valkey(redis_url: str) -> None:
    buckets, client = Buckets(redis_url, 10_000, 1, 40), new_id()
    first = await buckets.take(client, 10)
    assert (first.left, await left(redis_url, client)) == (9_990, 9_890), "a hundredth of the bucket is in hand"
    for number in range(1, 11):
        assert (await buckets.take(client, 10)).left == 9_990 - 10 * number
    assert await left(redis_url, client) == 9_890
    buckets.give_back(client, -60, here=False)
    assert 9_000 < (await buckets.take(client, 10)).left < 9_821, "what was charged beyond the price is taken too"
    await buckets.close()
    assert 9_819 < await left(redis_url, client) < 9_830, "what is in hand goes back at the end"


async def test_a_bucket_fills_up_by_the_servers_clock_and_is_forgotten_when_full(redis_url: str) -> None:
    buckets, client = Buckets(redis_url, 100, 200, 40), new_id()
    assert (await buckets.take(client, 100)).granted
    assert not (await buckets.take(client, 50)).granted
    await asyncio.sleep(0.3)
    assert (await buckets.take(client, 50)).granted
    valkey = redis.Redis.from_url(redis_url)
    assert 0 < await valkey.pttl(f"medstead:bucket:{client}") <= 1_501
    await valkey.aclose()
    await buckets.close()


async def test_a_hundred_requests_at_once_take_no_more_than_there_is(buckets: Buckets) -> None:
    client = new_id()
    taken = await asyncio.gather(*(buckets.take(client, 10) for _ in range(100)))
    assert sum(one.granted for one in taken) == 10
    assert not any(one.here for one in taken)


@pytest.fixture
async def poor(login: str, redis_url: str, data_dir: Path) -> AsyncIterator[Installation]:
    """The application with buckets of 150 points that fill by one point a second."""
    settings: dict[str, Any] = {"graphql_bucket": 150, "graphql_restored": 1, "graphql_maximum_cost": 120}
    async with servers.fresh_database() as name:
        urls = servers.running().urls(name, bypass=login == BYPASS_LOGIN)
        async with open_installation(urls, redis_url, data_dir, **settings) as opened:
            yield opened


def cost(response: httpx2.Response) -> dict[str, int]:
    """The account in an answer."""
    found: dict[str, int] = response.json()["extensions"]["cost"]
    return found


async def test_every_answer_tells_the_account(installation: Installation) -> None:
    text, refused = never_seen(CARD), never_seen("{ nothing }")
    new, known = [cost(await send(installation, asked(text))) for _ in range(2)]
    assert new.keys() == {"requested", "actual", "limit", "left", "restoresPerSecond"}
    assert new["requested"] == preparation(text) + 1
    assert new["actual"] > preparation(text)
    assert (new["limit"], new["restoresPerSecond"]) == (100_000, 2_000)
    assert 100_000 - new["actual"] <= new["left"] < 100_000
    assert known["requested"] == 1, "a document that is known needs no preparation"
    assert cost(await send(installation, asked(refused)))["actual"] == preparation(refused)
    assert cost(await send(installation, asked(refused)))["actual"] == REFUSED_COST


async def test_a_read_is_charged_for_what_it_was(installation: Installation) -> None:
    await send(installation, asked(PAGES))
    empty = [cost(await send(installation, asked(PAGES))) for _ in range(5)]
    assert {one["requested"] for one in empty} == {10_201}
    assert 1 <= min(one["actual"] for one in empty) < 5_000, "an empty page is cheap"
    for first, second in itertools.pairwise(empty):
        assert second["left"] >= min(first["left"] - second["actual"], 100_000 - second["actual"])


async def test_a_search_is_charged_for_its_time_though_it_finds_nothing(
    poor: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside each read the database sleeps for 20 ms: 400 points."""
    text = never_seen(CARD)
    value = type(poor.services.reader).value

    async def slowly(self: Any, tenant: Any, statement: str, arguments: list[Any], spent: Any = None) -> Any:
        await value(self, tenant, "SELECT pg_sleep(0.02)::text", [], spent)
        return await value(self, tenant, statement, arguments, spent)

    with monkeypatch.context() as patch:
        patch.setattr(type(poor.services.reader), "value", slowly)
        slow = await send(poor, asked(text))
    assert slow.status_code == 200
    assert cost(slow)["requested"] == preparation(text) + 1
    assert cost(slow)["actual"] == preparation(text) + 150, "not more than a bucket at once"
    assert cost(slow)["left"] < 0
    waiting = await send(poor, asked(text))
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) > 5


async def test_who_asks_too_much_waits_and_is_told_how_long(poor: Installation) -> None:
    answers = [await send(poor, asked(never_seen("{ nothing }")), accept=GRAPHQL_JSON) for _ in range(20)]
    assert [one.status_code for one in answers[:10]] == [400] * 10, "a few mistakes are allowed"
    answer = answers[-1]
    assert answer.status_code == 429
    assert code_of(answer) == "THROTTLED"
    wait = int(answer.headers["retry-after"])
    assert answer.json()["errors"][0]["extensions"]["retryAfterSeconds"] == wait
    assert 1 <= wait <= 11
    assert cost(answer)["left"] < cost(answer)["requested"]
    assert "data" not in answer.json()
    other = await poor.http.post(
        "/graphql",
        json={"query": CARD},
        headers={"authorization": f"Bearer {await poor.token(poor.south)}"},
    )
    assert other.json()["data"] == {"tenant": {"slug": "south"}}, "others are not held up"


async def test_what_failed_by_our_fault_is_given_back(poor: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise LookupError

    with monkeypatch.context() as patch:
        patch.setattr(type(poor.services.reader), "value", fails)
        text = never_seen(PAGE)
        answer = await send(poor, asked(text))
    assert answer.status_code == 500
    assert cost(answer)["actual"] == preparation(text)


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Valkey of this test's own, to be killed."""
    with start_valkey(tmp_path, durable=False) as server:
        yield server


@pytest.mark.one_login
async def test_without_valkey_each_process_keeps_small_buckets(
    own_valkey: ValkeyServer, database_name: str, tmp_path: Path, login: str
) -> None:
    settings: dict[str, Any] = {"graphql_bucket": 100_000, "graphql_restored": 1, "graphql_maximum_cost": 120}
    urls = servers.running().urls(database_name)
    async with open_installation(urls, own_valkey.url, tmp_path / "data", **settings) as opened:
        assert cost(await send(opened, asked(CARD)))["left"] > 50_000
        os.kill(own_valkey.pid, signal.SIGKILL)
        statuses = [(await send(opened, asked(never_seen("{ nothing }")))).status_code for _ in range(150)]
        assert statuses[0] == 200, "nobody is refused because Valkey is away"
        assert statuses[-1] == 429, "and nobody may ask without end"
        assert set(statuses) == {200, 429}
        assert own_valkey.process is not None
        own_valkey.process.wait()
        with start_valkey(tmp_path, durable=False) as again:
            assert again.url == own_valkey.url
            async with asyncio.timeout(10):
                # The shared buckets are used again.
                while cost(await send(opened, asked(CARD)))["left"] < 50_000:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
