"""Messages: what waits, what was sent, what failed and why; sending one again, taking one back, pausing."""

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import message_words as words
from app.console import training_words
from app.console.pages import Problem, form_of, page, principal_here, redirect, services_of, tenant_reads
from app.console.reports import Field, Filter, ShortForm, report
from app.console.tables import Button, Link, Table, csv_of
from app.console.training_forms import asked_page, asked_word, chosen_word, tried
from app.directory.models import Learner
from app.identity.permissions import Permission
from app.messaging import ledger
from app.messaging.models import Message, MessageObjection, MessageSettings, ProviderContact
from app.messaging.objections import end_objection, object_to
from app.messaging.settings import pause
from tenants.session import UnitOfWork

HOME = "/console/messages"
BACK = Link("Back to messages", HOME)
SHOWN = 50
LINKS = (
    Link("Who the messages come from", f"{HOME}/sender"),
    Link("Templates", f"{HOME}/templates"),
    Link("Reminders of sessions", f"{HOME}/reminders"),
    Link("Nudges", f"{HOME}/nudges"),
    Link("Who objects", f"{HOME}/objections"),
)


def may_send(request: Request) -> bool:
    """Whether the person may write messages."""
    return principal_here(request).may(Permission.MESSAGES_WRITE)


async def messages(request: Request) -> Response:
    """What waits and what was sent, the newest first."""
    return await _messages(request, [])


async def _messages(request: Request, problems: list[Problem]) -> Response:
    state = asked_word(request, "state", words.STATES) or ""
    async with tenant_reads(request) as session:
        settings = (await session.scalars(select(MessageSettings))).one_or_none()
        counted = await session.execute(
            select(Message.state, func.count(), func.min(Message.due_at)).group_by(Message.state)
        )
        counts = {row[0]: (row[1], row[2]) for row in counted}
    now = services_of(request).clock()
    waiting, oldest = counts.get("queued", (0, None))
    late = max(now - oldest, timedelta()) if oldest is not None else None
    facts: list[tuple[str, Any]] = [
        ("Sending", "Nobody is named yet whom messages come from" if settings is None else _sending(settings)),
        ("Waiting", waiting),
        ("Longest due since", None if not late else f"{int(late.total_seconds() // 60):,} minutes"),
        ("Failed or came back", sum(counts.get(name, (0,))[0] for name in ("failed", "bounced"))),
    ]
    table, more = await _ledger(request, state, asked_page(request))
    forms = []
    if settings is not None and may_send(request):
        paused = settings.paused_at is not None
        forms = [ShortForm(f"{HOME}/pause", "Go on sending" if paused else "Pause sending", [], second=True)]
    at = asked_page(request)
    keep = f"&state={state}" if state else ""
    pages = [Link("Newer", f"{HOME}?page={at - 1}{keep}")] if at > 1 else []
    pages += [Link("Older", f"{HOME}?page={at + 1}{keep}")] if more else []
    return report(
        request,
        "Messages",
        status=422 if problems else 200,
        problems=problems,
        intro=["Every message that is or was to go out, once. It holds no address: that is looked up when it is sent."],
        facts=facts,
        links=LINKS,
        narrowed=Filter(HOME, "state", "State", list(words.STATES.items()), state),
        tables=[table],
        forms=forms,
        pages=pages,
        query=f"?state={state}" if state else "",
    )


def _sending(settings: MessageSettings) -> str:
    if settings.paused_at is not None:
        return "Paused"
    return f"{words.CHANNELS[settings.channel]}, at most {settings.per_minute:,} a minute"


async def messages_file(request: Request) -> Response:
    """The newest thousand as a CSV."""
    table, _ = await _ledger(request, asked_word(request, "state", words.STATES) or "", 1, 1000)
    return csv_of("messages.csv", table)


async def _ledger(request: Request, state: str, at: int, shown: int = SHOWN) -> tuple[Table, bool]:
    listed = (
        select(Message, Learner.display_name, ProviderContact.name)
        .outerjoin(Learner, and_(Learner.tenant_id == Message.tenant_id, Learner.id == Message.learner_id))
        .outerjoin(
            ProviderContact,
            and_(ProviderContact.tenant_id == Message.tenant_id, ProviderContact.id == Message.contact_id),
        )
        .order_by(Message.created_at.desc(), Message.id.desc())
        .offset((at - 1) * shown)
        .limit(shown + 1)
    )
    if state:
        listed = listed.where(Message.state == state)
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    table = Table(
        "Messages, the newest first",
        ("About", "To", "State", "Asked for", "Due", "Sent", "Why"),
        [
            (
                Link(words.OCCASIONS[message.occasion], f"{HOME}/{message.id}"),
                _recipient(request, message, learner, contact),
                words.STATES[message.state],
                message.created_at,
                message.due_at,
                message.sent_at,
                words.reason(message.last_error),
            )
            for message, learner, contact in rows[:shown]
        ],
        f"{HOME}/all.csv",
        nothing="There are no such messages.",
    )
    return table, len(rows) > shown


def _recipient(request: Request, message: Message, learner: str | None, contact: str | None) -> Any:
    if message.learner_id is not None:
        name = training_words.learner_name(principal_here(request), learner, message.learner_id)
        return Link(name, f"{HOME}/learners/{message.learner_id}")
    return contact if principal_here(request).may(Permission.PEOPLE_READ) else "A contact"


async def message(request: Request) -> Response:
    """One message."""
    return await _message(request, [])


async def _message(request: Request, problems: list[Problem]) -> Response:
    message_id = request.path_params["message_id"]
    async with tenant_reads(request) as session:
        row = await session.get(Message, (principal_here(request).tenant_id, message_id))
        if row is None:
            raise HTTPException(404)
        learner = await session.get(Learner, (row.tenant_id, row.learner_id)) if row.learner_id else None
        contact = await session.get(ProviderContact, (row.tenant_id, row.contact_id)) if row.contact_id else None
    facts: list[tuple[str, Any]] = [
        ("To", _recipient(request, row, learner.display_name if learner else None, contact.name if contact else None)),
        ("State", words.STATES[row.state]),
        ("Why", words.reason(row.last_error)),
        ("Asked for", row.created_at),
        ("Due", row.due_at),
        ("Attempts", row.attempts),
        ("Sent", row.sent_at),
        ("Ended", row.ended_at),
        ("Sent by", words.CHANNELS.get(row.channel or "")),
        ("Reference", row.provider_reference),
    ]
    forms = []
    if may_send(request) and row.state in ("failed", "bounced"):
        forms = [ShortForm(f"{HOME}/{row.id}/retry", "Send it again", [])]
    if may_send(request) and row.state == "queued":
        forms = [ShortForm(f"{HOME}/{row.id}/withdraw", "Take it back", [])]
    return report(
        request,
        words.OCCASIONS[row.occasion],
        status=422 if problems else 200,
        problems=problems,
        caption="Message",
        back=BACK,
        facts=facts,
        links=[Link("The session", f"/console/sessions/{row.session_id}")]
        if row.session_id and principal_here(request).may(Permission.TRAINING_READ)
        else [],
        forms=forms,
    )


async def message_retry(request: Request) -> Response:
    """Send it again."""
    return await _done(request, ledger.retry, "message-retried")


async def message_withdraw(request: Request) -> Response:
    """Take it back."""
    return await _done(request, ledger.withdraw, "message-withdrawn")


async def _done(request: Request, change: Any, done: str) -> Response:
    message_id = request.path_params["message_id"]

    async def changed(work: UnitOfWork) -> None:
        await change(work, message_id)

    problem = await tried(request, (), changed)
    if problem is not None:
        return await _message(request, [problem])
    return redirect(f"{HOME}/{message_id}", done=done)


async def sending_pause(request: Request) -> Response:
    """Pause, or go on."""
    async with tenant_reads(request) as session:
        settings = (await session.scalars(select(MessageSettings))).one_or_none()
    paused = settings is not None and settings.paused_at is not None

    async def change(work: UnitOfWork) -> None:
        await pause(work, paused=not paused)

    problem = await tried(request, (), change)
    if problem is not None:
        return await _messages(request, [problem])
    return redirect(HOME, done="sending-resumed" if paused else "sending-paused")


async def learner_messages(request: Request) -> Response:
    """What one learner was sent, and what they object to."""
    return await _learner(request, [])


async def _learner(request: Request, problems: list[Problem]) -> Response:
    learner_id = request.path_params["learner_id"]
    path = f"{HOME}/learners/{learner_id}"
    async with tenant_reads(request) as session:
        learner = await session.get(Learner, (principal_here(request).tenant_id, learner_id))
        if learner is None:
            raise HTTPException(404)
        sent = await session.scalars(
            select(Message).where(Message.learner_id == learner_id).order_by(Message.created_at.desc()).limit(200)
        )
        objections = await session.scalars(
            select(MessageObjection)
            .where(MessageObjection.learner_id == learner_id)
            .order_by(MessageObjection.created_at.desc())
        )
        listed = [
            (
                Link(words.OCCASIONS[row.occasion], f"{HOME}/{row.id}"),
                words.STATES[row.state],
                row.sent_at,
                words.reason(row.last_error),
            )
            for row in sent
        ]
        kept = list(objections)
    writes = may_send(request)
    name = training_words.learner_name(principal_here(request), learner.display_name, learner.id)
    objecting = Table(
        "What they do not want",
        ("Messages", "Since", "Ended"),
        [(words.OBJECTIONS[row.kind], row.created_at, row.ended_at) for row in kept],
        f"{path}/objections.csv",
        nothing="They object to nothing.",
        does="They want it again" if writes else "",
        buttons=[
            Button(f"{path}/objections/{row.id}/end", words.OBJECTIONS[row.kind])
            if writes and row.ended_at is None
            else None
            for row in kept
        ],
    )
    history = Table(
        "Messages, the newest first",
        ("About", "State", "Sent", "Why"),
        listed,
        f"{path}/all.csv",
        nothing="Nothing was sent to them.",
    )
    if request.path_params.get("table") is not None:
        tables = {"all": history, "objections": objecting}
        if request.path_params["table"] not in tables:
            raise HTTPException(404)
        return csv_of("messages.csv", tables[request.path_params["table"]])
    wanted = Field("one", "kind", "What they do not want", options=list(words.OBJECTIONS.items()))
    form = ShortForm(f"{path}/object", "Note it", [wanted], "Note an objection", second=True)
    return report(
        request,
        f"Messages to {name}",
        status=422 if problems else 200,
        problems=problems,
        back=BACK,
        links=[Link("Where they stand", f"/console/standing/learners/{learner_id}")]
        if principal_here(request).may(Permission.TRAINING_READ)
        else [],
        tables=[objecting, history],
        forms=[form] if writes else [],
    )


async def objection_note(request: Request) -> Response:
    """Note what a learner does not want."""
    learner_id = request.path_params["learner_id"]
    form = await form_of(request)

    async def change(work: UnitOfWork) -> None:
        kind = chosen_word(form, "kind", words.OBJECTIONS, "what they do not want")
        await object_to(work, kind, "team", learner_id=learner_id)

    problem = await tried(request, ("kind",), change)
    if problem is not None:
        return await _learner(request, [problem])
    return redirect(f"{HOME}/learners/{learner_id}", done="objection-noted")


async def objection_end(request: Request) -> Response:
    """They want it again."""

    async def change(work: UnitOfWork) -> None:
        found = await work.session.get(MessageObjection, (work.tenant_id, request.path_params["objection_id"]))
        if found is None or found.learner_id != request.path_params["learner_id"]:
            raise HTTPException(404)
        await end_objection(work, found.id)

    problem = await tried(request, (), change)
    if problem is not None:
        return await _learner(request, [problem])
    return redirect(f"{HOME}/learners/{request.path_params['learner_id']}", done="objection-ended")


async def objections(request: Request) -> Response:
    """Who does not want what."""
    table = await _objections(request)
    return report(
        request,
        "Who objects",
        back=BACK,
        intro=["Messages about somebody’s own bookings and certificates go out all the same."],
        tables=[table],
    )


async def objections_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("objections.csv", await _objections(request))


async def _objections(request: Request) -> Table:
    listed = (
        select(MessageObjection, Learner.display_name, ProviderContact.name)
        .outerjoin(
            Learner, and_(Learner.tenant_id == MessageObjection.tenant_id, Learner.id == MessageObjection.learner_id)
        )
        .outerjoin(
            ProviderContact,
            and_(
                ProviderContact.tenant_id == MessageObjection.tenant_id,
                ProviderContact.id == MessageObjection.contact_id,
            ),
        )
        .where(MessageObjection.ended_at.is_(None))
        .order_by(MessageObjection.created_at.desc(), MessageObjection.id)
        .limit(1000)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    sees = principal_here(request).may(Permission.PEOPLE_READ)
    return Table(
        "Objections, the newest first",
        ("Who", "What they do not want", "Since", "Said"),
        [
            (
                Link(
                    training_words.learner_name(principal_here(request), learner, row.learner_id),
                    f"{HOME}/learners/{row.learner_id}",
                )
                if row.learner_id
                else (contact if sees else "A contact"),
                words.OBJECTIONS[row.kind],
                row.created_at,
                {"link": "By a link", "team": "To the team", "learner": "By themselves"}[row.source],
            )
            for row, learner, contact in rows
        ],
        f"{HOME}/objections.csv",
        nothing="Nobody objects to anything.",
    )


_READ, _WRITE = Permission.MESSAGES_READ, Permission.MESSAGES_WRITE
_LEARNER = "/messages/learners/{learner_id:uuid}"

ROUTES = [
    page("/messages", messages, needs=_READ),
    page("/messages/all.csv", messages_file, needs=_READ),
    page("/messages/pause", sending_pause, needs=_WRITE, methods=("POST",)),
    page("/messages/objections", objections, needs=_READ),
    page("/messages/objections.csv", objections_file, needs=_READ),
    page("/messages/{message_id:uuid}", message, needs=_READ),
    page("/messages/{message_id:uuid}/retry", message_retry, needs=_WRITE, methods=("POST",)),
    page("/messages/{message_id:uuid}/withdraw", message_withdraw, needs=_WRITE, methods=("POST",)),
    page(_LEARNER, learner_messages, needs=_READ),
    page(f"{_LEARNER}/object", objection_note, needs=_WRITE, methods=("POST",)),
    page(f"{_LEARNER}/objections/{{objection_id:uuid}}/end", objection_end, needs=_WRITE, methods=("POST",)),
    page(f"{_LEARNER}/{{table}}.csv", learner_messages, needs=_READ),
]
