"""The transactional outbox: what must happen after a change, recorded in the same transaction as the change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import SCHEMA, Base, TenantOwned, driver_of, local_table, tenant_index, tenant_table, tenant_unique
from tenants.identifiers import new_id


class Topic(StrEnum):
    """What a handler in `workers/` can be asked to do."""

    IMPORT_STAGE = "imports.stage"
    IMPORT_APPLY = "imports.apply"
    FIGURES_REFRESH = "evidence.refresh"
    PLACE_OFFER_EXPIRE = "booking.expire_offer"
    PLACES_RELEASE = "booking.release"
    CERTIFICATES_ISSUE = "training.certificates"
    CHAMPIONS_END = "training.champions"
    STATEMENTS_DERIVE = "training.statements"
    LDSS_CLAIMS = "training.ldss"
    STANDING_COMPUTE = "training.standing"
    MESSAGES_SEND = "messages.send"
    REMINDERS_PLAN = "messages.plan_reminders"
    REMINDER_RUN = "messages.run_reminder"
    NUDGES_RUN = "messages.run_nudges"
    RECEIPTS_ASK = "messages.ask_receipts"
    CAMPAIGN_QUEUE = "messages.queue_campaign"
    REPORT_BUILD = "reports.build"
    REPORTS_DUE = "reports.due"
    LOCATIONS_LINK = "directory.link_locations"
    OUTSIDE_LOOK_ALL = "outside.look_all"
    OUTSIDE_LOOK = "outside.look"
    OUTSIDE_SETTLE = "outside.settle"
    OUTSIDE_NOTICE = "outside.notice"
    OUTSIDE_ATTENDANCE_ALL = "outside.attendance_all"
    OUTSIDE_ATTENDANCE = "outside.attendance"
    WEBHOOK_FAN_OUT = "webhooks.fan_out"
    WEBHOOK_DELIVER = "webhooks.deliver"


class Pool(StrEnum):
    """Places of workers that wait for nobody of another pool: short effects, talking to others, and long effects."""

    QUICK = "quick"
    SENDING = "sending"
    LONG = "long"


IN_POOL: Mapping[Pool, frozenset[Topic]] = {
    Pool.SENDING: frozenset({Topic.MESSAGES_SEND, Topic.RECEIPTS_ASK, Topic.WEBHOOK_DELIVER, Topic.OUTSIDE_NOTICE}),
    Pool.LONG: frozenset(
        {
            Topic.IMPORT_STAGE,
            Topic.IMPORT_APPLY,
            Topic.FIGURES_REFRESH,
            Topic.STANDING_COMPUTE,
            Topic.CERTIFICATES_ISSUE,
            Topic.REMINDERS_PLAN,
            Topic.NUDGES_RUN,
            Topic.CAMPAIGN_QUEUE,
            Topic.REPORT_BUILD,
            Topic.LDSS_CLAIMS,
            Topic.OUTSIDE_LOOK,
            Topic.OUTSIDE_ATTENDANCE,
        }
    ),
}
"""What is not named here is quick."""


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


_WRITE = f"""
    INSERT INTO {SCHEMA}.outbox (tenant_id, id, topic, dedupe_key, refs, request_id, created_at, available_at, attempts,
                                 failures)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0) ON CONFLICT DO NOTHING
"""
_MARK = f"""
    INSERT INTO {SCHEMA}.tenant_work (tenant_id, due_at) VALUES ($1, $2)
    ON CONFLICT (tenant_id) DO UPDATE SET due_at = least(tenant_work.due_at, excluded.due_at)
"""
"""Sent with every change, so they are not built anew each time."""


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
    rows = [
        (
            tenant_id,
            emission.id,
            emission.topic.value,
            f"{emission.topic}:{emission.key}",
            orjson.dumps({name: str(value) for name, value in emission.refs.items()}).decode(),
            request_id,
            at,
            emission.available_at or at,
        )
        for emission in emissions
    ]
    await (await driver_of(session)).executemany(_WRITE, rows)
    await mark_due(session, tenant_id, min(row[-1] for row in rows))


async def mark_due(session: AsyncSession, tenant_id: UUID, due_at: datetime) -> None:
    """Make the relay look at this tenant at `due_at` or sooner."""
    await (await driver_of(session)).execute(_MARK, tenant_id, due_at)
