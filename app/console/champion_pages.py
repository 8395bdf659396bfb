"""Champions: the register, locations without one, appointing and ending; the pathway, and who stays for a year."""

from datetime import date
from typing import Any

from sqlalchemy import Date, Uuid, and_, func, literal, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    Invalid,
    may_write,
    needed_day,
    needed_key,
    problem,
    typed,
    version_of,
)
from app.directory.models import CqcLocation, Learner, TenantLocation
from app.identity.permissions import Permission
from app.training.champion_register import figures, operations, pathway
from app.training.champion_register.models import ROLE_CATEGORIES, LearnerStep, PathwayStep
from app.training.errors import TrainingRefusal
from app.training.models import MedicationChampion
from app.training.requirements.models import ChampionNomination
from tenants.clock import london_date

SHOWN, EVERYTHING, LINES, FEWEST_LINES = 100, 100_000, 20, 4
STATES = {"active": "Active", "ended": "Ended"}
WHY_ENDED = {"employment_ended": "The employment there ended", "date_reached": "The day that was set has come"}


async def _register(request: Request, most: int) -> Table:
    principal = principal_here(request)
    sees = principal.may(Permission.PEOPLE_READ)
    statement = (
        select(MedicationChampion, Learner.display_name, CqcLocation.name)
        .join(
            Learner,
            and_(Learner.tenant_id == MedicationChampion.tenant_id, Learner.id == MedicationChampion.learner_id),
        )
        .outerjoin(
            TenantLocation,
            and_(
                TenantLocation.tenant_id == MedicationChampion.tenant_id,
                TenantLocation.id == MedicationChampion.tenant_location_id,
            ),
        )
        .outerjoin(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .order_by(MedicationChampion.state, CqcLocation.name, Learner.name_key, MedicationChampion.id)
        .limit(most)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(statement)).all()
    return Table(
        "The register, by location",
        ("Champion", "Location", "Part", "How reached", "Trained", "Since", "State"),
        [
            (
                Link(words.learner_name(principal, name, role.learner_id), f"/console/champions/{role.id}"),
                location or "Not one of our locations",
                "Deputy" if role.deputy else "Champion",
                role.contact_route if sees else None,
                role.trained_on,
                role.started_on,
                STATES[role.state],
            )
            for role, name, location in rows
        ],
        "/console/champions/register.csv",
        nothing="Nobody is champion yet.",
    )


async def _without(request: Request, most: int) -> Table:
    tenant = literal(principal_here(request).tenant_id, Uuid)
    statement = (
        select(TenantLocation.id, CqcLocation.name, CqcLocation.postcode, CqcLocation.local_authority)
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .where(TenantLocation.id.in_(figures.without_champion(tenant)))
        .order_by(CqcLocation.name, TenantLocation.id)
        .limit(most)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(statement)).all()
    return Table(
        "Locations without an active champion",
        ("Location", "Postcode", "Local authority"),
        [(row.name, row.postcode, row.local_authority) for row in rows],
        "/console/champions/without.csv",
        nothing="Every location has an active champion.",
    )


async def champions(request: Request) -> Response:
    """The register, what is missing, and the form that appoints."""
    return await _overview(request, 200, [], {})


async def _overview(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    principal = principal_here(request)
    tenant = literal(principal.tenant_id, Uuid)
    async with tenant_reads(request) as session:
        summary = (await session.execute(figures.summary(tenant))).one()
        roles = select(func.count()).select_from(MedicationChampion)
        count = (await session.execute(roles)).scalar_one()
    return render(
        request,
        "champions.jinja",
        status=status,
        problems=problems,
        values=values,
        summary=summary,
        register=await _register(request, SHOWN),
        without=await _without(request, SHOWN),
        count=count,
        most=SHOWN,
        ready=await _ready(request) if may_write(request) else [],
        writes=may_write(request),
    )


async def _ready(request: Request) -> list[tuple[Any, str]]:
    """Approved nominations whose learner has no active role at that location yet."""
    principal = principal_here(request)
    statement = (
        select(ChampionNomination.id, ChampionNomination.learner_id, Learner.display_name, CqcLocation.name)
        .join(
            Learner,
            and_(Learner.tenant_id == ChampionNomination.tenant_id, Learner.id == ChampionNomination.learner_id),
        )
        .join(
            TenantLocation,
            and_(
                TenantLocation.tenant_id == ChampionNomination.tenant_id,
                TenantLocation.id == ChampionNomination.tenant_location_id,
            ),
        )
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .outerjoin(
            MedicationChampion,
            and_(
                MedicationChampion.tenant_id == ChampionNomination.tenant_id,
                MedicationChampion.learner_id == ChampionNomination.learner_id,
                MedicationChampion.tenant_location_id == ChampionNomination.tenant_location_id,
                MedicationChampion.state == "active",
                MedicationChampion.started_on.is_not(None),
            ),
        )
        .where(ChampionNomination.status == "approved", MedicationChampion.id.is_(None))
        .order_by(Learner.name_key, CqcLocation.name, ChampionNomination.id)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(statement)).all()
    return [(row.id, f"{words.learner_name(principal, row.display_name, row.learner_id)}, {row.name}") for row in rows]


async def champions_register_file(request: Request) -> Response:
    """The whole register as a file."""
    return csv_of("champions.csv", await _register(request, EVERYTHING))


async def champions_without_file(request: Request) -> Response:
    """All locations without an active champion as a file."""
    return csv_of("locations-without-champion.csv", await _without(request, EVERYTHING))


async def champion_appoint(request: Request) -> Response:
    """Make the person of an approved nomination champion of its location."""
    form = await form_of(request)
    names = ("nomination", "contact_route", "deputy")
    try:
        nomination_id = needed_key(form, "nomination", "a person whose nomination was approved")
        async with tenant_work(request) as work:
            nomination = await work.session.get(ChampionNomination, (work.tenant_id, nomination_id))
            if nomination is None:
                raise HTTPException(404)
            await operations.appoint(
                work,
                nomination.learner_id,
                nomination.tenant_location_id,
                contact_route=form.text("contact_route"),
                deputy=form.text("deputy") == "yes",
            )
    except TrainingRefusal as refusal:
        return await _overview(request, 422, [Problem("nomination", refusal.message)], typed(form, names))
    except Invalid as invalid:
        return await _overview(request, 422, [invalid.problem], typed(form, names))
    return redirect("/console/champions", done="champion-appointed")


async def champion(request: Request) -> Response:
    """One role: how it is reached, steps of the pathway, its end."""
    return await _page(request, 200, [], {})


async def _page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    principal = principal_here(request)
    async with tenant_reads(request) as session:
        role = await session.get(MedicationChampion, (principal.tenant_id, request.path_params["champion_id"]))
        if role is None:
            raise HTTPException(404)
        learner = await session.get_one(Learner, (role.tenant_id, role.learner_id))
        location = None
        if role.tenant_location_id is not None:
            place = await session.get_one(TenantLocation, (role.tenant_id, role.tenant_location_id))
            location = await session.get_one(CqcLocation, place.location_id)
        steps = (await session.scalars(select(PathwayStep).order_by(PathwayStep.position))).all()
        reached = (
            await session.execute(
                select(PathwayStep.name, PathwayStep.role_category, LearnerStep.reached_on)
                .join(
                    PathwayStep,
                    and_(PathwayStep.tenant_id == LearnerStep.tenant_id, PathwayStep.id == LearnerStep.step_id),
                )
                .where(LearnerStep.learner_id == role.learner_id)
                .order_by(LearnerStep.reached_on, LearnerStep.id)
            )
        ).all()
    sees = principal.may(Permission.PEOPLE_READ)
    own = {"contact_route": role.contact_route or "", "deputy": "yes" if role.deputy else ""}
    return render(
        request,
        "champion.jinja",
        status=status,
        problems=problems,
        values=own | values,
        role=role,
        name=words.learner_name(principal, learner.display_name, learner.id),
        location=location,
        state=STATES[role.state],
        contact=role.contact_route if sees else None,
        why_ended=WHY_ENDED.get(role.ended_because or "", role.ended_because if sees else None),
        steps=[(step.id, f"{step.position}. {step.name}") for step in steps],
        reached=[[row.name, ROLE_CATEGORIES[row.role_category], row.reached_on] for row in reached],
        writes=may_write(request),
    )


async def _changed(request: Request, form: Form, change: Any, done: str, names: tuple[str, ...]) -> Response:
    role_id = request.path_params["champion_id"]
    async with tenant_reads(request) as session:
        if (await session.get(MedicationChampion, (principal_here(request).tenant_id, role_id))) is None:
            raise HTTPException(404)
    try:
        async with tenant_work(request) as work:
            await change(work, role_id)
    except TrainingRefusal as refusal:
        return await _page(request, 422, [problem(refusal, names)], typed(form, names))
    except Invalid as invalid:
        return await _page(request, 422, [invalid.problem], typed(form, names))
    return redirect(f"/console/champions/{role_id}", done=done)


async def champion_change(request: Request) -> Response:
    """Change how the champion is reached, and their part."""
    form = await form_of(request)

    async def change(work: Any, role_id: Any) -> None:
        await operations.change_champion(
            work,
            role_id,
            version_of(form),
            contact_route=form.text("contact_route"),
            deputy=form.text("deputy") == "yes",
        )

    return await _changed(request, form, change, "champion-changed", ("contact_route", "deputy"))


async def champion_end(request: Request) -> Response:
    """End the role today."""
    form = await form_of(request)

    async def change(work: Any, role_id: Any) -> None:
        await operations.end_champion(work, role_id, version_of(form), form.text("reason"))

    return await _changed(request, form, change, "champion-ended", ("reason",))


async def champion_step(request: Request) -> Response:
    """Record a step of the pathway that the champion reached."""
    form = await form_of(request)

    async def change(work: Any, role_id: Any) -> None:
        role = await work.session.get_one(MedicationChampion, (work.tenant_id, role_id))
        on: date = needed_day(form, "on", "the day on which it was reached")
        await pathway.reach_step(work, role.learner_id, needed_key(form, "step_id", "a step"), on)

    return await _changed(request, form, change, "step-reached", ("step_id", "on"))


async def _retention(request: Request) -> Table:
    tenant = literal(principal_here(request).tenant_id, Uuid)
    today = literal(london_date(services_of(request).clock()), Date)
    async with tenant_reads(request) as session:
        rows = (await session.execute(figures.retention(tenant, today))).all()
    return Table(
        "Who stayed for the last twelve months",
        ("Of those employed a year ago", "People", "Still with the employer", "Still in care here"),
        [
            (
                "Champions" if row.champions else "Others",
                row.people,
                *(
                    "Too few to tell" if row.suppressed else f"{count} ({share:.0%})"
                    for count, share in (
                        (row.with_employer, row.with_employer_share),
                        (row.in_sector, row.in_sector_share),
                    )
                ),
            )
            for row in rows
        ],
        "/console/champions/retention.csv",
        numeric=(1, 2, 3),
    )


async def champions_retention_file(request: Request) -> Response:
    """The twelve months' stay as a file."""
    return csv_of("retention.csv", await _retention(request))


async def _steps(request: Request) -> tuple[Table, list[PathwayStep]]:
    people = func.count(LearnerStep.id)
    statement = (
        select(PathwayStep, people)
        .outerjoin(
            LearnerStep, and_(LearnerStep.tenant_id == PathwayStep.tenant_id, LearnerStep.step_id == PathwayStep.id)
        )
        .group_by(PathwayStep.tenant_id, PathwayStep.id)
        .order_by(PathwayStep.position)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(statement)).all()
    table = Table(
        "Steps of the pathway",
        ("Step", "Name", "Care Workforce Pathway", "People who reached it"),
        [(step.position, step.name, ROLE_CATEGORIES[step.role_category], count) for step, count in rows],
        "/console/champions/pathway.csv",
        numeric=(0, 3),
        nothing="No step has been set yet.",
    )
    return table, [step for step, _ in rows]


async def champions_pathway(request: Request) -> Response:
    """The pathway and its form; and who stays."""
    if request.method != "POST":
        return await _pathway_page(request, 200, [], None)
    form = await form_of(request)
    lines = [(form.text(f"name_{n}"), form.text(f"category_{n}"), form.text(f"id_{n}")) for n in range(1, LINES + 1)]
    try:
        steps = [
            pathway.Step(name, category, needed_key(form, f"id_{n}", "a step") if known else None)
            for n, (name, category, known) in enumerate(lines, 1)
            if name.strip()
        ]
        async with tenant_work(request) as work:
            await pathway.set_pathway(work, steps)
    except TrainingRefusal as refusal:
        return await _pathway_page(request, 422, [Problem("name_1", refusal.message)], lines)
    except Invalid as invalid:
        return await _pathway_page(request, 422, [invalid.problem], lines)
    return redirect("/console/champions/pathway", done="pathway-changed")


async def _pathway_page(
    request: Request, status: int, problems: list[Problem], lines: list[tuple[str, str, str]] | None
) -> Response:
    table, steps = await _steps(request)
    shown = lines or [(step.name, step.role_category, str(step.id)) for step in steps]
    room = min(LINES, max(FEWEST_LINES, len(steps) + 2))
    shown = shown[:LINES] + [("", "", "")] * (room - len(shown))
    values = {f"{word}_{n}": text for n, line in enumerate(shown, 1) for word, text in zip(_LINE, line, strict=True)}
    return render(
        request,
        "champions_pathway.jinja",
        status=status,
        problems=problems,
        values=values,
        table=table,
        retention=await _retention(request),
        categories=ROLE_CATEGORIES,
        lines=range(1, len(shown) + 1),
        writes=may_write(request),
    )


_LINE = ("name", "category", "id")


async def champions_pathway_file(request: Request) -> Response:
    """The steps as a file."""
    return csv_of("pathway.csv", (await _steps(request))[0])


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE
_ONE = "/champions/{champion_id:uuid}"

ROUTES = [
    page("/champions", champions, needs=_READ),
    page("/champions/register.csv", champions_register_file, needs=_READ),
    page("/champions/without.csv", champions_without_file, needs=_READ),
    page("/champions/appoint", champion_appoint, needs=_WRITE, methods=("POST",)),
    page("/champions/pathway", champions_pathway, needs=_READ),
    page("/champions/pathway/set", champions_pathway, needs=_WRITE, methods=("POST",)),
    page("/champions/pathway.csv", champions_pathway_file, needs=_READ),
    page("/champions/retention.csv", champions_retention_file, needs=_READ),
    page(_ONE, champion, needs=_READ),
    page(f"{_ONE}/change", champion_change, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/end", champion_end, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/step", champion_step, needs=_WRITE, methods=("POST",)),
]
