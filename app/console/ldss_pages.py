"""LDSS deadlines: what employers can still claim for, for the team and for provider managers; courses that count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import courses_in_use
from app.console.learning_words import CLAIM_FILTERS, CLAIMS
from app.console.pages import Problem, form_of, page, principal_here, redirect, services_of, tenant_reads
from app.console.reports import Field, Filter, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    asked_word,
    chosen_word,
    day,
    form_about,
    may_write,
    needed_day,
    needed_decimal,
    needed_key,
    tried,
    typed,
    version_of,
)
from app.console.training_words import learner_name
from app.governance import group
from app.identity.permissions import Permission
from app.training.models import Course
from app.training.refunds import operations, reading
from app.training.refunds.models import LdssClaim, LdssCourse
from app.training.refunds.reading import ClaimShown
from app.training.refunds.rules import MONTHS
from tenants.clock import london_date
from tenants.session import UnitOfWork

COURSE_FIELDS = ("course", "learning_code", "amount", "eligible_from", "eligible_until")
SHOWN = 200
PRICES = 8
"""Columns that the page shows; pounds and code stand behind them in the download."""


@dataclass(frozen=True, slots=True)
class Desk:
    """From where claims are looked at: the team's pages, or those of a provider manager."""

    home: str
    own: bool

    @property
    def back(self) -> Link:
        """The way back to the list."""
        return Link("Back to LDSS deadlines", self.home)


TEAM, MANAGER = Desk("/console/ldss", own=False), Desk("/console/my-locations/ldss", own=True)


def _desk(request: Request) -> Desk:
    return MANAGER if request.url.path.startswith(MANAGER.home) else TEAM


async def _employers(request: Request, reads: Any) -> list[UUID] | None:
    """Whose claims may be seen: the manager's own group's, or everybody's."""
    if not _desk(request).own:
        return None
    return group.employers_of(await group.places(reads, principal_here(request).id))


async def _claims(request: Request) -> list[ClaimShown]:
    today = london_date(services_of(request).clock())
    async with tenant_reads(request) as session:
        return await reading.claims(session, today, await _employers(request, session))


async def ldss(request: Request) -> Response:
    """Claims by deadline."""
    desk, found = _desk(request), await _claims(request)
    chosen = asked_word(request, "state", CLAIM_FILTERS) or ""
    counts, table = reading.counted(found), _table(request, reading.narrowed(found, chosen), chosen)
    hand = "No certificate has been issued yet"
    if counts.median_days is not None:
        hand = f"{counts.median_days:g} days before the deadline ({counts.late:,} of {counts.certified:,} after it)"
    intro = [
        f"Employers claim from the Learning and Development Support Scheme within {MONTHS} months of a completion. "
        "Check the scheme’s own guide for what it pays."
    ]
    if len(table.rows) > SHOWN:
        intro.append(f"The first {SHOWN} of {len(table.rows):,} are shown. Download the table for all.")
    rows = [row[:PRICES] for row in table.rows[:SHOWN]]
    shown = Table(table.caption, table.headings[:PRICES], rows, table.path, table.numeric[:1], table.nothing)
    return report(
        request,
        "LDSS deadlines",
        caption="My locations" if desk.own else "",
        back=Link("Back to my locations", "/console/my-locations") if desk.own else None,
        intro=intro,
        facts=[
            ("Overdue", counts.overdue),
            ("Due within two weeks", counts.soon),
            ("Can still be claimed", f"£{counts.pounds:,.2f}"),
            ("Certificates issued (median)", hand),
        ],
        links=[] if desk.own else [Link("Courses that can be claimed for", f"{desk.home}/courses")],
        narrowed=Filter(desk.home, "state", "Show", list(CLAIM_FILTERS.items()), chosen),
        tables=[shown],
    )


async def ldss_file(request: Request) -> Response:
    """The same as a CSV, all of it."""
    chosen = asked_word(request, "state", CLAIM_FILTERS) or ""
    return csv_of("ldss-deadlines.csv", _table(request, reading.narrowed(await _claims(request), chosen), chosen))


def _name(request: Request, one: ClaimShown) -> str:
    return (
        one.learner if _desk(request).own else learner_name(principal_here(request), one.learner, one.claim.learner_id)
    )


def _table(request: Request, found: Sequence[ClaimShown], chosen: str) -> Table:
    desk = _desk(request)
    return Table(
        "Claims, the next deadline first",
        (
            "Learner",
            "Employer",
            "Course",
            "Completed",
            "Claim until",
            "Days left",
            "State",
            "Certificate",
            "Pounds",
            "Learning code",
        ),
        [
            (
                Link(_name(request, one), f"{desk.home}/{one.claim.id}"),
                one.employer,
                one.course,
                one.claim.completed_on,
                one.claim.due_on,
                one.days_left if one.claim.state == "to_claim" else None,
                "Overdue" if one.urgency == "overdue" else CLAIMS[one.claim.state],
                one.certificate or "None yet",
                f"{one.claim.amount:.2f}",
                one.claim.learning_code,
            )
            for one in found
        ],
        f"{desk.home}/all.csv" + (f"?state={chosen}" if chosen else ""),
        (5, 8),
        "There is no such claim. Claims follow from completions of courses that count.",
    )


async def ldss_claim(request: Request) -> Response:
    """One claim, and what became of it."""
    return await _claim_page(request, [])


async def _claim_page(request: Request, problems: list[Problem]) -> Response:
    desk, claim_id = _desk(request), request.path_params["claim_id"]
    one = next((one for one in await _claims(request) if one.claim.id == claim_id), None)
    if one is None:
        raise HTTPException(404)
    change = ShortForm(
        f"{desk.home}/{claim_id}/change",
        "Save",
        [Field("one", "state", "What became of it", options=list(CLAIMS.items()))],
        "The claim",
        one.claim.version,
    )
    return report(
        request,
        f"Claim for {_name(request, one)}",
        status=422 if problems else 200,
        problems=problems,
        values={"state": one.claim.state},
        caption="LDSS deadlines",
        back=desk.back,
        facts=[
            ("Employer", one.employer),
            ("Course", one.course),
            ("Completed", one.claim.completed_on),
            ("Claim until", one.claim.due_on),
            ("Days left", _left(one)),
            ("Pounds", f"{one.claim.amount:.2f}"),
            ("Learning code", one.claim.learning_code),
            ("Certificate", one.certificate or "None yet: issue it, for the scheme asks for evidence"),
        ],
        forms=[change] if desk.own or may_write(request) else [],
    )


def _left(one: ClaimShown) -> str | None:
    if one.claim.state != "to_claim":
        return None
    return f"{one.days_left:,}" if one.days_left >= 0 else f"None: it is overdue by {-one.days_left:,}"


async def ldss_claim_change(request: Request) -> Response:
    """Say what became of a claim."""
    desk, claim_id = _desk(request), request.path_params["claim_id"]
    form = await form_about(request, LdssClaim, claim_id)
    version = version_of(form)
    async with tenant_reads(request) as session:
        employers = await _employers(request, session)

    async def change(work: UnitOfWork) -> None:
        state = chosen_word(form, "state", CLAIMS, "what became of it")
        await operations.change_claim(work, claim_id, version, state, employers)

    problem = await tried(request, ("state",), change)
    if problem is not None:
        return await _claim_page(request, [problem])
    return redirect(desk.home, done="claim-changed")


async def ldss_courses(request: Request) -> Response:
    """Which courses can be claimed for, how much and when; and to say so of one."""
    if request.method == "GET":
        return await _courses_page(request, [], {})
    form = await form_of(request)

    async def change(work: UnitOfWork) -> UUID:
        given = operations.CourseGiven(
            needed_key(form, "course", "the course"),
            form.text("learning_code"),
            needed_decimal(form, "amount", "the amount in pounds"),
            needed_day(form, "eligible_from", "the first day on which a completion counts"),
            day(form, "eligible_until"),
        )
        return await operations.save_course(work, given)

    made = await tried(request, COURSE_FIELDS, change)
    if isinstance(made, Problem):
        return await _courses_page(request, [made], typed(form, COURSE_FIELDS))
    return redirect(f"{TEAM.home}/courses", done="ldss-course-saved")


async def ldss_courses_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("ldss-courses.csv", await _courses(request))


async def _courses(request: Request) -> Table:
    async with tenant_reads(request) as session:
        rows = (
            await session.execute(
                select(LdssCourse, Course.title)
                .join(Course, and_(Course.tenant_id == LdssCourse.tenant_id, Course.id == LdssCourse.course_id))
                .order_by(Course.title_key, LdssCourse.eligible_from, LdssCourse.id)
            )
        ).all()
    return Table(
        "Courses that can be claimed for",
        ("Course", "Learning code", "Pounds for each learner", "Completed from", "Completed until"),
        [
            (title, row.learning_code, f"{row.amount:.2f}", row.eligible_from, row.eligible_until or "Goes on")
            for row, title in rows
        ],
        f"{TEAM.home}/courses.csv",
        (2,),
        "No course is marked yet.",
    )


async def _courses_page(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    form = ShortForm(
        f"{TEAM.home}/courses",
        "Save",
        [
            Field("choice", "course", "Course", options=await courses_in_use(request)),
            Field("text", "learning_code", "Learning code", "As the scheme’s list of eligible learning gives it."),
            Field("text", "amount", "Pounds for each learner", "As that list gives it."),
            Field("date", "eligible_from", "Completed from"),
            Field("date", "eligible_until", "Completed until (optional)"),
        ],
        "Mark a course, or correct its period",
    )
    return report(
        request,
        "Courses that can be claimed for",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        caption="LDSS deadlines",
        back=TEAM.back,
        intro=["Claims that were found before keep their amount and code."],
        tables=[await _courses(request)],
        forms=[form],
    )


_READ, _WRITE, _OWN, _POST = Permission.TRAINING_READ, Permission.TRAINING_WRITE, Permission.GROUP_READ, ("POST",)

ROUTES = [
    page("/ldss", ldss, needs=_READ),
    page("/ldss/all.csv", ldss_file, needs=_READ),
    page("/ldss/courses", ldss_courses, needs=_WRITE, methods=("GET", "POST")),
    page("/ldss/courses.csv", ldss_courses_file, needs=_WRITE),
    page("/ldss/{claim_id:uuid}", ldss_claim, needs=_READ),
    page("/ldss/{claim_id:uuid}/change", ldss_claim_change, needs=_WRITE, methods=_POST),
    page("/my-locations/ldss", ldss, needs=_OWN),
    page("/my-locations/ldss/all.csv", ldss_file, needs=_OWN),
    page("/my-locations/ldss/{claim_id:uuid}", ldss_claim, needs=_OWN),
    page("/my-locations/ldss/{claim_id:uuid}/change", ldss_claim_change, needs=_OWN, methods=_POST),
]
