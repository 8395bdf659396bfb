"""Integrated care boards by the ODS directory: their names, codes, days and who succeeded whom.

Wire: `GET /organisations?PrimaryRoleId=RO261&Limit&Offset` lists strategic partnerships, `GET /organisations/{code}`
gives one with its roles, dates and `Succs`. The service allows five requests a second.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from app.outside.errors import OutsideUnavailable
from app.outside.fetching import WAIT_SECONDS, Fetching

STRATEGIC_PARTNERSHIP, INTEGRATED_CARE_BOARD = "RO261", "RO318"
"""The primary role that boards share with the partnerships before them, and the role that makes them a board."""
PAGE = 100
MOST = 2_000
BETWEEN_SECONDS = 0.25

_SMALL = frozenset({"and", "of", "the", "in", "on", "for", "upon", "with"})


@dataclass(frozen=True, slots=True)
class Board:
    """A board as ODS tells it. `abolished_on`: the first day on which it was no more. `predecessors`: code and day."""

    code: str
    name: str
    established_on: date | None
    abolished_on: date | None
    predecessors: tuple[tuple[str, date], ...]

    @property
    def values(self) -> dict[str, Any]:
        """What the register keeps of it."""
        return {"name": self.name, "established_on": self.established_on, "abolished_on": self.abolished_on}


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the ODS directory is."""

    fetching: Fetching
    url: str

    async def codes(self) -> list[str]:
        """Codes of all strategic partnerships, open and closed. Raises as Fetching."""
        found: dict[str, None] = {}
        for offset in range(0, MOST, PAGE):
            params = {"PrimaryRoleId": STRATEGIC_PARTNERSHIP, "Limit": str(PAGE)}
            if offset:
                params["Offset"] = str(offset)  # the service refuses an offset of 0
            answer = await self.fetching.get(f"{self.url}/organisations", params)
            rows = answer.get("Organisations") if isinstance(answer, Mapping) else None
            if not isinstance(rows, list):
                raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS)
            found |= {str(row["OrgId"]): None for row in rows if isinstance(row, Mapping) and row.get("OrgId")}
            if len(rows) < PAGE:
                break
            await asyncio.sleep(BETWEEN_SECONDS)
        return list(found)

    async def boards(self, codes: list[str]) -> AsyncIterator[Board | None]:
        """Each as a board; None for one that is no board, or is gone."""
        for code in codes:
            yield board_of(await self.fetching.get(f"{self.url}/organisations/{quote(code, safe='')}"))
            await asyncio.sleep(BETWEEN_SECONDS)


def board_of(told: Any) -> Board | None:
    """An organisation of the directory as a board; None where it never was one."""
    body = told.get("Organisation") if isinstance(told, Mapping) else None
    if not isinstance(body, Mapping):
        return None
    code = _path(body, "OrgId", "extension")
    role = next((one for one in _list(body, "Roles", "Role") if one.get("id") == INTEGRATED_CARE_BOARD), None)
    name = body.get("Name")
    if not isinstance(code, str) or role is None or not isinstance(name, str) or not name.strip():
        return None
    start, _ = _span(role)
    _, end = _span(body)
    predecessors = []
    for succession in _list(body, "Succs", "Succ"):
        other, day = _path(succession, "Target", "OrgId", "extension"), _span(succession)[0]
        if succession.get("Type") == "Predecessor" and isinstance(other, str) and day is not None:
            predecessors.append((other, day))
    abolished_on = None if end is None else end + timedelta(days=1)
    return Board(code.upper(), in_words(name), start, abolished_on, tuple(predecessors))


def in_words(name: str) -> str:
    """A name that ODS writes in capitals, as people write it. Other names stay as they are."""
    plain = " ".join(name.split())
    if plain != plain.upper():
        return plain
    words = [
        word if word in ("NHS", "ICB") else word.lower() if number and word.lower() in _SMALL else _capital(word)
        for number, word in enumerate(plain.split(" "))
    ]
    return " ".join(words)


def _capital(word: str) -> str:
    return "-".join(part[:1] + part[1:].lower() for part in word.split("-"))


def name_key(name: str) -> str:
    """Names that mean the same body alike, however they are written."""
    return " ".join(name.casefold().replace(",", " ").replace("integrated care board", "icb").split())


def _path(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _list(value: Any, *names: str) -> list[Mapping[str, Any]]:
    found = _path(value, *names)
    items = found if isinstance(found, list) else [found]
    return [item for item in items if isinstance(item, Mapping)]


def _span(value: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """First and last day: the legal ones where they are told, else the operational ones."""
    spans = {str(one.get("Type")): one for one in _list(value, "Date")}
    chosen = spans.get("Legal") or spans.get("Operational") or {}
    return _day(chosen.get("Start")), _day(chosen.get("End"))


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
