"""Every order that a list offers is one that an index gives, so that a page costs the same however long the list is."""

from collections.abc import Iterator

from sqlalchemy import Index, PrimaryKeyConstraint, Table, UniqueConstraint

from medstead_graphql.compiler.declare import Many, declared
from medstead_graphql.compiler.listing import Listing
from medstead_graphql.schema import schema
from tenants.base import TENANT, table_of

SHORT = {
    "Programme",
    "ProviderGroup",
    "PrerequisiteRule",
    "Tier",
    "TrainingProvider",
    "Course",
    "StrategicObjective",
    "IncidentCategory",
    "CourseMerge",
    "GuidanceDocument",
    "Topic",
    "ProgrammeOrigin",
    "FeedbackForm",
    "LearnerMerge",
    "FigurePoint",
    "LearningSystem",
    "LearningActivity",
    "Import",
    "Location",
    "Session",
    "SessionSeries",
    "Venue",
}
"""Lists that hold some thousand rows of a tenant at most: they are sorted as they are read."""


def listings_at_the_root() -> dict[str, Listing]:
    """The listings of the root's connections whose rows tenants own."""
    root = schema._schema.query_type
    assert root is not None
    found = {}
    for field in root.fields.values():
        declaration = declared(field)
        if isinstance(declaration, Many) and table_of(declaration.listing.table).info["kind"] == TENANT:
            found[declaration.listing.name] = declaration.listing
    return found


def paths(table: Table) -> Iterator[tuple[str, ...]]:
    """The columns of each index."""
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            yield tuple(column.name for column in constraint.columns)
    for index in table.indexes:
        assert isinstance(index, Index)
        yield tuple(column.name for column in index.columns)


def test_every_order_of_a_list_has_an_index() -> None:
    listings = listings_at_the_root()
    assert len(listings.keys() - SHORT) > 5
    missing = [
        f"{listing.table.__tablename__}: {column}, id"
        for listing in listings.values()
        if listing.name not in SHORT
        for column in listing.orders
        if not any(path[:3] == ("tenant_id", column, "id") for path in paths(table_of(listing.table)))
    ]
    assert missing == []
