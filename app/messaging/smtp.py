"""Sending by SMTP: a few connections that are kept for the next letters, and what the server's answers mean."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog
from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from app.messaging.ledger import Outcome
from app.messaging.letters import Letter, as_bytes
from app.messaging.sending import SenderUnavailable
from app.messaging.settings import is_address

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
    """Connections of one process to the mail server, as many at once as it allows itself, whoever writes."""

    def __init__(self, server: Server, connections: int = CONNECTIONS) -> None:
        self._server, self._most = server, connections
        self._places = asyncio.Semaphore(connections)
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
        async with self._places:
            client: SMTP | None = None
            try:
                while waiting:
                    if client is None or not client.is_connected:
                        client = await self._connection()
                    if not waiting:  # others sent the rest while this line waited
                        break
                    letter = waiting.pop()
                    told(await self._one(client, letter, attempts.get(letter.message_id, 0) + 1))
            except BaseException:
                if client is not None:
                    client.close()
                raise
            if client is not None and client.is_connected:
                self._idle.append(client)

    async def _one(self, client: SMTP, letter: Letter, attempt: int) -> Outcome:
        """Hand over one letter. The server's refusal of this letter is an outcome, its silence a reason to retry."""
        message_id = letter.message_id
        try:
            for command, argument in ((b"MAIL", letter.identity.from_address), (b"RCPT", letter.to_address)):
                # As the library's own methods do, which read each address as a header first: ours are checked.
                if not is_address(argument):
                    return Outcome(message_id, "failed", "BAD_ADDRESS", attempts=attempt)
                word = b"FROM" if command == b"MAIL" else b"TO"
                answer = await client.execute_command(command, word + b":<" + argument.encode("ascii") + b">")
                if not 200 <= answer.code < 300:
                    await self._forget(client)
                    return _refused(message_id, answer.code, attempt)
            await client.data(as_bytes(letter))
        except SMTPResponseException as refused:
            await self._forget(client)
            return _refused(message_id, refused.code, attempt)
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError) as lost:
            client.close()
            return Outcome(message_id, "later", type(lost).__name__, attempts=attempt)
        return Outcome(message_id, "sent")

    @staticmethod
    async def _forget(client: SMTP) -> None:
        """Have the server forget the letter that it refused."""
        with suppress(SMTPException, OSError):
            await client.rset()

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
            await client.ehlo()
        except (SMTPException, OSError) as error:
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
