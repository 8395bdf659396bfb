"""sqladmin, hardened: its views read one page of a table or one row, in the reader's tenant, and nothing else.

Of sqladmin's routes none is served. `registry_pages.py` declares console pages that call its list and its details, so
that need, access log, headers and refusal of every method but GET are those of all pages. Why: docs/adr/0008.
"""

import builtins
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqladmin import Admin, ModelView
from sqladmin.authorization import Action, AuthorizationBackend
from sqladmin.helpers import object_identifier_values
from sqladmin.pagination import Pagination
from sqladmin.templating import Jinja2Templates
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import InstrumentedAttribute
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import principal_here, principal_or_none, render, services_of
from app.identity.permissions import Permission
from tenants.context import PlatformContext, TenantContext
from tenants.session import Database

PAGE = 50
MOST = 10_000
"""Rows that a list counts and reaches at most; whoever needs more filters or asks the API."""

MORE = Permission.PEOPLE_READ
"""What columns with names need beside the view's own permission."""


Labels = dict[str | InstrumentedAttribute[Any], str]
"""Columns in words, as sqladmin types them."""


@dataclass(frozen=True, slots=True)
class _Reading:
    database: Database
    context: TenantContext | PlatformContext


_reading: ContextVar[_Reading] = ContextVar("_reading")


class ReaderSessions(async_sessionmaker[AsyncSession]):
    """Makes the sessions of sqladmin: each is read-only and bound to the context of the request that is served."""

    def __call__(self, **_: Any) -> AsyncSession:
        """A session; LookupError outside a request that `bind` was called for."""
        reading = _reading.get()
        return reading.database.session(reading.context)


def bind(request: Request) -> None:
    """Bind what sqladmin reads in this request to the tenant of whoever asks, or to none for the platform."""
    principal, request_id = principal_here(request), request.state.request_id
    context: TenantContext | PlatformContext
    if principal.tenant_id is None:
        context = PlatformContext("look at the registry", principal.kind, principal.id, request_id, read_only=True)
    else:
        context = principal.tenant_context(request_id=request_id, read_only=True)
    _reading.set(_Reading(services_of(request).database, context))


class ConsolePermissions(AuthorizationBackend):
    """Asks the console's permission table; whatever is not list or details is refused, as is an unknown view."""

    def has_permission(self, request: Request, identity: str, action: str, obj: Any | None = None) -> bool:
        """Whether the reader may."""
        principal, needs = principal_or_none(request), NEEDS.get(identity)
        if principal is None or needs is None or action not in (Action.LIST, Action.DETAILS):
            return False
        return principal.may(needs)


class ConsoleTemplates(Jinja2Templates):
    """Has sqladmin's pages drawn by the console's templates, in its frame."""

    async def TemplateResponse(  # type: ignore[override]  # noqa: N802 - the name that sqladmin calls
        self, request: Request, name: str, context: dict[str, Any] | None = None, status_code: int = 200
    ) -> Response:
        """A page of the console."""
        return render(request, name, status=status_code, **(context or {}))


class RegistryView(ModelView):
    """What every view has in common: it reads only, by allow-listed columns, at most PAGE rows at once.

    `needs` opens the view, which stands at `place` and is told by `purpose`. `people` are columns that need MORE.
    `further` are columns that `beside` fills. `words` says values of a column in words.
    """

    needs: ClassVar[Permission]
    place: ClassVar[str]
    purpose: ClassVar[str]
    people: ClassVar[Sequence[str]] = ()
    further: ClassVar[Mapping[str, str]] = {}
    words: ClassVar[Mapping[str, Mapping[Any, str]]] = {}

    can_create = can_edit = can_delete = can_export = can_import = False
    page_size = PAGE
    page_size_options: ClassVar[Sequence[int]] = [PAGE]
    column_type_formatters: ClassVar[dict[type, Any]] = {}
    list_template = "registry_list.jinja"
    details_template = "registry_details.jinja"

    async def count(self, request: Request, stmt: Any = None) -> int:
        """How many rows there are, at most MOST: counted without order, so that an index suffices."""
        rows = self.list_query(request).order_by(None).limit(MOST).subquery()
        return int((await self._run_query(select(func.count()).select_from(rows)))[0])

    def search_query(self, stmt: Select[Any], term: str) -> Select[Any]:
        """No column is searched."""
        raise HTTPException(404)

    async def beside(self, session: AsyncSession, ids: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """What to show beside the rows' own columns: id → column of `further` → value."""
        return {}

    async def list(self, request: Request) -> Pagination:
        """One page of rows, each as column → value with its `key`."""
        found = await super().list(request)
        found.rows = await self._cells(found.rows, self._list_prop_names)
        return found

    async def list_context(self, request: Request) -> dict[str, Any]:
        """The columns that the reader may see."""
        return {"columns": self._columns(request, self._list_prop_names), "path": request.url.path, "most": MOST}

    async def details_context(self, request: Request) -> dict[str, Any]:
        """The columns that the reader may see, and the row's values."""
        (row,) = await self._cells([await self.get_object_for_details(request)], self._details_prop_names)
        return {"columns": self._columns(request, self._details_prop_names), "row": row}

    def details_query(self, request: Request) -> Select[Any]:
        """The row asked for, if the list would ever show it."""
        asked = object_identifier_values(request.path_params["pk"], self.model)
        wanted = (column == value for column, value in zip(self.pk_columns, asked, strict=True))
        return self.list_query(request).where(*wanted)

    def _columns(self, request: Request, names: Sequence[str]) -> builtins.list[tuple[str, str]]:
        sees_people = principal_here(request).may(MORE)
        own = [name for name in names if sees_people or name not in self.people]
        return [(name, self._column_labels[name]) for name in own] + [*self.further.items()]

    async def _cells(self, rows: Sequence[Any], names: Sequence[str]) -> builtins.list[dict[str, Any]]:
        async with self.session_maker() as session:
            more = await self.beside(session, [row.id for row in rows])
        return [
            {"key": row.id} | {name: self._value(row, name) for name in names} | dict(more.get(row.id, {}))
            for row in rows
        ]

    def _value(self, row: Any, name: str) -> Any:
        value = getattr(row, name)
        return self.words[name][value] if name in self.words else value


NEEDS: dict[str, Permission] = {}
"""What each view needs, by its identity."""


class Registry(Admin):
    """The views. Nothing of it is mounted: see the head of this module."""

    def __init__(self, views: Sequence[type[RegistryView]]) -> None:
        super().__init__(
            Starlette(), session_maker=ReaderSessions(), authorization_backend=ConsolePermissions(), base_url="/unused"
        )
        self.templates = ConsoleTemplates("templates")
        for view in views:
            unlabelled = {*view.column_list, *view.column_details_list} - {*view.column_labels}
            assert not unlabelled, f"{view.__name__} has no words for {unlabelled}"
            NEEDS[view.identity] = view.needs
            self.add_view(view)


def primary_key(request: Request, view: type[RegistryView]) -> str:
    """The row asked for as sqladmin spells keys; a row of a tenant only in the reader's own."""
    asked = request.path_params["id"]
    if len(view.pk_columns) == 1:
        return str(asked)
    tenant_id: UUID = principal_here(request).tenant_context().tenant_id
    return f"{tenant_id};{asked}"
