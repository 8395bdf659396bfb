"""Which fields of the API each client uses: counts by day, the evidence for what can be removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.models import ApiClient, FieldUsage
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class Use:
    """A client's use of a field: operations that selected it, and the last day of that."""

    client_name: str
    field: str
    operations: int
    last_day: date


async def add_counts(work: UnitOfWork, counts: Mapping[tuple[UUID, str], int]) -> None:
    """Add operations by client and field to today's. In one order, so that two processes do not wait for each other."""
    today = london_date(work.now)
    rows = [(new_id(), client, field, today, number) for (client, field), number in sorted(counts.items())]
    await work.insert_rows(
        FieldUsage,
        ("id", "api_client_id", "field", "day", "operations"),
        rows,
        on_conflict="ON CONFLICT (tenant_id, api_client_id, field, day) "
        "DO UPDATE SET operations = field_usage.operations + excluded.operations",
    )


async def uses(session: AsyncSession, *, client: UUID | None = None, field: str | None = None) -> list[Use]:
    """Who used what in the bound tenant, by client and field; of one client or one field if given."""
    asked = (
        select(ApiClient.name, FieldUsage.field, func.sum(FieldUsage.operations), func.max(FieldUsage.day))
        .join(ApiClient, (ApiClient.tenant_id == FieldUsage.tenant_id) & (ApiClient.id == FieldUsage.api_client_id))
        .group_by(ApiClient.name, ApiClient.id, FieldUsage.field)
        .order_by(ApiClient.name, ApiClient.id, FieldUsage.field)
    )
    if client is not None:
        asked = asked.where(FieldUsage.api_client_id == client)
    if field is not None:
        asked = asked.where(FieldUsage.field == field)
    return [Use(name, used, int(number), day) for name, used, number, day in await session.execute(asked)]
