"""Sending by SMTP: a few connections that are kept for the next letters, and what the server's answers mean."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog
from aiosmtplib import (
    SMTP,
    SMTPConnectError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from app.messaging.ledger import Outcome
from app.messaging.letters import Letter, as_bytes
from app.messaging.sending import SenderUnavailable

SECONDS = 30.0
CONNECTIONS = 8
"""Letters of one process on their way at once."""
UNKNOWN_MAILBOX = range(550, 560)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes, and how we sign in there."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    start_tls: bool = False


class Smtp:
    """Connections of one process to the mail server."""

    def __init__(self, server: Server, connections: int = CONNECTIONS) -> None:
        self._server, self._most = server, connections
        self._idle: list[SMTP] = []

    async def send(self, letters: Sequence[Letter], attempts: dict[UUID, int], told: Callable[[Outcome], None]) -> None:
        """Send letters, several at once; `told` hears of each as soon as it is known.

        Raises SenderUnavailable when no connection could be made or none is left; letters of which nothing was told
        were not handed over.
        """
        waiting = list(reversed(letters))
        lines = [self._line(waiting, attempts, told) for _ in range(min(self._most, len(letters)))]
        results = await asyncio.gather(*lines, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        for error in failed:
            if not isinstance(error, SenderUnavailable):
                raise error
        if waiting and failed:
            raise failed[0]

    async def known(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Nothing: a mail server cannot be asked. A letter that comes twice has one Message-ID for mailboxes to see."""
        return []

    async def _line(self, waiting: list[Letter], attempts: dict[UUID, int], told: Callable[[Outcome], None]) -> None:
        client = await self._connection()
        try:
            while waiting:
                letter = waiting.pop()
                outcome = await self._one(client, letter, attempts.get(letter.message_id, 0) + 1)
                told(outcome)
                if not client.is_connected:
                    client = await self._connection()
        except BaseException:
            client.close()
            raise
        self._idle.append(client)

    async def _one(self, client: SMTP, letter: Letter, attempt: int) -> Outcome:
        """Hand over one letter. The server's refusal of this letter is an outcome, its silence a reason to retry."""
        message_id = letter.message_id
        try:
            await client.sendmail(letter.identity.from_address, [letter.to_address], as_bytes(letter))
        except SMTPRecipientsRefused as refused:
            answer = refused.recipients[0]
            return _refused(message_id, answer.code, attempt)
        except SMTPResponseException as refused:
            with suppress(SMTPException, OSError):
                await client.rset()
            return _refused(message_id, refused.code, attempt)
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError) as lost:
            client.close()
            return Outcome(message_id, "later", type(lost).__name__, attempts=attempt)
        return Outcome(message_id, "sent")

    async def _connection(self) -> SMTP:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected:
                with suppress(SMTPException, OSError):
                    await client.noop()
                    return client
            client.close()
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            timeout=SECONDS,
            start_tls=server.start_tls,
            username=server.username,
            password=server.password,
        )
        try:
            await client.connect()
        except (SMTPConnectError, SMTPException, OSError, ssl.SSLError) as error:
            client.close()
            log.warning("mail server does not take mail", error=type(error).__name__)
            raise SenderUnavailable(type(error).__name__) from error
        return client

    async def close(self) -> None:
        """Say good-bye on every connection."""
        for client in self._idle:
            with suppress(SMTPException, OSError):
                await client.quit()
        self._idle.clear()


def _refused(message_id: UUID, code: int, attempt: int) -> Outcome:
    if code in UNKNOWN_MAILBOX:
        return Outcome(message_id, "bounced", f"SMTP_{code}", attempts=attempt)
    if 500 <= code < 600:
        return Outcome(message_id, "failed", f"SMTP_{code}", attempts=attempt)
    return Outcome(message_id, "later", f"SMTP_{code}", attempts=attempt)
