"""The demonstration's governance and money: partners, items, a forum, plans, objectives, pools, costs, postcodes."""

import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.cli.postcodes import load_areas
from app.directory.models import Learner, TenantLocation
from app.governance import incidents, items, plans, themes
from app.governance.models import PartnerOrganisation
from app.training.funding import operations as funding
from app.training.mapping.models import Topic
from app.training.models import Course, FeedbackForm, FeedbackResponse, Programme, TrainingSession
from app.training.sessions.models import SessionFacilitator
from app.training.sessions.team import Member, Place, save_member, save_venue
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.identifiers import new_id
from tenants.session import Database, UnitOfWork

SEED = 12
AREAS = Path(__file__).resolve().parent / "demo_files" / "postcode_areas.csv"
EDITION = "invented for the demonstration"
ENROLLED, SEATS = 64, 60
COSTED = 4
"""Sessions that get a team and its time; the last of them lacks an input, as in life."""


async def load_postcodes(owner_url: str, database: Database) -> None:
    """What is known of the demonstration's postcode districts."""
    await load_areas(owner_url, AREAS, EDITION, database.clock())


async def add_governance(database: Database, context: TenantContext) -> None:
    """All of it, once."""
    async with database.unit_of_work(context) as work:
        if (await work.session.scalars(select(PartnerOrganisation.id).limit(1))).first() is not None:
            return
        courses = list(await work.session.scalars(select(Course).order_by(Course.title_key, Course.id)))
        locations = list(await work.session.scalars(select(TenantLocation.id).order_by(TenantLocation.location_id)))
        if not courses or not locations:
            return
        chance = random.Random(SEED)  # noqa: S311 - an invented world, the same at every start
        partners = [
            await items.save_partner(work, name, kind)
            for name, kind in (
                ("Invented Integrated Care Board", "icb"),
                ("Invented Council", "council"),
                ("Invented Care Association", "voluntary"),
                ("Invented Hospital Trust", "nhs_trust"),
            )
        ]
        await work.session.flush()
        await _items(work, partners)
        await _forum(work, partners)
        plan_id = await _plans(work, partners, courses, locations)
        await _feedback(work, partners, courses)
        await _objectives(work, courses, plan_id)
        await _incidents(work, locations, chance)
        await _licences(work, courses)
        await _costs(work, chance)


async def _items(work: UnitOfWork, partners: list[UUID]) -> None:
    today = london_date(work.now)
    for number, (kind, title, owner, review) in enumerate(
        (
            ("policy", "Medicines policy for care homes", "Pat Policy (invented)", 200),
            ("policy", "When required medicines: shared guidance", "Gil Guidance (invented)", -20),
            ("decision", "Tier 2 webinars stay free for all staff", "Dee Decision (invented)", 120),
            ("risk", "Too few facilitators in winter", "Rae Risk (invented)", 30),
            ("risk", "Night staff miss the webinars", "Rae Risk (invented)", 60),
        )
    ):
        owned = partners[number % len(partners)]
        await items.create_item(
            work, items.ItemGiven(kind, title, owner, owned, today + timedelta(days=review), owner_role="Lead")
        )


async def _forum(work: UnitOfWork, partners: list[UUID]) -> None:
    """A forum that was held, with minutes and actions, of which one is late."""
    today = london_date(work.now)
    begins = (work.now - timedelta(days=40)).replace(hour=10, minute=0, second=0, microsecond=0)
    forum = TrainingSession(
        tenant_id=work.tenant_id,
        id=new_id(),
        title="Champions’ forum (invented)",
        tier_id=None,
        starts_at=begins,
        ends_at=begins + timedelta(hours=1),
        online_mode="meeting",
        external_key=f"demonstration-forum-{work.tenant_id}",
        created_at=work.now,
        kind="forum",
        state="published",
    )
    work.add(forum)
    await work.session.flush()
    minutes = "Charts for when required medicines differ between homes. Night staff ask for short sessions."
    await items.write_minutes(work, forum.id, minutes)
    for title, due in (("Share one chart with all homes", -10), ("Try a short session at 21:00", 30)):
        review = today + timedelta(days=60)
        given = items.ItemGiven(
            "forum_action", title, "Fay Facilitator", partners[1], review, due_on=today + timedelta(days=due),
            session_id=forum.id,
        )  # fmt: skip
        await items.create_item(work, given)


async def _plans(work: UnitOfWork, partners: list[UUID], courses: list[Course], locations: list[UUID]) -> UUID:
    today = london_date(work.now)
    made = []
    for kind, title, location in (
        ("cqc", "After the inspection: records of medicines", locations[0]),
        ("local", "Fewer missed doses in our area", None),
    ):
        plan_id = await plans.create_plan(
            work, plans.PlanGiven(kind, title, partners[0], today + timedelta(days=120), location)
        )
        await work.session.flush()
        for number, course in enumerate(courses[:2]):
            due = today + timedelta(days=60 * number - 15)
            what = f"All seniors complete {course.title}"
            action = plans.ActionGiven(what, "Max Manager (invented)", due, course_id=course.id)
            action_id = await plans.add_action(work, plan_id, action)
            await work.session.flush()
            if kind == "local" and number == 0:
                evidence = "Register of completions (invented)"
                await plans.change_action(work, action_id, version=1, status="done", evidence=evidence)
        made.append(plan_id)
    return made[0]


async def _feedback(work: UnitOfWork, partners: list[UUID], courses: list[Course]) -> None:
    today = london_date(work.now)
    given = items.ItemGiven(
        "feedback_theme", "More on inhalers", "Fay Facilitator", partners[0], today + timedelta(days=90)
    )
    theme_id = await items.create_item(work, given)
    await work.session.flush()
    responses = list(await work.session.scalars(select(FeedbackResponse.id).order_by(FeedbackResponse.id).limit(12)))
    if responses:
        await themes.cite(work, theme_id, responses)
    form = (await work.session.scalars(select(FeedbackForm.id).order_by(FeedbackForm.title).limit(1))).first()
    if form is not None:
        await themes.tell_subject(work, form, course_id=courses[0].id)
    await themes.change_content(
        work, "A part on inhalers, with a film", today - timedelta(days=5), [theme_id], course_id=courses[0].id
    )


async def _objectives(work: UnitOfWork, courses: list[Course], plan_id: UUID) -> None:
    programme = (await work.session.scalars(select(Programme.id).order_by(Programme.created_at).limit(1))).one()
    for title, tagged in (
        ("A skilled workforce", plans.Tagged(programme_id=programme)),
        ("Care that is joined up", plans.Tagged(plan_id=plan_id)),
    ):
        objective_id = await plans.save_objective(work, title)
        await work.session.flush()
        await plans.tag(work, objective_id, tagged)
        await plans.tag(work, objective_id, plans.Tagged(course_id=courses[0].id))
    await plans.add_recognition(work, "Best practice award (invented)", "Invented society", london_date(work.now))


async def _incidents(work: UnitOfWork, locations: list[UUID], chance: random.Random) -> None:
    topics: dict[Any, Any] = {row.code: row.id for row in await work.session.execute(select(Topic.code, Topic.id))}
    for name, code in (("Missed dose", "T35"), ("Wrong dose", "T07"), ("Wrong record", "T08")):
        category_id = await incidents.save_category(work, name, topics.get(code))
        await work.session.flush()
        for _ in range(3):
            day = london_date(work.now) - timedelta(days=chance.randrange(3, 90))
            stage = chance.choice(("administration", "prescribing", "storage"))
            harm = chance.choice(("none", "low"))
            await incidents.record_incident(
                work, incidents.IncidentGiven(category_id, stage, harm, chance.choice(locations), day)
            )


async def _licences(work: UnitOfWork, courses: list[Course]) -> None:
    today = london_date(work.now)
    begins, ends = today - timedelta(days=200), today + timedelta(days=165)
    stream_id = await funding.save_stream(
        work, funding.StreamGiven("Workforce grant (invented)", "Invented fund", Decimal("25000.00"), begins, ends)
    )
    await work.session.flush()
    pool = funding.PoolGiven(
        "E-learning seats", courses[0].id, SEATS, "wait", begins, ends, stream_id, Decimal("18.50")
    )
    pool_id = await funding.save_pool(work, pool)
    await work.session.flush()
    learners = select(Learner.id).where(Learner.merged_into_id.is_(None)).order_by(Learner.id).limit(ENROLLED)
    for learner_id in await work.session.scalars(learners):
        await funding.enrol(work, pool_id, learner_id)
        await work.session.flush()


async def _costs(work: UnitOfWork, chance: random.Random) -> None:
    """A team, its rates, and time on the latest sessions that were held."""
    today = london_date(work.now)
    team = [
        (await save_member(work, Member(name, profession, ("facilitator",), None, "GPhC", number)))[0]
        for name, profession, number in (
            ("Phyllis Pharmacist (invented)", "pharmacist", "2999901"),
            ("Terry Technician (invented)", "pharmacy_technician", "5999902"),
        )
    ]
    for profession, pounds in (("pharmacist", "38.40"), ("pharmacy_technician", "24.10")):
        await funding.set_rate(work, profession, Decimal(pounds), today - timedelta(days=500))
    venue = await save_venue(work, Place("Imaginary Assembly Rooms", day_cost=Decimal("120.00"), capacity=40))
    held: list[Any] = list(
        await work.session.scalars(
            select(TrainingSession)
            .where(TrainingSession.kind == "training", TrainingSession.ends_at < func.now())
            .order_by(TrainingSession.starts_at.desc(), TrainingSession.id)
            .limit(COSTED)
        )
    )
    for number, session in enumerate(held):
        led = select(SessionFacilitator.id).where(SessionFacilitator.session_id == session.id)
        if (await work.session.scalars(led)).first() is None:
            work.add(
                SessionFacilitator(tenant_id=work.tenant_id, id=new_id(), session_id=session.id, team_member_id=team[0])
            )
        if session.online_mode == "none" and session.venue_id is None:
            session.venue_id = venue
        if number == COSTED - 1:
            continue
        for member_id, activity in ((team[0], "delivery"), (team[1], "preparation"), (team[1], "administration")):
            await funding.log_time(work, session.id, member_id, activity, chance.choice((60, 90, 120)))
