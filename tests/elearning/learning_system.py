"""A learning system that speaks xAPI over HTTP, with the faults of real ones: repeats and disorder."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2

from app.identity.permissions import Role
from app.training.elearning import meaning
from app.training.elearning.systems import NewSystem, SystemGiven, connect_system
from tests.console.visitor import Visitor, visitor_as
from tests.support import NOW, Installation

HOME = "https://lms.example"
VERSION = {"X-Experience-API-Version": "1.0.3"}
COURSE = f"{HOME}/courses/managing-medicines-v3"
Body = dict[str, Any]


def statement(
    verb: str = meaning.SATISFIED,
    who: str = "learner-8842",
    about: str = COURSE,
    *,
    at: datetime = NOW - timedelta(days=1),
    registration: UUID | None = None,
    kind: str | None = None,
    grouping: str | None = None,
    **others: Any,
) -> Body:
    """A statement about somebody by account."""
    context: Body = {} if registration is None else {"registration": str(registration)}
    related: Body = {}
    if kind is not None:
        related["category"] = [{"id": meaning.CATEGORY}]
    if grouping is not None:
        related["grouping"] = {"id": grouping}
    if related:
        context["contextActivities"] = related
    definition: Body = {"name": {"en-GB": "Managing medicines"}}
    if kind in ("course", "block"):
        definition["type"] = f"https://w3id.org/xapi/cmi5/activitytype/{kind}"
    return {
        "id": str(uuid4()),
        "actor": {"account": {"homePage": HOME, "name": who}},
        "verb": {"id": verb, "display": {"en-GB": verb.rpartition("/")[2]}},
        "object": {"id": about, "definition": definition},
        "timestamp": at.isoformat(),
    } | ({"context": context} if context else {}) | others  # fmt: skip


def voiding(target: Body) -> Body:
    """A statement that takes another back."""
    return {
        "id": str(uuid4()),
        "actor": {"account": {"homePage": HOME, "name": "administrator"}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": target["id"]},
    }


class LearningSystemDouble:
    """A client with a key, on the installation's own address."""

    def __init__(self, installation: Installation, system: NewSystem, slug: str = "north") -> None:
        self.http, self.system, self.path = installation.http, system, f"/xapi/{slug}/statements"

    async def post(self, body: Any, **others: Any) -> httpx2.Response:
        """Send statements."""
        return await self._send("POST", json=body, **others)

    async def put(self, statement_id: str, body: Any) -> httpx2.Response:
        """Send one under its id."""
        return await self._send("PUT", json=body, params={"statementId": statement_id})

    async def get(self, **asked: str) -> httpx2.Response:
        """Ask for one."""
        return await self._send("GET", params=asked)

    async def _send(self, method: str, **others: Any) -> httpx2.Response:
        given = {"auth": (self.system.key_id, self.system.secret), "headers": VERSION} | others
        return await self.http.request(method, self.path, **given)

    async def tell_badly(self, bodies: Sequence[Body], seed: int) -> None:
        """Send each statement once to three times, in any order and in any parcels."""
        chance = random.Random(seed)
        sent = [body for body in bodies for _ in range(chance.randint(1, 3))]
        chance.shuffle(sent)
        while sent:
            parcel = {body["id"]: body for body in sent[: chance.randint(1, 4)]}
            sent = sent[len(parcel) :]
            assert (await self.post(list(parcel.values()))).status_code == 200


async def connected(
    installation: Installation, tenant_id: UUID | None = None, source: str = "elearning", **given: Any
) -> NewSystem:
    """A learning system of the north, if no tenant is named."""
    async with installation.database.unit_of_work(installation.context(tenant_id or installation.north)) as work:
        vault = installation.services.vault
        return await connect_system(
            work, vault, source, SystemGiven("Learning place", given.pop("home", HOME), **given)
        )


async def lead(installation: Installation) -> Visitor:
    """A programme lead with a browser."""
    return await visitor_as(installation, Role.PROGRAMME_LEAD)
