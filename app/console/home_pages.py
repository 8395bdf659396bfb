"""The start page: where one is, what the own role opens, and what it allows elsewhere."""

from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Door, may_enrol, page, principal_here, render, session_here
from app.identity.permissions import Permission


async def home(request: Request) -> Response:
    """The pages that the role opens, in plain words."""
    return render(
        request,
        "home.jinja",
        compares=principal_here(request).may(Permission.BENCHMARK_READ),
        allowed=sorted(principal_here(request).permissions),
        offer_second_factor=may_enrol(session_here(request)),
    )


ROUTES = [page("/", home, needs=Door.AT_WORK)]
