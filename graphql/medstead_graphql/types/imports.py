"""Types of imports: the run and the rows that a person should look at."""

from datetime import datetime

from app.imports import models
from medstead_graphql.compiler.declare import Connection, Node, column, many, node, one
from medstead_graphql.types import listings
from medstead_graphql.types.common import JSON, PEOPLE, ImportRowKind, ImportRowState, ImportState
from medstead_graphql.types.directory import Learner


@node(models.ImportRun, scope="imports:read", description="One file on its way in.")
class Import(Node):
    """An import."""

    format_code: str = column()
    filename: str = column()
    byte_size: int = column()
    state: ImportState = column()
    options: JSON = column()
    rows_total: int | None = column(description="Known once the whole file is staged.")
    rows_staged: int = column()
    rows_done: int = column()
    counts: JSON = column(description="What became of the rows, by outcome.")
    error_code: str | None = column()
    error_message: str | None = column()
    created_at: datetime = column()
    finished_at: datetime | None = column()
    rows: Connection["ImportRow"] = many(
        listings.IMPORT_ROW, on="import_id", description="Rows that were rejected, wait for a person or carry a remark."
    )


@node(models.ImportRow, scope="imports:read", description="A row of a file that needs, or needed, attention.")
class ImportRow(Node):
    """A kept row."""

    row_number: int = column(description="As a person sees it in the file.")
    section: str = column()
    cells: JSON | None = column(scope=PEOPLE, description="The row as it came.")
    kind: ImportRowKind = column()
    state: ImportRowState = column()
    reason_code: str = column()
    field: str | None = column()
    reason: str = column()
    learner: Learner | None = one(listings.LEARNER.table, key="learner_id")
    resolved_at: datetime | None = column()
    in_import: Import = one(models.ImportRun, key="import_id")
