"""Access tokens: EdDSA (Ed25519) JWTs of at most an hour, the keys that sign them, and the JWKS."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey
from sqlalchemy import select

from app.identity.errors import IdentityRefusal
from app.identity.models import SigningKey
from app.identity.permissions import SCOPES, Permission
from app.identity.secrets import Vault
from tenants.context import PlatformContext
from tenants.identifiers import new_id
from tenants.session import Database

LIFETIME = timedelta(minutes=60)
DEMO_LIFETIME = timedelta(hours=24)
REMEMBERED = timedelta(minutes=1)
ALGORITHM = "Ed25519"
MOST_TOKENS = 1000
"""How many tokens a process remembers to have found right."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    client_id: str
    api_client_id: UUID
    tenant_id: UUID
    scopes: frozenset[Permission]
    issued_at: datetime


class TokenKeys:
    """Signing keys of this installation, read from the database and kept for a minute."""

    def __init__(self, database: Database, vault: Vault, issuer: str) -> None:
        self._database, self._vault, self._issuer = database, vault, issuer
        self._set: KeySet | None = None
        self._signing: OKPKey | None = None
        self._read_at = database.clock()
        self._checked: OrderedDict[str, tuple[Claims, datetime]] = OrderedDict()
        """Tokens whose signature was found right, with the moment until which that is believed; the oldest first."""

    async def load(self, *, fresh: bool = False) -> KeySet:
        """All public keys; makes the first signing key if there is none."""
        if self._set is not None and not fresh and self._database.clock() - self._read_at < REMEMBERED:
            return self._set
        async with self._database.unit_of_work(PlatformContext("read signing keys")) as work:
            rows = (await work.session.scalars(select(SigningKey).order_by(SigningKey.created_at))).all()
            if not any(row.retired_at is None for row in rows):
                key = OKPKey.generate_key("Ed25519", {"kid": str(new_id()), "use": "sig", "alg": ALGORITHM})
                row = SigningKey(
                    id=str(key.kid),
                    public_jwk=dict(key.as_dict(private=False)),
                    private_key=self._vault.encrypt(orjson.dumps(key.as_dict(private=True))),
                    created_at=work.now,
                )
                work.add(row)
                rows = [*rows, row]
        current = next(row for row in reversed(rows) if row.retired_at is None)
        self._signing = OKPKey.import_key(orjson.loads(self._vault.decrypt(current.private_key)))
        self._set = KeySet([OKPKey.import_key(row.public_jwk) for row in rows])
        self._read_at = self._database.clock()
        return self._set

    async def issue(
        self,
        *,
        client_id: str,
        api_client_id: UUID,
        tenant_id: UUID,
        scopes: Iterable[Permission],
        now: datetime,
        lifetime: timedelta = LIFETIME,
    ) -> str:
        """A signed token."""
        await self.load()
        assert self._signing is not None
        claims = {
            "iss": self._issuer,
            "aud": "medstead",
            "sub": client_id,
            "client": str(api_client_id),
            "tenant": str(tenant_id),
            "scope": " ".join(sorted(scopes)),
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
            "jti": str(new_id()),
        }
        header = {"alg": ALGORITHM, "kid": self._signing.kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, self._signing, algorithms=[ALGORITHM])

    async def read(self, token: str, now: datetime) -> Claims:
        """Check a token. Raises IdentityRefusal `INVALID_TOKEN`.

        Checking a signature takes as long as a small read, so what was found right is believed for as long as the keys.
        """
        known = self._checked.get(token)
        if known is not None and now < known[1]:
            return known[0]
        claims, expires_at = await self._check(token, now)
        self._checked[token] = claims, min(now + REMEMBERED, expires_at)
        self._checked.move_to_end(token)
        if len(self._checked) > MOST_TOKENS:
            self._checked.popitem(last=False)
        return claims

    async def _check(self, token: str, now: datetime) -> tuple[Claims, datetime]:
        """What a token says, and when it expires."""
        refusal = IdentityRefusal(
            "INVALID_TOKEN", "The access token is not valid or has expired. Get a new one from /oauth/token."
        )
        keys = await self.load()
        try:
            try:
                decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
            except (JoseError, ValueError):
                decoded = jwt.decode(token, await self.load(fresh=True), algorithms=[ALGORITHM])
            registry = jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=0,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": "medstead"},
                exp={"essential": True},
            )
            registry.validate(decoded.claims)
            claims = decoded.claims
            found = Claims(
                client_id=str(claims["sub"]),
                api_client_id=UUID(claims["client"]),
                tenant_id=UUID(claims["tenant"]),
                scopes=frozenset(Permission(scope) for scope in claims["scope"].split()) & SCOPES,
                issued_at=datetime.fromtimestamp(claims["iat"], now.tzinfo),
            )
            return found, datetime.fromtimestamp(claims["exp"], now.tzinfo)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise refusal from error

    async def jwks(self) -> dict[str, object]:
        """The public keys, for anyone who verifies our tokens."""
        keys = await self.load()
        return {"keys": [key.as_dict(private=False) for key in keys.keys]}
