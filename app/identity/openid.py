"""Sign-in by OpenID Connect: authorisation code with PKCE, by discovery, for any provider that a tenant trusts."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx2
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import select

from app.identity.errors import IdentityRefusal
from app.identity.models import IdentityProvider, SignInAttempt
from app.identity.providers import resolve_subject
from app.identity.rules import ATTEMPT_LIFETIME, Stage
from app.identity.secrets import Vault, new_secret
from app.identity.sessions import OPEN_TENANTS, start_session
from app.identity.sign_in import find_invitation
from tenants.audit import Action
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.identifiers import new_id
from tenants.models import Tenant
from tenants.session import Database

ALGORITHMS = ["RS256", "PS256", "ES256", "Ed25519"]
"""Signatures with a public key only: a provider's client secret must not be able to sign for the provider."""

RETURN_PATH = "/console/sign-in/return"
METADATA_LIFETIME = timedelta(minutes=10)
LARGEST_ANSWER = 512 * 1024
LEEWAY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes to sign in, and the value its cookie keeps until it comes back."""

    url: str
    browser: str


@dataclass(slots=True)
class _Known:
    """What discovery said about an issuer, with its keys once they were needed."""

    metadata: dict[str, Any]
    read_at: datetime
    keys: KeySet | None = None


class OpenId:
    """The client side of OpenID Connect, with what it remembers of each issuer."""

    def __init__(self, database: Database, vault: Vault, base_url: str) -> None:
        self._database, self._vault = database, vault
        self._return_url = base_url.rstrip("/") + RETURN_PATH
        self._made: httpx2.AsyncClient | None = None
        self._known: dict[str, _Known] = {}

    @property
    def _http(self) -> httpx2.AsyncClient:
        """Made when it is first needed: reading the machine's authorities takes longer than all else at a start."""
        if self._made is None:
            self._made = httpx2.AsyncClient(timeout=5.0, follow_redirects=False)
        return self._made

    async def close(self) -> None:
        """Close all connections."""
        if self._made is not None:
            await self._made.aclose()

    async def begin(self, provider_id: UUID, invitation_code: str | None = None) -> Departure:
        """Start a round trip.

        Raises IdentityRefusal `UNKNOWN_PROVIDER`, `INVITATION_REFUSED`, `PROVIDER_UNREACHABLE` or `PROVIDER_REFUSED`.
        """
        async with self._database.session(PlatformContext("begin sign-in by provider", read_only=True)) as session:
            provider = await session.get(IdentityProvider, provider_id)
        if provider is None:
            raise IdentityRefusal("UNKNOWN_PROVIDER", "There is no such sign-in. Start again from the sign-in page.")
        metadata = (await self._discover(provider.issuer)).metadata
        state, nonce, verifier, browser = new_secret(), new_secret(), new_secret(), new_secret()
        async with self._database.unit_of_work(PlatformContext("begin sign-in by provider")) as work:
            invitation = None if not invitation_code else await find_invitation(work, self._vault, invitation_code)
            work.add(
                SignInAttempt(
                    id=new_id(),
                    identity_provider_id=provider.id,
                    staff_invitation_id=None if invitation is None else invitation.id,
                    state_hash=self._vault.hash(state),
                    browser_hash=self._vault.hash(browser),
                    nonce=nonce,
                    code_verifier=self._vault.encrypt(verifier.encode()),
                    expires_at=work.now + ATTEMPT_LIFETIME,
                )
            )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": self._return_url,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = str(metadata["authorization_endpoint"])
        return Departure(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", browser)

    async def finish(self, *, state: str, code: str, issuer: str | None, browser: str) -> str:
        """The token of a session in the provider's tenant. The state is used up whatever comes of it.

        Raises IdentityRefusal `RETURN_REFUSED`, `PROVIDER_UNREACHABLE`, `PROVIDER_REFUSED`, `ID_TOKEN_REFUSED`,
        `TENANT_NOT_OPEN`, and those of resolve_subject.
        """
        attempt, provider = await self._use(state, browser)
        if issuer is not None and issuer != provider.issuer:
            raise IdentityRefusal("RETURN_REFUSED", "The answer came from another provider. Sign in again.")
        claims = await self._claims(attempt, provider, code)
        context = TenantContext(provider.tenant_id, ActorKind.STAFF)
        async with self._database.unit_of_work(context) as work:
            if (await work.session.get_one(Tenant, provider.tenant_id)).status not in OPEN_TENANTS:
                raise IdentityRefusal("TENANT_NOT_OPEN", "This tenant is closed for now. Ask its administrator.")
            staff = await resolve_subject(
                work,
                issuer=provider.issuer,
                subject=str(claims["sub"]),
                verified_email=str(claims["email"]) if claims.get("email_verified") is True else None,
                invitation_id=attempt.staff_invitation_id,
            )
            work.record(Action.SIGNED_IN, "login", staff.login_id, after={"by": provider.issuer})
            return await start_session(
                work,
                self._vault,
                staff.login_id,
                Stage.SIGNED_IN,
                tenant_id=provider.tenant_id,
                identity_provider_id=provider.id,
            )

    async def _use(self, state: str, browser: str) -> tuple[SignInAttempt, IdentityProvider]:
        async with self._database.unit_of_work(PlatformContext("finish sign-in by provider")) as work:
            attempt = (
                await work.session.scalars(
                    select(SignInAttempt).where(SignInAttempt.state_hash == self._vault.hash(state)).with_for_update()
                )
            ).one_or_none()
            good = (
                attempt is not None
                and attempt.used_at is None
                and attempt.expires_at > work.now
                and self._vault.matches(browser, attempt.browser_hash)
            )
            if attempt is None or not good:
                raise IdentityRefusal(
                    "RETURN_REFUSED",
                    "This answer was used before, is too old, or began in another browser. Sign in again.",
                )
            attempt.used_at = work.now
            return attempt, await work.session.get_one(IdentityProvider, attempt.identity_provider_id)

    async def _claims(self, attempt: SignInAttempt, provider: IdentityProvider, code: str) -> dict[str, Any]:
        """Exchange the code and check the id token: signature, issuer, audience, times, nonce."""
        known = await self._discover(provider.issuer)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._return_url,
            "code_verifier": self._vault.decrypt(attempt.code_verifier).decode(),
        }
        secret = self._vault.decrypt(provider.client_secret).decode()
        methods = known.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        request: dict[str, Any] = {"data": form}
        if "client_secret_basic" in methods:
            request["auth"] = (provider.client_id, secret)
        else:
            form |= {"client_id": provider.client_id, "client_secret": secret}
        answer = await self._json("POST", str(known.metadata["token_endpoint"]), **request)
        try:
            return await self._checked(str(answer["id_token"]), known, provider, attempt.nonce)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise IdentityRefusal(
                "ID_TOKEN_REFUSED",
                "The provider's answer does not hold. Sign in again; if it stays, tell your administrator.",
            ) from error

    async def _checked(self, id_token: str, known: _Known, provider: IdentityProvider, nonce: str) -> dict[str, Any]:
        try:
            decoded = jwt.decode(id_token, await self._keys(known), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # The provider may have changed its keys since they were read.
            decoded = jwt.decode(id_token, await self._keys(known, fresh=True), algorithms=ALGORITHMS)
        jwt.JWTClaimsRegistry(
            now=int(self._database.clock().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": provider.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(decoded.claims)
        claims = decoded.claims
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != provider.client_id:
            raise ValueError("the token was made out to another party")
        if any("\0" in str(claims.get(name, "")) for name in ("sub", "email")):
            raise ValueError("PostgreSQL keeps no NUL, so such a subject can be nobody's")
        return claims

    async def _keys(self, known: _Known, *, fresh: bool = False) -> KeySet:
        if known.keys is None or fresh:
            answer = await self._json("GET", str(known.metadata["jwks_uri"]))
            known.keys = KeySet.import_key_set({"keys": answer["keys"]})
        return known.keys

    async def _discover(self, issuer: str) -> _Known:
        known = self._known.get(issuer)
        now = self._database.clock()
        if known is None or now - known.read_at >= METADATA_LIFETIME:
            metadata = await self._json("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
            needed = {"authorization_endpoint", "token_endpoint", "jwks_uri"}
            if metadata.get("issuer") != issuer or not needed <= metadata.keys():
                raise IdentityRefusal(
                    "PROVIDER_REFUSED", "The provider describes itself as another. Tell your administrator."
                )
            known = self._known[issuer] = _Known(metadata, now)
        return known

    async def _json(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        body = bytearray()
        try:
            async with self._http.stream(method, url, headers={"accept": "application/json"}, **request) as answer:
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        break
        except httpx2.HTTPError as error:
            raise IdentityRefusal(
                "PROVIDER_UNREACHABLE", "The provider does not answer. Wait a minute and sign in again."
            ) from error
        try:
            parsed = orjson.loads(body) if answer.status_code == 200 and len(body) <= LARGEST_ANSWER else None
        except orjson.JSONDecodeError:
            parsed = None
        if not isinstance(parsed, dict):
            raise IdentityRefusal("PROVIDER_REFUSED", "The provider refused to vouch for this sign-in. Sign in again.")
        return parsed
