"""Incidents with medicines: recording one, the categories, and the learning that they suggest."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import locations
from app.console.governance_pages import BACK, HOME, may_govern
from app.console.governance_words import HARMS, NEED_STATES, STAGES
from app.console.pages import Form, Problem, form_of, page, redirect, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, one_file, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    Invalid,
    chosen_word,
    key,
    needed_day,
    needed_key,
    problem_of,
    typed,
    version_of,
)
from app.directory.models import CqcLocation, TenantLocation
from app.governance import incidents as operations
from app.governance.models import IncidentCategory, LearningNeed, MedicineIncident
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.mapping.models import Topic
from tenants.clock import london_date

INCIDENTS = f"{HOME}/incidents"
CATEGORIES = f"{INCIDENTS}/categories"
FIELDS = ("category", "stage", "harm", "location", "occurred_on")
CATEGORY_FIELDS = ("name", "topic")
BACK_TO_ALL = Link("Back to incidents", INCIDENTS)
SHOWN = 500


async def incidents(request: Request) -> Response:
    """Incidents with medicines and the learning that they suggest."""
    return report(
        request,
        "Incidents with medicines",
        back=BACK,
        intro=["Nobody is named here: neither a resident nor who told of it."],
        actions=[Link("Record an incident", f"{INCIDENTS}/add")] if may_govern(request) else [],
        links=[Link("Categories, and the topic to learn about after each", CATEGORIES)],
        tables=(await _lists(request)).values(),
    )


async def incidents_file(request: Request) -> Response:
    """One of its tables as a CSV."""
    return one_file(request, await _lists(request))


def _needed() -> Any:
    """Learning needs with their topic's code and title and the location's name, the latest first."""
    return (
        select(LearningNeed, Topic.code, Topic.title, CqcLocation.name)
        .join(Topic, and_(Topic.tenant_id == LearningNeed.tenant_id, Topic.id == LearningNeed.topic_id))
        .join(
            TenantLocation,
            and_(
                TenantLocation.tenant_id == LearningNeed.tenant_id,
                TenantLocation.id == LearningNeed.tenant_location_id,
            ),
        )
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .order_by(LearningNeed.created_at.desc(), LearningNeed.id)
        .limit(SHOWN)
    )


async def _lists(request: Request) -> dict[str, Table]:
    place = and_(
        TenantLocation.tenant_id == MedicineIncident.tenant_id, TenantLocation.id == MedicineIncident.tenant_location_id
    )
    listed = (
        select(MedicineIncident, IncidentCategory.name, CqcLocation.name)
        .join(
            IncidentCategory,
            and_(
                IncidentCategory.tenant_id == MedicineIncident.tenant_id,
                IncidentCategory.id == MedicineIncident.category_id,
            ),
        )
        .join(TenantLocation, place)
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .order_by(MedicineIncident.occurred_on.desc(), MedicineIncident.id)
        .limit(SHOWN)
    )
    async with tenant_reads(request) as session:
        recorded = (await session.execute(listed)).all()
        needs = (await session.execute(_needed())).all()
    return {
        "needs": Table(
            "Learning that is suggested",
            ("Topic", "Location", "Suggested", "State"),
            [
                (
                    Link(f"{code}: {title}", f"{INCIDENTS}/needs/{row.id}"),
                    location,
                    london_date(row.created_at),
                    NEED_STATES[row.status],
                )
                for row, code, title, location in needs
            ],
            f"{INCIDENTS}/needs.csv",
            nothing="No incident has suggested any learning yet.",
        ),
        "incidents": Table(
            "Incidents",
            ("Day", "Category", "Stage", "Harm", "Location", "Safeguarding raised"),
            [
                (row.occurred_on, category, STAGES[row.stage], HARMS[row.harm], location, row.safeguarding_raised)
                for row, category, location in recorded
            ],
            f"{INCIDENTS}/incidents.csv",
            nothing="No incident has been recorded yet.",
        ),
    }


async def incident_add(request: Request) -> Response:
    """Record an incident."""
    if request.method == "GET":
        return await _add_page(request, 200, [], None)
    form = await form_of(request)
    try:
        given = operations.IncidentGiven(
            needed_key(form, "category", "a category"),
            chosen_word(form, "stage", STAGES, "the stage at which it happened"),
            chosen_word(form, "harm", HARMS, "how much harm it did"),
            needed_key(form, "location", "the location"),
            needed_day(form, "occurred_on", "the day on which it happened"),
            form.text("safeguarding_raised") == "yes",
        )
        async with tenant_work(request) as work:
            _, need_id = await operations.record_incident(work, given)
    except (TrainingRefusal, Invalid) as error:
        return await _add_page(request, 422, [problem_of(error, FIELDS)], form)
    if need_id is not None:
        return redirect(f"{INCIDENTS}/needs/{need_id}", done="incident-suggests")
    return redirect(INCIDENTS, done="incident-recorded")


async def _add_page(request: Request, status: int, problems: list[Problem], form: Form | None) -> Response:
    async with tenant_reads(request) as session:
        named = await session.execute(
            select(IncidentCategory.id, IncidentCategory.name).order_by(IncidentCategory.name)
        )
        categories = [(row.id, row.name) for row in named]
    fields = [
        Field("choice", "category", "Category", options=categories),
        Field("one", "stage", "Stage at which it happened", options=list(STAGES.items())),
        Field("one", "harm", "Harm", options=list(HARMS.items())),
        Field("choice", "location", "Location", options=await locations(request)),
        Field("date", "occurred_on", "Day"),
        Field("many", "safeguarding_raised", "Safeguarding", options=[("yes", "A safeguarding concern was raised")]),
    ]
    values = typed(form, FIELDS) | {"safeguarding_raised": form.texts("safeguarding_raised")} if form else {}
    return report(
        request,
        "Record an incident",
        status=status,
        problems=problems,
        values=values,
        back=BACK_TO_ALL,
        intro=[
            "There is no box for what happened in words, so that nobody can be named.",
            "If the category has a topic, people at the location are suggested to learn about it.",
        ],
        forms=[ShortForm(f"{INCIDENTS}/add", "Record it", fields)],
    )


async def learning_need(request: Request) -> Response:
    """One learning need, and what becomes of it."""
    return await _need_page(request, 200, [], {})


async def _need_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    found = (
        _needed()
        .where(LearningNeed.id == request.path_params["need_id"])
        .join(
            MedicineIncident,
            and_(MedicineIncident.tenant_id == LearningNeed.tenant_id, MedicineIncident.id == LearningNeed.incident_id),
        )
        .join(
            IncidentCategory,
            and_(
                IncidentCategory.tenant_id == MedicineIncident.tenant_id,
                IncidentCategory.id == MedicineIncident.category_id,
            ),
        )
        .add_columns(IncidentCategory.name, MedicineIncident.occurred_on)
    )
    async with tenant_reads(request) as session:
        told = (await session.execute(found)).first()
    if told is None:
        raise HTTPException(404)
    row, code, title, location, category, occurred_on = told
    state = Field("one", "status", "State", options=list(NEED_STATES.items()))
    decide = ShortForm(f"{INCIDENTS}/needs/{row.id}/decide", "Save", [state], "What becomes of it", row.version)
    return report(
        request,
        f"{code}: {title}",
        status=status,
        problems=problems,
        values={"status": row.status} | values,
        caption="Learning that is suggested",
        back=BACK_TO_ALL,
        facts=[
            ("State", NEED_STATES[row.status]),
            ("For people at", location),
            ("After an incident of the category", category),
            ("Which happened on", occurred_on),
            ("Topic", Link("What the topic covers", f"/console/mapping/topics/{row.topic_id}")),
        ],
        forms=[decide] if may_govern(request) else [],
    )


async def learning_need_decide(request: Request) -> Response:
    """Accept, decline or meet a learning need."""
    form, need_id = await form_of(request), request.path_params["need_id"]
    try:
        status = chosen_word(form, "status", NEED_STATES, "what becomes of it")
        async with tenant_work(request) as work:
            await operations.decide_need(work, need_id, status, version=version_of(form))
    except (TrainingRefusal, Invalid) as error:
        return await _need_page(request, 422, [problem_of(error, ("status",))], typed(form, ("status",)))
    return redirect(f"{INCIDENTS}/needs/{need_id}", done="need-decided")


async def incident_categories(request: Request) -> Response:
    """All categories, and a form to add one."""
    return await _categories_page(request, 200, [], {})


async def incident_categories_file(request: Request) -> Response:
    """The categories as a CSV."""
    return csv_of("categories.csv", await _categories(request))


async def _categories(request: Request) -> Table:
    counted = (
        select(IncidentCategory, Topic.code, Topic.title, func.count(MedicineIncident.id))
        .outerjoin(Topic, and_(Topic.tenant_id == IncidentCategory.tenant_id, Topic.id == IncidentCategory.topic_id))
        .outerjoin(
            MedicineIncident,
            and_(
                MedicineIncident.tenant_id == IncidentCategory.tenant_id,
                MedicineIncident.category_id == IncidentCategory.id,
            ),
        )
        .group_by(IncidentCategory.tenant_id, IncidentCategory.id, Topic.code, Topic.title)
        .order_by(IncidentCategory.name)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(counted)).all()
    writes = may_govern(request)
    return Table(
        "Categories",
        ("Category", "Topic to learn about", "Incidents"),
        [
            (Link(row.name, f"{CATEGORIES}/{row.id}") if writes else row.name, code and f"{code}: {title}", count)
            for row, code, title, count in rows
        ],
        f"{CATEGORIES}/all.csv",
        (2,),
        "There are no categories yet. Add those by which you count incidents.",
    )


async def _category_fields(request: Request, topic_id: UUID | None = None) -> list[Field]:
    """The fields, with the topics in use and the one that the category has."""
    offered = or_(Topic.status == "active", Topic.id == topic_id)
    topics = select(Topic.id, Topic.code, Topic.title).where(offered).order_by(Topic.code)
    async with tenant_reads(request) as session:
        options = [(row.id, f"{row.code}: {row.title}") for row in await session.execute(topics)]
    return [
        Field("text", "name", "Name", "Such as: missed dose."),
        Field("choice", "topic", "Topic to learn about after one (optional)", options=options, any="None"),
    ]


async def _categories_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    forms = []
    if may_govern(request):
        forms = [ShortForm(f"{CATEGORIES}/add", "Add", await _category_fields(request), "Add a category")]
    return report(
        request,
        "Categories of incidents",
        status=status,
        problems=problems,
        values=values,
        back=BACK_TO_ALL,
        tables=[await _categories(request)],
        forms=forms,
    )


async def incident_category_add(request: Request) -> Response:
    """Add a category."""
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            await operations.save_category(work, form.text("name"), key(form, "topic"))
    except (TrainingRefusal, Invalid) as error:
        return await _categories_page(request, 422, [problem_of(error, CATEGORY_FIELDS)], typed(form, CATEGORY_FIELDS))
    return redirect(CATEGORIES, done="category-saved")


async def incident_category(request: Request) -> Response:
    """Change a category."""
    category_id = request.path_params["category_id"]
    async with tenant_reads(request) as session:
        row = (await session.scalars(select(IncidentCategory).where(IncidentCategory.id == category_id))).first()
    if row is None:
        raise HTTPException(404)
    values: dict[str, Any] = {"name": row.name, "topic": str(row.topic_id or "")}
    if request.method == "GET":
        return await _category_page(request, row, 200, [], values)
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            await operations.save_category(
                work, form.text("name"), key(form, "topic"), category_id=row.id, version=version_of(form)
            )
    except (TrainingRefusal, Invalid) as error:
        shown = typed(form, CATEGORY_FIELDS)
        return await _category_page(request, row, 422, [problem_of(error, CATEGORY_FIELDS)], shown)
    return redirect(CATEGORIES, done="category-saved")


async def _category_page(
    request: Request, row: IncidentCategory, status: int, problems: list[Problem], values: dict[str, Any]
) -> Response:
    fields = await _category_fields(request, row.topic_id)
    return report(
        request,
        row.name,
        status=status,
        problems=problems,
        values=values,
        caption="Category of incidents",
        back=Link("Back to categories", CATEGORIES),
        forms=[ShortForm(f"{CATEGORIES}/{row.id}", "Save", fields, version=row.version)],
    )


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE
_NEED = "/governance/incidents/needs/{need_id:uuid}"
_CATEGORIES = "/governance/incidents/categories"

ROUTES = [
    page("/governance/incidents", incidents, needs=_READ),
    page("/governance/incidents/add", incident_add, needs=_WRITE, methods=("GET", "POST")),
    page(_NEED, learning_need, needs=_READ),
    page(f"{_NEED}/decide", learning_need_decide, needs=_WRITE, methods=("POST",)),
    page(_CATEGORIES, incident_categories, needs=_READ),
    page(f"{_CATEGORIES}/all.csv", incident_categories_file, needs=_READ),
    page(f"{_CATEGORIES}/add", incident_category_add, needs=_WRITE, methods=("POST",)),
    page(f"{_CATEGORIES}/{{category_id:uuid}}", incident_category, needs=_WRITE, methods=("GET", "POST")),
    page("/governance/incidents/{table}.csv", incidents_file, needs=_READ),
]
