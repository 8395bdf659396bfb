"""Mutations of mapping exercises, of gaps, and of templates of programmes."""

from datetime import date
from typing import Annotated, Any

import strawberry
from sqlalchemy import select

from app.training.mapping import analysis, exercises, gaps, templates
from app.training.mapping.models import ProgrammeOrigin as OriginRow
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.mapping_payload import WRITE, MappingRefused, key, optional_key, typed, word
from medstead_graphql.mutations.payload import Payload, command, success
from medstead_graphql.types.mapping import (
    MappingAnalysis,
    MappingExercise,
    MappingGap,
    ProgrammeOrigin,
    ProgrammeTemplate,
)
from medstead_graphql.types.mapping_words import CellCoverage, CourseScope, GapKind
from tenants.session import UnitOfWork


@strawberry.type(description="The exercise is as asked.")
class MappingExerciseChanged:
    """Success of starting, filling and locking an exercise."""

    exercise: MappingExercise


@strawberry.type(description="The exercise was weighed.")
class MappingExerciseAnalysed:
    """Success of analyseMappingExercise."""

    analysis: MappingAnalysis


@strawberry.type(description="The gap is as asked.")
class MappingGapChanged:
    """Success of opening, changing and closing a gap."""

    gap: MappingGap


@strawberry.type(description="All tenants can see the template now.")
class TemplatePublished:
    """Success of publishProgrammeTemplate."""

    template: ProgrammeTemplate


@strawberry.type(description="The programme is there, and says where it comes from.")
class TemplateCloned:
    """Success of cloneProgrammeTemplate."""

    origin: ProgrammeOrigin


MappingExerciseResult = Annotated[MappingExerciseChanged | MappingRefused, strawberry.union("MappingExerciseResult")]
AnalyseMappingExerciseResult = Annotated[
    MappingExerciseAnalysed | MappingRefused, strawberry.union("AnalyseMappingExerciseResult")
]
MappingGapResult = Annotated[MappingGapChanged | MappingRefused, strawberry.union("MappingGapResult")]
PublishProgrammeTemplateResult = Annotated[
    TemplatePublished | MappingRefused, strawberry.union("PublishProgrammeTemplateResult")
]
CloneProgrammeTemplateResult = Annotated[
    TemplateCloned | MappingRefused, strawberry.union("CloneProgrammeTemplateResult")
]


@strawberry.input(description="A cell. Without `coverage` it counts as not assessed.")
class MappingCellInput:
    """A cell to be filled."""

    course: strawberry.ID
    topic: strawberry.ID
    clause: strawberry.ID
    coverage: CellCoverage | None = None
    evidence_note: str | None = None


@strawberry.input(description="Cells of a draft, at most 1,000. `version` is the exercise's `revision` that you read.")
class MappingCellsInput:
    """Cells to be filled."""

    exercise: strawberry.ID
    version: int
    assessor: str
    cells: list[MappingCellInput]


@strawberry.input(description="`version` is the exercise's `revision` that you read.")
class LockMappingInput:
    """An exercise to be locked."""

    id: strawberry.ID
    version: int


@strawberry.input(description="Something that training lacks, with an owner and a day.")
class MappingGapInput:
    """A gap to be opened."""

    exercise: strawberry.ID
    kind: GapKind
    title: str
    owner: str
    due_on: date
    topic: strawberry.ID | None = None
    course: strawberry.ID | None = None


@strawberry.input(description="What is left out stays as it is. `version` is the one that you read.")
class MappingGapChange:
    """A gap to be changed."""

    id: strawberry.ID
    version: int
    owner: str | None = None
    due_on: date | None = None


@strawberry.input(description="Name at least one of a course, a session and a decision.")
class CloseMappingGapInput:
    """A gap to be closed."""

    id: strawberry.ID
    version: int
    course: strawberry.ID | None = None
    session: strawberry.ID | None = None
    decision: str | None = None


async def _start(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    exercise_id = await exercises.start_exercise(work, arguments["name"], arguments.get("exercisedOn"))
    return success("MappingExerciseChanged", {"exercise": exercise_id})


async def _next(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    exercise_id = await exercises.next_edition(work, key(arguments, "id", "MappingExercise"))
    return success("MappingExerciseChanged", {"exercise": exercise_id})


async def _set(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    exercise_id = key(given, "exercise", "MappingExercise")
    cells = [
        exercises.CellGiven(
            key(cell, "course", "Course"),
            key(cell, "topic", "Topic"),
            key(cell, "clause", "GuidanceClause"),
            word(cell.get("coverage")),
            cell.get("evidenceNote"),
        )
        for cell in given["cells"]
    ]
    await exercises.set_cells(work, exercise_id, version=given["version"], assessor=given["assessor"], cells=cells)
    return success("MappingExerciseChanged", {"exercise": exercise_id})


async def _lock(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    exercise_id = key(given, "id", "MappingExercise")
    await exercises.lock_exercise(work, exercise_id, version=given["version"])
    return success("MappingExerciseChanged", {"exercise": exercise_id})


async def _analyse(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    analysis_id = await analysis.analyse_exercise(
        work,
        key(arguments, "id", "MappingExercise"),
        setting=arguments.get("setting"),
        scope=word(arguments.get("scope")),
    )
    return success("MappingExerciseAnalysed", {"analysis": analysis_id})


async def _open(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    gap = gaps.NewGap(
        word(given["kind"]),
        given["title"],
        given["owner"],
        given["dueOn"],
        optional_key(given, "topic", "Topic"),
        optional_key(given, "course", "Course"),
    )
    gap_id = await gaps.open_gap(work, key(given, "exercise", "MappingExercise"), gap)
    return success("MappingGapChanged", {"gap": gap_id})


async def _change(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    gap_id = key(given, "id", "MappingGap")
    await gaps.change_gap(work, gap_id, version=given["version"], owner=given.get("owner"), due_on=given.get("dueOn"))
    return success("MappingGapChanged", {"gap": gap_id})


async def _close(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    gap_id = key(given, "id", "MappingGap")
    evidence = gaps.Evidence(
        optional_key(given, "course", "Course"), optional_key(given, "session", "Session"), given.get("decision")
    )
    await gaps.close_gap(work, gap_id, version=given["version"], evidence=evidence)
    return success("MappingGapChanged", {"gap": gap_id})


async def _publish(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    programme_id = key(arguments, "programme", "Programme")
    template_id = await templates.publish_template(
        work, programme_id, name=arguments["name"], summary=arguments["summary"]
    )
    return success("TemplatePublished", {"template": template_id})


async def _clone(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    template_id = key(arguments, "id", "ProgrammeTemplate")
    programme_id = await templates.clone_template(work, template_id, name=arguments["name"])
    await work.session.flush()
    origin = select(OriginRow.id).where(OriginRow.programme_id == programme_id)
    return success("TemplateCloned", {"origin": (await work.session.scalars(origin)).one()})


_ID = {"id": strawberry.ID}


@strawberry.type
class MappingMutations:
    """Mutations of exercises, gaps and templates."""

    start_mapping_exercise: MappingExerciseResult | None = command(
        typed(_start), WRITE, {"name": str, "exercised_on": date | None}, description="Begin an empty draft."
    )
    copy_mapping_exercise: MappingExerciseResult | None = command(
        typed(_next), WRITE, _ID, description="Begin the next version as a copy of a locked exercise."
    )
    set_mapping_cells: MappingExerciseResult | None = command(
        typed(_set), WRITE, {"input": MappingCellsInput}, description="Fill cells of a draft."
    )
    lock_mapping_exercise: MappingExerciseResult | None = command(
        typed(_lock), WRITE, {"input": LockMappingInput}, description="Lock a draft for ever."
    )
    analyse_mapping_exercise: AnalyseMappingExerciseResult | None = command(
        typed(_analyse),
        WRITE,
        _ID | {"setting": str | None, "scope": CourseScope | None},
        description="Weigh the courses for a setting and a scope, and keep what was found.",
    )
    open_mapping_gap: MappingGapResult | None = command(
        typed(_open), WRITE, {"input": MappingGapInput}, description="Write down what training lacks."
    )
    update_mapping_gap: MappingGapResult | None = command(
        typed(_change), WRITE, {"input": MappingGapChange}, description="Give a gap another owner or day."
    )
    close_mapping_gap: MappingGapResult | None = command(
        typed(_close), WRITE, {"input": CloseMappingGapInput}, description="Close a gap by evidence."
    )
    publish_programme_template: PublishProgrammeTemplateResult | None = command(
        typed(_publish),
        WRITE,
        {"programme": strawberry.ID, "name": str, "summary": str},
        description="Give a programme to all tenants. No person is in it, and it never changes.",
    )
    clone_programme_template: CloneProgrammeTemplateResult | None = command(
        typed(_clone), WRITE, _ID | {"name": str}, description="Build a programme from a template."
    )
