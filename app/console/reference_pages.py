"""Reference data: what CQC and ODS have changed, to be approved before it is applied. For operators of the platform."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.csv_files import csv_file
from app.console.pages import Problem, form_of, page, platform_work, redirect, services_of
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.identity.permissions import Permission
from app.refreshing import operations
from app.refreshing.models import ReferenceChange, ReferenceRefresh
from app.refreshing.operations import RefreshRefusal

HOME = "/console/reference-data"
BACK = Link("Back to reference data", HOME)
SHOWN = 100
SOURCES = {"cqc": "CQC’s register of locations", "ods": "Integrated care boards of ODS"}
STATES = {
    "asked": "Waiting for a worker",
    "fetching": "Being fetched",
    "ready": "To be decided",
    "approved": "Approved, waiting for a worker",
    "applying": "Being applied",
    "applied": "Applied",
    "rejected": "Rejected",
    "failed": "Failed",
}
KINDS = {"new": "New", "changed": "Changed", "closed": "Closed"}
ERRORS = {
    "NO_KEY": "There is no key to CQC’s API: set MEDSTEAD_CQC_KEY for the workers.",
    "NO_ADDRESS": "There is no address of ODS: set MEDSTEAD_ODS_URL for the workers.",
    "STATUS_401": "The source does not take the key. Set a new one.",
    "STATUS_403": "The source does not take the key. Set a new one.",
    "TIMEOUT": "The source does not answer in time. It is tried again.",
    "NO_CONNECTION": "The source cannot be reached. It is tried again.",
    "BAD_ANSWER": "The answer cannot be read. It is tried again; if that does not help, the source has changed.",
}
LEFT_OUT = {
    "unchanged": "As they are known",
    "not_care": "No adult social care, and not known here",
    "no_board": "No integrated care boards",
    "gone": "Gone from the source",
    "unreadable": "Without a name or an id",
    "changed_meanwhile": "Changed by a later file, and left so",
}


async def reference_data(request: Request) -> Response:
    """All refreshes, the latest first."""
    return await _home(request, [])


async def _home(request: Request, problems: list[Problem]) -> Response:
    settings = services_of(request).settings
    configured = {"cqc": settings.cqc_key is not None, "ods": settings.ods_url is not None}
    facts = [(SOURCES[source], "Looked at by itself" if on else "Not set up") for source, on in configured.items()]
    ready = [(source, SOURCES[source]) for source, on in configured.items() if on]
    forms = [ShortForm(f"{HOME}/ask", "Look now", [Field("choice", "source", "Source", options=ready)], "Look now")]
    return report(
        request,
        "Reference data",
        status=422 if problems else 200,
        problems=problems,
        intro=[
            "What CQC and ODS have changed is fetched by night and compared with what is known here. Nothing changes "
            "before you approve it.",
        ],
        facts=facts,
        tables=[await _refreshes(request)],
        forms=forms if ready else [],
    )


async def _refreshes(request: Request) -> Table:
    latest = select(ReferenceRefresh).order_by(ReferenceRefresh.asked_at.desc(), ReferenceRefresh.id).limit(SHOWN)
    async with platform_work(request, "look at refreshes") as work:
        found = (await work.session.scalars(latest)).all()
    rows = [
        (
            Link(SOURCES[row.source], f"{HOME}/{row.id}"),
            STATES[row.state],
            row.asked_at,
            *(row.counts.get(kind, 0) for kind in KINDS),
        )
        for row in found
    ]
    headings = ("Source", "State", "Asked for", *KINDS.values())
    return Table("Refreshes, the latest first", headings, rows, f"{HOME}/all.csv", (3, 4, 5))


async def refreshes_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("refreshes.csv", await _refreshes(request))


async def refresh_ask(request: Request) -> Response:
    """Have a source looked at now."""
    form = await form_of(request)
    try:
        async with platform_work(request, "ask for a refresh") as work:
            await operations.ask(work, form.text("source"))
    except RefreshRefusal as refusal:
        return await _home(request, [Problem(refusal.field, refusal.message)])
    return redirect(HOME, done="reference-asked")


async def refresh(request: Request) -> Response:
    """One refresh with what it would change."""
    return await _page(request, [])


async def _page(request: Request, problems: list[Problem]) -> Response:
    async with platform_work(request, "look at a refresh") as work:
        row = await _found(request, work.session)
        changes = (await work.session.scalars(_changes(row).limit(SHOWN))).all()
    path = f"{HOME}/{row.id}"
    total = sum(row.counts.get(kind, 0) for kind in KINDS)
    progress = f"{row.steps_done:,} of {row.steps_total:,}" if row.steps_total is not None else None
    forms = []
    if row.state == "ready":
        sure = [Field("many", "sure", "Unusually much", options=[("yes", "I have looked at the changes")])]
        forms = [
            ShortForm(f"{path}/approve", "Approve", sure if row.large else [], "Decide"),
            ShortForm(f"{path}/reject", "Reject", [], second=True),
        ]
    much = row.large and row.state == "ready"
    intro = ["It would change unusually much. The source may be at fault."] if much else []
    lines = [line for change in changes for line in _lines(change)]
    some = total > len(changes) or len(lines) > SHOWN
    table = Table(
        "Changes: the first ones; the file has all" if some else "Changes",
        ("What", "Name", "Code", "Field", "Now", "Then"),
        lines[:SHOWN],
        f"{path}/changes.csv",
        nothing="Nothing would change." if row.steps_total is not None else "Nothing has been fetched yet.",
    )
    return report(
        request,
        SOURCES[row.source],
        caption="Refresh",
        status=422 if problems else 200,
        problems=problems,
        back=BACK,
        intro=intro,
        facts=[
            ("State", STATES[row.state]),
            ("What changed from", row.since),
            ("Until", row.until),
            ("Fetched", progress),
            *[(f"{words} records", f"{row.counts.get(kind, 0):,}") for kind, words in KINDS.items()],
            *[(words, f"{row.counts[name]:,}") for name, words in LEFT_OUT.items() if row.counts.get(name)],
            ("Error", ERRORS.get(row.error or "", row.error)),
            ("Decided", row.decided_at),
            ("At its end", row.finished_at),
        ],
        tables=[table],
        forms=forms,
    )


async def _found(request: Request, session: AsyncSession) -> ReferenceRefresh:
    row = await session.get(ReferenceRefresh, request.path_params["refresh_id"])
    if row is None:
        raise HTTPException(404)
    return row


def _changes(row: ReferenceRefresh) -> Any:
    """What closes first, then what is new."""
    order = ReferenceChange.kind, ReferenceChange.name, ReferenceChange.key
    return select(ReferenceChange).where(ReferenceChange.refresh_id == row.id).order_by(*order)


def _lines(change: ReferenceChange) -> list[tuple[Any, ...]]:
    """A line for each field that differs; one for all of a new record."""
    if change.kind == "new":
        place = change.after.get("local_authority") or change.after.get("established_on") or ""
        return [(KINDS["new"], change.name, change.key, "", "", place)]
    return [
        (
            KINDS[change.kind],
            change.name,
            change.key,
            field.replace("_", " "),
            _told(change.before.get(field)),
            _told(value),
        )
        for field, value in sorted(change.after.items())
    ]


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


async def changes_file(request: Request) -> Response:
    """All changes as a CSV."""
    async with platform_work(request, "take the changes of a refresh away") as work:
        row = await _found(request, work.session)
        changes = (await work.session.scalars(_changes(row))).all()
    lines = [line for change in changes for line in _lines(change)]
    return csv_file("changes.csv", ("What", "Name", "Code", "Field", "Now", "Then"), lines)


async def refresh_approve(request: Request) -> Response:
    """Have it applied."""
    form = await form_of(request)
    return await _decided(request, "approved", sure="yes" in form.texts("sure"))


async def refresh_reject(request: Request) -> Response:
    """Leave everything as it is."""
    return await _decided(request, "rejected")


async def _decided(request: Request, how: str, *, sure: bool = False) -> Response:
    refresh_id = request.path_params["refresh_id"]
    try:
        async with platform_work(request, f"a refresh is {how}") as work:
            if how == "approved":
                await operations.approve(work, refresh_id, sure=sure)
            else:
                await operations.reject(work, refresh_id)
    except RefreshRefusal as refusal:
        if refusal.code == "NO_SUCH_REFRESH":
            raise HTTPException(404) from refusal
        return await _page(request, [Problem(refusal.field, refusal.message)])
    return redirect(f"{HOME}/{refresh_id}", done=f"reference-{how}")


_NEEDS = Permission.REFERENCE_WRITE
_ONE = "/reference-data/{refresh_id:uuid}"

ROUTES = [
    page("/reference-data", reference_data, needs=_NEEDS),
    page("/reference-data/all.csv", refreshes_file, needs=_NEEDS),
    page("/reference-data/ask", refresh_ask, needs=_NEEDS, methods=("POST",)),
    page(_ONE, refresh, needs=_NEEDS),
    page(f"{_ONE}/changes.csv", changes_file, needs=_NEEDS),
    page(f"{_ONE}/approve", refresh_approve, needs=_NEEDS, methods=("POST",)),
    page(f"{_ONE}/reject", refresh_reject, needs=_NEEDS, methods=("POST",)),
]
