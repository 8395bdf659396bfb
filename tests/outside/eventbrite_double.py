"""Eventbrite's API, version 3, as far as it is used: lists by continuation, expanded orders, changed_since, errors."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.outside.doubles import Faulty, serving

TOKEN = "PRIVATETOKEN000000"
ORGANISATION = "70001"
EVENT = "900000000001"


@dataclass
class Eventbrite(Faulty):
    """An account with its events, orders and attendees."""

    organisations: dict[str, str] = field(default_factory=lambda: {ORGANISATION: "Training team"})
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    attendees: dict[str, dict[str, Any]] = field(default_factory=dict)
    questions: list[tuple[str, str]] = field(default_factory=lambda: [("501", "Where do you work?"), ("502", "Job")])
    page_size: int = 2

    def add_event(self, title: str, starts: str, event_id: str = EVENT) -> None:
        """An event that is on sale."""
        self.events[event_id] = {
            "id": event_id,
            "name": {"text": title, "html": title},
            "start": {"timezone": "Europe/London", "utc": starts, "local": starts.removesuffix("Z")},
            "status": "live",
            "organization_id": ORGANISATION,
            "changed": "2026-11-01T09:00:00Z",
        }

    def order(
        self, order_id: str, buyer: tuple[str, str], people: Sequence[tuple[str, str, str, str]], at: str, **more: Any
    ) -> None:
        """An order of people (attendee's id, name, address, workplace), placed at a moment."""
        self.orders[order_id] = {
            "id": order_id, "name": buyer[0], "email": buyer[1], "event_id": EVENT, "status": "placed",
            "created": at, "changed": at,
        }  # fmt: skip
        for attendee_id, name, email, workplace in people:
            first, _, last = name.partition(" ")
            self.attendees[attendee_id] = {
                "id": attendee_id, "order_id": order_id, "event_id": EVENT, "created": at, "changed": at,
                "quantity": 1, "status": "Attending", "cancelled": False, "refunded": False, "checked_in": False,
                "profile": {"first_name": first, "last_name": last, "name": name, "email": email},
                "answers": [{"question_id": "501", "question": "Where do you work?", "answer": workplace}],
                "barcodes": [{"barcode": f"{attendee_id}001", "status": "unused", "changed": at}],
            } | more  # fmt: skip

    def change(self, attendee_id: str, at: str, **values: Any) -> None:
        """Change an attendee at a moment."""
        self.attendees[attendee_id] |= {"changed": at, **values}
        if values.get("checked_in"):
            self.attendees[attendee_id]["barcodes"] = [{"barcode": "1", "status": "used", "changed": at}]

    async def answer(self, request: Request) -> Response:
        """Any GET of the API."""
        fault = await self.fault_of(request)
        if fault is not None:
            return fault
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "INVALID_AUTH", "The OAuth token you provided was invalid.")
        match request.url.path.strip("/").split("/")[1:]:
            case ["users", "me", "organizations"]:
                rows = [{"id": one, "name": name} for one, name in self.organisations.items()]
                return self._list(request, "organizations", rows)
            case ["organizations", organisation, "events"] if organisation in self.organisations:
                return self._list(request, "events", list(self.events.values()))
            case ["events", event_id] if event_id in self.events:
                return JSONResponse(self.events[event_id])
            case ["events", event_id, "questions"] if event_id in self.events:
                asked = [{"id": one, "question": {"text": text, "html": text}} for one, text in self.questions]
                return self._list(request, "questions", asked)
            case ["events", event_id, "attendees"] if event_id in self.events:
                since = request.query_params.get("changed_since", "")
                rows = [one for one in self.attendees.values() if one["changed"] >= since]
                return self._list(request, "attendees", rows)
            case ["events", _, "attendees", attendee_id] if attendee_id in self.attendees:
                return JSONResponse(self.attendees[attendee_id])
            case ["orders", order_id] if order_id in self.orders:
                expanded = {}
                if request.query_params.get("expand") == "attendees":
                    expanded["attendees"] = [one for one in self.attendees.values() if one["order_id"] == order_id]
                return JSONResponse(self.orders[order_id] | expanded)
        return _error(404, "NOT_FOUND", "The path you requested does not exist.")

    def _list(self, request: Request, name: str, rows: list[dict[str, Any]]) -> Response:
        begin = int(request.query_params.get("continuation", "c0").removeprefix("c"))
        page = rows[begin : begin + self.page_size]
        more = begin + self.page_size < len(rows)
        pagination: dict[str, Any] = {
            "object_count": len(rows), "page_number": begin // self.page_size + 1, "page_size": self.page_size,
            "page_count": -(-len(rows) // self.page_size), "has_more_items": more,
        }  # fmt: skip
        if more:
            pagination["continuation"] = f"c{begin + self.page_size}"
        return JSONResponse({"pagination": pagination, name: page})


def _error(status: int, code: str, text: str) -> Response:
    return JSONResponse({"status_code": status, "error": code, "error_description": text}, status)


def pointer_to(path: str, action: str) -> dict[str, Any]:
    """A notice as Eventbrite sends it."""
    config = {"action": action, "user_id": "333", "webhook_id": "444", "endpoint_url": "https://receiver.example/hook"}
    return {"api_url": f"https://www.eventbriteapi.com/v3/{path}/", "config": config}


@asynccontextmanager
async def eventbrite() -> AsyncIterator[Eventbrite]:
    """The double for the time of the block."""
    double = Eventbrite()
    async with serving([Route("/v3/{path:path}", double.answer)]) as url:
        double.url = f"{url}/v3"
        yield double
