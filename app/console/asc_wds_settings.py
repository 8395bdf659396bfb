"""What stands in ASC-WDS training files: categories of courses and topics, who delivers, and what webinars are."""

from typing import Any

from sqlalchemy import and_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import courses_in_use
from app.console.pages import Problem, form_of, page, redirect, tenant_look, tenant_reads
from app.console.reports import Field, ShortForm, one_file, report
from app.console.tables import Link, Table
from app.console.training_forms import key, needed_key, number, tried, typed
from app.identity.permissions import Permission
from app.training.asc_wds import operations
from app.training.asc_wds.models import AscWdsCourse, AscWdsTopic, AscWdsTrainingProvider, TrainingCategory
from app.training.asc_wds.rules import E_LEARNING, EXTERNAL, FACE_TO_FACE, IN_HOUSE, MEDICATION
from app.training.mapping.models import Topic
from app.training.models import Course, TrainingProvider
from tenants.session import UnitOfWork

SETTINGS_HOME = "/console/asc-wds/settings"
FIELDS = ("webinar_how", "session_code", "provider", "who", "code", "course", "topic", "category")
HOW = [(E_LEARNING, "E-learning (2)"), (FACE_TO_FACE, "Face to face (1)")]
WHO = [(EXTERNAL, "External provider (2)"), (IN_HOUSE, "In-house staff (1)")]


async def asc_wds_settings(request: Request) -> Response:
    """What is chosen."""
    return await _page(request, [], {})


async def _page(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    async with tenant_look(request) as work:
        settings = await operations.settings_here(work)
    tables = await _tables(request)
    return report(
        request,
        "What stands in the file",
        status=422 if problems else 200,
        problems=problems,
        values={"who": EXTERNAL, "webinar_how": settings.webinar_how, "session_code": settings.session_code} | values,
        caption="ASC-WDS training files",
        back=Link("Back to ASC-WDS", "/console/asc-wds"),
        facts=[
            ("Webinars are", dict(HOW)[settings.webinar_how]),
            ("Provider code of your sessions", str(settings.session_code)),
        ],
        tables=tables.values(),
        forms=await _forms(request),
    )


async def asc_wds_settings_file(request: Request) -> Response:
    """One of the tables as a CSV."""
    return one_file(request, await _tables(request))


async def _tables(request: Request) -> dict[str, Table]:
    def label(code: int) -> str:
        return f"{code} {labels.get(code, '')}".strip()

    async with tenant_reads(request) as session:
        rows = await session.execute(select(TrainingCategory.code, TrainingCategory.label))
        labels = dict(rows.all())
        courses = await session.execute(
            select(Course.title, AscWdsCourse.category_code)
            .join(Course, and_(Course.tenant_id == AscWdsCourse.tenant_id, Course.id == AscWdsCourse.course_id))
            .order_by(Course.title_key, Course.id)
        )
        topics = await session.execute(
            select(AscWdsTopic.topic_code, AscWdsTopic.category_code).order_by(AscWdsTopic.topic_code)
        )
        providers = await session.execute(
            select(TrainingProvider.name, AscWdsTrainingProvider.who_delivered, AscWdsTrainingProvider.provider_code)
            .join(
                TrainingProvider,
                and_(
                    TrainingProvider.tenant_id == AscWdsTrainingProvider.tenant_id,
                    TrainingProvider.id == AscWdsTrainingProvider.training_provider_id,
                ),
            )
            .order_by(TrainingProvider.name, TrainingProvider.id)
        )
        told = [("Course", title, label(code)) for title, code in courses]
        told += [("Topic", topic, label(code)) for topic, code in topics]
        return {
            "categories": Table(
                f"Categories other than {label(MEDICATION)}",
                ("What", "Name", "Category"),
                told,
                f"{SETTINGS_HOME}/categories.csv",
                nothing="All courses and topics have this category.",
            ),
            "providers": Table(
                "Training providers other than external, 999",
                ("Training provider", "Who delivers", "Code"),
                [(name, dict(WHO)[who], str(code) if who == EXTERNAL else None) for name, who, code in providers],
                f"{SETTINGS_HOME}/providers.csv",
                nothing="All are external providers with the code 999, other.",
            ),
        }


async def _forms(request: Request) -> list[ShortForm]:
    async with tenant_reads(request) as session:
        rows = await session.execute(select(TrainingCategory).order_by(TrainingCategory.code))
        categories = [(row.code, f"{row.code} {row.label}") for row in rows.scalars()]
        providers = await session.execute(
            select(TrainingProvider.id, TrainingProvider.name).order_by(TrainingProvider.name)
        )
        named = list(providers.all())
        topics = await session.execute(select(Topic.code, Topic.title).order_by(Topic.code))
        listed = [(code, f"{code} {title}") for code, title in topics]
    return [
        ShortForm(
            f"{SETTINGS_HOME}/category",
            "Save the category",
            [
                Field("choice", "course", "Course", "Or a topic below.", await courses_in_use(request), "None"),
                Field("choice", "topic", "Topic", "Counts for courses whose topics all say the same.", listed, "None"),
                Field("choice", "category", "Category", options=categories, any="As it would be by itself"),
            ],
            "Category of a course or topic",
        ),
        ShortForm(
            f"{SETTINGS_HOME}/provider",
            "Save the training provider",
            [
                Field("choice", "provider", "Training provider", options=named),
                Field("one", "who", "Who delivers (WHODELIVERED)", options=WHO),
                Field("number", "code", "Code (PROVIDERNAME)", "From the ASC-WDS’s list. Left empty: 999, other."),
            ],
            "Training provider",
            second=True,
        ),
        ShortForm(
            f"{SETTINGS_HOME}/save",
            "Save",
            [
                Field(
                    "one",
                    "webinar_how",
                    "Webinars are (HOWDELIVERED)",
                    "The ASC-WDS knows two ways only. A webinar is live but at a screen: most call it e-learning.",
                    HOW,
                ),
                Field("number", "session_code", "Code of your own sessions (PROVIDERNAME)", "Left empty: 999, other."),
            ],
            "Webinars and sessions",
            second=True,
        ),
    ]


async def asc_wds_settings_change(request: Request) -> Response:
    """Save one of the forms."""
    what, form = request.path_params["what"], await form_of(request)
    if what not in ("category", "provider", "save"):
        raise HTTPException(404)

    async def change(work: UnitOfWork) -> None:
        if what == "category":
            await operations.say_category(
                work, number(form, "category"), course_id=key(form, "course"), topic=form.text("topic")
            )
        elif what == "provider":
            provider_id = needed_key(form, "provider", "the training provider")
            await operations.say_training_provider(work, provider_id, number(form, "who") or 0, number(form, "code"))
        else:
            await operations.change_settings(work, number(form, "webinar_how") or 0, number(form, "session_code"))

    problem = await tried(request, FIELDS, change)
    if problem is not None:
        return await _page(request, [problem], typed(form, FIELDS))
    return redirect(SETTINGS_HOME, done="asc-wds-saved")


_NEEDS = Permission.TRAINING_WRITE

ROUTES = [
    page("/asc-wds/settings", asc_wds_settings, needs=_NEEDS),
    page("/asc-wds/settings/{table}.csv", asc_wds_settings_file, needs=_NEEDS),
    page("/asc-wds/settings/{what}", asc_wds_settings_change, needs=_NEEDS, methods=("POST",)),
]
