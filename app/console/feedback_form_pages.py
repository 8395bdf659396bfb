"""What feedback forms asked about: told of a course or a session."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import courses_in_use, latest_sessions
from app.console.governance_pages import HOME, may_govern
from app.console.pages import Problem, form_of, page, redirect, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, key, problem_of, typed
from app.governance import themes as operations
from app.governance.models import FeedbackSubject
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.models import Course, FeedbackForm, FeedbackResponse, TrainingSession

FEEDBACK = f"{HOME}/feedback"
SUBJECT_FIELDS = ("course", "session")
SHOWN = 500


async def subject_fields(request: Request, told: FeedbackSubject | None = None, subject: str = "") -> list[Field]:
    """A course or a session to choose, with the one that was told before, though it be old."""
    courses, sessions = await courses_in_use(request), await latest_sessions(request)
    if told is not None:
        for chosen, options in ((told.course_id, courses), (told.session_id, sessions)):
            if chosen is not None and chosen not in dict(options):
                options.append((chosen, subject))
    return [
        Field("choice", "course", "Course", "Choose a course or a session.", courses, "None"),
        Field("choice", "session", "Or session", options=sessions, any="None"),
    ]


async def feedback_forms(request: Request) -> Response:
    """All feedback forms with what each asked about."""
    return report(
        request,
        "Feedback forms",
        back=Link("Back to feedback", FEEDBACK),
        intro=["Once a form has a course or session, its answers count in what that is reported to be worth."],
        tables=[await _forms(request)],
    )


async def feedback_forms_file(request: Request) -> Response:
    """The forms as a CSV."""
    return csv_of("forms.csv", await _forms(request))


async def _told_of_forms(request: Request, form_id: UUID | None = None) -> list[Any]:
    """Forms by title: the form, its subject, the subject's name, responses."""
    counted = (
        select(FeedbackResponse.form_id, func.count().label("responses")).group_by(FeedbackResponse.form_id).subquery()
    )
    told = and_(FeedbackSubject.tenant_id == FeedbackForm.tenant_id, FeedbackSubject.form_id == FeedbackForm.id)
    listed = (
        select(
            FeedbackForm,
            FeedbackSubject,
            func.coalesce(Course.title, TrainingSession.title).label("subject"),
            func.coalesce(counted.c.responses, 0).label("responses"),
        )
        .outerjoin(counted, counted.c.form_id == FeedbackForm.id)
        .outerjoin(FeedbackSubject, told)
        .outerjoin(Course, and_(Course.tenant_id == FeedbackSubject.tenant_id, Course.id == FeedbackSubject.course_id))
        .outerjoin(
            TrainingSession,
            and_(
                TrainingSession.tenant_id == FeedbackSubject.tenant_id,
                TrainingSession.id == FeedbackSubject.session_id,
            ),
        )
        .order_by(FeedbackForm.title, FeedbackForm.id)
        .limit(SHOWN)
    )
    if form_id is not None:
        listed = listed.where(FeedbackForm.id == form_id)
    async with tenant_reads(request) as session:
        return list((await session.execute(listed)).all())


async def _forms(request: Request) -> Table:
    return Table(
        "Feedback forms",
        ("Form", "Asked about", "People asked", "Responses"),
        [
            (Link(form.title, f"{FEEDBACK}/forms/{form.id}"), subject or "Not told yet", form.invited, count)
            for form, _, subject, count in await _told_of_forms(request)
        ],
        f"{FEEDBACK}/forms/all.csv",
        (2, 3),
        "There are no feedback forms yet. They come with imports of feedback.",
    )


async def feedback_form(request: Request) -> Response:
    """One form, and saying what it asked about."""
    return await _form_page(request, 200, [], {})


async def _form_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    rows = await _told_of_forms(request, request.path_params["form_id"])
    if not rows:
        raise HTTPException(404)
    form, told, subject, count = rows[0]
    now = {name: str(getattr(told, f"{name}_id") or "") for name in SUBJECT_FIELDS} if told else {}
    fields = await subject_fields(request, told, subject)
    tell = ShortForm(f"{FEEDBACK}/forms/{form.id}/subject", "Save", fields, "Say what it asked about")
    return report(
        request,
        form.title,
        status=status,
        problems=problems,
        values=now | values,
        caption="Feedback form",
        back=Link("Back to feedback forms", f"{FEEDBACK}/forms"),
        facts=[("Asked about", subject or "Not told yet"), ("People asked", form.invited), ("Responses", count)],
        forms=[tell] if may_govern(request) else [],
    )


async def feedback_subject(request: Request) -> Response:
    """Say what a form asked about."""
    form, form_id = await form_of(request), request.path_params["form_id"]
    if not await _told_of_forms(request, form_id):
        raise HTTPException(404)
    try:
        async with tenant_work(request) as work:
            await operations.tell_subject(work, form_id, course_id=key(form, "course"), session_id=key(form, "session"))
    except (TrainingRefusal, Invalid) as error:
        return await _form_page(request, 422, [problem_of(error, SUBJECT_FIELDS)], typed(form, SUBJECT_FIELDS))
    return redirect(f"{FEEDBACK}/forms", done="subject-told")


_READ = Permission.GOVERNANCE_READ
_FORM = "/governance/feedback/forms/{form_id:uuid}"

ROUTES = [
    page("/governance/feedback/forms", feedback_forms, needs=_READ),
    page("/governance/feedback/forms/all.csv", feedback_forms_file, needs=_READ),
    page(_FORM, feedback_form, needs=_READ),
    page(f"{_FORM}/subject", feedback_subject, needs=Permission.GOVERNANCE_WRITE, methods=("POST",)),
]
