"""Webinars of a Microsoft 365 organisation by Graph: paged lists, on our own base address alone."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from app.outside.errors import OutsideRefusal, OutsideRefused, OutsideUnavailable
from app.outside.fetching import WAIT_SECONDS, Fetching
from app.outside.registrations import Registration
from app.outside.systems import Asked, Batch, ConnectionField, EventFound, News, Question
from app.outside.teams.reading import identifier, question_found, registration_of, webinar_found
from app.outside.teams.tokens import Application, token_of
from app.settings import Settings

FIELDS = (
    ConnectionField("directory_id", "Directory (tenant) id", "From the overview of your application in Entra."),
    ConnectionField("client_id", "Application (client) id", "From the same page."),
    ConnectionField(
        "client_secret",
        "Client secret",
        "Its value, not its id.",
        secret=True,
    ),
)
MOST_PAGES = 1_000
WEBINAR_PAGES = 100
"""Of webinars to choose from: Graph gives them in no order, and what stands beyond is left out."""
FORBIDDEN = "STATUS_403"
"""What Graph answers where a policy or the application's permissions do not let it tell."""
_WEBINARS = "/solutions/virtualEvents/webinars"


@dataclass(frozen=True, slots=True)
class Report:
    """An attendance report. `records` None: Teams gives none, because its policy forbids it or they are not ready."""

    id: str
    participants: int | None
    records: Sequence[Mapping[str, Any]] | None


class Account:
    """An organisation's webinars, as one application may read them."""

    def __init__(self, fetching: Fetching, url: str, application: Application) -> None:
        self._fetching, self._url, self._application = fetching, url.rstrip("/"), application

    async def check(self) -> Mapping[str, str]:
        """As `System`. Raises OutsideRefusal `BAD_ID`."""
        for name, value in (
            ("directory_id", self._application.directory_id),
            ("client_id", self._application.client_id),
        ):
            if identifier(value) is None:
                raise OutsideRefusal("BAD_ID", "Copy the id from the overview of your application in Entra.", name)
        await token_of(self._fetching, self._application, anew=True)
        await self._get(f"{self._url}{_WEBINARS}", {"$top": "1"})
        return {}

    async def events(self) -> Sequence[EventFound]:
        """As `System`."""
        pages = self._pages(_WEBINARS, WEBINAR_PAGES, cut=True)
        found = [one async for page in pages for row in page if (one := webinar_found(row))]
        return sorted(found, key=lambda one: -one.starts_at.timestamp() if one.starts_at else 0.0)

    async def event(self, event_id: str) -> EventFound | None:
        """As `System`."""
        found = await self._get(f"{self._url}{_WEBINARS}/{event_id}")
        return None if found is None else webinar_found(found)

    async def questions(self, event_id: str) -> Sequence[Question]:
        """As `System`."""
        path = f"{_WEBINARS}/{event_id}/registrationConfiguration/questions"
        return [one async for page in self._pages(path) for row in page if (one := question_found(row))]

    async def registrations(
        self, event_id: str, asked: Asked, since: datetime | None, news: News
    ) -> AsyncIterator[Batch]:
        """As `System`: always all of them, for Graph does not tell what has changed."""
        async for page in self._pages(f"{_WEBINARS}/{event_id}/registrations"):
            found = [one for row in page if (one := registration_of(row, asked))]
            yield Batch(tuple(one.outside_id for one in found), tuple(found))

    async def registration(self, event_id: str, registration_id: str, asked: Asked) -> Sequence[Registration]:
        """As `System`."""
        found = await self._get(f"{self._url}{_WEBINARS}/{event_id}/registrations/{registration_id}")
        registration = None if found is None else registration_of(found, asked)
        return [] if registration is None else [registration]

    async def reports(self, event_id: str) -> AsyncIterator[Report]:
        """The attendance reports of a webinar's sessions: a meeting that was started again has several."""
        sessions = f"{_WEBINARS}/{event_id}/sessions"
        for session_id in await self._ids(sessions):
            path = f"{sessions}/{session_id}/attendanceReports"
            rows = [row async for page in self._pages(path) for row in page]
            for row in rows:
                report_id, count = identifier(row.get("id")), row.get("totalParticipantCount")
                if report_id is not None:
                    records = await self._records(f"{path}/{report_id}/attendanceRecords")
                    yield Report(report_id, count if isinstance(count, int) else None, records)

    async def _records(self, path: str) -> list[Mapping[str, Any]] | None:
        try:
            records = [row async for page in self._pages(path) for row in page]
        except OutsideRefused as refused:
            if refused.code != FORBIDDEN:
                raise
            return None
        return records or None

    async def _ids(self, path: str) -> list[str]:
        pages = self._pages(path)
        return [one async for page in pages for row in page if (one := identifier(row.get("id")))]

    async def _pages(
        self, path: str, most: int = MOST_PAGES, *, cut: bool = False
    ) -> AsyncIterator[list[Mapping[str, Any]]]:
        """The pages of a list; with `cut` the first ones of it.

        Raises OutsideRefused `FOREIGN_LINK` where the next one would not be Graph's own.
        """
        address: str | None = f"{self._url}{path}"
        for _ in range(most):
            answer = await self._get(address or "")
            if answer is None:
                return
            rows, link = answer.get("value"), answer.get("@odata.nextLink")
            if not isinstance(rows, list):
                raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS)
            yield [row for row in rows if isinstance(row, Mapping)]
            if link is None:
                return
            if not isinstance(link, str) or not self._is_ours(link):
                raise OutsideRefused("FOREIGN_LINK")
            if link == address:
                raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS)
            address = link
        if not cut:
            raise OutsideUnavailable("LIST_WITHOUT_END", WAIT_SECONDS)

    def _is_ours(self, link: str) -> bool:
        ours, theirs = urlsplit(self._url), urlsplit(link)
        same_host = (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)
        return same_host and theirs.path.startswith(f"{ours.path}/") and ".." not in theirs.path

    async def _get(self, address: str, params: Mapping[str, str] | None = None) -> Mapping[str, Any] | None:
        token = await token_of(self._fetching, self._application)
        try:
            found = await self._fetching.get(address, params, token=token)
        except OutsideRefused as refused:
            if refused.code != "STATUS_401":
                raise
            token = await token_of(self._fetching, self._application, anew=True)
            found = await self._fetching.get(address, params, token=token)
        if found is not None and not isinstance(found, Mapping):
            raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS)
        return found


def open_account(fetching: Fetching, settings: Settings, values: Mapping[str, str]) -> Account:
    """The organisation that these values lead to."""
    graph = urlsplit(settings.graph_url)
    application = Application(
        settings.graph_login_url,
        values["directory_id"],
        values["client_id"],
        values["client_secret"],
        f"{graph.scheme}://{graph.netloc}/.default",
    )
    return Account(fetching, settings.graph_url, application)
