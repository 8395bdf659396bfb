"""Passwords: argon2id hashes, made and checked off the event loop and with the same work for unknown people."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
_at_once = asyncio.Semaphore(4)
"""Each hash takes 64 MiB for a moment, so a crowd of attempts queues here instead of filling the memory."""

NOBODY = _hasher.hash("the password of a login that is not there")
"""Checked when there is no such login or it has no password, so that the answer takes as long."""


async def hash_password(password: str) -> str:
    """An argon2id hash in PHC format."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def password_matches(password: str, stored: str | None) -> bool:
    """Whether the password is the one behind the hash; without a hash the same work is done and it is not."""
    async with _at_once:
        return await asyncio.to_thread(_verify, stored or NOBODY, password) and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
