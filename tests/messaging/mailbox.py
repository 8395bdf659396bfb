"""A mail server on loopback with mailboxes: keeps one copy of a Message-ID, as mailboxes do, and counts the others."""

import asyncio
import email
import email.policy
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

NOBODY = "nobody"
"""Addresses that begin so do not exist."""


@dataclass
class Mailbox:
    """What came: messages by their Message-ID, and how often each was handed over."""

    port: int = 0
    messages: dict[str, EmailMessage] = field(default_factory=dict)
    handed: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    """Answers for the next messages instead of taking them, such as `451 Try again`."""
    on_message: Callable[[], None] | None = None

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Refuse addresses that do not exist; aiosmtpd calls this."""
        if address.startswith(NOBODY):
            return "550 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message in; aiosmtpd calls this."""
        if self.refusals:
            return self.refusals.pop(0)
        assert isinstance(envelope.content, bytes)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        key = str(parsed["Message-ID"])
        self.handed[key] += 1
        self.messages.setdefault(key, parsed)
        if self.on_message is not None:
            self.on_message()
        return "250 Taken"

    @property
    def subjects(self) -> list[str]:
        """Subjects of what came, in order."""
        return [str(message["Subject"]) for message in self.messages.values()]

    def to(self, address: str) -> list[EmailMessage]:
        """What came for an address."""
        return [message for message in self.messages.values() if message["To"] == address]


@asynccontextmanager
async def receiving() -> AsyncIterator[Mailbox]:
    """A mail server for the time of the block."""
    mailbox = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox), "127.0.0.1", 0)
    try:
        mailbox.port = server.sockets[0].getsockname()[1]
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()


def plain(message: EmailMessage) -> str:
    """The plain twin."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def page(message: EmailMessage) -> str:
    """The HTML twin."""
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def invitation(message: EmailMessage) -> str:
    """The iCalendar part, unfolded."""
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    return str(part.get_content()).replace("\r\n ", "").replace("\n ", "")
