"""Tables of outside systems: connections, linked events, registrations, notices that came, reports that were taken."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

REGISTRATION_STATES = ("registered", "waiting", "cancelled")


class OutsideConnection(TenantOwned, Base):
    """A tenant's account at an outside system, one of each. `secrets` is a JSON object, encrypted as a whole.

    `failing_since` and `error_code` are of the tries since the last that went well; `wait_until`: the system asked to
    be left alone until then.
    """

    __tablename__ = "outside_connection"
    __table_args__ = tenant_table(CheckConstraint("state in ('on', 'off')", name="state"), tenant_unique("system"))

    system: Mapped[str]
    settings: Mapped[dict[str, Any]]
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str]
    tried_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    wait_until: Mapped[datetime | None]
    error_code: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class OutsideEvent(TenantOwned, Base):
    """An event or webinar of an outside system that is linked to a session of ours.

    The questions are the ids of those that ask for workplace and job role. `changed_since`: the latest change that was
    read; `whole_at`: when all of it was last read. `note` and `report_note` are codes of what people should know about
    the event and about its attendance reports.
    """

    __tablename__ = "outside_event"
    __table_args__ = tenant_table(
        to_tenant("connection_id", "outside_connection"),
        to_tenant("session_id", "training_session"),
        CheckConstraint("state in ('linked', 'unlinked')", name="state"),
        tenant_unique("connection_id", "outside_id"),
        tenant_index("session_id"),
    )

    connection_id: Mapped[UUID]
    session_id: Mapped[UUID]
    outside_id: Mapped[str]
    title: Mapped[str]
    starts_at: Mapped[datetime | None]
    workplace_question: Mapped[str | None]
    role_question: Mapped[str | None]
    state: Mapped[str]
    changed_since: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    whole_at: Mapped[datetime | None]
    note: Mapped[str | None]
    report_note: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class OutsideRegistration(TenantOwned, Base):
    """Somebody who registered in an outside system. `changed_at`, `state`, `checked_in_at` and `who` are as it tells.

    `revision` counts what came. `pending`: it is not settled yet, as when the session is full; `problem` says why.
    `placed_name` is the key of the name under which the learner was found. `booked_here`: the booking was made for this
    registration and ends with it. `marked_part`: the half whose attendance
    was marked by the check-in, null if none was. `left_out`: somebody chose so.
    """

    __tablename__ = "outside_registration"
    __table_args__ = tenant_table(
        to_tenant("event_id", "outside_event"),
        to_tenant("learner_id", "learner"),
        to_tenant("employer_id", "employer"),
        to_tenant("booking_id", "booking"),
        CheckConstraint(f"state in {REGISTRATION_STATES}", name="state"),
        tenant_unique("event_id", "outside_id"),
        tenant_index("event_id", "pending", "id"),
        tenant_index("learner_id"),
        tenant_index("employer_id"),
        tenant_index("booking_id"),
    )

    event_id: Mapped[UUID]
    outside_id: Mapped[str]
    changed_at: Mapped[datetime]
    state: Mapped[str]
    checked_in_at: Mapped[datetime | None]
    who: Mapped[dict[str, Any]]
    gone_at: Mapped[datetime | None]
    revision: Mapped[int]
    pending: Mapped[bool]
    problem: Mapped[str | None]
    problem_text: Mapped[str | None]
    candidates: Mapped[list[Any]]
    learner_id: Mapped[UUID | None]
    placed_name: Mapped[str | None]
    employer_id: Mapped[UUID | None]
    booking_id: Mapped[UUID | None]
    booked_here: Mapped[bool]
    marked_part: Mapped[int | None] = mapped_column(SmallInteger)
    left_out: Mapped[bool]
    created_at: Mapped[datetime]


class OutsideNotice(TenantOwned, Base):
    """An outside system has told that something changed: ids and the action's word, nothing else. One waits at most."""

    __tablename__ = "outside_notice"
    __table_args__ = tenant_table(
        to_tenant("connection_id", "outside_connection"),
        CheckConstraint("kind in ('order', 'attendee', 'event')", name="kind"),
        CheckConstraint("state in ('waiting', 'taken', 'done', 'left_to_poll')", name="state"),
        tenant_index(
            "connection_id",
            "kind",
            "object_id",
            name="outside_notice_waiting_index",
            unique=True,
            where="state = 'waiting'",
        ),
        tenant_index("received_at", "id"),
    )

    connection_id: Mapped[UUID]
    kind: Mapped[str]
    object_id: Mapped[str]
    action: Mapped[str]
    state: Mapped[str]
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class OutsideReport(TenantOwned, Base):
    """An attendance report of a linked webinar. `taken` are SHA-256 hashes of the lines that went into imports."""

    __tablename__ = "outside_report"
    __table_args__ = tenant_table(
        to_tenant("event_id", "outside_event"),
        to_tenant("import_id", "import_run"),
        tenant_unique("event_id", "outside_id"),
        tenant_index("import_id"),
    )

    event_id: Mapped[UUID]
    outside_id: Mapped[str]
    participants: Mapped[int | None]
    taken: Mapped[list[Any]]
    import_id: Mapped[UUID | None]
    seen_at: Mapped[datetime]
    created_at: Mapped[datetime]
