"""What tests of governance share: mutations by name, and what is there to govern."""

from typing import Any

from sqlalchemy import select

from app.directory.models import TenantLocation
from app.training.models import Course
from tests.support import Installation
from tests.training.mapping.support import literal

Row = dict[str, Any]


async def change(installation: Installation, field: str, select_: str, **given: Any) -> Row:
    """The answer of a mutation in the north: its success as `select_` reads it, or `code` and `path`."""
    called = f"{field}({', '.join(f'{name}: {literal(value)}' for name, value in given.items())})"
    document = f"mutation {{ result: {called} {{ __typename ... on {select_} ... on UserError {{ code path }} }} }}"
    result: Row = (await installation.data(installation.north, document))["result"]
    return result


async def read(installation: Installation, document: str) -> Row:
    """Data of the north."""
    return await installation.data(installation.north, document)


async def a_course(installation: Installation) -> str:
    """A course of the north by its global id."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return f"Course:{(await session.scalars(select(Course.id).order_by(Course.title_key).limit(1))).one()}"


async def locations(installation: Installation) -> list[str]:
    """Locations of the north by their global ids, in CQC's order."""
    async with installation.database.session(installation.context(installation.north)) as session:
        found = await session.scalars(select(TenantLocation.id).order_by(TenantLocation.location_id))
        return [f"Location:{row_id}" for row_id in found]
