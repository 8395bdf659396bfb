"""Types of e-learning and refunds: learning systems, activities that are courses, LDSS claims. None tells secrets."""

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Date, cast, func, select

from app.directory import models as directory
from app.training import models as training
from app.training.certificates.models import Certificate
from app.training.elearning import models
from app.training.refunds.models import LdssClaim as LdssClaimRow
from app.training.requirements.evidence import london_day
from medstead_graphql.compiler.declare import STATEMENT_COST, Connection, Node, column, expression, many, node, one
from medstead_graphql.types import listings_elearning
from medstead_graphql.types.common import PEOPLE
from medstead_graphql.types.directory import Employer, Learner
from medstead_graphql.types.training import Course
from tenants.base import table_of

SCOPE = "training:read"


@strawberry.enum(description="What an activity is: a course of cmi5, its block or assignable unit, or any other.")
class LearningActivityKind(enum.Enum):
    """Kinds of activities."""

    COURSE = "course"
    BLOCK = "block"
    AU = "au"
    ACTIVITY = "activity"


@strawberry.enum(description="What finishes the course: satisfied statements alone, the rule `moveOn`, or nothing.")
class LearningActivityFinish(enum.Enum):
    """What finishes."""

    SATISFIED = "satisfied"
    MOVE_ON = "move_on"
    NEVER = "never"


@strawberry.enum(description="The rules of cmi5 for when an activity is done.")
class MoveOn(enum.Enum):
    """Rules."""

    PASSED = "Passed"
    COMPLETED = "Completed"
    COMPLETED_AND_PASSED = "CompletedAndPassed"
    COMPLETED_OR_PASSED = "CompletedOrPassed"
    NOT_APPLICABLE = "NotApplicable"


@strawberry.enum(description="What became of a claim.")
class LdssClaimState(enum.Enum):
    """States of a claim."""

    TO_CLAIM = "to_claim"
    CLAIMED = "claimed"
    PAID = "paid"
    REFUSED = "refused"
    NOT_CLAIMED = "not_claimed"


def _last_heard(row: Any, compilation: Any) -> ColumnElement[Any]:
    statement = table_of(models.XapiStatement).alias()
    latest = select(func.max(statement.c.stored_at))
    latest = latest.where(statement.c.tenant_id == compilation.tenant, statement.c.learning_system_id == row.c.id)
    return latest.correlate(row).scalar_subquery()


def _days_left(row: Any, _: Any) -> ColumnElement[Any]:
    left: ColumnElement[Any] = row.c.due_on - cast(london_day(func.now()), Date)
    return left


def _certificate(row: Any, compilation: Any) -> ColumnElement[Any]:
    """Of the certificate that was issued first and stands; else the one that a file told with the completion."""
    certificate, completion = table_of(Certificate).alias(), table_of(training.Completion).alias()
    issued = (
        select(certificate.c.number)
        .where(
            certificate.c.tenant_id == compilation.tenant,
            certificate.c.learner_id == row.c.learner_id,
            certificate.c.course_id == row.c.course_id,
            certificate.c.achieved_on == row.c.completed_on,
            certificate.c.state == "issued",
        )
        .order_by(certificate.c.issued_at, certificate.c.id)
        .limit(1)
    )
    told = select(func.max(completion.c.certificate_number)).where(
        completion.c.tenant_id == compilation.tenant,
        completion.c.learner_id == row.c.learner_id,
        completion.c.course_id == row.c.course_id,
        london_day(completion.c.completed_at) == row.c.completed_on,
    )
    return func.coalesce(issued.correlate(row).scalar_subquery(), told.correlate(row).scalar_subquery())


@node(models.LearningSystem, scope=SCOPE, description="A system that sends xAPI statements.")
class LearningSystem(Node):
    """A learning system."""

    name: str = column()
    source: str = column(description="Its code in completions and in accounts of learners.")
    active: bool = column(description="Whether what it sends is taken.")
    keep_days: int | None = column(description="Older statements are deleted; null: none are.")
    created_at: datetime = column()
    last_heard_at: datetime | None = expression(
        _last_heard, cost=STATEMENT_COST, description="When the latest of its kept statements came."
    )


@node(models.LearningActivity, scope=SCOPE, description="What statements are about, as a course or a part of one.")
class LearningActivity(Node):
    """An activity."""

    iri: str = column()
    kind: LearningActivityKind = column()
    title: str = column()
    finishes: LearningActivityFinish = column()
    move_on: MoveOn = column()
    created_at: datetime = column()
    course: Course = one(training.Course, key="course_id")


@node(
    LdssClaimRow,
    scope=SCOPE,
    description="What an employer can claim from the Learning and Development Support Scheme for a completion.",
)
class LdssClaim(Node):
    """A claim."""

    state: LdssClaimState = column()
    completed_on: date = column()
    due_on: date = column(description="The last day on which it can be claimed.")
    days_left: int = expression(_days_left, description="Until that day, in England; below 0: it has passed.")
    amount: Decimal = column(description="Pounds.")
    learning_code: str = column(description="The scheme's own.")
    version: int = column(description="It rises with each change.")
    changed_at: datetime = column()
    certificate_number: str | None = expression(
        _certificate, scope=PEOPLE, description="Of the certificate that proves the completion."
    )
    learner: Learner = one(directory.Learner, key="learner_id")
    employer: Employer = one(directory.Employer, key="employer_id")
    course: Course = one(training.Course, key="course_id")


@strawberry.type
class ELearningQuestions:
    """Reads of e-learning and refunds."""

    learning_systems: Connection[LearningSystem] = many(listings_elearning.SYSTEM)
    learning_activities: Connection[LearningActivity] = many(listings_elearning.ACTIVITY)
    ldss_claims: Connection[LdssClaim] = many(listings_elearning.CLAIM, description="The next deadline first.")
