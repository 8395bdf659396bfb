"""Background work: what waits, how late it is, who does it, and what was given up and can be tried again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Problem, form_of, page, redirect, services_of, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, one_file, report
from app.console.tables import Button, Table
from app.identity.permissions import Permission
from tenants.bookkeeping import WorkerHeartbeat
from tenants.context import ActorKind, PlatformContext
from tenants.delivery import DeliveryRefusal, pause, replay
from tenants.models import TenantSettings
from tenants.outbox import OutboxMessage, Pool, Topic

HOME = "/console/background-work"
HEARD_OF = timedelta(seconds=20)
SHOWN = 200
POOLS = {Pool.QUICK: "quick work", Pool.SENDING: "sending", Pool.LONG: "long work"}
TOPICS = {
    Topic.IMPORT_STAGE: "Reading files that came in",
    Topic.IMPORT_APPLY: "Applying imports",
    Topic.FIGURES_REFRESH: "Counting the monthly figures",
    Topic.PLACE_OFFER_EXPIRE: "Ending offers of places",
    Topic.PLACES_RELEASE: "Giving places that reserves kept",
    Topic.CERTIFICATES_ISSUE: "Issuing certificates",
    Topic.CHAMPIONS_END: "Ending champions’ roles with their employment",
    Topic.STANDING_COMPUTE: "Computing who stands where",
    Topic.MESSAGES_SEND: "Sending messages",
    Topic.REMINDERS_PLAN: "Planning reminders",
    Topic.REMINDER_RUN: "Asking for reminders that are due",
    Topic.NUDGES_RUN: "Asking for nudges",
    Topic.RECEIPTS_ASK: "Asking Notify for receipts",
    Topic.CAMPAIGN_QUEUE: "Asking for a campaign’s messages",
    Topic.REPORT_BUILD: "Building reports",
    Topic.REPORTS_DUE: "Asking for reports by their schedules",
    Topic.STATEMENTS_DERIVE: "Taking in what learning systems told",
    Topic.LDSS_CLAIMS: "Looking for LDSS claims",
    Topic.LOCATIONS_LINK: "Adding new locations of the area",
    Topic.OUTSIDE_LOOK_ALL: "Asking for looks into outside systems",
    Topic.OUTSIDE_LOOK: "Looking into outside systems",
    Topic.OUTSIDE_SETTLE: "Settling a registration from outside",
    Topic.OUTSIDE_NOTICE: "Fetching what an outside system told of",
    Topic.OUTSIDE_ATTENDANCE_ALL: "Asking for attendance reports",
    Topic.OUTSIDE_ATTENDANCE: "Reading attendance reports",
    Topic.WEBHOOK_FAN_OUT: "Telling of events",
    Topic.WEBHOOK_DELIVER: "Sending webhooks",
}


async def background_work(request: Request) -> Response:
    """What waits, and what was given up."""
    return await _page(request, [])


async def _page(request: Request, problems: list[Problem]) -> Response:
    services = services_of(request)
    platform = PlatformContext("console: workers", ActorKind.PLATFORM, read_only=True)
    async with services.database.unit_of_work(platform) as work:
        alive = select(WorkerHeartbeat.pools).where(WorkerHeartbeat.seen_at > work.now - HEARD_OF)
        served = (await work.session.scalars(alive)).all()
    async with tenant_reads(request) as session:
        paused_at = await session.scalar(select(TenantSettings.work_paused_at))
    tables = await _tables(request)
    late = max((row[3] or 0 for row in tables["waiting"].rows), default=0)
    return report(
        request,
        "Background work",
        status=422 if problems else 200,
        problems=problems,
        intro=["What goes on after somebody has pressed a button. What fails is tried again for some hours by itself."],
        facts=[
            ("Workers at work", len(served)),
            *[(f"For {words}", sum(pool in pools for pools in served)) for pool, words in POOLS.items()],
            ("Paused", paused_at),
            ("Latest is late by", f"{late:,} seconds"),
            ("Given up", len(tables["dead"].rows)),
        ],
        tables=tables.values(),
        forms=[_pause_form(paused=paused_at is not None)],
    )


def _pause_form(*, paused: bool) -> ShortForm:
    if paused:
        return ShortForm(f"{HOME}/resume", "Go on", [], "The work of your organisation is paused")
    hint = "Nothing new is begun until you let it go on: no imports, messages, offers of places, reports or webhooks."
    sure = Field("many", "sure", "Pause everything", hint, [("yes", "Yes, begin nothing new")])
    return ShortForm(f"{HOME}/pause", "Pause", [sure], "Pause the work", second=True)


async def work_pause(request: Request) -> Response:
    """Begin nothing new of the tenant."""
    if "yes" not in (await form_of(request)).texts("sure"):
        return await _page(request, [Problem("sure", "Say that nothing new may be begun, or leave it as it is.")])
    return await _paused(request, paused=True)


async def work_resume(request: Request) -> Response:
    """Go on."""
    return await _paused(request, paused=False)


async def _paused(request: Request, *, paused: bool) -> Response:
    try:
        async with tenant_work(request) as work:
            await pause(work, paused=paused)
    except DeliveryRefusal as refusal:
        return await _page(request, [Problem("", refusal.message)])
    return redirect(HOME, done="work-paused" if paused else "work-resumed")


async def work_file(request: Request) -> Response:
    """One of the tables as a CSV."""
    return one_file(request, await _tables(request))


async def _tables(request: Request) -> dict[str, Table]:
    now = services_of(request).clock()
    is_open = and_(OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None))
    due = and_(OutboxMessage.available_at <= now, OutboxMessage.lease_until.is_(None))
    counted = (
        select(
            OutboxMessage.topic,
            func.count().filter(due).label("due"),
            func.count().filter(OutboxMessage.lease_until.is_not(None)).label("held"),
            func.min(OutboxMessage.available_at).filter(due).label("oldest"),
            func.count().filter(OutboxMessage.available_at > now).label("later"),
        )
        .where(is_open)
        .group_by(OutboxMessage.topic)
        .order_by(OutboxMessage.topic)
    )
    given_up = (
        select(OutboxMessage)
        .where(OutboxMessage.dead_at.is_not(None), OutboxMessage.done_at.is_(None))
        .order_by(OutboxMessage.dead_at.desc(), OutboxMessage.id)
        .limit(SHOWN)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(counted)).all()
        dead = (await session.scalars(given_up)).all()
    return {
        "waiting": Table(
            "What is to be done",
            ("Work", "Due", "Being done", "Late by seconds", "Later"),
            [(_name(row.topic), row.due, row.held, _seconds(now, row.oldest), row.later) for row in rows],
            f"{HOME}/waiting.csv",
            (1, 2, 3, 4),
            "Nothing waits.",
        ),
        "dead": Table(
            "Given up",
            ("Work", "Asked for", "Given up", "Tries", "Error"),
            [(_name(row.topic), row.created_at, row.dead_at, row.attempts, row.last_error) for row in dead],
            f"{HOME}/dead.csv",
            (3,),
            "Nothing was given up.",
            does="Try again",
            buttons=[Button(f"{HOME}/{row.id}/replay", f"{_name(row.topic)}, {row.id}") for row in dead],
        ),
    }


def _name(topic: str) -> str:
    return TOPICS[Topic(topic)] if topic in set(Topic) else topic


def _seconds(now: Any, oldest: Any) -> int | None:
    return None if oldest is None else int((now - oldest).total_seconds())


async def work_replay(request: Request) -> Response:
    """Try again what was given up."""
    outbox_id: UUID = request.path_params["outbox_id"]
    try:
        async with tenant_work(request) as work:
            await replay(work, outbox_id)
    except DeliveryRefusal as refusal:
        if refusal.code == "UNKNOWN_MESSAGE":
            raise HTTPException(404) from refusal
        return await _page(request, [Problem("", refusal.message)])
    return redirect(HOME, done="work-replayed")


_NEEDS = Permission.SETTINGS_WRITE

ROUTES = [
    page("/background-work", background_work, needs=_NEEDS),
    page("/background-work/pause", work_pause, needs=_NEEDS, methods=("POST",)),
    page("/background-work/resume", work_resume, needs=_NEEDS, methods=("POST",)),
    page("/background-work/{table}.csv", work_file, needs=_NEEDS),
    page("/background-work/{outbox_id:uuid}/replay", work_replay, needs=_NEEDS, methods=("POST",)),
]
