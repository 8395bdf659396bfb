"""Types of what is kept of learners beside completions: progress, competence, confidence; and who is trained."""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import Date, Select, Text, Uuid, cast, func, literal, select

from app.directory import models as directory
from app.training import models as training
from app.training.requirements import models, oversight
from app.training.requirements.competence import CONFIDENCE_MINIMUM
from app.training.requirements.programmes import open_to_location
from medstead_graphql.compiler.declare import Node, column, inline, node, one
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.compiler.identifiers import key_of
from medstead_graphql.compiler.values import Traced
from medstead_graphql.types.common import PEOPLE
from medstead_graphql.types.directory import JobRole, Learner
from medstead_graphql.types.requirements import ProgrammeScope, _job_role
from medstead_graphql.types.training import Course, Tier
from tenants.base import table_of


@strawberry.enum(description="How far a learner has come with a course.")
class ProgressState(enum.Enum):
    """States of progress."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    EXPIRED = "expired"


@strawberry.enum(description="What an assessment found.")
class AssessmentOutcome(enum.Enum):
    """Outcomes."""

    COMPETENT = "competent"
    NOT_YET_COMPETENT = "not_yet_competent"


@strawberry.enum(description="When somebody was asked.")
class ConfidenceMoment(enum.Enum):
    """Moments."""

    BEFORE = "before"
    AFTER = "after"


@strawberry.enum(description="What counts of trained people are split by.")
class OversightBy(enum.Enum):
    """Views."""

    PROVIDER = "provider"
    SETTING = "setting"
    JOB_ROLE = "job_role"
    TIER = "tier"


@node(
    models.CourseProgress,
    scope="training:read",
    description="How far a learner has come with an e-learning course. What was completed stays so until corrected.",
)
class CourseProgress(Node):
    """Progress."""

    state: ProgressState = column()
    source: str = column()
    told_at: datetime = column()
    corrected_because: str | None = column(scope=PEOPLE, description="Set when somebody corrected it.")
    learner: Learner = one(directory.Learner, key="learner_id")
    course: Course = one(training.Course, key="course_id")


@node(
    models.AssessorRule,
    scope="training:read",
    description="Who may assess competence: everything that the rule names must hold.",
)
class AssessorRule(Node):
    """An assessor rule."""

    profession: str | None = column()
    needs_own_competence: bool = column()
    created_at: datetime = column()
    job_role: JobRole | None = one(directory.JobRole, join=_job_role)


@node(
    models.CompetenceAssessment,
    scope="training:read",
    description="A formal assessment of competence, apart from completions.",
)
class CompetenceAssessment(Node):
    """An assessment."""

    assessor_name: str | None = column(scope=PEOPLE)
    assessor_profession: str | None = column()
    outcome: AssessmentOutcome = column()
    skills: list[str] = column(description="Topics and tasks that were assessed.")
    assessed_on: date = column()
    review_due_on: date = column(description="The last day on which it counts.")
    created_at: datetime = column()
    learner: Learner = one(directory.Learner, key="learner_id")
    assessor: Learner | None = one(directory.Learner, key="assessor_learner_id")


@node(
    models.ConfidenceRating,
    scope="training:read",
    description="How confident a learner felt about a topic before or after training of a tier.",
)
class ConfidenceRating(Node):
    """A rating."""

    topic_code: str = column()
    moment: ConfidenceMoment = column()
    rating: int = column(description="From 1, the least.")
    scale_points: int = column()
    rated_on: date = column()
    learner: Learner = one(directory.Learner, key="learner_id")
    tier: Tier = one(training.Tier, key="tier_id")


@strawberry.type(
    description="Posts (a learner at an employer) and the tiers that they need: who is trained, who is not."
)
class OversightRow:
    """A row of oversight; rows of every view add up to the same total."""

    key: str = column(description="Give this back as `within` to drill down.")
    label: str = column(description="Empty where it is not known.")
    needing: int = column(description="Posts × tiers that the matrix asks for: the denominator.")
    trained: int = column()
    untrained: int = column()
    staff: int = column(description="All posts, whether or not they need a tier; by tier: those that need it.")


@strawberry.type(description="People who give medicines, and those with an assessment in the last twelve months.")
class CompetenceCoverage:
    """Metric TRN-08."""

    giving: int = column()
    assessed: int = column()


@strawberry.type(description="Change of confidence on a topic among people who were asked both before and after.")
class ConfidenceChange:
    """A paired change."""

    topic_code: str = column()
    scale_points: int = column()
    people: int = column(description="People with both ratings.")
    suppressed: bool = column(description="Too few people: the means are withheld.")
    mean_before: float | None = column()
    mean_after: float | None = column()
    mean_change: float | None = column()


@strawberry.type(description="A published programme that is open to a location.")
class OpenProgramme:
    """A programme as its providers see it."""

    programme_id: strawberry.ID = column()
    name: str = column()
    scope: ProgrammeScope = column()


@strawberry.input(description="Drill down: only posts of this key of that view.")
class OversightWithin:
    """A drill-down."""

    by: OversightBy
    key: str


def _day(arguments: dict[str, Traced], compilation: Any) -> Any:
    return compilation.bind(lambda variables: arguments["on"].get(variables), Date())


def _own_id(argument: Traced | None, type_name: str, compilation: Any) -> Any:
    def parsed(variables: Any) -> Any:
        assert argument is not None
        return key_of(argument.get(variables), type_name, UUID)

    return compilation.bind(parsed, Uuid())


def _oversight(compilation: Any, _: Any, arguments: dict[str, Traced]) -> Select[Any]:
    by = compilation.pin(lambda variables: _word(arguments["by"].get(variables)))
    tier = arguments.get("tierId")
    within = arguments.get("within")
    inside = None
    if within is not None and within.value is not None:
        view = compilation.pin(lambda variables: _word(within.get(variables)["by"]))
        if view == oversight.By.TIER:
            raise Refusal(
                "TIER_IS_NO_PLACE", "Drill down within a provider, a setting or a job role. Name a tier by tierId."
            )
        inside = (oversight.By(view), compilation.bind(lambda variables: within.get(variables)["key"], Text()))
    day = _day(arguments, compilation)
    level = None if tier is None or tier.value is None else _own_id(tier, "Tier", compilation)
    return oversight.oversight(compilation.tenant, day, oversight.By(by), tier=level, within=inside)


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _coverage(compilation: Any, _: Any, arguments: dict[str, Traced]) -> Select[Any]:
    return oversight.competence_coverage(compilation.tenant, _day(arguments, compilation))


def _confidence(compilation: Any, _: Any, arguments: dict[str, Traced]) -> Select[Any]:
    chosen = table_of(models.RequirementSettings).alias()
    minimum = select(chosen.c.confidence_minimum).where(chosen.c.tenant_id == compilation.tenant).scalar_subquery()
    least = func.coalesce(minimum, literal(CONFIDENCE_MINIMUM))
    return oversight.confidence_change(compilation.tenant, _own_id(arguments["tierId"], "Tier", compilation), least)


def _open_programmes(compilation: Any, _: Any, arguments: dict[str, Traced]) -> Select[Any]:
    programme, location = table_of(training.Programme).alias(), table_of(directory.TenantLocation).alias()
    return (
        select(
            (literal("Programme:") + cast(programme.c.id, Text)).label("programme_id"),
            programme.c.name,
            programme.c.scope,
        )
        .where(
            programme.c.tenant_id == compilation.tenant,
            programme.c.status == "published",
            location.c.tenant_id == compilation.tenant,
            location.c.id == _own_id(arguments["locationId"], "Location", compilation),
            open_to_location(programme, location, compilation.tenant),
        )
        .order_by(programme.c.name, programme.c.id)
    )


OVERSIGHT: Any = inline(
    _oversight,
    arguments={"on": date, "by": OversightBy, "tier_id": strawberry.ID | None, "within": OversightWithin | None},
    scope="training:read",
    description="Who is trained and who is not, by provider, setting, job role or tier.",
)
COVERAGE: Any = inline(
    _coverage,
    arguments={"on": date},
    scope="training:read",
    description="TRN-08: people who give medicines, and those assessed in the twelve months up to a day.",
)
CONFIDENCE_CHANGES: Any = inline(
    _confidence,
    arguments={"tier_id": strawberry.ID},
    scope="training:read",
    description="Paired change of confidence by topic.",
)
OPEN_PROGRAMMES: Any = inline(
    _open_programmes,
    arguments={"location_id": strawberry.ID},
    scope="training:read",
    description="Published programmes that people at a location may see.",
)
