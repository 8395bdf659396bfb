"""Pages that are made of tables and short forms: shown by report.jinja, each table with its download."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Problem, render
from app.console.tables import Link, Table, csv_of


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form. `kind`: text, date, number, choice, one, many, folded, long or file; `options`: (value, text).

    `one` and `many` show all options, with what `more` tells by value below each. `one` then shows the fields that some
    of them ask for (`reveals`), by the browser's script only where they fit; `folded` are many behind a summary.
    """

    kind: str
    name: str
    label: str
    hint: str | None = None
    options: Sequence[tuple[Any, str]] = ()
    any: str = "Choose"
    reveals: Mapping[str, "Field"] = field(default_factory=dict)
    rows: int = 3
    more: Mapping[Any, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShortForm:
    """A form of a page; `second`: it is not what the page is for. `version`: of the row that it changes."""

    path: str
    button: str
    fields: Sequence[Field]
    heading: str = ""
    version: int | None = None
    second: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice that narrows a page down; `keep`: what else the address says."""

    path: str
    name: str
    label: str
    options: Sequence[tuple[Any, str]]
    chosen: str
    any: str = "All"
    keep: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Search:
    """A box that finds something by words; `nothing` is said where they find nothing."""

    path: str
    name: str
    label: str
    words: str
    nothing: str = ""
    keep: Mapping[str, str] = field(default_factory=dict)


def report(
    request: Request,
    title: str,
    *,
    status: int = 200,
    problems: Sequence[Problem] = (),
    values: Mapping[str, Any] | None = None,
    caption: str = "",
    back: Link | None = None,
    intro: Sequence[str] = (),
    facts: Sequence[tuple[str, Any]] = (),
    actions: Sequence[Link] = (),
    links: Sequence[Link] = (),
    narrowed: Filter | None = None,
    search: Search | None = None,
    texts: Sequence[tuple[str, str]] = (),
    tables: Iterable[Table] = (),
    forms: Sequence[ShortForm] = (),
    pages: Sequence[Link] = (),
    query: str = "",
) -> Response:
    """A page of facts, texts (a heading and what was written below it), tables and forms.

    `pages` lead to what did not fit on this one.
    """
    return render(
        request,
        "report.jinja",
        status=status,
        problems=list(problems),
        values=dict(values or {}),
        title=title,
        caption=caption,
        back=back,
        intro=intro,
        facts=facts,
        actions=actions,
        links=links,
        filter=narrowed,
        search=search,
        texts=texts,
        tables=list(tables),
        forms=forms,
        pages=pages,
        query=query,
    )


def one_file(request: Request, tables: Mapping[str, Table]) -> Response:
    """The table that the address names, as a CSV."""
    name = request.path_params["table"]
    if name not in tables:
        raise HTTPException(404)
    return csv_of(f"{name}.csv", tables[name])
