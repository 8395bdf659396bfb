"""Tables of refreshes: what was asked for and how far it is, and the changes that it would make."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import SCHEMA, Base, local_table

SOURCES = ("cqc", "ods")
OPEN = ("asked", "fetching", "ready", "approved", "applying")
STATES = (*OPEN, "applied", "rejected", "failed")
KINDS = ("new", "changed", "closed")


class ReferenceRefresh(Base):
    """One look at a source: what it changed between `since` and `until`, and what a person decided about that.

    `lease_until` belongs to a worker that fetches or applies. `counts` are of changes by kind and of what was left out.
    `error`: a class or a code. `decided_by` and `asked_by` are logins; null: the calendar asked.
    """

    __tablename__ = "reference_refresh"
    __table_args__ = local_table(
        CheckConstraint(f"source in {SOURCES}", name="source"),
        CheckConstraint(f"state in {STATES}", name="state"),
        Index("reference_refresh_open_index", "source", unique=True, postgresql_where=f"state in {OPEN}"),
        Index(None, "asked_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    state: Mapped[str]
    since: Mapped[datetime | None]
    until: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    failures: Mapped[int]
    steps_done: Mapped[int]
    steps_total: Mapped[int | None]
    counts: Mapped[dict[str, Any]]
    large: Mapped[bool]
    error: Mapped[str | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ReferenceChange(Base):
    """What a refresh would change about one location or organisation: `before` and `after` by field, and all values."""

    __tablename__ = "reference_change"
    __table_args__ = local_table(
        CheckConstraint(f"kind in {KINDS}", name="kind"),
        Index(None, "refresh_id", "kind", "key"),
    )

    refresh_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.reference_refresh.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    values: Mapped[dict[str, Any]]
    applied_at: Mapped[datetime | None]
