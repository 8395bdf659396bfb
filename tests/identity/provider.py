"""An OpenID Connect provider for tests: a process of its own on loopback, which can be told how to misbehave.

`python -m tests.identity.provider` prints its port. What it vouches for is set by POST to /control; everything else is
as the specification has it: codes are used once, the client's secret and the PKCE verifier are checked.
"""

import base64
import hashlib
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "medstead-at-north", "the provider's secret"


class _Provider:
    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.keys = [self._new_key()]
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {}
        self.sign_with = "key"
        self.describe_as = self.issuer
        self.now = 0

    @staticmethod
    def _new_key() -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    async def control(self, request: Request) -> Response:
        """Set what the next sign-in says. `rotate` replaces the keys; `sign_with` is key, stranger or secret."""
        told = await request.json()
        self.claims, self.now = told["claims"], told["now"]
        self.sign_with = told.get("sign_with", "key")
        self.describe_as = told.get("describe_as") or self.issuer
        if told.get("rotate"):
            self.keys = [self._new_key()]
        return JSONResponse({})

    async def discovery(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.describe_as,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    async def public_keys(self, _: Request) -> Response:
        return JSONResponse(KeySet([*self.keys]).as_dict(private=False))

    async def authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        if query.get("client_id") != CLIENT_ID or query.get("code_challenge_method") != "S256":
            return Response("unknown client or no PKCE", status_code=400)
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer}
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", status_code=302)

    async def token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or request.headers.get("authorization") != f"Basic {basic}"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "nonce": asked["nonce"],
            "iat": self.now,
            "exp": self.now + 300,
        } | self.claims
        key: RSAKey | OctKey = self.keys[0]
        header = {"alg": "RS256", "kid": self.keys[0].kid}
        if self.sign_with == "stranger":
            key = self._new_key()
        elif self.sign_with == "secret":
            key, header = OctKey.import_key(CLIENT_SECRET), {"alg": "HS256"}
        return JSONResponse({"id_token": jwt.encode(header, claims, key), "access_token": "x", "token_type": "Bearer"})

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/control", self.control, methods=["POST"]),
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/keys", self.public_keys),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
            ]
        )


@dataclass(frozen=True)
class RunningProvider:
    """The provider's address, and what its visitor does."""

    issuer: str

    def say(self, claims: dict[str, Any], now: int, **behaviour: Any) -> None:
        """Have the provider vouch for `claims` in sign-ins from now on."""
        body = {"claims": claims, "now": now, **behaviour}
        httpx2.post(f"{self.issuer}/control", json=body).raise_for_status()

    def visit(self, url: str) -> dict[str, str]:
        """Follow the browser to the provider: the query that it sends back."""
        answer = httpx2.get(url, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


@contextmanager
def running_provider() -> Iterator[RunningProvider]:
    """Start the process, and end it."""
    process = subprocess.Popen([sys.executable, "-m", "tests.identity.provider"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield RunningProvider(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def main() -> None:
    """Serve until ended. The socket listens before the port is told, so that no visitor comes too early."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    print(port, flush=True)
    server = uvicorn.Server(uvicorn.Config(_Provider(port).app(), log_level="error"))
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
