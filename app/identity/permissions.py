"""The permission table: which role and which scope may do what. Everything else asks this file."""

from enum import StrEnum


class Role(StrEnum):
    """Roles of people. The last two belong to the platform, the others to a tenant."""

    TENANT_ADMINISTRATOR = "tenant_administrator"
    PROGRAMME_LEAD = "programme_lead"
    FACILITATOR = "facilitator"
    REVIEWER = "reviewer"
    ANALYST = "analyst"
    COMMUNICATIONS = "communications"
    INFORMATION_GOVERNANCE = "information_governance"
    PROVIDER_MANAGER = "provider_manager"
    COUNCIL_PARTNER = "council_partner"
    NATIONAL_LEAD = "national_lead"
    PLATFORM_OPERATOR = "platform_operator"


PLATFORM_ROLES = frozenset({Role.NATIONAL_LEAD, Role.PLATFORM_OPERATOR})


class Permission(StrEnum):
    """What can be allowed. The names are also the scopes of API clients."""

    TENANT_READ = "tenant:read"
    DIRECTORY_READ = "directory:read"
    TRAINING_READ = "training:read"
    EVIDENCE_READ = "evidence:read"
    IMPORTS_READ = "imports:read"
    PEOPLE_READ = "people:read"
    IMPORTS_WRITE = "imports:write"
    SETTINGS_WRITE = "settings:write"
    DIRECTORY_WRITE = "directory:write"
    STAFF_WRITE = "staff:write"
    API_CLIENTS_WRITE = "api_clients:write"
    WEBHOOKS_WRITE = "webhooks:write"
    TRAINING_WRITE = "training:write"
    BOOKINGS_WRITE = "bookings:write"
    GOVERNANCE_READ = "governance:read"
    GOVERNANCE_WRITE = "governance:write"
    FINANCE_READ = "finance:read"
    FINANCE_WRITE = "finance:write"
    MESSAGES_READ = "messages:read"
    MESSAGES_WRITE = "messages:write"
    GROUP_READ = "group:read"
    AREA_READ = "area:read"
    AUDIT_READ = "audit:read"
    TENANTS_READ = "tenants:read"
    REFERENCE_WRITE = "reference:write"
    BENCHMARK_READ = "benchmark:read"


P = Permission

_READS = frozenset({P.TENANT_READ, P.DIRECTORY_READ, P.TRAINING_READ, P.EVIDENCE_READ})

_PROGRAMME = _READS | {
    P.IMPORTS_READ,
    P.PEOPLE_READ,
    P.IMPORTS_WRITE,
    P.DIRECTORY_WRITE,
    P.SETTINGS_WRITE,
    P.TRAINING_WRITE,
    P.BOOKINGS_WRITE,
    P.GOVERNANCE_READ,
    P.GOVERNANCE_WRITE,
    P.FINANCE_READ,
    P.FINANCE_WRITE,
    P.MESSAGES_READ,
    P.MESSAGES_WRITE,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.TENANT_ADMINISTRATOR: _PROGRAMME | {P.STAFF_WRITE, P.API_CLIENTS_WRITE, P.WEBHOOKS_WRITE},
    Role.PROGRAMME_LEAD: _PROGRAMME,
    Role.FACILITATOR: frozenset(
        {P.TENANT_READ, P.DIRECTORY_READ, P.TRAINING_READ, P.PEOPLE_READ, P.BOOKINGS_WRITE, P.GOVERNANCE_READ}
    ),
    Role.REVIEWER: frozenset({P.TENANT_READ, P.DIRECTORY_READ}),
    Role.ANALYST: _READS | {P.IMPORTS_READ, P.GOVERNANCE_READ, P.FINANCE_READ},
    Role.COMMUNICATIONS: frozenset(
        {P.TENANT_READ, P.DIRECTORY_READ, P.EVIDENCE_READ, P.MESSAGES_READ, P.MESSAGES_WRITE}
    ),
    Role.INFORMATION_GOVERNANCE: _READS
    | {P.IMPORTS_READ, P.PEOPLE_READ, P.AUDIT_READ, P.GOVERNANCE_READ, P.MESSAGES_READ},
    # A provider manager sees the own group alone, on pages that are scoped to it; nothing is granted tenant-wide.
    Role.PROVIDER_MANAGER: frozenset({P.TENANT_READ, P.GROUP_READ}),
    # A council sees the own area alone, and names there only while an agreement to share data is in force.
    Role.COUNCIL_PARTNER: frozenset({P.TENANT_READ, P.AREA_READ}),
    Role.NATIONAL_LEAD: frozenset({P.BENCHMARK_READ}),
    Role.PLATFORM_OPERATOR: frozenset({P.TENANTS_READ, P.REFERENCE_WRITE}),
}

SCOPES = frozenset(
    {
        P.TENANT_READ,
        P.DIRECTORY_READ,
        P.TRAINING_READ,
        P.EVIDENCE_READ,
        P.IMPORTS_READ,
        P.PEOPLE_READ,
        P.IMPORTS_WRITE,
        P.SETTINGS_WRITE,
        P.DIRECTORY_WRITE,
        P.WEBHOOKS_WRITE,
        P.TRAINING_WRITE,
        P.BOOKINGS_WRITE,
        P.GOVERNANCE_READ,
        P.GOVERNANCE_WRITE,
        P.FINANCE_READ,
        P.FINANCE_WRITE,
        P.MESSAGES_READ,
        P.MESSAGES_WRITE,
    }
)
"""What a tenant may grant to an API client. Staff, clients, groups, areas, audit, benchmarks: for people alone."""


def permissions_of(role: Role) -> frozenset[Permission]:
    """What a role may do."""
    return ROLE_PERMISSIONS[role]
