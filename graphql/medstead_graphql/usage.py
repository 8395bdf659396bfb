"""Counts which fields each client uses: one step for each operation, written every few seconds."""

from collections import Counter, defaultdict
from uuid import UUID

import structlog

from app.identity.usage import add_counts
from medstead_graphql.pricing import PricedOperation
from tenants.context import ActorKind, TenantContext
from tenants.session import Database

log = structlog.get_logger()


class Usage:
    """Operations of each client, counted in this process until they are written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Counter[tuple[UUID, UUID, PricedOperation]] = Counter()

    def count(self, tenant_id: UUID, client: UUID, operation: PricedOperation) -> None:
        """Count one operation."""
        self._counts[tenant_id, client, operation] += 1

    async def flush(self) -> None:
        """Write the counts of today. A tenant whose counts cannot be written keeps them for the next time."""
        waiting, self._counts = self._counts, Counter()
        tenants: dict[UUID, dict[tuple[UUID, UUID, PricedOperation], int]] = defaultdict(dict)
        for key, number in waiting.items():
            tenants[key[0]][key] = number
        for tenant_id, counted in tenants.items():
            fields: Counter[tuple[UUID, str]] = Counter()
            for (_, client, operation), number in counted.items():
                for name in operation.fields:
                    fields[client, name] += number
            try:
                async with self._database.unit_of_work(TenantContext(tenant_id, ActorKind.PLATFORM)) as work:
                    await add_counts(work, fields)
            except Exception as error:  # the database is away, or a client was deleted: counting must not break reads
                log.warning("counts of fields were not written", error=type(error).__name__)
                self._counts.update(counted)
