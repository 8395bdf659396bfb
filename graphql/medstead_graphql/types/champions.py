"""Types of the champions' register: figures, retention, the progression pathway."""

import enum
from datetime import date, datetime
from typing import Any

import strawberry
from sqlalchemy import Date, Select

from app.directory import models as directory
from app.training.champion_register import figures, models
from medstead_graphql.compiler.declare import Connection, Node, column, inline, many, node, one
from medstead_graphql.compiler.values import Traced
from medstead_graphql.types import listings_certificates
from medstead_graphql.types.directory import Learner


@strawberry.enum(description="Role categories of the Care Workforce Pathway.")
class RoleCategory(enum.Enum):
    """Role categories."""

    NEW_TO_CARE = "new_to_care"
    CARE_OR_SUPPORT_WORKER = "care_or_support_worker"
    ENHANCED_CARE_WORKER = "enhanced_care_worker"
    SUPERVISOR_OR_LEADER = "supervisor_or_leader"
    PRACTICE_LEADER = "practice_leader"
    DEPUTY_MANAGER = "deputy_manager"
    REGISTERED_MANAGER = "registered_manager"


@node(models.PathwayStep, scope="training:read", description="A step of the tenant's progression pathway, from 1.")
class PathwayStep(Node):
    """A step."""

    position: int = column()
    name: str = column()
    role_category: RoleCategory = column()
    created_at: datetime = column()
    learners: Connection["LearnerStep"] = many(listings_certificates.LEARNER_STEP, on="step_id")


@node(models.LearnerStep, scope="training:read", description="A learner reached a step of the pathway on a day.")
class LearnerStep(Node):
    """A step reached."""

    reached_on: date = column()
    created_at: datetime = column()
    learner: Learner = one(directory.Learner, key="learner_id")
    step: PathwayStep = one(models.PathwayStep, key="step_id")


@strawberry.type(description="Champions and locations as they are now. Locations that are former do not count.")
class ChampionSummary:
    """Figures of the register."""

    trained: int = column(description="Distinct people with the champions' tier complete.")
    active: int = column(description="Distinct people with an active role.")
    locations: int = column()
    covered: int = column(description="Locations with an active champion.")
    uncovered: int = column()
    per_hundred: float | None = column(description="Active champions per 100 locations.")


@strawberry.type(
    description="Who stayed, of all who were employed a year before: champions of that day, and the others."
)
class RetentionRow:
    """A group."""

    champions: bool = column(description="True: people who were champions a year before; false: all others.")
    people: int = column(description="n: how many were employed a year before.")
    suppressed: bool = column(description="Fewer than 10 people: what they did is withheld.")
    with_employer: int | None = column(description="Still with an employer of that day.")
    in_sector: int | None = column(description="Still with any employer that the tenant knows.")
    with_employer_share: float | None = column()
    in_sector_share: float | None = column()


def _summary(compilation: Any, _: Any, __: dict[str, Traced]) -> Select[Any]:
    return figures.summary(compilation.tenant)


def _retention(compilation: Any, _: Any, arguments: dict[str, Traced]) -> Select[Any]:
    day = compilation.bind(lambda variables: arguments["on"].get(variables), Date())
    return figures.retention(compilation.tenant, day)


CHAMPION_SUMMARY: Any = inline(
    _summary, scope="training:read", description="Champions trained and active, and locations with and without one."
)
RETENTION: Any = inline(
    _retention,
    arguments={"on": date},
    scope="training:read",
    description="Twelve months' stay of champions and of others up to a day, champions first.",
)
