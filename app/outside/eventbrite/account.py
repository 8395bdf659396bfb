"""An account at Eventbrite by its API, version 3: lists by continuation, and orders with their attendees."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.outside.errors import OutsideRefusal, OutsideUnavailable
from app.outside.eventbrite.reading import (
    PROFILE_QUESTIONS,
    alone,
    changed,
    event_found,
    identifier,
    of_order,
    question_found,
)
from app.outside.fetching import WAIT_SECONDS, Fetching
from app.outside.registrations import Registration, text
from app.outside.systems import Asked, Batch, ConnectionField, EventFound, News, Question
from app.settings import Settings

FIELDS = (
    ConnectionField(
        "private_token",
        "Private token",
        "From your Eventbrite account, under API keys.",
        secret=True,
    ),
    ConnectionField(
        "organization_id",
        "Organisation id",
        "Only needed if your account has several organisations.",
        optional=True,
    ),
)
MOST_PAGES = 400
"""Of one list: 20,000 attendees."""
EVENT_PAGES = 4
"""Of events to choose from: the latest 200."""


class Account:
    """An account, by its token."""

    def __init__(self, fetching: Fetching, url: str, token: str, organization_id: str) -> None:
        self._fetching, self._url, self._token, self._organization = fetching, url.rstrip("/"), token, organization_id

    async def check(self) -> Mapping[str, str]:
        """As `System`: the account's organisation. Raises OutsideRefusal `NO_ORGANISATION` or `WHICH_ORGANISATION`."""
        found = {
            one: text(organisation.get("name"))
            async for page in self._pages("/users/me/organizations/", "organizations", {})
            for organisation in page
            if (one := identifier(organisation.get("id")))
        }
        if self._organization:
            if self._organization not in found:
                raise OutsideRefusal(
                    "NO_ORGANISATION",
                    "The account has no organisation of that id. Leave it empty to see which there are.",
                    "organization_id",
                )
            return {"organization_id": self._organization}
        if not found:
            raise OutsideRefusal(
                "NO_ORGANISATION", "The account has no organisation. Make one at Eventbrite first.", "organization_id"
            )
        if len(found) > 1:
            listed = ", ".join(f"{one} ({name})" for one, name in list(found.items())[:10])
            raise OutsideRefusal("WHICH_ORGANISATION", f"Enter the id of one of these: {listed}.", "organization_id")
        return {"organization_id": next(iter(found))}

    async def events(self) -> Sequence[EventFound]:
        """As `System`."""
        asked = {"status": "live,started,ended", "order_by": "start_desc"}
        path = f"/organizations/{self._organization}/events/"
        pages = self._pages(path, "events", asked, EVENT_PAGES, cut=True)
        return [found async for page in pages for event in page if (found := event_found(event))]

    async def event(self, event_id: str) -> EventFound | None:
        """As `System`."""
        found = await self._get(f"/events/{event_id}/")
        return None if found is None else event_found(found)

    async def questions(self, event_id: str) -> Sequence[Question]:
        """As `System`: the event's own questions, then those that Eventbrite has for every event."""
        pages = self._pages(f"/events/{event_id}/questions/", "questions", {})
        own = [found async for page in pages for question in page if (found := question_found(question))]
        return [*own, *PROFILE_QUESTIONS]

    async def registrations(
        self, event_id: str, asked: Asked, since: datetime | None, news: News
    ) -> AsyncIterator[Batch]:
        """As `System`. Whose an address is shows only in the whole order, so each order with news is fetched."""
        params = {} if since is None else {"changed_since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        fetched: set[str] = set()
        async for page in self._pages(f"/events/{event_id}/attendees/", "attendees", params):
            listed = {one: attendee for attendee in page if (one := identifier(attendee.get("id")))}
            new = await news({one: changed(attendee) for one, attendee in listed.items()})
            yield Batch(tuple(listed), ())
            for one in sorted(new):
                order_id = identifier(listed[one].get("order_id")) or ""
                if order_id and order_id in fetched:
                    continue
                fetched.add(order_id)
                # An order at a time, so that whoever looks can say in between that they are still at it.
                yield Batch((), tuple(await self._with_order(event_id, listed[one], asked)))

    async def registration(self, event_id: str, registration_id: str, asked: Asked) -> Sequence[Registration]:
        """As `System`."""
        attendee = await self._get(f"/events/{event_id}/attendees/{registration_id}/")
        return [] if attendee is None else await self._with_order(event_id, attendee, asked)

    async def order(self, order_id: str) -> tuple[str, Mapping[str, Any]] | None:
        """An order with its attendees, and the id of its event; None if there is none."""
        order = await self._get(f"/orders/{order_id}/", {"expand": "attendees"})
        event_id = None if order is None else identifier(order.get("event_id"))
        return None if order is None or event_id is None else (event_id, order)

    async def _with_order(self, event_id: str, attendee: Mapping[str, Any], asked: Asked) -> list[Registration]:
        """The attendee with all others of the order; alone, and without an address, if the order cannot be seen."""
        order_id = identifier(attendee.get("order_id"))
        found = None if order_id is None else await self.order(order_id)
        told = [] if found is None else of_order(found[1], attendees_of(found[1]), asked)
        if all(registration.outside_id != attendee.get("id") for _, registration in told):
            told = [*told, *alone(attendee, asked)]
        return [registration for event, registration in told if event == event_id]

    async def _pages(
        self, path: str, name: str, params: Mapping[str, str], most: int = MOST_PAGES, *, cut: bool = False
    ) -> AsyncIterator[list[Mapping[str, Any]]]:
        """The pages of a list, by continuation; with `cut` the first ones of it.

        Raises OutsideUnavailable `BAD_ANSWER` if it is no list, and `LIST_WITHOUT_END`.
        """
        asked, before = dict(params), None
        for _ in range(most):
            answer = await self._get(path, asked)
            if answer is None:
                return
            rows, pagination = answer.get(name), answer.get("pagination")
            if not isinstance(rows, list):
                raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS)
            yield [row for row in rows if isinstance(row, Mapping)]
            more = isinstance(pagination, Mapping) and pagination.get("has_more_items") is True
            continuation = pagination.get("continuation") if isinstance(pagination, Mapping) else None
            if not more:
                return
            if not isinstance(continuation, str) or continuation == before:
                raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS)
            asked["continuation"] = before = continuation
        if not cut:
            raise OutsideUnavailable("LIST_WITHOUT_END", WAIT_SECONDS)

    async def _get(self, path: str, params: Mapping[str, str] | None = None) -> Mapping[str, Any] | None:
        found = await self._fetching.get(f"{self._url}{path}", params, token=self._token)
        if found is not None and not isinstance(found, Mapping):
            raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS)
        return found


def attendees_of(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The attendees of an order that was fetched with them."""
    attendees = order.get("attendees")
    return [one for one in attendees if isinstance(one, Mapping)] if isinstance(attendees, list) else []


def open_account(fetching: Fetching, settings: Settings, values: Mapping[str, str]) -> Account:
    """The account that these values lead to."""
    return Account(fetching, settings.eventbrite_url, values["private_token"], values.get("organization_id", ""))
