"""Requests of GraphQL over HTTP: bodies of POST and parameters of GET, read within their limits."""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request

from medstead_graphql import limits
from medstead_graphql.media import is_json


class Refused(Exception):
    """A request that is answered before its document is looked at."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None, **more: object
    ) -> None:
        self.status, self.headers = status, headers or {}
        self.body: dict[str, Any] = {"errors": [{"message": message, "extensions": {"code": code, **more}}]}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request asks for: a document, or the id of a trusted one."""

    query: str | None
    document_id: str | None
    variables: dict[str, Any] | None
    operation_name: str | None


async def sent_by_post(request: Request) -> Sent:
    """The members of a JSON body. Raises Refused, and ClientDisconnect if the body never ends."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(415, "UNSUPPORTED_ENCODING", "Send the body without compression.")
    if not is_json(request.headers.get("content-type", "")):
        raise Refused(415, "USE_JSON", "Send application/json in UTF-8.")
    try:
        async with asyncio.timeout(limits.BODY_SECONDS):
            body = await _body(request)
    except TimeoutError:
        message = f"The body did not come within {limits.BODY_SECONDS:g} seconds. Send it again."
        raise Refused(408, "BODY_TOO_SLOW", message, {"connection": "close"}) from None
    try:
        members: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(400, "INVALID_JSON", "The body is not JSON in UTF-8. Check it and send it again.") from None
    if isinstance(members, dict):
        query, document_id = members.get("query"), members.get("documentId")
        variables, name = members.get("variables"), members.get("operationName")
        one_document = isinstance(query, str) != isinstance(document_id, str) and None in (query, document_id)
        if (
            one_document
            and isinstance(variables, dict | None)
            and isinstance(name, str | None)
            and isinstance(members.get("extensions"), dict | None)
        ):
            return Sent(query, document_id, variables, name)
    message = "Send an object with `query` or `documentId` as a text, `variables` and `extensions` as objects if any."
    raise Refused(400, "INVALID_REQUEST", message)


def sent_by_get(parameters: QueryParams) -> Sent:
    """A trusted document by its id. Raises Refused."""
    if "documentId" not in parameters or "query" in parameters:
        message = "Send documents with POST. GET is for trusted documents, by `documentId`."
        raise Refused(405, "USE_POST", message, {"allow": "POST"})
    try:
        variables: Any = orjson.loads(parameters.get("variables") or "null")
    except orjson.JSONDecodeError:
        raise Refused(400, "INVALID_JSON", "`variables` is not JSON. Check it and send it again.") from None
    if not isinstance(variables, dict | None):
        raise Refused(400, "INVALID_REQUEST", "Send `variables` as an object.")
    return Sent(None, parameters["documentId"], variables, parameters.get("operationName"))


async def _body(request: Request) -> bytes:
    message = f"Send at most {limits.MAXIMUM_BODY // 1024} kB. Ask in several requests."
    too_large = Refused(413, "BODY_TOO_LARGE", message, {"connection": "close"})
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > limits.MAXIMUM_BODY:
        raise too_large
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limits.MAXIMUM_BODY:
            raise too_large
    return bytes(received)
