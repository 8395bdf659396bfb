"""Types of the programme's rules: programmes, prerequisites, nominations, requirements."""

import enum
from datetime import date, datetime
from typing import Any

import strawberry

from app.directory import models as directory
from app.training import models as training
from app.training.requirements import models
from medstead_graphql.compiler.declare import Connection, Node, column, many, node, one
from medstead_graphql.types import listings, listings_requirements
from medstead_graphql.types.common import PEOPLE
from medstead_graphql.types.directory import CqcProvider, Employer, JobRole, Learner, Location
from medstead_graphql.types.training import Attendance, Completion, Course, Tier


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


@strawberry.enum(description="Where a learner stands by a requirement.")
class StandingState(enum.Enum):
    """States of standing."""

    MET = "met"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    MISSING = "missing"


@node(directory.ProviderGroup, scope="directory:read", description="Several locations under one manager or brand.")
class ProviderGroup(Node):
    """A provider group."""

    name: str = column()


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
    provider_group: ProviderGroup | None = one(
        directory.ProviderGroup, key="provider_group_id", description="The group that it is for, if it is for one."
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


def _job_role(row: Any, role: Any, _: Any) -> Any:
    return role.c.code == row.c.job_role_code


@node(
    models.Requirement,
    scope="training:read",
    description="Who needs what. What is null is whichever; rows add up: every row that fits somebody counts.",
)
class Requirement(Node):
    """A row of the requirement matrix."""

    setting: str | None = column()
    task: str | None = column()
    topic_code: str | None = column(description="The topic that is needed, or null where a tier is.")
    created_at: datetime = column()
    job_role: JobRole | None = one(directory.JobRole, join=_job_role)
    tier: Tier | None = one(training.Tier, key="tier_id")
    programme: Programme = one(training.Programme, key="programme_id")
    standing: Connection["LearnerStanding"] = many(listings_requirements.STANDING, on="requirement_id")


@node(models.EmploymentTask, scope="training:read", description="What a learner does with medicines for an employer.")
class EmploymentTask(Node):
    """A task."""

    task: str = column()
    created_at: datetime = column()
    learner: Learner = one(directory.Learner, key="learner_id")
    employer: Employer = one(directory.Employer, key="employer_id")


@node(
    models.LearnerStanding,
    scope="training:read",
    description="Where a learner stands by one requirement at one employer, as last computed.",
)
class LearnerStanding(Node):
    """A standing."""

    state: StandingState = column()
    since: datetime = column(description="When it came to be so.")
    valid_until: date | None = column(description="The last day on which it is met; null: for ever, or not met.")
    evidence_kind: str | None = column(description="What it rests on: completion or attendance.")
    computed_at: datetime = column(description="When the row last changed.")
    learner: Learner = one(directory.Learner, key="learner_id")
    employer: Employer = one(directory.Employer, key="employer_id")
    requirement: Requirement = one(models.Requirement, key="requirement_id")
    completion: Completion | None = one(training.Completion, key="evidence_id", description="The one it rests on.")
    attendance: Attendance | None = one(training.Attendance, key="evidence_id", description="The one it rests on.")
