"""The ASC-WDS training file: its preview and making, the ids in it; for the team, and for managers of their group."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.asc_wds_settings import SETTINGS_HOME
from app.console.pages import Form, Problem, form_of, page, principal_here, redirect, tenant_look, tenant_reads
from app.console.reports import Field, ShortForm, one_file, report
from app.console.tables import Link, Table
from app.console.training_forms import Invalid, asked_page, needed_key, tried, typed
from app.directory.models import Employer, ProviderGroup, ProviderGroupLocation
from app.governance import group
from app.identity.permissions import Permission
from app.imports.formats import safe_cell
from app.training.asc_wds import operations, reading
from app.training.asc_wds.models import AscWdsWorker, AscWdsWorkplace
from app.training.asc_wds.rules import HEADINGS, Finding, TrainingRow, cells
from app.training.asc_wds.worker_file import LARGEST, read_workers
from app.training.errors import TrainingRefusal
from tenants.base import among
from tenants.session import UnitOfWork

HOME, OWN_HOME = "/console/asc-wds", "/console/my-locations/asc-wds"
SHOWN, AT_ONCE = 20, 10
FIELDS = ("employer", "local_id", "file", "worker", "unique_id", "leave_out")
ROOM = 8 * 1024


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose file it is: employers by name, and where its pages are."""

    title: str
    home: str
    employers: Mapping[UUID, str]
    back: Link


async def _desk(request: Request) -> Desk:
    """The desk that the address names. HTTPException 404 for one that is not there."""
    if request.url.path.startswith(OWN_HOME):
        async with tenant_reads(request) as session:
            own = group.employers_of(await group.places(session, principal_here(request).id))
            names = await _names(session, own)
        return Desk("ASC-WDS training file", OWN_HOME, names, Link("Back to my locations", "/console/my-locations"))
    back = Link("Back to ASC-WDS", HOME)
    async with tenant_reads(request) as session:
        if "group_id" in request.path_params:
            key = (principal_here(request).tenant_id, request.path_params["group_id"])
            found = await session.get(ProviderGroup, key)
            if found is None:
                raise HTTPException(404)
            members = select(ProviderGroupLocation.tenant_location_id).where(
                ProviderGroupLocation.provider_group_id == found.id
            )
            ids = await session.scalars(select(Employer.id).where(Employer.tenant_location_id.in_(members)))
            return Desk(found.name, f"{HOME}/groups/{found.id}", await _names(session, list(ids)), back)
        names = await _names(session, [request.path_params["employer_id"]])
    for employer_id, name in names.items():
        return Desk(name, f"{HOME}/{employer_id}", names, back)
    raise HTTPException(404)


async def _names(session: Any, ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = await session.execute(
        select(Employer.id, Employer.name).where(among(Employer.id, ids)).order_by(Employer.name, Employer.id)
    )
    return dict(rows.all())


async def asc_wds(request: Request) -> Response:
    """Employers and groups to make a file for."""
    tables = await _lists(request)
    return report(
        request,
        "ASC-WDS training files",
        intro=[
            "A provider uploads this file to the Adult Social Care Workforce Data Set, so that training stands there "
            "without being typed again. Choose whose file it is. Managers make their own under My locations."
        ],
        links=[Link("What stands in the file", SETTINGS_HOME)],
        tables=tables.values(),
    )


async def asc_wds_lists_file(request: Request) -> Response:
    """One of the two lists as a CSV."""
    return one_file(request, await _lists(request))


async def _lists(request: Request) -> dict[str, Table]:
    async with tenant_reads(request) as session:
        places = dict((await session.execute(select(AscWdsWorkplace.employer_id, AscWdsWorkplace.local_id))).all())
        workers = dict(
            (
                await session.execute(
                    select(AscWdsWorker.employer_id, func.count())
                    .where(AscWdsWorker.learner_id.is_not(None))
                    .group_by(AscWdsWorker.employer_id)
                )
            ).all()
        )
        employers = await session.execute(select(Employer.id, Employer.name).order_by(Employer.name, Employer.id))
        groups = await session.execute(select(ProviderGroup.id, ProviderGroup.name).order_by(ProviderGroup.name))
        return {
            "groups": Table(
                "Provider groups",
                ("Group",),
                [(Link(name, f"{HOME}/groups/{group_id}"),) for group_id, name in groups],
                f"{HOME}/lists/groups.csv",
                nothing="There is no provider group yet.",
            ),
            "employers": Table(
                "Employers",
                ("Employer", "Workplace id (LOCALESTID)", "Workers whose id is known"),
                [
                    (Link(name, f"{HOME}/{employer_id}"), places.get(employer_id), workers.get(employer_id, 0))
                    for employer_id, name in employers
                ],
                f"{HOME}/lists/employers.csv",
                (2,),
                "There is no employer yet.",
            ),
        }


async def asc_wds_desk(request: Request) -> Response:
    """The preview of a file, what is wrong with it, and the ids that are missing."""
    return await _page(request, await _desk(request), [], {})


async def _page(request: Request, desk: Desk, problems: list[Problem], values: dict[str, Any]) -> Response:
    async with tenant_look(request) as work:
        told = await reading.preview(work, list(desk.employers))
        staff = await reading.colleagues(work, list(desk.employers))
        places = await reading.local_ids(work, list(desk.employers))
        strangers = await reading.unnamed(work, list(desk.employers))
    errors = sum(finding.is_error for finding in told.findings)
    sound = len(told.without_errors())
    likely = {f"worker_{one.id}": f"{one.likely or ''}" for one in strangers[:AT_ONCE]}
    tables = _tables(desk, told, asked_page(request))
    return report(
        request,
        desk.title,
        status=422 if problems else 200,
        problems=problems,
        values=likely | values,
        caption="ASC-WDS training file",
        back=desk.back,
        intro=[
            "The file holds what people who work there today learned while they worked there. Errors keep it from "
            "being made, or their lines can be left out; warnings do not."
        ],
        facts=[
            ("Lines", len(told.rows)),
            ("Lines without an error", sound),
            ("Errors", errors),
            ("Warnings", len(told.findings) - errors),
            ("Workplace ids", ", ".join(f"{desk.employers[key]}: {text}" for key, text in places.items())),
            ("People without a worker id", sum(not person.worker_id for person in staff)),
        ],
        tables=[tables["findings"], tables["lines"]],
        pages=_more(desk, len(told.rows), asked_page(request)),
        forms=_forms(desk, staff, strangers, errors, sound) if desk.employers else [],
    )


def _more(desk: Desk, count: int, number: int) -> list[Link]:
    pages = range(1, -(-count // SHOWN) + 1)
    return [Link(f"Lines, page {one}", f"{desk.home}?page={one}") for one in pages if abs(one - number) == 1]


def _tables(desk: Desk, told: reading.Preview, number: int | None) -> dict[str, Table]:
    """Both tables: a page of each in few columns, or all of it where no page is named."""
    pairs = list(enumerate(zip(told.rows, told.people, strict=True), 2))
    if number is None:
        headings: tuple[str, ...] = ("Line", "Person", *HEADINGS[:-1])
        shown: list[tuple[Any, ...]] = [(line, person.name, *cells(row)[:-1]) for line, (row, person) in pairs]
    else:
        headings = ("Line", "Person", "Workplace id", "Worker id", "Training", "Category", "Completed", "Ends")
        shown = [
            (line, person.name, row.local_id, row.worker_id, row.name, row.category, row.completed_on, row.expires_on)
            for line, (row, person) in pairs[(number - 1) * SHOWN : number * SHOWN]
        ]
    wrong: tuple[str, ...] = ("Line", "Kind", "Code", "Name", "Column", "What to do")
    findings = [_finding(one) for one in told.findings]
    if number is not None:
        # The name says no more than column and words do, and is too long for a page.
        wrong, findings = (*wrong[:3], *wrong[4:]), [(*row[:3], *row[4:]) for row in findings[:SHOWN]]
    first = f" (the first {SHOWN} of {len(told.findings):,})" if len(findings) < len(told.findings) else ""
    return {
        "lines": Table(
            "Lines of the file (the download has all columns)",
            headings,
            shown,
            f"{desk.home}/preview/lines.csv",
            (0,),
            "There is none.",
        ),
        "findings": Table(
            f"What is wrong{first}",
            wrong,
            findings,
            f"{desk.home}/preview/findings.csv",
            (0, 2),
            "Nothing is wrong.",
        ),
    }


def _finding(one: Finding) -> tuple[object, ...]:
    # Codes are names, so they stand without a thousands separator.
    return one.line, "Error" if one.is_error else "Warning", str(one.code), one.name, one.column, one.message


def _forms(
    desk: Desk,
    staff: Sequence[reading.Colleague],
    strangers: Sequence[reading.Unnamed],
    errors: int,
    sound: int,
) -> list[ShortForm]:
    named = [(f"{one.employer_id}:{one.learner_id}", f"{one.name}, {desk.employers[one.employer_id]}") for one in staff]
    forms = []
    leave = [Field("many", "leave_out", "Errors", options=[("yes", f"Leave the lines with errors out ({errors:,})")])]
    if sound:
        forms.append(ShortForm(f"{desk.home}/file", "Make the file", leave if errors else [], "The file"))
    if strangers:
        fields = [
            Field(
                "choice", f"worker_{one.id}",
                " ".join(filter(None, [one.unique_id, f"({one.display_id})" if one.display_id else ""])),
                f"At {desk.employers[one.employer_id]}.",
                [(p.learner_id, p.name) for p in staff if p.employer_id == one.employer_id and not p.worker_id],
                "Not known",
            )
            for one in strangers[:AT_ONCE]
        ]  # fmt: skip
        forms.append(ShortForm(f"{desk.home}/workers", "Save who they are", fields, "Who these workers are"))
    forms += [
        ShortForm(
            f"{desk.home}/workers/file",
            "Read the ids",
            [Field("file", "file", "Worker file of the ASC-WDS",
                   "Only workplace ids, worker ids and display ids are read; all else in it is passed over.")],
            "Read ids from your worker file",
            second=True,
        ),
        ShortForm(
            f"{desk.home}/workplace",
            "Save the workplace id",
            [
                Field("choice", "employer", "Workplace", options=list(desk.employers.items())),
                Field("text", "local_id", "Workplace id (LOCALESTID)", "As in the ASC-WDS, of at most 50 characters."),
            ],
            "Workplace id",
            second=True,
        ),
        ShortForm(
            f"{desk.home}/worker",
            "Save the worker id",
            [
                Field("choice", "worker", "Person", options=named),
                Field("text", "unique_id", "Worker id (UNIQUEWORKERID)"),
            ],
            "Worker id of one person",
            second=True,
        ),
    ]  # fmt: skip
    return forms


async def asc_wds_preview_file(request: Request) -> Response:
    """The lines or what is wrong with them, as a CSV to look at."""
    desk = await _desk(request)
    async with tenant_look(request) as work:
        told = await reading.preview(work, list(desk.employers))
    return one_file(request, _tables(desk, told, None))


async def asc_wds_file(request: Request) -> Response:
    """Make the file; the trail keeps that it was made."""
    desk, form = await _desk(request), await form_of(request)

    async def change(work: UnitOfWork) -> list[TrainingRow]:
        told = await reading.preview(work, list(desk.employers))
        sound = told.without_errors()
        if not sound:
            raise Invalid("", "There is no line without an error. Enter the ids that are missing.")
        if len(sound) < len(told.rows) and "yes" not in form.texts("leave_out"):
            raise Invalid("leave_out", "Some lines have errors. Mend them, or have them left out.")
        operations.note_export(work, list(desk.employers), len(sound))
        return sound

    made = await tried(request, FIELDS, change)
    if isinstance(made, Problem):
        return await _page(request, desk, [made], {})
    return Response(
        training_file(made),
        headers={
            "content-disposition": 'attachment; filename="training.csv"',
            "content-type": "text/csv; charset=utf-8",
        },
    )


def training_file(rows: Sequence[TrainingRow]) -> bytes:
    """The file as the ASC-WDS reads it: UTF-8 without a mark, CRLF; no name can be taken for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    name = HEADINGS.index("TRAININGNAME")
    for row in rows:
        line = list(cells(row))
        line[name] = str(safe_cell(line[name]))
        writer.writerow(line)
    return buffer.getvalue().encode()


async def asc_wds_workplace(request: Request) -> Response:
    """Say the id of a workplace."""

    async def change(work: UnitOfWork, desk: Desk, form: Form) -> None:
        employer_id = needed_key(form, "employer", "the workplace")
        if employer_id not in desk.employers:
            raise Invalid("employer", "Choose one from the list.")
        await operations.name_workplace(work, employer_id, form.text("local_id"))

    return await _done(request, change, "asc-wds-saved")


async def asc_wds_worker(request: Request) -> Response:
    """Say the worker id of one person."""

    async def change(work: UnitOfWork, desk: Desk, form: Form) -> None:
        employer, _, learner = form.text("worker").partition(":")
        try:
            employer_id, learner_id = UUID(employer), UUID(learner)
        except ValueError as error:
            raise Invalid("worker", "Choose the person.") from error
        if employer_id not in desk.employers:
            raise Invalid("worker", "Choose one from the list.")
        await operations.name_worker(work, employer_id, learner_id, form.text("unique_id"))

    return await _done(request, change, "asc-wds-saved")


async def asc_wds_workers(request: Request) -> Response:
    """Say who workers of the provider's file are."""

    async def change(work: UnitOfWork, desk: Desk, form: Form) -> None:
        chosen = {}
        for name in form.fields:
            if name.startswith("worker_") and form.text(name):
                try:
                    chosen[UUID(name.removeprefix("worker_"))] = UUID(form.text(name))
                except ValueError as error:
                    raise Invalid(name, "Choose one from the list.") from error
        if not chosen:
            raise Invalid("", "Choose who at least one worker is.")
        await operations.say_workers(work, chosen, desk.employers)

    return await _done(request, change, "asc-wds-saved")


async def asc_wds_workers_file(request: Request) -> Response:
    """Read the ids of the provider's worker file."""

    async def change(work: UnitOfWork, desk: Desk, form: Form) -> None:
        upload = form.file("file")
        lines = read_workers(b"" if upload is None else await upload.read())
        taken = await operations.take_workers(work, desk.employers, lines)
        if len(taken.elsewhere) and taken.counts["elsewhere"] == sum(taken.counts.values()):
            named = ", ".join(one[:50] for one in taken.elsewhere[:5])
            message = f"No workplace of the file is known here: {named}. Enter the workplace ids first."
            raise TrainingRefusal("NO_WORKPLACE_KNOWN", message, "file")

    return await _done(request, change, "asc-wds-read")


async def _done(request: Request, change: Any, done: str) -> Response:
    desk, form = await _desk(request), await form_of(request)
    problem = await tried(request, FIELDS, lambda work: change(work, desk, form))
    if isinstance(problem, Problem):
        return await _page(request, desk, [problem], typed(form, ("employer", "local_id", "worker", "unique_id")))
    return redirect(desk.home, done=done)


def _desk_routes(path: str, needs: Permission, also: Permission | None) -> list[Any]:
    post = ("POST",)
    largest = LARGEST + ROOM
    return [
        page(path, asc_wds_desk, needs=needs, also=also),
        page(f"{path}/preview/{{table}}.csv", asc_wds_preview_file, needs=needs, also=also),
        page(f"{path}/file", asc_wds_file, needs=needs, also=also, methods=post),
        page(f"{path}/workplace", asc_wds_workplace, needs=needs, also=also, methods=post),
        page(f"{path}/worker", asc_wds_worker, needs=needs, also=also, methods=post),
        page(f"{path}/workers", asc_wds_workers, needs=needs, also=also, methods=post),
        page(
            f"{path}/workers/file", asc_wds_workers_file, needs=needs, also=also, methods=post, files=1,
            largest_body=largest,
        ),
    ]  # fmt: skip


_NEEDS, _PEOPLE = Permission.TRAINING_WRITE, Permission.PEOPLE_READ

ROUTES = [
    page("/asc-wds", asc_wds, needs=_NEEDS, also=_PEOPLE),
    page("/asc-wds/lists/{table}.csv", asc_wds_lists_file, needs=_NEEDS, also=_PEOPLE),
    *_desk_routes("/asc-wds/groups/{group_id:uuid}", _NEEDS, _PEOPLE),
    *_desk_routes("/asc-wds/{employer_id:uuid}", _NEEDS, _PEOPLE),
    *_desk_routes("/my-locations/asc-wds", Permission.GROUP_READ, None),
]
