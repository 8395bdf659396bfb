"""Mutations of competence, confidence and progress."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.training.errors import TrainingRefusal
from app.training.models import Course
from app.training.requirements import competence, confidence, progress
from app.training.requirements.finding import row_of, standing_learner
from medstead_graphql.mutations.nominations import WRITE, refused_as
from medstead_graphql.mutations.payload import Payload, RefusalReason, UserError, command, row_id, success
from medstead_graphql.types.directory import Learner, Tenant
from medstead_graphql.types.learner_records import (
    AssessmentOutcome,
    CompetenceAssessment,
    ConfidenceMoment,
    ConfidenceRating,
    CourseProgress,
    ProgressState,
)
from tenants.session import UnitOfWork


@strawberry.type(description="Why something cannot be kept of a learner as asked.")
class LearnerRecordRefused(UserError):
    """A refusal about learners' records."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The assessment is kept.")
class CompetenceAssessed:
    """Success of assessCompetence."""

    assessment: CompetenceAssessment


@strawberry.type(description="The choice counts from now on.")
class AssessorRulesSet:
    """Success of the mutations of what the tenant chooses about competence and confidence."""

    tenant: Tenant


@strawberry.type(description="The rating is kept.")
class ConfidenceRated:
    """Success of rateConfidence."""

    rating: ConfidenceRating


@strawberry.type(description="The report was taken; `changed` is false where it told nothing new or took nothing back.")
class ProgressRecorded:
    """Success of recordProgress."""

    learner: Learner
    changed: bool


@strawberry.type(description="The progress as it was corrected.")
class ProgressCorrected:
    """Success of correctProgress."""

    progress: CourseProgress


AssessmentResult = Annotated[CompetenceAssessed | LearnerRecordRefused, strawberry.union("AssessmentResult")]
AssessorRulesResult = Annotated[AssessorRulesSet | LearnerRecordRefused, strawberry.union("AssessorRulesResult")]
ConfidenceResult = Annotated[ConfidenceRated | LearnerRecordRefused, strawberry.union("ConfidenceResult")]
ProgressResult = Annotated[ProgressRecorded | LearnerRecordRefused, strawberry.union("ProgressResult")]
CorrectionResult = Annotated[ProgressCorrected | LearnerRecordRefused, strawberry.union("CorrectionResult")]


@strawberry.input(description="An assessment. The assessor is a learner of the tenant, or somebody with a profession.")
class AssessmentInput:
    """An assessment to be."""

    learner_id: strawberry.ID
    assessor_name: str
    outcome: AssessmentOutcome
    skills: list[str]
    assessed_on: date
    assessor_id: strawberry.ID | None = None
    assessor_profession: str | None = None


@strawberry.input(description="Everything that a rule names must hold.")
class AssessorRuleInput:
    """A rule to be."""

    job_role_code: int | None = None
    profession: str | None = None
    needs_own_competence: bool = False


@strawberry.input(description="A rating from 1 (the least) to the points of its scale.")
class ConfidenceInput:
    """A rating to be."""

    learner_id: strawberry.ID
    tier_id: strawberry.ID
    topic_code: str
    moment: ConfidenceMoment
    rating: int
    scale_points: int
    rated_on: date


@strawberry.input(description="What a learning system tells of a learner and a course.")
class ProgressInput:
    """Progress to be."""

    learner_id: strawberry.ID
    course_id: strawberry.ID
    state: ProgressState
    told_at: datetime
    source: str


@strawberry.input(description="What the state is, whatever was told.")
class ProgressCorrectionInput:
    """A correction to be."""

    learner_id: strawberry.ID
    course_id: strawberry.ID
    state: ProgressState
    reason: str


def _id(given: dict[str, Any], name: str, type_name: str) -> UUID:
    return row_id(given[name], type_name, TrainingRefusal)


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


async def _assess(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    assessor_id = None if given.get("assessorId") is None else _id(given, "assessorId", "Learner")
    assessment_id = await competence.assess(
        work,
        learner_id=_id(given, "learnerId", "Learner"),
        assessor=competence.Assessor(given["assessorName"], assessor_id, given.get("assessorProfession")),
        outcome=_word(given["outcome"]),
        skills=given["skills"],
        assessed_on=given["assessedOn"],
    )
    return success("CompetenceAssessed", {"assessment": assessment_id})


async def _set_assessors(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    wanted = [
        competence.NewAssessorRule(
            rule.get("jobRoleCode"), rule.get("profession"), bool(rule.get("needsOwnCompetence", False))
        )
        for rule in arguments["rules"]
    ]
    await competence.set_assessor_rules(work, wanted)
    return success("AssessorRulesSet", {"tenant": work.tenant_id})


async def _set_review(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    await competence.change_review(work, arguments["months"])
    return success("AssessorRulesSet", {"tenant": work.tenant_id})


async def _set_minimum(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    await competence.change_confidence_minimum(work, arguments["people"])
    return success("AssessorRulesSet", {"tenant": work.tenant_id})


async def _rate(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    rating_id = await confidence.rate(
        work,
        learner_id=_id(given, "learnerId", "Learner"),
        tier_id=_id(given, "tierId", "Tier"),
        topic_code=given["topicCode"],
        moment=_word(given["moment"]),
        rating=given["rating"],
        scale_points=given["scalePoints"],
        rated_on=given["ratedOn"],
    )
    return success("ConfidenceRated", {"rating": rating_id})


async def _record(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    learner_id = await standing_learner(work, _id(given, "learnerId", "Learner"))
    course_id = _id(given, "courseId", "Course")
    await row_of(work, Course, course_id, "NO_SUCH_COURSE", "course", "courseId")
    told = progress.ProgressTold(learner_id, course_id, _word(given["state"]), given["toldAt"], given["source"])
    changed = await progress.record_progress(work, [told])
    return success("ProgressRecorded", {"learner": learner_id}, {"changed": bool(changed)})


async def _correct(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    progress_id = await progress.correct_progress(
        work,
        _id(given, "learnerId", "Learner"),
        _id(given, "courseId", "Course"),
        _word(given["state"]),
        given["reason"],
    )
    return success("ProgressCorrected", {"progress": progress_id})


def _mutation(change: Any, arguments: dict[str, Any], description: str) -> Any:
    return command(refused_as("LearnerRecordRefused", change), WRITE, arguments, description=description)


@strawberry.type
class LearnerRecordMutations:
    """Mutations of learners' records."""

    assess_competence: AssessmentResult | None = _mutation(
        _assess, {"input": AssessmentInput}, "Keep an assessment of competence by somebody who may assess."
    )
    set_assessor_rules: AssessorRulesResult | None = _mutation(
        _set_assessors, {"rules": list[AssessorRuleInput]}, "Who may assess competence: all rules."
    )
    set_competence_review: AssessorRulesResult | None = _mutation(
        _set_review, {"months": int}, "After how many months competence is reviewed, from the next assessment on."
    )
    set_confidence_minimum: AssessorRulesResult | None = _mutation(
        _set_minimum, {"people": int}, "The fewest people whose change of confidence is told."
    )
    rate_confidence: ConfidenceResult | None = _mutation(
        _rate, {"input": ConfidenceInput}, "Keep a rating; one told again replaces the one before."
    )
    record_progress: ProgressResult | None = _mutation(
        _record, {"input": ProgressInput}, "Take a learning system's report. What was completed is never taken back."
    )
    correct_progress: CorrectionResult | None = _mutation(
        _correct, {"input": ProgressCorrectionInput}, "Correct how far a learner has come, for a reason."
    )
