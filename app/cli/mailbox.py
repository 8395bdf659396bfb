"""The demonstration's mail server: takes mail by SMTP on loopback and shows it on a page. Sends nothing on."""

import email
import email.policy
import sys
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from jinja2 import DictLoader, Environment
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tenants.clock import LONDON, system_clock

KEPT = 1000
LARGEST = 10 * 1024 * 1024

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font-family:Arial,sans-serif;color:#212b32;max-width:60rem;margin:2rem auto;padding:0 1rem;line-height:1.5}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.5rem;border-bottom:1px solid #d8dde0}
a{color:#005eb8}pre{white-space:pre-wrap;background:#f0f4f5;padding:1rem}</style></head><body><main>
<h1>{{ title }}</h1>{% if message %}<p><a href="/">All messages</a></p>
<dl>{% for name in ("From", "To", "Subject") %}<dt><b>{{ name }}</b></dt><dd>{{ message.parsed[name] }}</dd>{% endfor %}
</dl><pre>{{ message.text }}</pre>{% elif messages %}
<table><caption>Messages, the newest first</caption><thead><tr><th scope="col">Received</th><th scope="col">To</th>
<th scope="col">Subject</th></tr></thead><tbody>{% for item in messages %}<tr>
<td>{{ item.at.astimezone(london).strftime("%d %b %Y %H:%M:%S") }}</td><td>{{ item.recipients | join(", ") }}</td>
<td><a href="/messages/{{ item.number }}">{{ item.parsed["Subject"] or "(no subject)" }}</a></td></tr>{% endfor %}
</tbody></table>{% else %}<p>No mail has been sent yet. What Medstead sends in the demonstration arrives here.</p>
{% endif %}</main></body></html>"""

_page = Environment(loader=DictLoader({"page": PAGE}), autoescape=True).get_template("page")


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came."""

    number: int
    at: datetime
    recipients: tuple[str, ...]
    parsed: EmailMessage

    @property
    def text(self) -> str:
        """The readable part."""
        body = self.parsed.get_body(("plain", "html"))
        return str(body.get_content()) if body is not None else ""


class Mailbox:
    """All mail that came since the start, the newest first."""

    def __init__(self) -> None:
        self.messages: deque[Message] = deque(maxlen=KEPT)
        self._count = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take one message in; aiosmtpd calls this."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self._count += 1
        self.messages.appendleft(Message(self._count, system_clock(), tuple(envelope.rcpt_tos), parsed))
        return "250 Message accepted"

    def listing(self, _: Request) -> Response:
        """The page of all messages."""
        return HTMLResponse(_page.render(title="Mailbox", messages=list(self.messages), message=None, london=LONDON))

    def one(self, request: Request) -> Response:
        """The page of one message."""
        number = request.path_params["number"]
        message = next((item for item in self.messages if item.number == number), None)
        if message is None:
            raise HTTPException(404, "There is no such message; the mailbox is emptied at every start.")
        return HTMLResponse(_page.render(title=message.parsed["Subject"] or "(no subject)", message=message))

    def as_json(self, _: Request) -> Response:
        """All messages for programs."""
        return JSONResponse(
            [
                {
                    "number": item.number,
                    "at": item.at.isoformat(),
                    "from": str(item.parsed["From"] or ""),
                    "to": list(item.recipients),
                    "subject": str(item.parsed["Subject"] or ""),
                    "text": item.text,
                }
                for item in self.messages
            ]
        )


def main(smtp_port: int, page_port: int) -> None:
    """Serve mail and page until stopped."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=smtp_port, data_size_limit=LARGEST)
    controller.start()
    app = Starlette(
        routes=[
            Route("/", mailbox.listing),
            Route("/messages.json", mailbox.as_json),
            Route("/messages/{number:int}", mailbox.one),
        ]
    )
    try:
        uvicorn.run(app, host="127.0.0.1", port=page_port, log_level="warning")
    finally:
        controller.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
