"""Every door × every role and every scope: what the permission table does not grant is refused, and nothing happens."""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from starlette.routing import Mount, Route

from app.console.console import ROUTES
from app.console.pages import ConsoleRoute, Door
from app.identity.permissions import ROLE_PERMISSIONS, SCOPES, Permission, Role
from tests.console.visitor import Visitor, visitor_as
from tests.identity.everything import Question, commands, everything, field_questions, root_questions
from tests.identity.people import make_staff
from tests.support import Installation

LEADS = {Role.TENANT_ADMINISTRATOR, Role.PROGRAMME_LEAD}
SEE_IMPORTS = LEADS | {Role.ANALYST, Role.INFORMATION_GOVERNANCE}
SEE_FIGURES = SEE_IMPORTS | {Role.COMMUNICATIONS}
SEE_TRAINING = SEE_IMPORTS | {Role.FACILITATOR}
WRITE_MESSAGES = LEADS | {Role.COMMUNICATIONS}
SEE_MESSAGES = WRITE_MESSAGES | {Role.INFORMATION_GOVERNANCE}
SEE_REJECTED = LEADS | {Role.INFORMATION_GOVERNANCE}

WRITE_MESSAGES = LEADS | {Role.COMMUNICATIONS}
SEE_MESSAGES = WRITE_MESSAGES | {Role.INFORMATION_GOVERNANCE}
BOOKERS = LEADS | {Role.FACILITATOR}

PAGES: dict[str, set[Role]] = {
    "/impact": SEE_FIGURES,
    "/impact/{code}": SEE_IMPORTS,
    "/impact/{code}/chart.csv": SEE_FIGURES,
    "/imports": SEE_IMPORTS,
    "/imports/start": LEADS,
    "/imports/{import_id:uuid}/apply": LEADS,
    "/imports/{import_id:uuid}/cancel": LEADS,
    "/imports/{import_id:uuid}/rejected.csv": SEE_REJECTED,
    "/imports/review/{row_id:uuid}/search": SEE_REJECTED,
    "/imports/review/{row_id:uuid}/answer": LEADS,
    "/mapping": SEE_TRAINING,
    "/mapping/start": LEADS,
    "/mapping/taxonomy": LEADS,
    "/mapping/topics/{topic_id:uuid}/save": LEADS,
    "/mapping/topics/{topic_id:uuid}/reference": LEADS,
    "/mapping/references": LEADS,
    "/mapping/guidance/add": LEADS,
    "/mapping/{exercise_id:uuid}/courses/{course_id:uuid}/save": LEADS,
    "/mapping/{exercise_id:uuid}/cells": LEADS,
    "/mapping/{exercise_id:uuid}/analyse": LEADS,
    "/mapping/{exercise_id:uuid}/lock": LEADS,
    "/mapping/{exercise_id:uuid}/copy": LEADS,
    "/mapping/topics/add": LEADS,
    "/sessions": SEE_TRAINING,
    "/sessions/add": LEADS,
    "/sessions/series": LEADS,
    **{f"/sessions/{{session_id:uuid}}/{page}": LEADS for page in ("change", "move", "publish", "cancel", "groups")},
    "/sessions/{session_id:uuid}/book": BOOKERS,
    "/sessions/{session_id:uuid}/bookings/{booking_id:uuid}": BOOKERS,
    "/sessions/{session_id:uuid}/check-in": BOOKERS,
    "/sessions/{session_id:uuid}/check-in.csv": BOOKERS,
    "/team": SEE_TRAINING,
    "/team/add": LEADS,
    "/team/{member_id:uuid}": LEADS,
    "/venues": LEADS,
    "/gaps": SEE_TRAINING,
    "/gaps/open": LEADS,
    "/gaps/{gap_id:uuid}/change": LEADS,
    "/gaps/{gap_id:uuid}/close": LEADS,
    "/courses": SEE_TRAINING,
    "/courses/access/{access_id:uuid}": LEADS,
    "/courses/merges": LEADS,
    "/courses/{course_id:uuid}/change": LEADS,
    "/courses/{course_id:uuid}/accredit": LEADS,
    "/courses/{course_id:uuid}/access": LEADS,
    "/courses/{course_id:uuid}/merge": LEADS,
    "/courses/add": LEADS,
    "/courses/{course_id:uuid}/topics": LEADS,
    "/courses/{course_id:uuid}/short": LEADS,
    "/regulations": SEE_TRAINING,
    "/templates": SEE_TRAINING,
    "/templates/publish": LEADS,
    "/templates/{template_id:uuid}/clone": LEADS,
    "/programme": SEE_TRAINING,
    "/programme/{programme_id:uuid}/publish": LEADS,
    "/programme/tiers/{tier_id:uuid}": LEADS,
    "/programme/start": LEADS,
    "/programme/{programme_id:uuid}/rename": LEADS,
    "/programme/{programme_id:uuid}/widen": LEADS,
    "/programme/{programme_id:uuid}/retire": LEADS,
    "/programme/{programme_id:uuid}/tiers": LEADS,
    "/programme/competence/assessors/add": LEADS,
    "/programme/competence/assessors/{rule_id:uuid}/remove": LEADS,
    "/programme/competence/review": LEADS,
    "/programme/competence/minimum": LEADS,
    "/requirements": SEE_TRAINING,
    "/requirements/add": LEADS,
    "/requirements/{requirement_id:uuid}/remove": LEADS,
    "/standing": SEE_TRAINING,
    "/standing/compute": LEADS,
    "/standing/learners/{learner_id:uuid}/override": LEADS,
    "/standing/learners/{learner_id:uuid}/nominate": LEADS,
    "/standing/learners/{learner_id:uuid}/overrides/{override_id:uuid}/end": LEADS,
    "/standing/learners/{learner_id:uuid}/employments/begin": LEADS,
    "/standing/learners/{learner_id:uuid}/employments/{employment_id:uuid}": LEADS,
    "/standing/learners/{learner_id:uuid}/progress": LEADS,
    "/standing/learners/{learner_id:uuid}/assess": LEADS,
    "/standing/learners/{learner_id:uuid}/confidence": LEADS,
    "/nominations": SEE_TRAINING,
    "/nominations/{nomination_id:uuid}/decide": LEADS,
    "/certificates": SEE_TRAINING,
    "/certificates/issue": LEADS,
    "/certificates/template": LEADS,
    "/certificates/revoke": LEADS,
    "/certificates/{certificate_id:uuid}": SEE_TRAINING - {Role.ANALYST},
    "/certificates/{certificate_id:uuid}/reissue": LEADS,
    "/certificates/{certificate_id:uuid}/revoke": LEADS,
    "/champions": SEE_TRAINING,
    "/champions/appoint": LEADS,
    "/champions/pathway/set": LEADS,
    "/champions/{champion_id:uuid}/change": LEADS,
    "/champions/{champion_id:uuid}/end": LEADS,
    "/champions/{champion_id:uuid}/step": LEADS,
    "/governance": SEE_TRAINING,
    "/governance/items/add": LEADS,
    "/governance/items/{item_id:uuid}/change": LEADS,
    "/governance/partners/add": LEADS,
    "/governance/partners/timeline/invite": LEADS,
    "/governance/partners/{partnership_id:uuid}/step": LEADS,
    "/governance/partners/{partnership_id:uuid}/end": LEADS,
    "/governance/plans/add": LEADS,
    "/governance/plans/{plan_id:uuid}/add": LEADS,
    "/governance/plans/{plan_id:uuid}/done": LEADS,
    "/governance/objectives/add": LEADS,
    "/governance/objectives/{objective_id:uuid}/change": LEADS,
    "/governance/objectives/{objective_id:uuid}/tags": LEADS,
    "/governance/objectives/{objective_id:uuid}/tags/{tag_id:uuid}/remove": LEADS,
    "/governance/recognitions/add": LEADS,
    "/governance/forums/{session_id:uuid}/minutes": LEADS,
    "/governance/feedback/forms/{form_id:uuid}/subject": LEADS,
    "/governance/feedback/{theme_id:uuid}/responses": LEADS,
    "/governance/feedback/{theme_id:uuid}/change": LEADS,
    "/governance/incidents/add": LEADS,
    "/governance/incidents/needs/{need_id:uuid}/decide": LEADS,
    "/governance/incidents/categories/add": LEADS,
    "/governance/incidents/categories/{category_id:uuid}": LEADS,
    "/campaigns": SEE_MESSAGES,
    "/campaigns/write": WRITE_MESSAGES,
    **{
        f"/campaigns/{{campaign_id:uuid}}/{step}": WRITE_MESSAGES
        for step in ("change", "recipients", "try", "submit", "take-back", "approve", "withdraw")
    },
    "/contacts": SEE_MESSAGES,
    "/contacts/add": WRITE_MESSAGES,
    "/contacts/file": WRITE_MESSAGES,
    "/contacts/{contact_id:uuid}/end": WRITE_MESSAGES,
    "/costs": LEADS | {Role.ANALYST},
    "/costs/time": LEADS,
    "/costs/streams/add": LEADS,
    "/costs/streams/{stream_id:uuid}/change": LEADS,
    "/costs/rates/set": LEADS,
    "/costs/pools/add": LEADS,
    "/costs/pools/{pool_id:uuid}/change": LEADS,
    "/costs/pools/{pool_id:uuid}/enrol": LEADS,
    "/costs/pools/{pool_id:uuid}/seats/{enrolment_id:uuid}/release": LEADS,
    "/equity": SEE_FIGURES,
    "/my-locations": {Role.PROVIDER_MANAGER},
    "/our-area": {Role.COUNCIL_PARTNER},
    "/messages": SEE_MESSAGES,
    "/messages/pause": WRITE_MESSAGES,
    "/messages/sender": SEE_MESSAGES,
    "/messages/sender/save": LEADS,
    "/messages/sender/notify": LEADS,
    "/messages/sender/clock": LEADS,
    "/messages/templates/add": WRITE_MESSAGES,
    "/messages/templates/{template_id:uuid}/save": WRITE_MESSAGES,
    "/messages/templates/{template_id:uuid}/retire": WRITE_MESSAGES,
    "/messages/reminders/add": WRITE_MESSAGES,
    "/messages/reminders/{rule_id:uuid}/switch": WRITE_MESSAGES,
    "/messages/reminders/{reminder_id:uuid}": LEADS | {Role.INFORMATION_GOVERNANCE},
    "/messages/nudges/{kind}/set": WRITE_MESSAGES,
    "/messages/{message_id:uuid}/retry": WRITE_MESSAGES,
    "/messages/{message_id:uuid}/withdraw": WRITE_MESSAGES,
    "/messages/learners/{learner_id:uuid}/object": WRITE_MESSAGES,
    "/messages/learners/{learner_id:uuid}/objections/{objection_id:uuid}/end": WRITE_MESSAGES,
    "/outside": LEADS,
    "/background-work": LEADS,
    "/background-work/pause": LEADS,
    "/background-work/resume": LEADS,
    "/directory": SEE_FIGURES | {Role.FACILITATOR, Role.REVIEWER},
    "/directory/imports": SEE_IMPORTS,
    "/reports": SEE_FIGURES,
    "/reports/schedules": SEE_IMPORTS,
    "/reports/schedules/add": LEADS,
    "/reports/schedules/{schedule_id:uuid}": LEADS,
    "/stories": SEE_TRAINING,
    "/stories/add": LEADS,
    "/stories/{story_id:uuid}/{what}": LEADS,
    "/provider-groups": SEE_FIGURES | {Role.FACILITATOR, Role.REVIEWER},
    "/provider-groups/add": LEADS,
    "/provider-groups/{group_id:uuid}/locations": LEADS,
    "/provider-groups/{group_id:uuid}/{location_id:uuid}/remove": LEADS,
    "/learning-systems": LEADS,
    "/asc-wds": LEADS,
    "/ldss": SEE_TRAINING,
    "/ldss/courses": LEADS,
    "/ldss/courses.csv": LEADS,
    "/ldss/{claim_id:uuid}/change": LEADS,
    "/registry": {Role.PLATFORM_OPERATOR},
    "/reference-data": {Role.PLATFORM_OPERATOR},
    "/reference-data/ask": {Role.PLATFORM_OPERATOR},
    "/reference-data/{refresh_id:uuid}/approve": {Role.PLATFORM_OPERATOR},
    "/reference-data/{refresh_id:uuid}/reject": {Role.PLATFORM_OPERATOR},
    "/settings": LEADS,
    "/staff": {Role.TENANT_ADMINISTRATOR},
    "/api-clients": {Role.TENANT_ADMINISTRATOR},
    "/webhooks": {Role.TENANT_ADMINISTRATOR},
    "/audit": {Role.INFORMATION_GOVERNANCE},
}
"""Who opens the pages below each path, of which the longest counts; said here once more, so that a wider table does
not pass unseen."""

AROUND_SIGNING_IN = {
    "/",
    "/sign-in",
    "/second-factor",
    "/second-factor/enrol",
    "/organisation",
    "/organisation/{provider_id:uuid}",
    "/sign-in/return",
    "/invitation",
    "/tenant",
    "/sign-out",
}

OPEN_TO_ALL = {"/health/live", "/health/ready", "/health/workers", "/oauth/token", "/.well-known/jwks.json"}
FOR_TOKENS: dict[str, set[Permission]] = {
    "/uploads": {Permission.IMPORTS_WRITE},
    "/uploads/{import_id:uuid}/rejected.csv": {Permission.IMPORTS_READ, Permission.PEOPLE_READ},
    "/graphql": set(),
}
"""Scopes that each route for partner applications needs; GraphQL asks for each field's own."""


def console_routes() -> list[ConsoleRoute]:
    """All pages."""
    return [route for route in ROUTES if isinstance(route, ConsoleRoute)]


def allowed(route: ConsoleRoute) -> set[Role] | None:
    """Roles that open a page, by PAGES; None for the pages around signing in."""
    if route.path in AROUND_SIGNING_IN:
        return None
    return PAGES[max((p for p in PAGES if route.path == p or route.path.startswith(f"{p}/")), key=len)]


def test_every_route_is_known_here() -> None:
    for route in console_routes():
        roles = allowed(route)
        if roles is None:
            assert isinstance(route.needs, Door), route.path
        else:
            assert isinstance(route.needs, Permission), route.path
            needs = {route.needs} | ({route.also} if route.also else set())
            assert roles == {role for role in Role if needs <= ROLE_PERMISSIONS[role]}, route.path


async def test_the_applications_own_routes_are_known_here(installation: Installation) -> None:
    paths = {route.path for route in installation.app.routes if isinstance(route, Route)}
    assert paths == OPEN_TO_ALL | set(FOR_TOKENS)
    mounts = {route.path for route in installation.app.routes if isinstance(route, Mount)}
    assert mounts == {
        "/graphql",
        "/console/static",
        "/console",
        "/verify",
        "/issuers",
        "/check-in",
        "/receipts",
        "/go",
        "/stop",
        "/xapi",
    }


def requests_of(route: ConsoleRoute, identifier: UUID) -> list[tuple[str, str]]:
    """Method and address of every way to ask for a page."""
    path = "/console" + re.sub(r"\{\w+:uuid\}", str(identifier), route.path)
    return [(method, path) for method in sorted((route.methods or set()) - {"HEAD"})]


FORM = {
    "display_name": "New Person",
    "email": "new@example.org",
    "role": "analyst",
    "name": "New application",
    "scopes": "tenant:read",
}
"""Fields with which every form would do something if it were let through."""


async def send(visitor: Visitor, method: str, path: str) -> int:
    """Status of the answer to a page asked for, with a form if the method takes one."""
    if method == "POST":
        return (await visitor.post(path, FORM)).status_code
    return (await visitor.get(path)).status_code


@pytest.mark.one_login
@pytest.mark.row("C1")
@pytest.mark.parametrize("role", list(Role))
async def test_a_role_opens_its_own_pages_and_no_others(installation: Installation, role: Role) -> None:
    _, colleague = await make_staff(installation, installation.north, "colleague@example.org", Role.ANALYST)
    await make_staff(installation, installation.north, "second@example.org", Role.TENANT_ADMINISTRATOR)
    visitor = await visitor_as(installation, role)
    token = visitor.token
    before = await everything(installation)
    refused = 0
    for route in console_routes():
        roles = allowed(route)
        if roles is not None and role not in roles:
            for method, path in requests_of(route, colleague):
                visitor.token = token
                assert await send(visitor, method, path) == 403, f"{method} {path}"
                refused += 1
    assert await everything(installation) == before
    assert refused > 0
    for route in console_routes():
        roles = allowed(route)
        if roles is not None and role in roles:
            for method, path in requests_of(route, colleague):
                visitor.token = token
                status = await send(visitor, method, path)
                assert status in {200, 303, 404, 422}, f"{method} {path}: {status}"
    changed = await everything(installation) != before
    # Whoever sees figures may have the months counted again, by a form without fields.
    assert changed == (role in SEE_FIGURES), "the same forms do something for whom they are meant"


@pytest.mark.one_login
@pytest.mark.row("C1")
async def test_nobody_without_a_session_comes_past_the_pages_around_signing_in(installation: Installation) -> None:
    _, colleague = await make_staff(installation, installation.north, "colleague@example.org", Role.ANALYST)
    before = await everything(installation)
    stranger = Visitor(installation)
    for route in console_routes():
        if route.needs is not Door.ANYBODY:
            for method, path in requests_of(route, colleague):
                answer = await (stranger.post(path, FORM) if method == "POST" else stranger.get(path))
                assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in"), path
    assert await everything(installation) == before


@pytest.mark.row("C1")
async def test_an_administrator_reaches_nobody_in_another_tenant(installation: Installation) -> None:
    _, theirs = await make_staff(installation, installation.south, "colleague@example.org", Role.ANALYST)
    await installation.token(installation.south)
    client = installation.clients[installation.south, SCOPES].id
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    before = await everything(installation)
    token = visitor.token
    for route in console_routes():
        if "{" in route.path and Role.TENANT_ADMINISTRATOR in (allowed(route) or ()):
            for method, path in requests_of(route, client if "api_client" in route.path else theirs):
                visitor.token = token
                assert await send(visitor, method, path) == 404, f"{method} {path}"
    assert await everything(installation) == before


async def ask(installation: Installation, question: Question, scopes: Iterable[Permission]) -> list[dict[str, Any]]:
    """Errors of a document sent with these scopes."""
    answer = await installation.graphql(installation.north, question.document, scopes=scopes)
    errors: list[dict[str, Any]] = answer.get("errors", [])
    assert not any(error["extensions"]["code"] == "INVALID_DOCUMENT" for error in errors), (question.document, errors)
    return errors


def forbids(errors: list[dict[str, Any]], path: tuple[str, ...]) -> bool:
    """Whether a field was refused for want of a scope, and told by its path."""
    return any(e["extensions"]["code"] == "FORBIDDEN" and tuple(e["path"]) == path for e in errors)


@pytest.mark.one_login
@pytest.mark.row("C4")
@pytest.mark.long
async def test_every_root_field_needs_its_own_scope_and_all_others_do_not_help(installation: Installation) -> None:
    questions = [*root_questions(), *commands()]
    assert len(questions) > 30
    await tokens_for_each_scope(installation)
    before = await everything(installation)
    for question in questions:
        if question.scope is not None:
            errors = await ask(installation, question, SCOPES - {Permission(question.scope)})
            assert forbids(errors, question.path), question.name
    assert await everything(installation) == before
    for question in questions:
        assert not forbids(await ask(installation, question, SCOPES), question.path), question.name
        if question.scope is not None:
            errors = await ask(installation, question, {Permission(question.scope)})
            assert not forbids(errors, question.path), question.name


@pytest.mark.one_login
@pytest.mark.row("C4")
async def test_every_field_with_a_scope_is_refused_without_it_and_answered_with_it(
    installation: Installation,
) -> None:
    questions = list(field_questions())
    assert {question.name for question in questions} >= {"Learner.displayName"}
    for question in questions:
        assert question.scope is not None
        without = SCOPES - {Permission(question.scope)}
        errors = await ask(installation, question, without)
        on_the_way = [e for e in errors if e["extensions"]["code"] == "FORBIDDEN"]
        assert on_the_way, question.name
        if question.scope not in question.way:
            assert forbids(errors, question.path), (question.name, errors)
        assert not any(e["extensions"]["code"] == "FORBIDDEN" for e in await ask(installation, question, SCOPES))


async def tokens_for_each_scope(installation: Installation) -> None:
    """Make the clients beforehand, so that making them is not taken for a change."""
    for scope in SCOPES:
        await installation.token(installation.north, {scope})
        await installation.token(installation.north, SCOPES - {scope})
    await installation.token(installation.north)


@pytest.mark.parametrize("path", [path for path in FOR_TOKENS if path != "/graphql"])
async def test_a_route_for_partners_needs_a_token_with_its_scopes(installation: Installation, path: str) -> None:
    address = re.sub(r"\{\w+:uuid\}", str(installation.north), path)
    needed = FOR_TOKENS[path]
    await tokens_for_each_scope(installation)
    few = [await installation.token(installation.north, SCOPES - {scope}) for scope in needed]
    enough = await installation.token(installation.north, needed)
    before = await everything(installation)
    assert (await installation.http.post(address)).status_code == 401
    for token in few:
        answer = await installation.http.post(address, headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["error"]) == (403, "FORBIDDEN")
    assert await everything(installation) == before
    answer = await installation.http.post(address, headers={"authorization": f"Bearer {enough}"})
    assert answer.status_code not in {401, 403}


async def test_methods_that_a_route_does_not_offer_are_refused(installation: Installation) -> None:
    before = await everything(installation)
    for path in sorted(OPEN_TO_ALL | set(FOR_TOKENS)):
        address = re.sub(r"\{\w+:uuid\}", str(installation.north), path)
        for method in ("PUT", "PATCH", "DELETE"):
            assert (await installation.http.request(method, address)).status_code == 405, f"{method} {path}"
    assert await everything(installation) == before


def test_the_table_gives_no_scope_to_a_partner_that_is_for_people_alone() -> None:
    assert SCOPES.isdisjoint(
        {
            Permission.STAFF_WRITE,
            Permission.API_CLIENTS_WRITE,
            Permission.AUDIT_READ,
            Permission.TENANTS_READ,
            Permission.BENCHMARK_READ,
        }
    )
    for role in (Role.NATIONAL_LEAD, Role.PLATFORM_OPERATOR):
        assert ROLE_PERMISSIONS[role].isdisjoint(SCOPES), "platform roles read nothing of a tenant"
