"""GOV.UK Notify as its documentation has it, on loopback: keys, limits, simulated addresses, statuses, receipts."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SERVICE, SECRET = str(uuid4()), str(uuid4())
KEY = f"medstead-{SERVICE}-{SECRET}"
TEMPLATE = str(uuid4())
LIMIT = ("RateLimitError", "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds")
DAY = ("TooManyRequestsError", "Exceeded send limits (250000) for today")
ENDS = {"temp-fail@simulator.notify": "temporary-failure", "perm-fail@simulator.notify": "permanent-failure"}


@dataclass
class Double:
    """What was sent, and how the next requests are answered."""

    url: str = ""
    notifications: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: list[tuple[int, tuple[str, str]]] = field(default_factory=list)
    """Answers for the next messages: status, and error with message."""
    silences: int = 0
    """So many messages are taken, and the answer is lost."""
    template: dict[str, Any] = field(
        default_factory=lambda: {"id": TEMPLATE, "type": "email", "subject": "((subject))", "body": "((body))"}
    )

    def refusal_of(self, request: Request) -> Response | None:
        """What is wrong with the caller's token."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_iat": False})
        except jwt.PyJWTError:
            return error(403, ("AuthError", "Invalid token: signature, api token is not valid"))
        return None if claims["iss"] == SERVICE else error(403, ("AuthError", "Invalid token: service not found"))

    async def send(self, request: Request) -> Response:
        """POST /v2/notifications/email."""
        refused = self.refusal_of(request)
        if refused is not None:
            return refused
        if self.refusals:
            return error(*self.refusals.pop(0))
        body = await request.json()
        wanted = {"subject", "body"}
        if body.get("template_id") != TEMPLATE or set(body.get("personalisation", {})) != wanted:
            return error(400, ("BadRequestError", "Missing personalisation: subject, body"))
        identifier = str(uuid4())
        self.notifications[identifier] = {
            "id": identifier,
            "reference": body["reference"],
            "email_address": body["email_address"],
            "type": "email",
            "status": "sending",
            "subject": body["personalisation"]["subject"],
            "body": body["personalisation"]["body"],
            "one_click_unsubscribe_url": body.get("one_click_unsubscribe_url"),
        }
        if self.silences:
            self.silences -= 1
            return error(500, ("Exception", "Internal server error"))
        return JSONResponse({"id": identifier, "reference": body["reference"]}, status_code=201)

    async def listing(self, request: Request) -> Response:
        """GET /v2/notifications."""
        refused = self.refusal_of(request)
        wanted = request.query_params.get("reference")
        found = [one for one in self.notifications.values() if wanted in (None, one["reference"])]
        return refused or JSONResponse({"notifications": found, "links": {}})

    async def one(self, request: Request) -> Response:
        """GET /v2/notifications/{id}."""
        found = self.notifications.get(request.path_params["id"])
        missing = error(404, ("NoResultFound", "No result found"))
        return self.refusal_of(request) or (missing if found is None else JSONResponse(found))

    async def shown(self, request: Request) -> Response:
        """GET /v2/template/{id}."""
        missing = error(404, ("NoResultFound", "No result found"))
        there = request.path_params["id"] == TEMPLATE
        return self.refusal_of(request) or (JSONResponse(self.template) if there else missing)

    def settle(self) -> None:
        """Let what was sent come to its end."""
        for one in self.notifications.values():
            one["status"] = ENDS.get(one["email_address"], "delivered")

    def receipt(self, reference: str) -> dict[str, Any]:
        """What Notify tells of a message."""
        one = next(one for one in self.notifications.values() if one["reference"] == reference)
        return {
            "id": one["id"], "reference": one["reference"], "to": one["email_address"], "status": one["status"],
            "created_at": "2026-11-23T09:00:00.000000Z", "completed_at": "2026-11-23T09:00:07.000000Z",
            "sent_at": "2026-11-23T09:00:02.000000Z", "notification_type": "email", "template_id": TEMPLATE,
            "template_version": 1,
        }  # fmt: skip


def error(status: int, what: tuple[str, str]) -> Response:
    """An error as Notify words it."""
    return JSONResponse({"status_code": status, "errors": [{"error": what[0], "message": what[1]}]}, status_code=status)


@asynccontextmanager
async def notify() -> AsyncIterator[Double]:
    """The double for the time of the block."""
    double = Double()
    app = Starlette(
        routes=[
            Route("/v2/notifications/email", double.send, methods=["POST"]),
            Route("/v2/notifications", double.listing),
            Route("/v2/notifications/{id}", double.one),
            Route("/v2/template/{id}", double.shown),
        ]
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    serving = asyncio.ensure_future(server.serve([listening]))
    double.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        yield double
    finally:
        server.should_exit = True
        await serving


async def tell(http: httpx2.AsyncClient, slug: str, token: str, receipt: dict[str, Any]) -> int:
    """Send a receipt as Notify does; the status of the answer."""
    headers = {"authorization": f"Bearer {token}"}
    return (await http.post(f"/receipts/notify/{slug}", json=receipt, headers=headers)).status_code
