"""The transactional outbox: what must happen after a change, recorded in the same transaction as the change."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import SCHEMA, Base, TenantOwned, local_table, tenant_index, tenant_table, tenant_unique
from tenants.identifiers import new_id


class Topic(StrEnum):
    """What a handler in `workers/` can be asked to do."""

    IMPORT_STAGE = "imports.stage"
    IMPORT_APPLY = "imports.apply"
    FIGURES_REFRESH = "evidence.refresh"
    STANDING_COMPUTE = "training.standing"
    WEBHOOK_FAN_OUT = "webhooks.fan_out"
    WEBHOOK_DELIVER = "webhooks.deliver"


class OutboxMessage(TenantOwned, Base):
    """One effect to bring about once. `refs` holds ids only, never a person's data.

    `attempts` counts claims and never goes back, so a claim's number tells its holder from every earlier one;
    `begun_at` is when a handler began on the latest claim. `failures` counts what went wrong since the message was
    written or replayed. `last_error` is a class and a code.
    """

    __tablename__ = "outbox"
    __table_args__ = tenant_table(
        tenant_unique("dedupe_key"),
        tenant_index("available_at", "id", name="outbox_open_index", where="done_at is null and dead_at is null"),
    )

    topic: Mapped[str]
    dedupe_key: Mapped[str]
    refs: Mapped[dict[str, Any]]
    request_id: Mapped[UUID]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    attempts: Mapped[int]
    failures: Mapped[int]
    lease_until: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class TenantWork(Base):
    """Which tenants may have open outbox rows, and from when: lets the relay look without entering every tenant."""

    __tablename__ = "tenant_work"
    __table_args__ = local_table()

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.tenant.id"), primary_key=True)
    due_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Emission:
    """An outbox row to be written: `key` makes it unique within the tenant and topic; `refs` are ids."""

    topic: Topic
    key: str
    refs: dict[str, UUID]
    available_at: datetime | None = None
    id: UUID = field(default_factory=new_id)


async def write(
    session: AsyncSession, tenant_id: UUID, request_id: UUID, emissions: list[Emission], at: datetime
) -> None:
    """Insert the rows (a repeated key does nothing) and tell the relay when to look."""
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": tenant_id,
            "id": emission.id,
            "topic": emission.topic,
            "dedupe_key": f"{emission.topic}:{emission.key}",
            "refs": {name: str(value) for name, value in emission.refs.items()},
            "request_id": request_id,
            "created_at": at,
            "available_at": emission.available_at or at,
            "attempts": 0,
            "failures": 0,
        }
        for emission in emissions
    ]
    await session.execute(insert(OutboxMessage).values(rows).on_conflict_do_nothing())
    await mark_due(session, tenant_id, min(row["available_at"] for row in rows))


async def mark_due(session: AsyncSession, tenant_id: UUID, due_at: datetime) -> None:
    """Make the relay look at this tenant at `due_at` or sooner."""
    marker = insert(TenantWork).values(tenant_id=tenant_id, due_at=due_at)
    await session.execute(
        marker.on_conflict_do_update(
            index_elements=[TenantWork.tenant_id],
            set_={"due_at": func.least(TenantWork.due_at, marker.excluded.due_at)},
        )
    )
