"""Indexes that give every order which a long list offers, so that a page costs the same wherever it begins."""

from alembic import op

from migrations.guards import beside_the_service

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Columns = tuple[str, ...]

NEW: tuple[tuple[str, Columns], ...] = (
    ("employer", ("name", "id")),
    ("learner", ("created_at", "id")),
    ("employment", ("employer_id", "started_on", "id")),
    ("completion", ("course_id", "completed_at", "id")),
    ("completion", ("created_at", "id")),
    ("attendance", ("updated_at", "id")),
    ("import_row", ("row_number", "id")),
    ("import_row", ("created_at", "id")),
)
OLD: tuple[tuple[str, Columns], ...] = (("employment", ("employer_id",)), ("completion", ("course_id", "completed_at")))
"""Indexes that a new one begins with."""


def _name(table: str, columns: Columns) -> str:
    return op.f(f"{table}_{'_'.join(('tenant_id', *columns))}_index")


def _create(table: str, columns: Columns) -> None:
    name, all_columns = _name(table, columns), ["tenant_id", *columns]
    op.create_index(name, table, all_columns, schema="medstead", postgresql_concurrently=True, if_not_exists=True)


def _drop(table: str, columns: Columns) -> None:
    name = _name(table, columns)
    op.drop_index(name, table, schema="medstead", postgresql_concurrently=True, if_exists=True)


def upgrade() -> None:
    """Create the new indexes while the service runs, then drop the ones that they take the place of."""
    with beside_the_service():
        for table, columns in NEW:
            _create(table, columns)
        for table, columns in OLD:
            _drop(table, columns)


def downgrade() -> None:
    """Put the old indexes back, likewise."""
    with beside_the_service():
        for table, columns in OLD:
            _create(table, columns)
        for table, columns in NEW:
            _drop(table, columns)
