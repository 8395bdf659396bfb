"""The walls: registry of tenants, tenant context, unit of work, row-level security, audit chain and outbox."""
