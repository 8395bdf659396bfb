"""The start page: where one is, what the own role opens, and what it allows elsewhere."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from app.console.home_figures import Number, leading
from app.console.pages import (
    Door,
    may_enrol,
    page,
    principal_here,
    render,
    services_of,
    session_here,
    tenant_reads,
)
from app.identity.permissions import Permission


async def home(request: Request) -> Response:
    """A few numbers that fit the role, then the pages that it opens, in plain words."""
    principal = principal_here(request)
    numbers: Sequence[Number] = ()
    if principal.tenant_id is not None:
        async with tenant_reads(request) as session:
            numbers = await leading(session, principal, services_of(request).clock())
    return render(
        request,
        "home.jinja",
        numbers=numbers,
        compares=principal_here(request).may(Permission.BENCHMARK_READ),
        allowed=sorted(principal_here(request).permissions),
        offer_second_factor=may_enrol(session_here(request)),
    )


ROUTES = [page("/", home, needs=Door.AT_WORK)]
