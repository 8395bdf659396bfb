"""The review queue: rows that only a person can place, an entry for each person, and the answers to it."""

from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import (
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    tenant_reads,
    tenant_work,
)
from app.console.review_queue import FOUND, PAGE, entries, entry, search_learners
from app.identity.permissions import Permission
from app.imports import operations
from app.imports.errors import ImportRefusal
from app.imports.formats import FORMATS
from app.imports.models import ImportRun

ANSWERED = {"new": "row-new", "leave": "row-left"}


async def review_queue(request: Request) -> Response:
    """The queue of all imports, or of one."""
    return await _queue(request, 200, [])


async def _queue(request: Request, status: int, problems: list[Problem]) -> Response:
    import_id: UUID | None = request.path_params.get("import_id")
    try:
        after = UUID(request.query_params["after"])
    except (KeyError, ValueError):
        after = None
    async with tenant_reads(request) as session:
        run = None
        if import_id is not None:
            run = await session.get(ImportRun, (principal_here(request).tenant_context().tenant_id, import_id))
            if run is None:
                raise HTTPException(404)
        found = await entries(session, import_id, after, PAGE + 1)
    return render(
        request,
        "review_queue.jinja",
        status=status,
        problems=problems,
        run=run,
        here=request.url.path,
        entries=found[:PAGE],
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        first=after is None,
        formats=FORMATS,
        **_rights(request),
    )


async def review_entry(request: Request) -> Response:
    """One entry."""
    return await _entry(request, 200, [])


async def review_search(request: Request) -> Response:
    """The entry with the learners of a name. By POST, so that no address holds a name."""
    return await _entry(request, 200, [], words=(await form_of(request)).text("search").strip())


async def _entry(request: Request, status: int, problems: list[Problem], words: str | None = None) -> Response:
    async with tenant_reads(request) as session:
        found = await entry(session, request.path_params["row_id"])
        if found is None:
            raise HTTPException(404)
        people = await search_learners(session, words) if words else []
    if words == "":
        problems, status = [Problem("search", "Enter a name or a part of it.")], 422
    return render(
        request,
        "review_entry.jinja",
        status=status,
        problems=problems,
        entry=found,
        people=people,
        words=words,
        values={"search": words} if words else {},
        most=FOUND,
        formats=FORMATS,
        **_rights(request),
    )


def _rights(request: Request) -> dict[str, bool]:
    principal = principal_here(request)
    sees = principal.may(Permission.PEOPLE_READ)
    return {"sees_people": sees, "may_answer": sees and principal.may(Permission.IMPORTS_WRITE)}


async def review_answer(request: Request) -> Response:
    """Take an answer: `answer` is a learner's id, “new” or “leave”; `back` names the import whose queue was open."""
    form, row_id = await form_of(request), request.path_params["row_id"]
    answer = form.text("answer")
    try:
        async with tenant_work(request) as work:
            if answer == "leave":
                await operations.dismiss_row(work, row_id)
            else:
                await operations.resolve_row(work, row_id, None if answer == "new" else _learner(answer))
    except ImportRefusal as refusal:
        if refusal.code == "NO_SUCH_LEARNER":
            return await _entry(request, 422, [Problem("", refusal.message)])
        if refusal.code == "NOT_WAITING":
            return await _queue(request, 422, [Problem("", refusal.message)])
        raise HTTPException(404) from refusal
    return redirect(_queue_path(form.text("back")), done=ANSWERED.get(answer, "row-placed"))


def _learner(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ImportRefusal("NO_SUCH_LEARNER", "Choose an answer from the page.") from error


def _queue_path(back: str) -> str:
    try:
        return f"/console/imports/{UUID(back)}/review"
    except ValueError:
        return "/console/imports/review"


_READ, _WRITE, _PEOPLE = Permission.IMPORTS_READ, Permission.IMPORTS_WRITE, Permission.PEOPLE_READ

ROUTES = [
    page("/imports/review", review_queue, needs=_READ),
    page("/imports/{import_id:uuid}/review", review_queue, needs=_READ),
    page("/imports/review/{row_id:uuid}", review_entry, needs=_READ),
    page("/imports/review/{row_id:uuid}/search", review_search, needs=_READ, also=_PEOPLE, methods=("POST",)),
    page("/imports/review/{row_id:uuid}/answer", review_answer, needs=_WRITE, also=_PEOPLE, methods=("POST",)),
]
