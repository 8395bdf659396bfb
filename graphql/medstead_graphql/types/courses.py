"""Types around courses: who vouches for them, who can reach them, which were found to be one."""

from datetime import date, datetime

from app.directory.models import Employer as EmployerRow
from app.training.mapping import models
from app.training.models import Course as CourseRow
from medstead_graphql.compiler.declare import Node, column, node, one
from medstead_graphql.types.directory import Employer
from medstead_graphql.types.mapping_words import AccessKind
from medstead_graphql.types.training import Course

SCOPE = "training:read"


@node(models.CourseAccreditation, scope=SCOPE, description="Who vouches for a course, from the first to the last day.")
class CourseAccreditation(Node):
    """An accreditation."""

    awarding_body: str = column()
    reference: str = column()
    level: str | None = column()
    valid_from: date = column()
    valid_to: date | None = column()
    course: Course = one(CourseRow, key="course_id")


@node(models.CourseAccess, scope=SCOPE, description="A way to a course. What is null does not limit it.")
class CourseAccess(Node):
    """A way to a course."""

    kind: AccessKind = column()
    local_authority: str | None = column()
    language: str | None = column()
    course: Course = one(CourseRow, key="course_id")
    employer: Employer | None = one(EmployerRow, key="employer_id")


@node(models.CourseMerge, scope=SCOPE, description="Two entries found to be one course, by somebody, for a reason.")
class CourseMerge(Node):
    """A merge of courses."""

    reason: str = column()
    merged_at: datetime = column()
    undone_at: datetime | None = column(description="Set when the two turned out to be two courses.")
    kept: Course = one(CourseRow, key="kept_course_id")
    merged: Course = one(CourseRow, key="merged_course_id")
