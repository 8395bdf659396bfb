"""GraphiQL, the page to try documents out with: Strawberry's own, in development alone."""

import re

from starlette.responses import HTMLResponse
from strawberry.http.ides import get_graphql_ide_html


def page() -> HTMLResponse:
    """The page, allowed to load its parts from where it says that they are."""
    html = get_graphql_ide_html("graphiql")
    places = " ".join(sorted(set(re.findall(r"https://[^/\"']+", html))))
    policy = (
        f"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' {places}; "
        f"style-src 'self' 'unsafe-inline' {places}; font-src 'self' data: {places}; img-src 'self' data:; "
        f"connect-src 'self' {places}; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return HTMLResponse(html, headers={"content-security-policy": policy, "cache-control": "no-store"})
