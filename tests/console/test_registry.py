"""What is looked at through sqladmin: bound to the reader's tenant, read-only, by allow-listed columns."""

from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from sqladmin.authorization import ACTIONS, Action
from sqlalchemy import text
from starlette.requests import Request

from app.console import registry_pages
from app.console.registry import MORE, NEEDS, PAGE, ConsolePermissions, ReaderSessions, RegistryView, _Reading, _reading
from app.identity.permissions import Permission, Role, permissions_of
from app.identity.principal import Principal
from tenants.context import ActorKind
from tests.console.visitor import main_text, visitor_as
from tests.imports.support import completion, completions, take
from tests.support import Installation

VIEWS: list[type[RegistryView]] = [*registry_pages.DIRECTORY, *registry_pages.PLATFORM]


def request_of(principal: Principal | None) -> Request:
    """A request by somebody."""
    return cast(Request, SimpleNamespace(state=SimpleNamespace(principal=principal)))


@pytest.mark.parametrize("role", [None, *Role])
def test_the_backend_grants_what_the_table_grants_and_only_looking(role: Role | None) -> None:
    permissions = frozenset[Permission]() if role is None else permissions_of(role)
    principal = None if role is None else Principal(ActorKind.STAFF, uuid4(), "x", uuid4(), permissions, role)
    backend, request = ConsolePermissions(), request_of(principal)
    for view in VIEWS:
        for action in (*ACTIONS, "action:anything"):
            expected = action in (Action.LIST, Action.DETAILS) and view.needs in permissions
            assert backend.has_permission(request, view.identity, action) is expected
    assert not backend.has_permission(request, "login", Action.LIST)


def test_every_view_only_reads_and_lists_its_columns() -> None:
    assert {view.identity for view in VIEWS} == NEEDS.keys()
    for view in VIEWS:
        assert not any((view.can_create, view.can_edit, view.can_delete, view.can_export, view.can_import))
        assert view.column_list
        assert view.column_details_list
        assert max(view.page_size_options) == view.page_size == PAGE == 50
        assert not view.column_searchable_list
        assert not view.column_sortable_list
        assert not view.column_filters
    (with_names,) = [view for view in VIEWS if view.people]
    assert set(with_names.people) == {"display_name", "given_name", "family_name"}
    assert MORE is Permission.PEOPLE_READ


def test_there_is_no_session_outside_a_request() -> None:
    with pytest.raises(LookupError):
        ReaderSessions()()


async def test_its_sessions_write_nothing(installation: Installation) -> None:
    context = installation.context(installation.north)
    bound = _reading.set(
        _Reading(installation.database, context.__class__(context.tenant_id, context.actor_kind, read_only=True))
    )
    try:
        async with ReaderSessions()(expire_on_commit=False) as session:
            with pytest.raises(Exception, match="read-only transaction"):
                await session.execute(
                    text("UPDATE medstead.tenant_settings SET version = 9 WHERE tenant_id = tenant_id")
                )
    finally:
        _reading.reset(bound)


async def test_lists_are_counted_and_reached_to_a_limit(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.registry.MOST", 60)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    await take(installation, installation.north, completions([completion(number) for number in range(130)]))
    first = main_text(await lead.get("/console/directory/learners"))
    assert "Learners 1 to 50 of 60 or more" in first
    last = await lead.get("/console/directory/learners?page=2")
    assert 'rel="next"' not in last.text
    beyond: Any = await lead.get("/console/directory/learners?page=999")
    assert beyond.headers["location"].endswith("page=2")
    assert (await lead.get("/console/directory/learners?page=x")).status_code == 400
    assert (await lead.get("/console/directory/learners?search=Given")).status_code == 404
    assert (await lead.get("/console/directory/learners?sortBy=name_key")).status_code == 400
