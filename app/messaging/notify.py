"""Sending by GOV.UK Notify: one call for each message, its limits, and what its statuses mean.

A tenant brings its own service with one e-mail template there, whose subject is ((subject)) and whose body is ((body)):
what is written here fills both. The client library waits for answers in threads.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient

from app.messaging.ledger import Outcome
from app.messaging.letters import Letter
from app.messaging.sending import SenderUnavailable

THREADS = 8
SECONDS = 20
STATES = {
    "created": "sent",
    "sending": "sent",
    "pending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "permanent-failure": "bounced",
    "temporary-failure": "failed",
    "technical-failure": "failed",
}
"""What each status of Notify is in the ledger."""
FINAL = ("delivered", "bounced", "failed")
MINUTE = 60.0
LONGEST_WAIT = timedelta(hours=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """A tenant's service at Notify."""

    url: str
    key: str
    template_id: str


class Notify:
    """One tenant's service as a way to send."""

    def __init__(self, service: Service, clock: Callable[[], datetime]) -> None:
        self._service, self._clock = service, clock

    def _client(self) -> Any:
        make: Any = NotificationsAPIClient
        return make(self._service.key, base_url=self._service.url, timeout=SECONDS)

    async def send(self, letters: Sequence[Letter], attempts: dict[UUID, int], told: Callable[[Outcome], None]) -> None:
        """Send letters, several at once. Raises SenderUnavailable when a limit is reached or nobody answers."""
        waiting = list(reversed(letters))
        results = await asyncio.gather(
            *[self._line(waiting, attempts, told) for _ in range(min(THREADS, len(letters)))], return_exceptions=True
        )
        for error in results:
            if isinstance(error, BaseException):
                raise error

    async def _line(self, waiting: list[Letter], attempts: dict[UUID, int], told: Callable[[Outcome], None]) -> None:
        client = self._client()  # the library's client belongs to one thread at a time
        while waiting:
            letter = waiting.pop()
            attempt = attempts.get(letter.message_id, 0) + 1
            try:
                told(await asyncio.to_thread(self._one, client, letter, attempt))
            except SenderUnavailable:
                waiting.clear()
                raise

    def _one(self, client: Any, letter: Letter, attempt: int) -> Outcome:
        try:
            answer = client.send_email_notification(
                email_address=letter.to_address,
                template_id=self._service.template_id,
                personalisation={"subject": letter.written.subject, "body": letter.written.text},
                reference=letter.reference,
                one_click_unsubscribe_url=letter.stop_url,
            )
        except APIError as error:
            return self._refused(letter.message_id, error, attempt)
        return Outcome(letter.message_id, "sent", reference=str(answer["id"]))

    def _refused(self, message_id: UUID, error: APIError, attempt: int) -> Outcome:
        kind = _kind(error)
        if error.status_code == 429:
            raise SenderUnavailable(kind, self._wait(kind))
        if error.status_code in (401, 403):
            raise SenderUnavailable(kind, LONGEST_WAIT.total_seconds())
        if 400 <= error.status_code < 500:
            return Outcome(message_id, "failed", f"NOTIFY_{error.status_code}", attempts=attempt)
        return Outcome(message_id, "later", f"NOTIFY_{error.status_code}", attempts=attempt)

    def _wait(self, kind: str) -> float:
        """A minute where the pace is at fault; where the day's allowance is, to midnight in UTC, an hour at most."""
        if kind == "RateLimitError":
            return MINUTE
        now = self._clock()
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return min(midnight - now, LONGEST_WAIT).total_seconds()

    async def known(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Those that Notify has already, by their reference. Raises SenderUnavailable."""
        return await asyncio.to_thread(self._known, letters)

    def _known(self, letters: Sequence[Letter]) -> list[Outcome]:
        client, found = self._client(), []
        for letter in letters:
            try:
                answer = client.get_all_notifications(template_type="email", reference=letter.reference)
            except APIError as error:
                raise SenderUnavailable(_kind(error)) from error
            for one in answer["notifications"][:1]:
                found.append(outcome_of(letter.message_id, one))
        return found

    async def look_up(self, references: Mapping[UUID, str]) -> list[Outcome]:
        """What became of messages by their ids at Notify, as far as it is known. Raises SenderUnavailable."""

        def look() -> list[Outcome]:
            client, found = self._client(), []
            for message_id, reference in references.items():
                try:
                    found.append(outcome_of(message_id, client.get_notification_by_id(reference)))
                except APIError as error:
                    if error.status_code == 404:
                        continue
                    raise SenderUnavailable(_kind(error)) from error
            return found

        return await asyncio.to_thread(look)

    async def faults(self) -> list[str]:
        """What keeps the service from being used, as sentences; none if it can."""

        def look() -> list[str]:
            try:
                template = self._client().get_template(self._service.template_id)
            except APIError as error:
                if error.status_code in (401, 403):
                    return ["Notify does not take the key. Make a new one in your service and enter it here."]
                if error.status_code == 404:
                    return ["Your service at Notify has no template with that id. Copy the id from its page."]
                return ["Notify did not answer. Try again in a moment."]
            wrong = [
                f"The template's {part} at Notify must hold (({part})), and nothing else need be there."
                for part in ("subject", "body")
                if f"(({part}))" not in str(template.get(part) or "")
            ]
            return ["The template at Notify is not for e-mail."] if template.get("type") != "email" else wrong

        return await asyncio.to_thread(look)


def outcome_of(message_id: UUID, told: Mapping[str, Any]) -> Outcome:
    """What Notify tells of a notification, in the ledger's words."""
    status = str(told.get("status"))
    state = STATES.get(status, "sent")
    error = f"NOTIFY_{status.upper().replace('-', '_')}" if state in ("bounced", "failed") else None
    return Outcome(message_id, state, error, str(told.get("id")))


def _kind(error: APIError) -> str:
    """The name of Notify's error, such as RateLimitError."""
    response: Any = error.response
    try:
        return str(response.json()["errors"][0]["error"])
    except (AttributeError, ValueError, KeyError, IndexError, TypeError):
        return type(error).__name__
