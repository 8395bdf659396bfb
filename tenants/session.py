"""Sessions bound to one tenant, and the unit of work: one command, one transaction, committed in one place."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Table, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from tenants import audit, outbox
from tenants.base import TenantOwned, driver_of, table_of
from tenants.clock import Clock
from tenants.context import Context, PlatformContext, TenantContext, TenantContextMissing, bind_statement

_CONTEXT = "medstead_context"

ROWS_IN_A_STATEMENT = 50
"""Rows of one INSERT: enough that its own cost hardly counts, and short enough to be kept prepared."""

Record = TypeVar("Record")


class BoundSession(Session):
    """A session that binds every transaction it begins to the context it was made with."""


@event.listens_for(BoundSession, "after_begin")
def _bind(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    context: Context | None = session.info.get(_CONTEXT)
    if context is None:
        raise TenantContextMissing("a session was begun without a tenant or platform context")
    driver = connection.connection.dbapi_connection
    # Asked of the driver: the server would only say READ COMMITTED, and cost a round trip in every transaction.
    if driver is None or connection.dialect.detect_autocommit_setting(driver):
        raise TenantContextMissing("tenant work needs a transaction: SET LOCAL has no effect under autocommit")
    if transaction.nested:
        return
    if context.read_only:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    if isinstance(context, TenantContext):
        connection.exec_driver_sql(bind_statement(context.tenant_id))


@event.listens_for(BoundSession, "do_orm_execute")
def _say_tenant(state: ORMExecuteState) -> None:
    """The second wall: every ORM statement names its tenant itself, on every table reference."""
    context: Context | None = state.session.info.get(_CONTEXT)
    if isinstance(context, TenantContext) and (state.is_select or state.is_update or state.is_delete):
        tenant_id = context.tenant_id
        state.statement = state.statement.options(
            with_loader_criteria(TenantOwned, lambda table: table.tenant_id == tenant_id, include_aliases=True)
        )


@event.listens_for(BoundSession, "before_flush")
def _stay_inside(session: Session, *_: object) -> None:
    context: Context | None = session.info.get(_CONTEXT)
    for record in (*session.new, *session.dirty, *session.deleted):
        if isinstance(record, TenantOwned) and (
            not isinstance(context, TenantContext) or record.tenant_id != context.tenant_id
        ):
            raise TenantContextMissing(f"{type(record).__name__} belongs to another tenant than this session")


@lru_cache(maxsize=500)
def insert_text(table: Table, columns: tuple[str, ...], count: int, on_conflict: str) -> str:
    """The text of an INSERT of `count` rows; made once, for it is long."""
    width = len(columns)
    places = (f"($1, {', '.join(f'${2 + row * width + column}' for column in range(width))})" for row in range(count))
    names = ", ".join(("tenant_id", *columns))
    return f"INSERT INTO {table.schema}.{table.name} ({names}) VALUES {', '.join(places)} {on_conflict}"


class UnitOfWork:
    """One command's session, with the audit and outbox rows that will be written beside the change."""

    def __init__(self, session: AsyncSession, context: Context, clock: Clock) -> None:
        self.session = session
        self.context = context
        self.now = clock()
        self._entries: list[audit.AuditEntry] = []
        self._emissions: list[outbox.Emission] = []
        self._later: dict[tuple[type[TenantOwned], tuple[str, ...]], list[tuple[Any, ...]]] = {}

    @property
    def tenant_id(self) -> UUID:
        """The bound tenant. Raises TenantContextMissing in platform work."""
        if isinstance(self.context, PlatformContext):
            raise TenantContextMissing("this work is bound to no tenant")
        return self.context.tenant_id

    def add(self, *records: Record) -> None:
        """Put new rows into the session."""
        self.session.add_all(records)

    def record(
        self,
        action: audit.Action,
        subject_type: str,
        subject_id: UUID | None,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """Have an audit row written with this change. Only allow-listed fields belong in `before` and `after`."""
        self._entries.append(audit.AuditEntry(action, subject_type, subject_id, before, after))

    def emit(self, topic: outbox.Topic, key: str, *, at: datetime | None = None, **refs: UUID) -> None:
        """Have an outbox row written with this change, due at `at`; a key that was emitted before does nothing."""
        self._emissions.append(outbox.Emission(topic, key, refs, at))

    async def insert_rows(
        self, table: type[TenantOwned], columns: Sequence[str], rows: Iterable[Sequence[Any]], *, on_conflict: str = ""
    ) -> None:
        """Insert many rows of one table in few pipelined exchanges, `columns` beside tenant_id.

        `on_conflict` is the conflict clause as SQL text of ours. Values go straight to the driver: jsonb as text.
        """
        target, names = table_of(table), tuple(columns)
        batch = list(rows)
        whole = len(batch) - len(batch) % ROWS_IN_A_STATEMENT
        groups = (batch[start : start + ROWS_IN_A_STATEMENT] for start in range(0, whole, ROWS_IN_A_STATEMENT))
        await self.run_rows(
            insert_text(target, names, ROWS_IN_A_STATEMENT, on_conflict),
            ([*chain.from_iterable(group)] for group in groups),
        )
        await self.run_rows(insert_text(target, names, 1, on_conflict), batch[whole:])

    async def run_rows(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement of ours for many rows in one pipelined exchange; the tenant is $1, the row begins at $2."""
        await self.run_shared_rows(statement, ((self.tenant_id, *row) for row in rows))

    async def run_shared_rows(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """As `run_rows`, for reference tables that no tenant owns: the row begins at $1."""
        batch = list(rows)
        if batch:
            await (await self.driver()).executemany(statement, batch)

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """Rows of one statement of ours that is sent so often that building it anew would cost most; the tenant is $1.

        Rows can be asked by name; jsonb comes as text.
        """
        rows: list[Any] = await (await self.driver()).fetch(statement, self.tenant_id, *values)
        return rows

    async def driver(self) -> Any:
        """The driver's connection of this transaction, with everything flushed that the session holds."""
        if self.session.new or self.session.dirty or self.session.deleted:
            await self.session.flush()
        return await driver_of(self.session)

    @asynccontextmanager
    async def planned_for_values(self) -> AsyncIterator[None]:
        """Have reads in this block planned for the values that they get, not once for all values.

        For look-ups by long arrays: a plan that was kept compares every row with every value. Not for writes, whose
        foreign keys would be planned anew for every row.
        """
        await self.session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
        yield
        await self.session.execute(text("SET LOCAL plan_cache_mode = auto"))

    def insert_later(self, table: type[TenantOwned], **values: Any) -> None:
        """Have a row written when the work settles, with all others of its table; jsonb as text."""
        self._later.setdefault((table, tuple(values)), []).append(tuple(values.values()))

    async def settle(self) -> None:
        """Write what was recorded and emitted; the audit chain's lock comes last and is held briefly."""
        await self.session.flush()
        later, self._later = self._later, {}
        for (table, columns), rows in later.items():
            await self.insert_rows(table, columns, rows)
        if self._emissions:
            emissions, self._emissions = self._emissions, []
            await outbox.write(self.session, self.tenant_id, self.context.request_id, emissions, self.now)
        if self._entries:
            entries, self._entries = self._entries, []
            await audit.append(self.session, self.context, entries, self.now)


class Database:
    """The engine of a runtime role with its session maker: the only maker of units of work."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self._maker = async_sessionmaker(engine, sync_session_class=BoundSession, expire_on_commit=False)

    def session(self, context: Context) -> AsyncSession:
        """A session bound to `context` for its whole life; the caller closes it."""
        return self._maker(info={_CONTEXT: context})

    @asynccontextmanager
    async def unit_of_work(self, context: Context) -> AsyncIterator[UnitOfWork]:
        """One transaction: commits when the block ends, rolls back when it raises."""
        async with self.session(context) as session:
            work = UnitOfWork(session, context, self.clock)
            yield work
            await work.settle()
            await session.commit()

    async def dispose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
