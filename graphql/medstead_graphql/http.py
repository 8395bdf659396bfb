"""GraphQL over HTTP: authentication, limits and the client's bucket, then the schema."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult

from app.identity.errors import IdentityRefusal
from app.web import bearer_principal, unauthorised
from medstead_graphql import ide
from medstead_graphql.account import REFUSED_COST, Account, preparation
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.limits import check_price
from medstead_graphql.media import GRAPHQL_JSON, JSON, answer_type
from medstead_graphql.mutations.remembering import CANNOT_BEGIN, KEY, Remembered
from medstead_graphql.requests import Refused, Sent, sent_by_get, sent_by_post
from medstead_graphql.schema import Asked, schema
from medstead_graphql.service import GraphQLService
from tenants.context import TenantContext

log = structlog.get_logger()


LOOK_AFTER_SECONDS = 0.05
"""How long an operation may run before it is looked whether its caller is still there."""


class GraphQLEndpoint:
    """Authenticates, checks the request, runs the operation, splices the data into the answer without parsing it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. A caller who goes away cancels the statement."""
        if scope["type"] != "http":
            raise LookupError("subscriptions are not offered")
        watch = _Watch(receive)
        try:
            response = await self._response(Request(scope, receive), scope, watch)
            await response(scope, receive, send)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            if not watch.left:
                raise

    async def _response(self, request: Request, scope: Scope, watch: "_Watch") -> Response:
        try:
            return await self._answer(request, scope, watch)
        except Refused as refused:
            media_type = answer_type(request.headers.get("accept")) or JSON
            private = {"cache-control": "private, no-store"} if request.method == "GET" else {}
            return _response(refused.body, media_type, refused.status, refused.headers | private)
        except IdentityRefusal as refusal:
            return unauthorised(refusal)

    async def _answer(self, request: Request, scope: Scope, watch: "_Watch") -> Response:
        service: GraphQLService = request.app.state.graphql
        headers: dict[str, str] = {}
        if request.method == "GET":
            development = service.services.settings.environment == "development"
            if development and "text/html" in request.headers.get("accept", ""):
                return ide.page()
            sent = sent_by_get(request.query_params)
            headers["cache-control"] = "private, no-store"
        elif request.method != "POST":
            raise Refused(405, "USE_POST", "Send documents with POST.", {"allow": "GET, POST"})
        principal = await bearer_principal(request)
        media_type = answer_type(request.headers.get("accept"))
        if media_type is None:
            raise Refused(406, "NOT_ACCEPTABLE", f"Answers are {GRAPHQL_JSON} or {JSON}. Accept one of them.")
        if request.method == "POST":
            sent = await sent_by_post(request)
        request_id: UUID = scope["state"]["request_id"]
        tenant_id = principal.tenant_id
        assert tenant_id is not None, "an API client is of a tenant"
        context = TenantContext(tenant_id, principal.kind, principal.id, request_id)
        scopes = frozenset(str(permission) for permission in principal.permissions)
        run = _Run(service, sent, context, scopes)
        run.key = request.headers.get("idempotency-key")
        try:
            operation = await run.reserved(read_only=request.method == "GET")
        except Refusal as refusal:
            return run.told(ExecutionResult(data=None, errors=[refusal]), media_type, headers)
        if isinstance(operation, ExecutionResult):
            return run.told(operation, media_type, headers)
        try:
            result = await watch.run(run.done(operation))
        except Exception as error:
            log.error("operation failed", request_id=str(request_id), kind=type(error).__name__)
            run.account.forgive(operation.price.points)
            message = "Something went wrong on our side. Try again; if it stays, quote the request id."
            extensions = {"code": "INTERNAL_ERROR", "requestId": str(request_id)}
            body: dict[str, Any] = {"errors": [{"message": message, "extensions": extensions}]}
            return _response(body | {"extensions": {"cost": run.account.told()}}, media_type, 500, headers)
        return run.told(result, media_type, headers, operation)


class _Run:
    """One request: what is sent by whom, and the account that it goes on."""

    def __init__(self, service: GraphQLService, sent: Sent, context: TenantContext, scopes: frozenset[str]) -> None:
        self.service, self.sent, self.context, self.scopes = service, sent, context, scopes
        self.account: Account = service.account(context)
        self.key: str | None = None
        self.remembered: Remembered | None = None

    async def reserved(self, *, read_only: bool) -> Asked | ExecutionResult:
        """The operation, its price reserved; or its errors, charged for. Raises Refusal, and Refused `THROTTLED`."""
        text = self.service.text_of(self.sent)
        new = text not in schema.documents
        if new:
            await self.account.take(preparation(text))
        asked = schema.ask(text, self.sent.variables, self.sent.operation_name)
        try:
            if isinstance(asked, Asked):
                check_price(asked.price, self.service.maximum_cost)
                self._check(asked, read_only=read_only)
                await self.account.take(asked.price.points)
                assert self.context.actor_id is not None
                self.service.usage.count(self.context.tenant_id, self.context.actor_id, asked.priced)
                return asked
        except Refusal as refusal:
            asked = ExecutionResult(data=None, errors=[refusal])
        if not new:
            await self.account.take(REFUSED_COST)
        return asked

    def _check(self, asked: Asked, *, read_only: bool) -> None:
        if not asked.is_mutation:
            return
        if read_only:
            raise Refused(405, "USE_POST", "Send mutations with POST: GET changes nothing.", {"allow": "POST"})
        if self.key is None:
            return
        if not KEY.fullmatch(self.key):
            raise Refused(400, "INVALID_IDEMPOTENCY_KEY", "An Idempotency-Key is 1 to 255 printable ASCII characters.")
        assert self.context.actor_id is not None
        sent = (asked.text, self.sent.operation_name, self.sent.variables)
        self.remembered = Remembered(self.context.actor_id, self.key, sent, self.scopes, self.service.services.vault)

    async def done(self, asked: Asked) -> ExecutionResult:
        """Run the operation."""
        services, tenant_id = self.service.services, self.context.tenant_id
        caller = Caller(
            self.context,
            self.scopes,
            lambda sql, arguments: services.reader.value(tenant_id, sql, arguments, self.account.spent),
            services.database,
            self.service.uploads,
            services.vault,
            services.settings.webhook_allow_loopback,
        )
        return await schema.run(asked, caller, self.remembered)

    def told(
        self, result: ExecutionResult, media_type: str, headers: dict[str, str], asked: Asked | None = None
    ) -> Response:
        """An answer with `data`, if only null by a forbidden field; or errors alone, if the operation was not run."""
        parts: list[bytes] = []
        status = 200
        if result.errors:
            parts += [b'"errors":', orjson.dumps([error.formatted for error in result.errors], default=str), b","]
        if result.data is not None:
            parts += [b'"data":', orjson.dumps(result.data, default=str), b","]
        elif result.errors:
            code = str((result.errors[0].extensions or {}).get("code"))
            status = CANNOT_BEGIN.get(code, 400 if media_type == GRAPHQL_JSON else 200)
        if self.remembered is not None and self.remembered.replayed and not self.remembered.done:
            headers = headers | {"idempotency-replayed": "true"}
        if asked is not None and not asked.is_mutation:
            length = sum(map(len, parts))
            self.account.settle(asked.price.points, length, least=1 if result.data is not None else REFUSED_COST)
        cost = orjson.dumps(self.account.told())
        spliced = b"".join((b"{", *parts, b'"extensions":{"cost":', cost, b"}}"))
        return _answered(spliced, media_type, status, headers)


class _Watch:
    """Cancels an operation whose caller has gone away, which `left` tells.

    Most operations have ended before it would be worth looking; to look takes a task.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.left = False

    async def run(self, operation: Coroutine[Any, Any, ExecutionResult]) -> ExecutionResult:
        """The operation's result. Raises CancelledError if the caller goes away first."""
        loop, running = asyncio.get_running_loop(), asyncio.current_task()
        assert running is not None
        looking: list[asyncio.Task[None]] = []
        timer = loop.call_later(LOOK_AFTER_SECONDS, lambda: looking.append(loop.create_task(self._look(running))))
        try:
            return await operation
        finally:
            timer.cancel()
            for task in looking:
                task.cancel()

    async def _look(self, running: "asyncio.Task[Any]") -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass  # what is left of a body that nobody asked for
        self.left = True
        running.cancel()


def _response(body: dict[str, Any], media_type: str, status: int, headers: dict[str, str]) -> Response:
    return _answered(orjson.dumps(body, default=str), media_type, status, headers)


def _answered(body: bytes, media_type: str, status: int, headers: dict[str, str]) -> Response:
    return Response(body, status_code=status, headers={"content-type": f"{media_type}; charset=utf-8", **headers})
