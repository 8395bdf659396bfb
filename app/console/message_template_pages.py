"""Templates of messages: what is written on each occasion, with its placeholders and how it reads."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.message_pages import BACK, HOME, may_send
from app.console.message_words import CLASSES, OCCASIONS
from app.console.pages import Problem, form_of, page, redirect, tenant_reads
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import tried, typed
from app.identity.permissions import Permission
from app.messaging.models import MessageTemplate
from app.messaging.placeholders import NEEDED, OF, samples
from app.messaging.rules import OF_ITS_OWN_TEXT, Occasion
from app.messaging.templates import TemplateGiven, retire_template, save_template
from app.messaging.writing import prepare, write
from tenants.session import UnitOfWork

TEMPLATES = f"{HOME}/templates"
FIELDS = ("code", "occasion", "message_class", "subject", "body")
CHOSEN = {key: text for key, text in OCCASIONS.items() if key not in OF_ITS_OWN_TEXT}
HEADINGS = ("Template", "When it is sent", "Kind", "Version", "State", "Since")
STATES = {"draft": "Draft", "ready": "In use", "retired": "Not in use"}


async def templates(request: Request) -> Response:
    """The newest version of each."""
    table = await _templates(request)
    return report(
        request,
        "Templates of messages",
        back=BACK,
        intro=[
            "Where several are in use for one occasion, the newest is sent, unless a reminder names another. "
            "A change makes a new version: what was sent before stays as it was."
        ],
        actions=[Link("Write a template", f"{TEMPLATES}/add")] if may_send(request) else [],
        tables=[table],
    )


async def templates_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("templates.csv", await _templates(request))


async def _templates(request: Request) -> Table:
    listed = (
        select(MessageTemplate)
        .ext(distinct_on(MessageTemplate.code))
        .order_by(MessageTemplate.code, MessageTemplate.version.desc())
    )
    async with tenant_reads(request) as session:
        rows = (await session.scalars(listed)).all()
    return Table(
        "Templates",
        HEADINGS,
        [
            (
                Link(row.code, f"{TEMPLATES}/{row.id}"),
                OCCASIONS[row.occasion],
                CLASSES[row.message_class].partition(":")[0],
                row.version,
                STATES[row.state],
                row.created_at,
            )
            for row in rows
        ],
        f"{TEMPLATES}/all.csv",
        (3,),
        "There are none yet. The first come when you say who the messages come from.",
    )


async def template(request: Request) -> Response:
    """One version: how it reads, and a form for the next."""
    row = await _row(request)
    return _page(request, row, [], {name: getattr(row, name) for name in FIELDS})


async def _row(request: Request) -> MessageTemplate:
    wanted = select(MessageTemplate).where(MessageTemplate.id == request.path_params["template_id"])
    async with tenant_reads(request) as session:
        row = (await session.scalars(wanted)).first()
    if row is None:
        raise HTTPException(404)
    return row


def _page(request: Request, row: MessageTemplate, problems: list[Problem], values: dict[str, Any]) -> Response:
    occasion = Occasion(row.occasion)
    written = write(prepare(occasion, row.subject, row.body), samples(occasion))
    forms: list[ShortForm] = []
    if may_send(request):
        forms = [ShortForm(f"{TEMPLATES}/{row.id}/save", "Save as the next version", _text_fields(), "Change it")]
        if row.state == "ready":
            forms.append(ShortForm(f"{TEMPLATES}/{row.id}/retire", "Take it out of use", [], second=True))
    return report(
        request,
        row.code,
        status=422 if problems else 200,
        problems=problems,
        values=values,
        caption="Template",
        back=Link("Back to templates", TEMPLATES),
        facts=[
            ("When it is sent", OCCASIONS[row.occasion]),
            ("Kind", CLASSES[row.message_class]),
            ("Version", row.version),
            ("State", STATES[row.state]),
        ],
        texts=[("Subject, with examples", written.subject), ("Text, with examples", written.text)],
        tables=[_placeholders(occasion, f"{TEMPLATES}/{row.id}/placeholders.csv")],
        forms=forms,
    )


def _placeholders(occasion: Occasion, path: str) -> Table:
    needed = NEEDED.get(occasion, ())
    return Table(
        "Placeholders that it may have",
        ("Placeholder", "What it holds", "Example", "Needed"),
        [(f"(({one.name}))", one.about, one.sample, one.name in needed) for one in OF[occasion]],
        path,
    )


async def placeholders_file(request: Request) -> Response:
    """The placeholders as a CSV."""
    return csv_of("placeholders.csv", _placeholders(Occasion((await _row(request)).occasion), ""))


def _text_fields() -> list[Field]:
    hint = (
        "Markdown: **strong**, lines with * for lists, [words](address). "
        "Names in double brackets are filled in when it is sent."
    )
    return [
        Field("choice", "message_class", "Kind", options=list(CLASSES.items())),
        Field("text", "subject", "Subject"),
        Field("long", "body", "Text", hint, rows=12),
    ]


async def template_add(request: Request) -> Response:
    """Write a template."""
    if request.method == "GET":
        return _add_page(request, [], {"message_class": "programme"})
    form = await form_of(request)

    async def change(work: UnitOfWork) -> Any:
        return await save_template(work, TemplateGiven(*(form.text(name) for name in FIELDS)))

    done = await tried(request, FIELDS, change)
    if isinstance(done, Problem):
        return _add_page(request, [done], typed(form, FIELDS))
    return redirect(f"{TEMPLATES}/{done}", done="template-saved")


def _add_page(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    fields = [
        Field("text", "code", "Short name", "Such as reminder-week."),
        Field("choice", "occasion", "When it is sent", options=list(CHOSEN.items())),
        *_text_fields(),
    ]
    return report(
        request,
        "Write a template",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        back=Link("Back to templates", TEMPLATES),
        intro=["Everybody’s name is ((first_name)). What else an occasion knows stands on the pages of its templates."],
        forms=[ShortForm(f"{TEMPLATES}/add", "Check and save", fields)],
    )


async def template_save(request: Request) -> Response:
    """The next version."""
    row = await _row(request)
    form = await form_of(request)

    async def change(work: UnitOfWork) -> Any:
        given = TemplateGiven(
            row.code, row.occasion, form.text("message_class"), form.text("subject"), form.text("body")
        )
        return await save_template(work, given)

    done = await tried(request, FIELDS, change)
    if isinstance(done, Problem):
        return _page(request, row, [done], typed(form, FIELDS))
    return redirect(f"{TEMPLATES}/{done}", done="template-saved")


async def template_retire(request: Request) -> Response:
    """Take it out of use."""
    row = await _row(request)

    async def change(work: UnitOfWork) -> None:
        await retire_template(work, row.code)

    problem = await tried(request, (), change)
    if problem is not None:
        return _page(request, row, [problem], {name: getattr(row, name) for name in FIELDS})
    return redirect(TEMPLATES, done="template-retired")


_READ, _WRITE = Permission.MESSAGES_READ, Permission.MESSAGES_WRITE

ROUTES = [
    page("/messages/templates", templates, needs=_READ),
    page("/messages/templates/all.csv", templates_file, needs=_READ),
    page("/messages/templates/add", template_add, needs=_WRITE, methods=("GET", "POST")),
    page("/messages/templates/{template_id:uuid}", template, needs=_READ),
    page("/messages/templates/{template_id:uuid}/placeholders.csv", placeholders_file, needs=_READ),
    page("/messages/templates/{template_id:uuid}/save", template_save, needs=_WRITE, methods=("POST",)),
    page("/messages/templates/{template_id:uuid}/retire", template_retire, needs=_WRITE, methods=("POST",)),
]
