"""Mutations under an Idempotency-Key: each field's answer is remembered by its response key and given again."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from graphql import GraphQLError

from app.identity.errors import IdentityRefusal
from app.identity.idempotency import Answer, Attempt, claim_or_recall, keep
from app.identity.secrets import Vault
from medstead_graphql.compiler.errors import Refusal
from tenants.session import UnitOfWork

KEY = re.compile(r"[\x20-\x7e]{1,255}")
"""What a key looks like: printable ASCII."""
CANNOT_BEGIN = {"IDEMPOTENCY_KEY_REUSED": 422, "IDEMPOTENCY_KEY_IN_USE": 409}
"""Status of the answer where the key forbids that anything is begun, after the IETF draft on the header."""


class Remembered:
    """One request's key, and whether anything was done anew under it."""

    def __init__(
        self,
        api_client_id: UUID,
        key: str,
        sent: tuple[str, str | None, dict[str, Any] | None],
        scopes: frozenset[str],
        vault: Vault,
    ) -> None:
        """`sent` is the document, the operation's name and the variables: what must be the same in a retry."""
        body = orjson.dumps(sent, option=orjson.OPT_SORT_KEYS)
        digests = hashlib.sha256(key.encode()).digest(), hashlib.sha256(body).digest()
        self._attempt = Attempt(api_client_id, *digests, scopes)
        self._vault = vault
        self.replayed = self.done = False

    async def recall(self, work: UnitOfWork, response_key: str) -> tuple[orjson.Fragment, list[GraphQLError]] | None:
        """What was answered before, or None if this transaction is the first. Raises Refusal."""
        try:
            found = await claim_or_recall(work, self._attempt, response_key)
        except IdentityRefusal as refusal:
            raise Refusal(refusal.code, refusal.message, [response_key]) from refusal
        if found is None:
            self.done = True
            return None
        self.replayed = True
        return orjson.Fragment(self._vault.decrypt(found.answer)), [_error(told) for told in orjson.loads(found.errors)]

    async def keep(self, work: UnitOfWork, response_key: str, answer: Any, errors: Sequence[GraphQLError]) -> None:
        """Remember the answer in the transaction of its effect."""
        told = orjson.dumps([error.formatted for error in errors]).decode()
        sealed = self._vault.encrypt(orjson.dumps(answer, default=str))
        await keep(work, self._attempt, response_key, Answer(sealed, told))


def _error(told: dict[str, Any]) -> GraphQLError:
    return GraphQLError(told["message"], path=told.get("path"), extensions=told.get("extensions"))
