"""A session's page with its bookings and waiting list; booking people; checking them in."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import segno
from sqlalchemy import and_, func, or_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import (
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
from app.console.session_words import (
    BOOKED_BY,
    BOOKING_STATES,
    DECISIONS,
    KINDS,
    ONLINE_MODES,
    STATES,
    WAITING_LISTS,
)
from app.console.tables import Table, csv_of
from app.console.training_forms import SETTINGS, may_write
from app.directory.models import Employer, Employment, Learner, ProviderGroup
from app.identity.permissions import Permission
from app.training.booking import check_in, operations, placing
from app.training.booking.models import LIVE, Booking, PlaceOffer, PlaceReserve, SessionPlaces
from app.training.errors import TrainingRefusal
from app.training.models import Attendance, Tier, TrainingSession
from app.training.sessions.models import AgendaItem, SessionFacilitator, TeamMember, Venue
from app.training.sessions.operations import remarks_on
from app.training.sessions.rules import half_at
from tenants.base import among
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.models import Tenant
from tenants.session import UnitOfWork

FOUND_AT_MOST = 30


async def session(request: Request) -> Response:
    """One session: what it is, who has a place, who waits and why."""
    return await session_page(request, 200, [])


async def session_page(request: Request, status: int, problems: list[Problem]) -> Response:
    """The page of a session, with problems of a form on it."""
    async with tenant_reads(request) as reads:
        row = await _row(reads, request)
        tier = None if row.tier_id is None else await reads.get(Tier, (row.tenant_id, row.tier_id))
        venue = None if row.venue_id is None else await reads.get(Venue, (row.tenant_id, row.venue_id))
        places = (await reads.scalars(select(SessionPlaces).where(SessionPlaces.session_id == row.id))).first()
        reserves = (await reads.scalars(select(PlaceReserve).where(PlaceReserve.session_id == row.id))).all()
        agenda = (
            await reads.scalars(select(AgendaItem).where(AgendaItem.session_id == row.id).order_by(AgendaItem.position))
        ).all()
        leaders = (
            await reads.scalars(
                select(TeamMember.name)
                .join(
                    SessionFacilitator,
                    and_(
                        SessionFacilitator.tenant_id == TeamMember.tenant_id,
                        SessionFacilitator.team_member_id == TeamMember.id,
                    ),
                )
                .where(SessionFacilitator.session_id == row.id)
                .order_by(TeamMember.name)
            )
        ).all()
        groups = {
            str(group.id): group.name for group in await reads.scalars(select(ProviderGroup).order_by(ProviderGroup.id))
        }
        bookings = await _bookings(request, reads, row)
        work = UnitOfWork(reads, _context(request), services_of(request).clock)
        _, remarks = await remarks_on(work, row)
        waiting = [item for item in bookings if item["state"] == "waiting"]
        reasons = {}
        for item in waiting[:1]:
            reasons[item["id"]] = [reason.message for reason in await operations.why_waiting(work, item["id"])]
    now = services_of(request).clock()
    return render(
        request,
        "session.jinja",
        status=status,
        problems=problems,
        row=row,
        tier=tier,
        venue=venue,
        places=places,
        reserves=[one for one in reserves if one.until > now],
        reserve_words={one.id: SETTINGS.get(one.value, groups.get(one.value, one.value)) for one in reserves},
        agenda=agenda,
        leaders=leaders,
        remarks=remarks if row.state != "cancelled" and row.starts_at > now else [],
        confirmed=[item for item in bookings if item["state"] in ("confirmed", "offered")],
        waiting=waiting,
        ended=[item for item in bookings if item["state"] not in LIVE],
        reasons=reasons,
        begun=row.starts_at <= now,
        names=_sees_names(request),
        books=principal_here(request).may(Permission.BOOKINGS_WRITE),
        writes=may_write(request),
        governs=principal_here(request).may(Permission.GOVERNANCE_READ),
        kinds=KINDS,
        states=STATES,
        modes=ONLINE_MODES,
        policies=WAITING_LISTS,
        booking_states=BOOKING_STATES,
        booked_by=BOOKED_BY,
    )


async def bookings_file(request: Request) -> Response:
    """All bookings of a session as a CSV."""
    async with tenant_reads(request) as reads:
        row = await _row(reads, request)
        bookings = await _bookings(request, reads, row)
    table = Table(
        "Bookings",
        ("Number", "Learner", "Employer", "State", "Booked by", "Booked", "Confirmed", "Ended", "Late", "Group"),
        [
            (
                item["number"],
                item["learner"],
                item["employer"],
                BOOKING_STATES[item["state"]],
                BOOKED_BY[item["booked_by"]],
                item["booked_at"],
                item["confirmed_at"],
                item["ended_at"],
                item["late"],
                item["group"],
            )
            for item in bookings
        ],
        "",
    )
    return csv_of("bookings.csv", table)


async def book(request: Request) -> Response:
    """Find learners by name and book them."""
    async with tenant_reads(request) as reads:
        row = await _row(reads, request)
    query = request.query_params.get("name", "").strip()
    if request.method == "GET":
        return await _book_page(request, row, 200, [], query, [])
    form = await form_of(request)
    try:
        chosen = tuple(UUID(text) for text in form.texts("learners"))
    except ValueError as error:
        raise HTTPException(400) from error
    wanted = placing.Request(
        row.id, chosen, "team", wait=form.text("wait") == "yes", together=form.text("together") == "yes"
    )
    try:
        async with tenant_work(request) as work:
            await operations.book(work, wanted)
    except TrainingRefusal as refusal:
        told = [Problem("learners", refusal.message)]
        told += [Problem("learners", reason.message) for reason in refusal.reasons if reason.message != refusal.message]
        return await _book_page(request, row, 422, told[:12], form.text("name"), form.texts("learners"))
    return redirect(f"/console/sessions/{row.id}", done="people-booked")


async def _book_page(
    request: Request, row: TrainingSession, status: int, problems: list[Problem], query: str, chosen: Sequence[str]
) -> Response:
    found: list[tuple[str, str, str]] = []
    if query:
        today = london_date(services_of(request).clock())
        async with tenant_reads(request) as reads:
            rows = await reads.execute(
                select(Learner.id, Learner.display_name, func.string_agg(Employer.name, ", ").label("employers"))
                .outerjoin(
                    Employment,
                    and_(
                        Employment.tenant_id == Learner.tenant_id,
                        Employment.learner_id == Learner.id,
                        or_(Employment.ended_on.is_(None), Employment.ended_on >= today),
                    ),
                )
                .outerjoin(
                    Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id)
                )
                .where(
                    Learner.merged_into_id.is_(None),
                    or_(
                        Learner.name_key.contains(query.casefold(), autoescape=True),
                        func.lower(Employer.name).contains(query.casefold(), autoescape=True),
                    ),
                )
                .group_by(Learner.id, Learner.display_name, Learner.name_key)
                .order_by(Learner.name_key, Learner.id)
                .limit(FOUND_AT_MOST)
            )
            found = [(str(one.id), one.display_name, one.employers or "No employer today") for one in rows]
    return render(
        request,
        "session_book.jinja",
        status=status,
        problems=problems,
        row=row,
        query=query,
        found=found,
        chosen=chosen,
        most=FOUND_AT_MOST,
    )


async def booking_cancel(request: Request) -> Response:
    """Cancel a booking; the place goes to whoever is next."""
    form = await form_of(request)
    words = " ".join(form.text("reason").split()) or "cancelled by the programme team"
    return await _booking_done(request, lambda work, key: operations.cancel(work, key, words), "booking-cancelled")


async def booking_answer(request: Request) -> Response:
    """Answer an offer for somebody."""
    accept = (await form_of(request)).text("answer") == "accept"
    return await _booking_done(
        request, lambda work, key: operations.answer_offer(work, key, accept=accept), "offer-answered"
    )


async def _booking_done(request: Request, change: Any, done: str) -> Response:
    async with tenant_reads(request) as reads:
        row = await _row(reads, request)
        found = select(Booking.id).where(Booking.id == request.path_params["booking_id"], Booking.session_id == row.id)
        booking_id = (await reads.scalars(found)).first()
    if booking_id is None:
        raise HTTPException(404)
    try:
        async with tenant_work(request) as work:
            await change(work, booking_id)
    except TrainingRefusal as refusal:
        return await session_page(request, 422, [Problem("", refusal.message)])
    return redirect(f"/console/sessions/{row.id}", done=done)


async def check_in_list(request: Request) -> Response:
    """Everybody who has a place, with whether they were seen; the poster's code; scanning by reference."""
    return await _check_in_page(request, 200, [], "")


async def _check_in_page(request: Request, status: int, problems: list[Problem], reference: str) -> Response:
    async with tenant_reads(request) as reads:
        row = await _row(reads, request)
        bookings = await _bookings(request, reads, row)
        decided = {
            one.learner_id: one
            for one in await reads.scalars(select(Attendance).where(Attendance.session_id == row.id))
        }
        others = await reads.execute(select(Learner.id, Learner.display_name).where(among(Learner.id, list(decided))))
        names = {one.id: one.display_name for one in others}
        slug = (await reads.scalars(select(Tenant.slug).where(Tenant.id == row.tenant_id))).one()
    here = [item for item in bookings if item["state"] == "confirmed"]
    booked = {item["learner_id"] for item in here}
    sees = _sees_names(request)
    walked_in = [
        {"learner_id": learner_id, "learner": names.get(learner_id) if sees else None, "employer": None}
        for learner_id in decided
        if learner_id not in booked
    ]
    address = f"{services_of(request).settings.base_url}/check-in/{slug}/{row.check_in_code}"
    return render(
        request,
        "check_in.jinja",
        status=status,
        problems=problems,
        values={"reference": reference},
        row=row,
        people=[*here, *walked_in],
        decided=decided,
        decisions=DECISIONS,
        half=half_at(row.second_part_at, services_of(request).clock()),
        address=address if row.check_in_code else None,
        code=row.check_in_code,
        qr=segno.make(address, error="m").svg_inline(scale=4, border=2, svgclass=None, lineclass=None)
        if row.check_in_code
        else None,
        names=sees,
    )


async def check_in_file(request: Request) -> Response:
    """The list to sign, or who was there, as a CSV."""
    async with tenant_reads(request) as reads:
        row = await _row(reads, request)
        bookings = await _bookings(request, reads, row)
        decided = {
            one.learner_id: one
            for one in await reads.scalars(select(Attendance).where(Attendance.session_id == row.id))
        }
    table = Table(
        "Attendance",
        ("Learner", "Employer", "Reference", "Group", "First half", "Second half", "Counts", "Because"),
        [
            (
                item["learner"],
                item["employer"],
                item["reference"],
                item["group"],
                decided[item["learner_id"]].first_half if item["learner_id"] in decided else None,
                decided[item["learner_id"]].second_half if item["learner_id"] in decided else None,
                decided[item["learner_id"]].qualifies if item["learner_id"] in decided else None,
                DECISIONS[decided[item["learner_id"]].decided_because] if item["learner_id"] in decided else None,
            )
            for item in bookings
            if item["state"] == "confirmed"
        ],
        "",
    )
    return csv_of("attendance.csv", table)


async def check_in_scan(request: Request) -> Response:
    """Check somebody in by the reference on their confirmation."""
    form = await form_of(request)
    async with tenant_reads(request) as reads:
        row = await _row(reads, request)
    try:
        async with tenant_work(request) as work:
            found = await check_in.scan(work, row.id, form.text("reference"))
    except TrainingRefusal as refusal:
        return await _check_in_page(request, 422, [Problem("reference", refusal.message)], form.text("reference"))
    return redirect(f"/console/sessions/{row.id}/check-in", done="seen-before" if found.already else "checked-in")


async def check_in_mark(request: Request) -> Response:
    """Mark somebody as seen or not in a half, or decide by hand."""
    form = await form_of(request)
    async with tenant_reads(request) as reads:
        row = await _row(reads, request)
    try:
        learner_id = UUID(form.text("learner"))
        part = {"1": 1, "2": 2, "": None}[form.text("part")]
    except (ValueError, KeyError) as error:
        raise HTTPException(400) from error
    seen = check_in.Seen(learner_id, part, form.text("present") == "yes")
    try:
        async with tenant_work(request) as work:
            await check_in.mark(work, row.id, [seen], "list", form.text("reason") or None)
    except TrainingRefusal as refusal:
        return await _check_in_page(request, 422, [Problem("", refusal.message)], "")
    return redirect(f"/console/sessions/{row.id}/check-in", done="attendance-marked")


async def _row(reads: Any, request: Request) -> TrainingSession:
    found = select(TrainingSession).where(TrainingSession.id == request.path_params["session_id"])
    row: TrainingSession | None = (await reads.scalars(found)).first()
    if row is None:
        raise HTTPException(404)
    return row


def _sees_names(request: Request) -> bool:
    return principal_here(request).may(Permission.PEOPLE_READ)


def _context(request: Request) -> TenantContext:
    return principal_here(request).tenant_context(request_id=request.state.request_id, read_only=True)


async def _bookings(request: Request, reads: Any, row: TrainingSession) -> list[dict[str, Any]]:
    """Bookings in their order, without names for those who may not see them."""
    rows = await reads.execute(
        select(Booking, Learner.display_name, Employer.name, PlaceOffer.expires_at)
        .join(Learner, and_(Learner.tenant_id == Booking.tenant_id, Learner.id == Booking.learner_id))
        .outerjoin(Employer, and_(Employer.tenant_id == Booking.tenant_id, Employer.id == Booking.employer_id))
        .outerjoin(
            PlaceOffer,
            and_(
                PlaceOffer.tenant_id == Booking.tenant_id,
                PlaceOffer.booking_id == Booking.id,
                PlaceOffer.state == "open",
            ),
        )
        .where(Booking.session_id == row.id)
        .order_by(Booking.number)
    )
    sees = _sees_names(request)
    checks = principal_here(request).may(Permission.BOOKINGS_WRITE)
    return [
        {
            "id": booking.id,
            "number": booking.number,
            "learner_id": booking.learner_id,
            "learner": name if sees else None,
            "employer": employer,
            "state": booking.state,
            "booked_by": booking.booked_by,
            "booked_at": booking.booked_at,
            "confirmed_at": booking.confirmed_at,
            "asked_again": booking.asked_again_at is not None and booking.answered_at is None,
            "offer_until": offer_until,
            "party": booking.party_id,
            "group": booking.work_group,
            "reference": booking.reference if checks else None,
            "ended_at": booking.ended_at,
            "because": booking.ended_because if sees else None,
            "late": booking.late,
        }
        for booking, name, employer, offer_until in rows
    ]


_ID = "/sessions/{session_id:uuid}"
_BOOKING = f"{_ID}/bookings/{{booking_id:uuid}}"
_BOOKS = Permission.BOOKINGS_WRITE

ROUTES = [
    page(_ID, session, needs=Permission.TRAINING_READ),
    page(f"{_ID}/bookings.csv", bookings_file, needs=Permission.TRAINING_READ),
    page(f"{_ID}/book", book, needs=_BOOKS, also=Permission.PEOPLE_READ, methods=("GET", "POST")),
    page(f"{_BOOKING}/cancel", booking_cancel, needs=_BOOKS, methods=("POST",)),
    page(f"{_BOOKING}/answer", booking_answer, needs=_BOOKS, methods=("POST",)),
    page(f"{_ID}/check-in", check_in_list, needs=_BOOKS),
    page(f"{_ID}/check-in.csv", check_in_file, needs=_BOOKS),
    page(f"{_ID}/check-in/scan", check_in_scan, needs=_BOOKS, methods=("POST",)),
    page(f"{_ID}/check-in/mark", check_in_mark, needs=_BOOKS, methods=("POST",)),
]
