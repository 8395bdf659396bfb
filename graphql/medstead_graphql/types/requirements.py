"""Types of the programme's rules: programmes, prerequisites, nominations."""

import enum
from datetime import date, datetime

import strawberry

from app.directory import models as directory
from app.training import models as training
from app.training.requirements import models
from medstead_graphql.compiler.declare import Connection, Node, column, many, node, one
from medstead_graphql.types import listings
from medstead_graphql.types.common import PEOPLE
from medstead_graphql.types.directory import CqcProvider, Learner, Location
from medstead_graphql.types.training import Course, Tier


@strawberry.enum(description="Whom a programme is for.")
class ProgrammeScope(enum.Enum):
    """Scopes of a programme."""

    SYSTEM = "system"
    PROVIDER_GROUP = "provider_group"
    SINGLE_PROVIDER = "single_provider"


@strawberry.enum(description="Where a programme stands.")
class ProgrammeStatus(enum.Enum):
    """Status of a programme."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


@strawberry.enum(description="What a prerequisite asks for.")
class PrerequisiteKind(enum.Enum):
    """Kinds of prerequisite."""

    TIER_MET = "tier_met"
    COURSE_COMPLETED = "course_completed"
    APPROVED_NOMINATION = "approved_nomination"
    COMPETENCE_CURRENT = "competence_current"


@strawberry.enum(description="Where a nomination stands.")
class NominationStatus(enum.Enum):
    """Status of a nomination."""

    NOMINATED = "nominated"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@node(training.Programme, scope="training:read", description="A training programme of the tenant.")
class Programme(Node):
    """A programme."""

    name: str = column()
    scope: ProgrammeScope = column()
    status: ProgrammeStatus = column()
    version: int = column(description="Send this back when you change the programme; it guards against lost updates.")
    published_at: datetime | None = column()
    published_without_mapping: bool = column(
        description="It was published although no mapping exercise was locked, which somebody chose."
    )
    provider: CqcProvider | None = one(
        directory.CqcProvider, key="cqc_provider_id", description="The provider that it is for, if it is for one."
    )
    tiers: Connection[Tier] = many(listings.TIER, on="programme_id")


@node(
    models.PrerequisiteRule,
    scope="training:read",
    description="What somebody needs before a place on a tier. Rules with the same number stand for each other.",
)
class PrerequisiteRule(Node):
    """A prerequisite."""

    kind: PrerequisiteKind = column()
    alternatives: int = column(description="Of the rules of a tier with the same number any one will do.")
    needs_skill: str | None = column(description="The topic or task to be competent in; null: any.")
    tier: Tier = one(training.Tier, key="tier_id")
    needs_tier: Tier | None = one(training.Tier, key="needs_tier_id")
    needs_course: Course | None = one(training.Course, key="needs_course_id")


@node(
    models.PrerequisiteOverride,
    scope="training:read",
    description="Somebody let a learner pass a rule of a tier, or all of them, until a day.",
)
class PrerequisiteOverride(Node):
    """An override."""

    reason: str | None = column(scope=PEOPLE, description="Free text may name people.")
    granted_by: str | None = column(description="The id of whoever granted it, as the audit trail has it.")
    granted_at: datetime = column()
    until: date = column(description="The last day on which it counts.")
    ended_at: datetime | None = column(description="Set when it was ended before its day.")
    learner: Learner = one(directory.Learner, key="learner_id")
    tier: Tier = one(training.Tier, key="tier_id")
    rule: PrerequisiteRule | None = one(
        models.PrerequisiteRule, key="rule_id", description="Null: it lets the learner pass all rules of the tier."
    )


@node(
    models.ChampionNomination,
    scope="training:read",
    description="A learner put forward as Medication Champion. Only an approved one opens the champions' tier.",
)
class ChampionNomination(Node):
    """A nomination."""

    nominator_name: str | None = column(scope=PEOPLE)
    nominator_role: str = column()
    statement: str | None = column(scope=PEOPLE, description="Free text may name people.")
    status: NominationStatus = column()
    version: int = column(description="Send this back when you decide; it guards against lost updates.")
    nominated_at: datetime = column()
    decided_at: datetime | None = column()
    decided_because: str | None = column(scope=PEOPLE, description="Free text may name people.")
    learner: Learner = one(directory.Learner, key="learner_id")
    location: Location = one(directory.TenantLocation, key="tenant_location_id")
