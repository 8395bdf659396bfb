"""What a report is made of: sections of figures, charts and tables, all of it plain data that goes into the snapshot.

Every form of a report (page, PDF, spreadsheet, CSV) is told from these and from nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

MASK = "*"
"""What stands for a number that would tell of few people."""

ROWS_TOGETHER = 200
"""Rows of a table that are kept, hashed and shown together."""

Cell = str | int | float | None
Count = int | str | None
"""A number, MASK, or None where there is none."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `kind`: text, day (ISO 8601), number (whole), or decimal (one place)."""

    heading: str
    kind: str = "text"

    @property
    def numeric(self) -> bool:
        """Whether it stands to the right."""
        return self.kind in ("number", "decimal")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with what it was counted from. `kind`: count, share (percent) or rate (of a hundred).

    `numerator` and `denominator` count what `counts` and `of` say. `when`: over the period, or on its last day, or as
    it stood when the report was made (`now`). `code` and `version` are of the metric definition, where there is one.
    """

    key: str
    label: str
    kind: str
    value: int | float | str | None
    unit: str
    numerator: Count
    denominator: Count
    of: str
    when: str
    method: str
    code: str | None = None
    version: int | None = None

    @property
    def n(self) -> Count:
        """How many it is about: what it is a share of, or what it counts."""
        return self.numerator if self.denominator is None else self.denominator


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of numbers that stand in the table `table` of the same section. `words`: what there is to see.

    `kind` is xmr or bars. `lines` (mean, lower, upper) and, for each value, `variations` belong to xmr.
    """

    key: str
    kind: str
    title: str
    words: str
    table: str
    labels: Sequence[str]
    values: Sequence[float]
    lines: Mapping[str, float] = field(default_factory=dict)
    variations: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NewTable:
    """A table with its rows, before it is kept. `nothing` is said where there are none."""

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    nothing: str = "There is nothing to show."


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the snapshot tells of it: how many rows there are, and the hash of each lot of them."""

    key: str
    caption: str
    columns: Sequence[Column]
    nothing: str
    count: int
    hashes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report. `stories` are ids: their words are asked for anew whenever the report is told."""

    key: str
    title: str
    text: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[NewTable | Table] = ()
    stories: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `about`: the tenant or provider. `masked`: it leaves the tenant, so small numbers are hidden."""

    kind: str
    version: int
    title: str
    tenant: str
    about: str
    first_day: date
    last_day: date
    masked: bool
    named: bool
    sections: Sequence[Section]


def day(value: date | None) -> str | None:
    """A date as a cell."""
    return None if value is None else value.isoformat()


def percent(part: int, whole: int) -> float | None:
    """A share in percent to one place; None of nothing."""
    return round(100 * part / whole, 1) if whole else None


def read(data: Mapping[str, Any]) -> Report:
    """A report from its stored data."""
    return Report(
        **{name: data[name] for name in ("kind", "version", "title", "tenant", "about", "masked", "named")},
        first_day=date.fromisoformat(data["first_day"]),
        last_day=date.fromisoformat(data["last_day"]),
        sections=[_section(one) for one in data["sections"]],
    )


def _section(data: Mapping[str, Any]) -> Section:
    tables = [Table(**(one | {"columns": [Column(**column) for column in one["columns"]]})) for one in data["tables"]]
    return Section(
        data["key"],
        data["title"],
        data["text"],
        [Figure(**one) for one in data["figures"]],
        [Chart(**one) for one in data["charts"]],
        tables,
        data["stories"],
    )


@dataclass(frozen=True, slots=True)
class Story:
    """A success story that may be told."""

    id: UUID
    title: str
    text: str
