"""Wrong tries are counted in the process while Valkey is away, and each address by itself."""

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.identity.secrets import Vault
from app.public.pages import TRIES, Misses


def asks(address: str) -> Request:
    """A request from an address."""
    return Request({"type": "http", "client": (address, 1), "headers": []})


async def test_guessing_ends_without_valkey_too() -> None:
    misses = Misses("redis://127.0.0.1:1/0", Vault(bytes(32)), "test")
    try:
        for _ in range(TRIES):
            await misses.refuse_guessing(asks("192.0.2.1"))
            await misses.note(asks("192.0.2.1"))
        with pytest.raises(HTTPException) as refused:
            await misses.refuse_guessing(asks("192.0.2.1"))
        assert refused.value.status_code == 429
        assert int((refused.value.headers or {})["retry-after"]) > 0
        await misses.refuse_guessing(asks("192.0.2.2"))
    finally:
        await misses.close()
