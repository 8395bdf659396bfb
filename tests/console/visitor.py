"""A person with a browser for tests of pages: keeps cookies, sends forms as a browser would, reads what is shown."""

import re
from html import unescape
from typing import Any
from uuid import UUID

import httpx2

from app.identity.permissions import Role
from tests.identity.people import PASSWORD, make_login, make_staff
from tests.support import Installation

ORIGIN = "http://testserver"


class Visitor:
    """A browser of one person."""

    def __init__(self, installation: Installation) -> None:
        transport = httpx2.ASGITransport(installation.app, raise_app_exceptions=False)
        self.http = httpx2.AsyncClient(transport=transport, base_url=ORIGIN)
        self.token = ""

    async def get(self, path: str) -> httpx2.Response:
        """Open a page, without following on; remembers the token of its forms."""
        answer = await self.http.get(path)
        found = re.search(r'name="token" value="([^"]+)"', answer.text)
        if found:
            self.token = unescape(found[1])
        return answer

    async def post(self, path: str, fields: dict[str, Any] | None = None, **headers: str) -> httpx2.Response:
        """Send a form from a page of the console, without following on."""
        sent = {"origin": ORIGIN, "sec-fetch-site": "same-origin"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await self.http.post(path, data={"token": self.token} | (fields or {}), headers=sent)

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx2.Response:
        """Sign in by password, and open the page that this leads to."""
        await self.get("/console/sign-in")
        answer = await self.post("/console/sign-in", {"email": email, "password": password})
        assert answer.status_code == 303, answer.text
        return await self.get(answer.headers["location"])


async def visitor_as(
    installation: Installation, role: Role, tenant_id: UUID | None = None, email: str | None = None
) -> Visitor:
    """Somebody signed in with a role, of the platform or in a tenant (north if none is named)."""
    address = email or f"{role.value.replace('_', '.')}@example.org"
    if role in (Role.NATIONAL_LEAD, Role.PLATFORM_OPERATOR):
        await make_login(installation, address, role)
    else:
        await make_staff(installation, tenant_id or installation.north, address, role)
    visitor = Visitor(installation)
    answer = await visitor.sign_in(address)
    assert answer.status_code == 200, answer.text
    return visitor


def main_text(answer: httpx2.Response) -> str:
    """The words of the page's main part."""
    main = answer.text.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())
