"""Letters: what goes over the wire. From what was written to a message of RFC 5322 with its two twins."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import lru_cache
from string import Template
from uuid import UUID

from app.messaging.writing import Written

LONGEST_LINE = 900
"""Of what goes as it is; RFC 5322 allows 998."""
_PAGE = Template(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>$subject</title></head>\n"
    '<body style="margin:0;background:#f0f4f5;font-family:Arial,sans-serif;font-size:16px;line-height:1.5;'
    'color:#212b32">'
    '<table role="presentation" width="100%" cellspacing="0" cellpadding="0"><tr><td align="center">'
    '<table role="presentation" width="600" cellspacing="0" cellpadding="0" style="max-width:600px;width:100%">'
    '<tr><td style="background:$colour;color:#ffffff;padding:16px 24px;font-size:20px;font-weight:bold">$brand'
    "</td></tr>"
    '<tr><td style="background:#ffffff;padding:24px">\n$content</td></tr>\n'
    '<tr><td style="padding:16px 24px;font-size:14px;color:#4c6272">$footer</td></tr>'
    "</table></td></tr></table></body></html>"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a tenant's messages come from, and how they look."""

    tenant_name: str
    sender_name: str
    from_address: str
    reply_to: str | None
    brand_name: str
    brand_colour: str
    footer: str

    @property
    def host(self) -> str:
        """The host of the address that they come from."""
        return self.from_address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to go. `reference` names it to every sender; `stop_url` is its one-click way out, if any."""

    message_id: UUID
    reference: str
    to_address: str
    written: Written
    identity: Identity
    at: datetime
    stop_url: str | None = None
    invitation: bytes | None = None
    cancels: bool = False
    attachments: Sequence[tuple[str, bytes]] = field(default=())


def message_key(letter: Letter) -> str:
    """The Message-ID: the same however often a letter is sent, so that a mailbox keeps one copy."""
    return f"<{letter.reference}@{letter.identity.host}>"


def as_bytes(letter: Letter) -> bytes:
    """The letter as it goes over SMTP. Lines end with CRLF; nothing but ASCII is in it."""
    identity = letter.identity
    boundary = f"=_{letter.message_id.hex}"
    headers = [
        ("From", _from(identity.sender_name, identity.from_address)),
        ("To", letter.to_address),
        ("Subject", _header(letter.written.subject)),
        ("Date", _date(letter.at)),
        ("Message-ID", message_key(letter)),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
    ]
    if identity.reply_to:
        headers.append(("Reply-To", identity.reply_to))
    if letter.stop_url is not None:
        headers += [
            ("List-Unsubscribe", f"<{letter.stop_url}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    parts = [
        _part("text/plain; charset=utf-8", text_of(letter).encode()),
        _part("text/html; charset=utf-8", html_of(letter).encode()),
    ]
    if letter.invitation is not None:
        method = "CANCEL" if letter.cancels else "REQUEST"
        parts.append(_part(f"text/calendar; charset=utf-8; method={method}", letter.invitation))
    kind, content = "alternative", _multipart(parts, boundary)
    if letter.attachments:
        outer = f"{boundary}x"
        whole = [f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n{content}']
        whole += [_attached(name, data) for name, data in letter.attachments]
        kind, boundary, content = "mixed", outer, _multipart(whole, outer)
    headers.append(("Content-Type", f'multipart/{kind}; boundary="{boundary}"'))
    return ("".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n" + content).encode("ascii")


def text_of(letter: Letter) -> str:
    """The plain twin with the footer."""
    stop = f"\n\nTo get no more messages like this one: {letter.stop_url}" if letter.stop_url else ""
    return f"{letter.written.text}\n-- \n{letter.identity.brand_name}\n{letter.identity.footer}{stop}\n"


def html_of(letter: Letter) -> str:
    """The page with the tenant's colour and footer."""
    identity = letter.identity
    footer = html.escape(identity.footer).replace("\n", "<br>")
    if letter.stop_url:
        footer += f'<br><a href="{html.escape(letter.stop_url)}">Get no more messages like this one</a>'
    return _PAGE.substitute(
        subject=html.escape(letter.written.subject),
        colour=identity.brand_colour,
        brand=html.escape(identity.brand_name),
        content=letter.written.html,
        footer=footer,
    )


@lru_cache(maxsize=500)
def _from(name: str, address: str) -> str:
    return formataddr((name, address))


@lru_cache(maxsize=16)
def _date(at: datetime) -> str:
    return format_datetime(at)


@lru_cache(maxsize=500)
def _header(text: str) -> str:
    """A header's text on lines that are short enough; encoded where it is not ASCII."""
    return Header(text, maxlinelen=76, header_name="Subject").encode(linesep="\r\n")


def _part(kind: str, content: bytes) -> str:
    """A part as it is where it is ASCII in lines that mail allows, else in base64."""
    if content.isascii() and max(map(len, content.splitlines()), default=0) <= LONGEST_LINE:
        plain = content.decode("ascii").replace("\r\n", "\n").replace("\n", "\r\n")
        return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{plain}"
    encoded = base64.encodebytes(content).decode("ascii").replace("\n", "\r\n")
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}"


def _attached(name: str, content: bytes) -> str:
    encoded = base64.encodebytes(content).decode("ascii").replace("\n", "\r\n")
    return (
        f'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{encoded}"
    )


def _multipart(parts: Sequence[str], boundary: str) -> str:
    return "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
