"""Puts the application together: routes, middleware and lifespan. The only module that imports everything."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from app import health, uploads
from app.console.console import console_routes
from app.identity import oauth
from app.logs import configure_logs
from app.public.campaign_pages import campaign_routes
from app.public.check_in_pages import check_in_routes
from app.public.pages import Misses
from app.public.receipt_endpoint import receipt_routes
from app.public.stop_pages import stop_routes
from app.public.verify_pages import verify_routes
from app.public.xapi_endpoint import xapi_routes
from app.services import Services
from app.settings import Settings, load_settings
from app.web import RequestIds, SecurityHeaders
from medstead_graphql.contract import deprecations
from medstead_graphql.http import GraphQLEndpoint
from medstead_graphql.schema import schema
from medstead_graphql.service import GraphQLService
from tenants.clock import Clock, system_clock
from workers import health as workers_health

COUNTED = {
    "verify_misses": "verify",
    "check_in_misses": "check-in",
    "campaign_misses": "go",
    "registrations": "register",
    "stop_misses": "stop",
    "xapi_misses": "xapi",
}
"""What public pages and endpoints count by address, each behind a door of its own."""
DEPRECATED = deprecations(schema._schema)


def create_app(settings: Settings | None = None, clock: Clock = system_clock) -> Starlette:
    """The ASGI application. Opens its connections in the lifespan and refuses to start under an unsafe role."""
    chosen = settings or load_settings()
    configure_logs(chosen)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        services = await Services.open(chosen, clock)
        app.state.services = services
        app.state.graphql = GraphQLService(services)
        for name, door in COUNTED.items():
            setattr(app.state, name, Misses(chosen.redis_url, services.vault, door))
        app.state.deprecated_fields = DEPRECATED
        if chosen.environment != "test":
            # What is there now stays for the life of the process: to look through it again and again for what could be
            # thrown away takes a quarter of the time of a small read.
            gc.collect()
            gc.freeze()
        try:
            yield
        finally:
            await app.state.graphql.close()
            for name in COUNTED:
                await getattr(app.state, name).close()
            await services.close()

    routes: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint()),
        Mount("/graphql/", GraphQLEndpoint()),
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
        Route("/health/workers", workers_health.workers),
        Route("/oauth/token", oauth.token, methods=["POST"]),
        Route("/.well-known/jwks.json", oauth.jwks),
        Route("/uploads", uploads.upload, methods=["POST"]),
        Route("/uploads/{import_id:uuid}/rejected.csv", uploads.rejected_rows, methods=["POST"]),
        *console_routes(),
        *verify_routes(),
        *check_in_routes(),
        *receipt_routes(),
        *campaign_routes(),
        *stop_routes(),
        *xapi_routes(),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestIds)
    return app
