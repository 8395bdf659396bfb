"""The client of outside systems: what it takes, what it refuses, and how long it waits."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.outside import fetching
from app.outside.errors import OutsideRefused, OutsideUnavailable
from app.outside.fetching import Fetching, retry_after
from tenants.clock import system_clock
from tests.outside.doubles import Fault, Faulty, serving

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


@asynccontextmanager
async def somewhere() -> AsyncIterator[tuple[Faulty, Fetching]]:
    """A server that tells how it was asked, and a client that waits half a second."""
    double, client = Faulty(), Fetching(system_clock, seconds=0.5)

    async def answer(request: Request) -> Response:
        told = {"token": request.headers.get("authorization"), "query": dict(request.query_params)}
        return await double.fault_of(request) or JSONResponse(told)

    async with serving([Route("/{path:path}", answer)]) as double.url:
        yield double, client
        await client.close()


async def test_what_is_taken_and_what_is_not(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="app")
    monkeypatch.setattr(fetching, "LARGEST_ANSWER", 1000)
    async with somewhere() as (double, client):
        url = f"{double.url}/things"
        assert await client.get(url, {"a": "1"}, token="secret") == {"token": "Bearer secret", "query": {"a": "1"}}
        assert await client.get(f"{url}?b=2") == {"token": None, "query": {"b": "2"}}
        double.faults = [("/things", Fault(404))]
        assert await client.get(url) is None
        codes: list[tuple[str, float | None]] = []
        for fault in (
            Fault(200, body=b"{" + b" " * 2000 + b"}"),
            Fault(302, {"location": f"{double.url}/elsewhere"}),
            Fault(401),
            Fault(418),
            Fault(429, {"retry-after": "7"}),
            Fault(503, {"retry-after": "soon"}),
            Fault(200, body=b"{"),
            Fault(200, seconds=0.7),
        ):
            double.faults = [("/things", fault)]
            with pytest.raises((OutsideRefused, OutsideUnavailable)) as error:
                await client.get(url, token="secret")
            assert "secret" not in repr(error.value)
            assert isinstance(error.value, OutsideRefused | OutsideUnavailable)
            codes.append((error.value.code, getattr(error.value, "seconds", None)))
        with pytest.raises(OutsideUnavailable) as nobody:
            await client.get("http://127.0.0.1:9/things")
        assert "elsewhere" not in "".join(double.asked)
    assert codes == [
        ("ANSWER_TOO_LARGE", None), ("REDIRECTED", None), ("STATUS_401", None), ("STATUS_418", None),
        ("STATUS_429", 7.0), ("STATUS_503", 60.0), ("BAD_ANSWER", 60.0), ("TIMEOUT", 60.0),
    ]  # fmt: skip
    assert nobody.value.code == "NO_CONNECTION"


def test_how_long_to_wait() -> None:
    assert retry_after("30", NOW) == 30
    assert retry_after("0", NOW) == 1
    assert retry_after("Tue, 24 Nov 2026 10:02:00 GMT", NOW) == 120
    assert retry_after("Tue, 24 Nov 2026 09:00:00 GMT", NOW) == 1
    assert retry_after("999999999", NOW) == 24 * 3600
    assert [retry_after(odd, NOW) for odd in (None, "", "soon", "-5", "1e9")] == [None] * 5
