"""Local tables of the workers themselves: which schedule slots have been emitted, and which workers live."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, local_table


class ScheduleRun(Base):
    """One slot of a schedule. Who inserts the row emits its messages; `emitted_at` says that all of them are written.

    A row without it whose `claimed_at` is older than a lease was left by a worker that died, and may be taken over.
    """

    __tablename__ = "schedule_run"
    __table_args__ = local_table()

    name: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)
    claimed_at: Mapped[datetime]
    emitted_at: Mapped[datetime | None]


class WorkerHeartbeat(Base):
    """A running worker process, the pools that it works for, and when it last said so."""

    __tablename__ = "worker_heartbeat"
    __table_args__ = local_table()

    id: Mapped[UUID] = mapped_column(primary_key=True)
    pools: Mapped[list[Any]] = mapped_column(server_default=text("""'["quick", "sending", "long"]'::jsonb"""))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
