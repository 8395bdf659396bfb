"""Mutations of programmes, their tiers, prerequisites and requirements."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.training.errors import TrainingRefusal
from app.training.mapping.state import has_locked_exercise
from app.training.requirements import matrix, prerequisites, programmes, standing
from app.training.requirements.prerequisites import NewRule
from app.training.requirements.rules import RuleKind
from medstead_graphql.mutations.nominations import WRITE, refused_as
from medstead_graphql.mutations.payload import Payload, RefusalReason, UserError, command, row_id, success
from medstead_graphql.types.directory import Employment, Tenant
from medstead_graphql.types.requirements import (
    LearnerStanding,
    PrerequisiteKind,
    Programme,
    ProgrammeScope,
    Requirement,
)
from medstead_graphql.types.training import Course, Tier
from tenants.session import UnitOfWork

Change = Callable[[UnitOfWork, dict[str, Any]], Awaitable[Payload]]


@strawberry.type(description="Why a programme cannot be changed as asked.")
class ProgrammeRefused(UserError):
    """A refusal about programmes."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The programme as it stands now.")
class ProgrammeChanged:
    """Success of the mutations of programmes and tiers."""

    programme: Programme


@strawberry.type(description="The tier as it stands now.")
class TierChanged:
    """Success of the mutations of one tier."""

    tier: Tier


@strawberry.type(description="The course as it stands now.")
class CourseRulesChanged:
    """Success of the mutations of a course's rules."""

    course: Course


@strawberry.type(description="The row is in the matrix. Standing is computed soon.")
class RequirementAdded:
    """Success of addRequirement."""

    requirement: Requirement


@strawberry.type(description="The employment as it stands now, and what the learner newly lacks.")
class EmploymentChanged:
    """Success of the mutations of employments."""

    employment: Employment
    newly_missing: list[LearnerStanding]


@strawberry.type(description="Standing is computed soon.")
class StandingRequested:
    """Success of computeStanding."""

    tenant: Tenant


ProgrammeResult = Annotated[ProgrammeChanged | ProgrammeRefused, strawberry.union("ProgrammeResult")]
TierResult = Annotated[TierChanged | ProgrammeRefused, strawberry.union("TierResult")]
CourseRulesResult = Annotated[CourseRulesChanged | ProgrammeRefused, strawberry.union("CourseRulesResult")]
RequirementResult = Annotated[RequirementAdded | ProgrammeRefused, strawberry.union("RequirementResult")]
EmploymentResult = Annotated[EmploymentChanged | ProgrammeRefused, strawberry.union("EmploymentResult")]
StandingResult = Annotated[StandingRequested | ProgrammeRefused, strawberry.union("StandingResult")]


@strawberry.input(description="A programme to be. A scope other than SYSTEM names its group or its provider.")
class NewProgrammeInput:
    """A programme to be."""

    name: str
    scope: ProgrammeScope = ProgrammeScope.SYSTEM
    provider_group_id: strawberry.ID | None = None
    cqc_provider_id: strawberry.ID | None = None


@strawberry.input(description="`version` is the one that you read.")
class RenameProgrammeInput:
    """A name to be."""

    id: strawberry.ID
    version: int
    name: str


@strawberry.input(description="`anyway`: publish although no mapping exercise is locked. The choice is recorded.")
class PublishProgrammeInput:
    """A publication to be."""

    id: strawberry.ID
    version: int
    anyway: bool = False


@strawberry.input(description="`version` is the one that you read.")
class RetireProgrammeInput:
    """A programme to retire."""

    id: strawberry.ID
    version: int


@strawberry.input(description="A wider scope. `version` is the one that you read.")
class WidenProgrammeInput:
    """A scope to be."""

    id: strawberry.ID
    version: int
    scope: ProgrammeScope
    provider_group_id: strawberry.ID | None = None


@strawberry.input(description="What the tier shall be, whole. `version` is the programme's.")
class TierInput:
    """A tier to be."""

    id: strawberry.ID
    version: int
    name: str
    minimum_minutes: int | None = None
    accepted_modes: list[str] = strawberry.field(default_factory=list)
    validity_months: int | None = None
    renewal_lead_days: int = 90


@strawberry.input(description="A tier that there is, or a new one by name.")
class TierPlaceInput:
    """A place in the order."""

    tier_id: strawberry.ID | None = None
    name: str | None = None


@strawberry.input(description="All tiers in order; those left out are removed. `version` is the programme's.")
class ArrangeTiersInput:
    """An order to be."""

    id: strawberry.ID
    version: int
    order: list[TierPlaceInput]


@strawberry.input(description="Rules of a tier with the same number of alternatives stand for each other.")
class PrerequisiteInput:
    """A rule to be."""

    kind: PrerequisiteKind
    alternatives: int
    needs_tier_id: strawberry.ID | None = None
    needs_course_id: strawberry.ID | None = None
    needs_skill: str | None = None


@strawberry.input(description="All rules of a tier. `version` is the programme's.")
class PrerequisitesInput:
    """Rules to be."""

    tier_id: strawberry.ID
    version: int
    rules: list[PrerequisiteInput]


@strawberry.input(description="Who needs which topic or which tier; what is left out is whichever.")
class RequirementInput:
    """A row to be."""

    programme_id: strawberry.ID
    version: int = strawberry.field(description="The programme's, as you read it.")
    job_role_code: int | None = None
    setting: str | None = None
    task: str | None = None
    topic_code: str | None = None
    tier_id: strawberry.ID | None = None


@strawberry.input(description="What the employment shall be, whole.")
class EmploymentInput:
    """An employment to be."""

    id: strawberry.ID
    job_role_code: int | None = None
    setting: str | None = None
    ended_on: date | None = None
    tasks: list[str] = strawberry.field(default_factory=list)


@strawberry.input(description="Who begins to work where, as what.")
class NewEmploymentInput:
    """An employment to begin."""

    learner_id: strawberry.ID
    employer_id: strawberry.ID
    started_on: date
    job_role_code: int | None = None
    setting: str | None = None
    tasks: list[str] = strawberry.field(default_factory=list)


def _id(given: dict[str, Any], name: str, type_name: str) -> UUID:
    return row_id(given[name], type_name, TrainingRefusal)


def _maybe(given: dict[str, Any], name: str, type_name: str) -> UUID | None:
    return None if given.get(name) is None else _id(given, name, type_name)


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _changed(programme_id: UUID) -> Payload:
    return success("ProgrammeChanged", {"programme": programme_id})


def _scope(given: dict[str, Any]) -> programmes.Scope:
    provider = given.get("cqcProviderId")
    if provider is not None:
        provider = str(provider).removeprefix("CqcProvider:")
    return programmes.Scope(
        _word(given.get("scope", "system")), _maybe(given, "providerGroupId", "ProviderGroup"), provider
    )


async def _start(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    return _changed(await programmes.start_programme(work, given["name"], _scope(given)))


async def _rename(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    programme_id = _id(given, "id", "Programme")
    await programmes.rename_programme(work, programme_id, given["version"], given["name"])
    return _changed(programme_id)


async def _publish(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    programme_id = _id(given, "id", "Programme")
    await programmes.publish_programme(
        work,
        programme_id,
        given["version"],
        has_locked_mapping=await has_locked_exercise(work),
        anyway=given.get("anyway", False),
    )
    return _changed(programme_id)


async def _retire(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    programme_id = _id(given, "id", "Programme")
    await programmes.retire_programme(work, programme_id, given["version"])
    return _changed(programme_id)


async def _widen(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    programme_id = _id(given, "id", "Programme")
    await programmes.widen_programme(work, programme_id, given["version"], _scope(given))
    return _changed(programme_id)


async def _change_tier(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    tier_id = _id(given, "id", "Tier")
    wanted = programmes.TierChange(
        given["name"],
        given.get("minimumMinutes"),
        given.get("acceptedModes") or [],
        given.get("validityMonths"),
        given.get("renewalLeadDays", programmes.DEFAULT_LEAD_DAYS),
    )
    await programmes.change_tier(work, tier_id, given["version"], wanted)
    return success("TierChanged", {"tier": tier_id})


async def _arrange(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    programme_id = _id(given, "id", "Programme")
    order = [programmes.TierPlace(_maybe(place, "tierId", "Tier"), place.get("name")) for place in given["order"]]
    await programmes.arrange_tiers(work, programme_id, given["version"], order)
    return _changed(programme_id)


async def _set_rules(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    tier_id = _id(given, "tierId", "Tier")
    wanted = [
        NewRule(
            RuleKind(_word(rule["kind"])),
            rule["alternatives"],
            _maybe(rule, "needsTierId", "Tier"),
            _maybe(rule, "needsCourseId", "Course"),
            rule.get("needsSkill"),
        )
        for rule in given["rules"]
    ]
    await prerequisites.set_prerequisites(work, tier_id, given["version"], wanted)
    return success("TierChanged", {"tier": tier_id})


async def _let_short(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    course_id = _id(arguments, "courseId", "Course")
    await programmes.let_short_course_count(work, course_id, arguments["reason"])
    return success("CourseRulesChanged", {"course": course_id})


async def _set_topics(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    course_id = _id(arguments, "courseId", "Course")
    await matrix.set_course_topics(work, course_id, arguments["topicCodes"])
    return success("CourseRulesChanged", {"course": course_id})


async def _require(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    wanted = matrix.NewRequirement(
        given.get("jobRoleCode"),
        given.get("setting"),
        given.get("task"),
        given.get("topicCode"),
        _maybe(given, "tierId", "Tier"),
    )
    programme_id = _id(given, "programmeId", "Programme")
    requirement_id = await matrix.add_requirement(work, programme_id, given["version"], wanted)
    return success("RequirementAdded", {"requirement": requirement_id})


async def _require_no_more(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    return _changed(await matrix.remove_requirement(work, _id(arguments, "id", "Requirement")))


def _post(given: dict[str, Any]) -> matrix.Post:
    return matrix.Post(given.get("jobRoleCode"), given.get("setting"), given.get("endedOn"), given.get("tasks") or [])


async def _change_employment(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    employment_id = _id(given, "id", "Employment")
    changes = await matrix.change_employment(work, employment_id, _post(given))
    rows: dict[str, Any] = {"employment": employment_id, "newlyMissing": changes.newly_missing}
    return success("EmploymentChanged", rows)


async def _begin_employment(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    learner_id, employer_id = _id(given, "learnerId", "Learner"), _id(given, "employerId", "Employer")
    employment_id, changes = await matrix.begin_employment(
        work, learner_id, employer_id, given["startedOn"], _post(given)
    )
    rows: dict[str, Any] = {"employment": employment_id, "newlyMissing": changes.newly_missing}
    return success("EmploymentChanged", rows)


async def _compute(work: UnitOfWork, _: dict[str, Any]) -> Payload:
    await standing.request_by_hand(work)
    return success("StandingRequested", {"tenant": work.tenant_id})


def _mutation(change: Change, arguments: dict[str, Any], description: str) -> Any:
    return command(refused_as("ProgrammeRefused", change), WRITE, arguments, description=description)


@strawberry.type
class ProgrammeMutations:
    """Mutations of programmes and requirements."""

    start_programme: ProgrammeResult | None = _mutation(
        _start, {"input": NewProgrammeInput}, "A draft of a programme with three tiers and their prerequisites."
    )
    rename_programme: ProgrammeResult | None = _mutation(_rename, {"input": RenameProgrammeInput}, "Name a programme.")
    publish_programme: ProgrammeResult | None = _mutation(
        _publish,
        {"input": PublishProgrammeInput},
        "Let the programme's requirements count. NO_LOCKED_MAPPING warns; `anyway` overrules it.",
    )
    retire_programme: ProgrammeResult | None = _mutation(
        _retire, {"input": RetireProgrammeInput}, "Its requirements count no longer; what was learned stays."
    )
    widen_programme: ProgrammeResult | None = _mutation(
        _widen, {"input": WidenProgrammeInput}, "Open a programme to more providers. No completion is lost."
    )
    change_tier: TierResult | None = _mutation(
        _change_tier, {"input": TierInput}, "Name a tier, and set what meets it and for how long."
    )
    arrange_tiers: ProgrammeResult | None = _mutation(
        _arrange, {"input": ArrangeTiersInput}, "Order, add and remove tiers, while nobody has completed anything."
    )
    set_prerequisites: TierResult | None = _mutation(
        _set_rules, {"input": PrerequisitesInput}, "What somebody needs before a place on a tier."
    )
    let_short_course_count: CourseRulesResult | None = _mutation(
        _let_short,
        {"course_id": strawberry.ID, "reason": str},
        "Let a course below its tier's minimum meet the tier all the same, for a reason.",
    )
    set_course_topics: CourseRulesResult | None = _mutation(
        _set_topics, {"course_id": strawberry.ID, "topic_codes": list[str]}, "Which topics a course covers."
    )
    add_requirement: RequirementResult | None = _mutation(
        _require, {"input": RequirementInput}, "A row of the requirement matrix. Rows add up."
    )
    remove_requirement: ProgrammeResult | None = _mutation(
        _require_no_more, {"id": strawberry.ID}, "Take a row out of the matrix."
    )
    change_employment: EmploymentResult | None = _mutation(
        _change_employment,
        {"input": EmploymentInput},
        "Change somebody's role, setting, tasks or last day, and hear what they newly lack.",
    )
    begin_employment: EmploymentResult | None = _mutation(
        _begin_employment, {"input": NewEmploymentInput}, "A learner begins to work for an employer."
    )
    compute_standing: StandingResult | None = _mutation(
        _compute, {}, "Have the standing of everybody computed soon, rather than tonight."
    )
