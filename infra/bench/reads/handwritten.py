"""What the API is measured against: the same answers by SQL that a person wrote, passed through as text, and no more.

No authentication, no limits, no row-level security: the address is the superuser's. Only the tenant is a parameter.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

NESTED = """
SELECT json_build_object('data', json_build_object('employers', json_build_object('nodes', coalesce(json_agg(
         json_build_object('id', 'Employer:' || e.id, 'name', e.name,
                           'employments', json_build_object('nodes', m.people))), '[]'))))::text
  FROM (SELECT id, name FROM medstead.employer WHERE tenant_id = $1 ORDER BY name, id LIMIT $2) e
 CROSS JOIN LATERAL (
       SELECT coalesce(json_agg(json_build_object('startedOn', m.started_on, 'learner', json_build_object(
                'id', 'Learner:' || l.id, 'displayName', l.display_name,
                'completions', json_build_object('nodes', c.completions)))), '[]') AS people
         FROM (SELECT learner_id, started_on FROM medstead.employment
                WHERE tenant_id = $1 AND employer_id = e.id ORDER BY started_on DESC, id DESC LIMIT $3) m
         JOIN medstead.learner l ON l.tenant_id = $1 AND l.id = m.learner_id
        CROSS JOIN LATERAL (
              SELECT coalesce(json_agg(json_build_object('id', 'Completion:' || c.id, 'completedAt', c.completed_at,
                                                         'minutes', c.minutes)), '[]') AS completions
                FROM (SELECT id, completed_at, minutes FROM medstead.completion
                       WHERE tenant_id = $1 AND learner_id = m.learner_id
                       ORDER BY completed_at DESC, id DESC LIMIT $4) c) c) m
"""
PAGE = """
SELECT json_build_object('data', json_build_object('completions', json_build_object(
         'nodes', coalesce(json_agg(json_build_object(
           'id', 'Completion:' || c.id, 'completedAt', c.completed_at, 'minutes', c.minutes,
           'learner', json_build_object('id', 'Learner:' || l.id, 'displayName', l.display_name),
           'course', json_build_object('title', k.title))), '[]'))))::text
  FROM (SELECT id, completed_at, minutes, learner_id, course_id FROM medstead.completion
         WHERE tenant_id = $1 AND course_id = $2::text::uuid
           AND (completed_at, id) < ($3::text::timestamptz, $4::text::uuid)
         ORDER BY completed_at DESC, id DESC LIMIT $5) c
  JOIN medstead.learner l ON l.tenant_id = $1 AND l.id = c.learner_id
  JOIN medstead.course k ON k.tenant_id = $1 AND k.id = c.course_id
"""


async def _answer(request: Request, sql: str, names: tuple[str, ...]) -> Response:
    variables: dict[str, Any] = orjson.loads(await request.body())["variables"]
    arguments = [variables[name] for name in names]
    async with request.app.state.pool.acquire() as connection:
        text = await connection.fetchval(sql, request.app.state.tenant, *arguments)
    return Response(text, media_type="application/json")


async def nested(request: Request) -> Response:
    """Employers, their people, and what those finished."""
    return await _answer(request, NESTED, ("employers", "people", "completions"))


async def page(request: Request) -> Response:
    """A page of a course's completions from a moment back."""
    return await _answer(request, PAGE, ("course", "moment", "row", "first"))


def create_app() -> Starlette:
    """The application; address and tenant come from the environment."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.tenant = os.environ["BENCH_TENANT"]
        async with asyncpg.create_pool(os.environ["BENCH_URL"], min_size=1, max_size=5) as pool:
            app.state.pool = pool
            yield

    routes = [Route("/nested", nested, methods=["POST"]), Route("/page", page, methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan)
