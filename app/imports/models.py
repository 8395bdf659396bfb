"""Tables of imports: the run, its uploaded parts, its staged chunks, and the rows that need a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

STATES = ("staging", "ready", "applying", "finished", "failed", "cancelled")


class ImportRun(TenantOwned, Base):
    """One file on its way in. `content_key` is the SHA-256 of format, options and content: the same file comes once."""

    __tablename__ = "import_run"
    __table_args__ = tenant_table(
        CheckConstraint("state in ('" + "', '".join(STATES) + "')", name="state"),
        tenant_index(
            "content_key",
            name="import_run_live_content_key",
            unique=True,
            where="state not in ('failed', 'cancelled')",
        ),
        tenant_index("created_at", "id"),
    )

    format_code: Mapped[str]
    filename: Mapped[str]
    content_key: Mapped[str]
    byte_size: Mapped[int] = mapped_column(BigInteger)
    options: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]
    auto_apply: Mapped[bool]
    state: Mapped[str]
    rows_total: Mapped[int | None]
    rows_staged: Mapped[int]
    rows_done: Mapped[int]
    counts: Mapped[dict[str, Any]]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ImportPart(TenantOwned, Base):
    """A piece of the uploaded file as it came; removed once the rows are staged."""

    __tablename__ = "import_part"
    __table_args__ = tenant_table(to_tenant("import_id", "import_run"), tenant_unique("import_id", "part_number"))

    import_id: Mapped[UUID]
    part_number: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportChunk(TenantOwned, Base):
    """Up to 1,000 staged rows as they came, as a JSON array; applied in one transaction, once."""

    __tablename__ = "import_chunk"
    __table_args__ = tenant_table(
        to_tenant("import_id", "import_run"),
        tenant_unique("import_id", "chunk_number"),
    )

    import_id: Mapped[UUID]
    chunk_number: Mapped[int]
    row_count: Mapped[int]
    rows: Mapped[bytes] = mapped_column(LargeBinary)
    applied_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]]


class ImportRow(TenantOwned, Base):
    """A row that was rejected, that waits for a person, or that was accepted with a remark.

    Rows of one `person_key` in an import are about the same person and are settled together.
    """

    __tablename__ = "import_row"
    __table_args__ = tenant_table(
        to_tenant("import_id", "import_run"),
        to_tenant("learner_id", "learner"),
        CheckConstraint("kind in ('rejected', 'review', 'remark')", name="kind"),
        CheckConstraint("state in ('open', 'resolved', 'dismissed')", name="state"),
        tenant_unique("import_id", "row_number", "kind", "reason_code"),
        tenant_index("kind", "state", "id"),
        tenant_index("row_number", "id"),
        tenant_index("created_at", "id"),
        tenant_index("learner_id"),
        tenant_index("import_id", "person_key"),
    )

    import_id: Mapped[UUID]
    row_number: Mapped[int]
    section: Mapped[str]
    cells: Mapped[dict[str, Any]]
    kind: Mapped[str]
    state: Mapped[str]
    reason_code: Mapped[str]
    field: Mapped[str | None]
    reason: Mapped[str]
    person_key: Mapped[str | None]
    candidates: Mapped[list[Any]]
    learner_id: Mapped[UUID | None]
    resolved_by: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
