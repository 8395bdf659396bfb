"""Graph's webinars and Entra's tokens, as far as they are used: paging by links, throttling, tokens that end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.outside.doubles import Faulty, serving

DIRECTORY = "5466a424-aadf-425c-9b24-034ca28d4bdd"
CLIENT, SECRET = "aa0b7a9e-6a44-4a1f-9a17-0a6f1d6f2a11", "client~secret.of-nobody"
WEBINAR = f"f8ce2a5f-0e6a-4186-aa90-1f64bc023566@{DIRECTORY}"
SESSION = "8d62dd52-4dff-4c75-96a9-f905cc3ff942"
ROOT = "/solutions/virtualEvents/webinars"


@dataclass
class Graph(Faulty):
    """A directory with one application, and the webinars that it may read."""

    webinars: dict[str, dict[str, Any]] = field(default_factory=dict)
    registrations: list[dict[str, Any]] = field(default_factory=list)
    reports: dict[str, tuple[int, list[dict[str, Any]] | None]] = field(default_factory=dict)
    """Attendance reports by id: participants, and records; None where the policy hides them."""
    page_size: int = 2
    tokens: int = 0
    expires_in: int = 3599
    valid: set[str] = field(default_factory=set)
    foreign_link: str | None = None
    """What pages link to instead of their next one."""

    async def token(self, request: Request) -> Response:
        """POST /{directory}/oauth2/v2.0/token."""
        fault = await self.fault_of(request)
        if fault is not None:
            return fault
        sent = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        scope = f"{self.url.removesuffix('/v1.0')}/.default"
        right = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": scope}
        if request.path_params["directory"] != DIRECTORY or sent != right:
            return JSONResponse({"error": "invalid_client", "error_codes": [7000215]}, 401)
        self.tokens += 1
        self.valid.add(f"token{self.tokens}")
        return JSONResponse(
            {"token_type": "Bearer", "expires_in": self.expires_in, "access_token": f"token{self.tokens}"}
        )

    async def answer(self, request: Request) -> Response:
        """Any GET of Graph."""
        fault = await self.fault_of(request)
        if fault is not None:
            return fault
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid:
            return _error(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        match request.url.path.removeprefix("/v1.0").removeprefix(ROOT).strip("/").split("/"):
            case [""]:
                return self._list(request, list(self.webinars.values()))
            case [webinar] if webinar in self.webinars:
                return JSONResponse(self.webinars[webinar])
            case [webinar, "registrationConfiguration", "questions"] if webinar in self.webinars:
                return self._list(request, [{"id": "q1", "displayName": "Where do you work?"}])
            case [webinar, "registrations"] if webinar in self.webinars:
                return self._list(request, self.registrations)
            case [webinar, "registrations", wanted] if webinar in self.webinars:
                found = [one for one in self.registrations if one["id"] == wanted]
                return JSONResponse(found[0]) if found else _error(404, "NotFound", "The registration is not found.")
            case [webinar, "sessions"] if webinar in self.webinars:
                return self._list(request, [{"id": SESSION, "subject": "Webinar"}])
            case [_, "sessions", _, "attendanceReports"]:
                rows = [{"id": one, "totalParticipantCount": count} for one, (count, _) in self.reports.items()]
                return self._list(request, rows)
            case [_, "sessions", _, "attendanceReports", report, "attendanceRecords"] if report in self.reports:
                records = self.reports[report][1]
                return self._list(request, records if records is not None else [])
        return _error(404, "NotFound", "Resource not found.")

    def _list(self, request: Request, rows: list[dict[str, Any]]) -> Response:
        begin = int(request.query_params.get("$skiptoken", "0"))
        body: dict[str, Any] = {"@odata.context": "…", "value": rows[begin : begin + self.page_size]}
        if begin + self.page_size < len(rows):
            path = request.url.path.removeprefix("/v1.0")
            body["@odata.nextLink"] = self.foreign_link or f"{self.url}{path}?$skiptoken={begin + self.page_size}"
        return JSONResponse(body)

    def register(self, number: int, first: str, last: str, email: str, status: str = "registered", **more: Any) -> str:
        """A registration; its id."""
        registration_id = f"127962bb-84e1-7b62-fd98-{number:012x}"
        self.registrations.append(
            {
                "id": registration_id, "firstName": first, "lastName": last, "email": email, "status": status,
                "registrationDateTime": f"2026-11-{10 + number:02}T09:00:00", "cancelationDateTime": None,
                "registrationQuestionAnswers": [
                    {"questionId": "q1", "value": "Rose Lodge", "booleanValue": None, "multiChoiceValues": []}
                ],
            }
            | more
        )  # fmt: skip
        return registration_id


def record(email: str | None, shown: str | None, *stays: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A record of an attendance report with its stays."""
    intervals = [{"joinDateTime": join, "leaveDateTime": leave, "durationInSeconds": 1} for join, leave in stays]
    return {
        "emailAddress": email,
        "identity": None if shown is None else {"id": None, "displayName": shown, "tenantId": None},
        "role": "Attendee",
        "totalAttendanceInSeconds": 60,
        "attendanceIntervals": intervals,
    } | more


def _error(status: int, code: str, text: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": text}}, status)


@asynccontextmanager
async def graph() -> AsyncIterator[Graph]:
    """The double for the time of the block: Graph below /v1.0, and tokens beside it."""
    double = Graph()
    routes = [
        Route("/{directory}/oauth2/v2.0/token", double.token, methods=["POST"]),
        Route("/v1.0/{path:path}", double.answer),
    ]
    async with serving(routes) as url:
        double.url = f"{url}/v1.0"
        yield double
