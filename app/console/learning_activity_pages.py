"""Activities of learning systems as courses, and accounts of people who are not clear."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from sqlalchemy import and_, func, literal_column, or_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import courses_in_use
from app.console.learning_system_pages import HOME
from app.console.learning_words import ACCOUNTS, FINISHES, KINDS, MOVE_ON
from app.console.pages import Form, Problem, form_of, page, principal_here, redirect, tenant_reads
from app.console.reports import Field, Search, ShortForm, report
from app.console.review_queue import search_learners
from app.console.tables import Button, Link, Table, csv_of
from app.console.training_forms import chosen_word, form_about, needed_key, tried, typed
from app.directory.models import Learner
from app.identity.permissions import Permission
from app.training.elearning import accounts, activities
from app.training.elearning.activities import Link as ActivityLink
from app.training.elearning.models import LearningAccount, LearningActivity, LearningSystem, XapiStatement
from app.training.elearning.people import REASONS
from app.training.elearning.structure import LARGEST, read_structure
from app.training.models import Course
from tenants.base import among
from tenants.session import UnitOfWork

BACK = Link("Back to learning systems", HOME)
ACTIVITIES, WAITING = f"{HOME}/activities", f"{HOME}/waiting"
LINK_FIELDS = ("iri", "title", "course", "kind", "finishes", "move_on")
SHOWN = 100
ROOM = 8 * 1024
LONGEST_CODE = 16
"""Of a code that stands for an account without a name, as far as pages show it."""


async def learning_activities(request: Request) -> Response:
    """Activities that are courses, and those that were heard of and are none yet."""
    tables = await _activities(request)
    return report(
        request,
        "Activities and courses",
        caption="Learning systems",
        back=BACK,
        intro=["Statements count once their activity is linked to a course, also those that came before."],
        actions=[
            Link("Link an activity", f"{ACTIVITIES}/link"),
            Link("Bring in a course structure", f"{ACTIVITIES}/structure"),
        ],
        tables=tables.values(),
    )


async def learning_activities_file(request: Request) -> Response:
    """One of the two tables as a CSV."""
    tables, name = await _activities(request), request.path_params["table"]
    if name not in tables:
        raise HTTPException(404)
    return csv_of(f"{name}-activities.csv", tables[name])


async def _activities(request: Request) -> dict[str, Table]:
    linked = (
        select(LearningActivity, Course.title)
        .join(Course, and_(Course.tenant_id == LearningActivity.tenant_id, Course.id == LearningActivity.course_id))
        .order_by(Course.title_key, Course.id, LearningActivity.kind, LearningActivity.title, LearningActivity.id)
    )
    known = select(LearningActivity.id).where(LearningActivity.iri == XapiStatement.activity_iri).exists()
    title = func.max(XapiStatement.body["object"]["definition"]["name"].astext)
    heard = (
        select(XapiStatement.activity_iri, title, func.count().label("said"), func.max(XapiStatement.stored_at))
        .where(XapiStatement.activity_iri.is_not(None), ~known)
        .group_by(XapiStatement.activity_iri)
        .order_by(literal_column("said").desc(), XapiStatement.activity_iri)
        .limit(SHOWN)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(linked)).all()
        others = (await session.execute(heard)).all()
    return {
        "linked": Table(
            "Activities that are courses or parts of them",
            ("Activity", "IRI", "Kind", "Course", "What finishes the course"),
            [
                (row.title, row.iri, KINDS[row.kind], Link(course, f"/console/courses/{row.course_id}"), _finish(row))
                for row, course in rows
            ],
            f"{ACTIVITIES}/linked.csv",
            nothing="No activity is linked yet.",
            does="Unlink",
            buttons=[Button(f"{ACTIVITIES}/{row.id}/unlink", row.title) for row, _ in rows],
        ),
        "heard": Table(
            "Heard of, and linked to no course; the most often first",
            ("Activity", "Title", "Statements", "Last heard of"),
            [
                (Link(iri, f"{ACTIVITIES}/link?{_query(iri)}"), _title(names), count, at)
                for iri, names, count, at in others
            ],
            f"{ACTIVITIES}/heard.csv",
            (2,),
            "There is none.",
        ),
    }


def _finish(row: LearningActivity) -> str:
    return MOVE_ON[row.move_on] if row.finishes == "move_on" else FINISHES[row.finishes]


def _query(iri: str) -> str:
    return urlencode({"iri": iri})


def _title(names: str | None) -> str | None:
    """A title out of texts by language, as they are kept."""
    told = orjson.loads(names) if names else {}
    return next((text for language, text in sorted(told.items()) if language.startswith("en")), None) or next(
        iter(told.values()), None
    )


async def learning_activity_link(request: Request) -> Response:
    """Say which course an activity is."""
    if request.method == "GET":
        iri = request.query_params.get("iri", "")[:2000]
        heard = (
            select(XapiStatement.body["object"]["definition"]["name"].astext)
            .where(XapiStatement.activity_iri == iri)
            .order_by(XapiStatement.stored_at.desc(), XapiStatement.id)
            .limit(1)
        )
        async with tenant_reads(request) as session:
            title = _title((await session.scalars(heard)).first())
        asked = {"iri": iri, "title": title or "", "kind": "activity"}
        return await _link_page(request, [], asked | {"finishes": "move_on", "move_on": "CompletedOrPassed"})
    form = await form_of(request)

    async def change(work: UnitOfWork) -> UUID:
        link = ActivityLink(
            form.text("iri").strip(),
            needed_key(form, "course", "the course"),
            chosen_word(form, "kind", KINDS, "what it is"),
            form.text("title"),
            chosen_word(form, "finishes", FINISHES, "what finishes the course"),
            chosen_word(form, "move_on", MOVE_ON, "the rule"),
        )
        return await activities.link_activity(work, link)

    made = await tried(request, LINK_FIELDS, change)
    if isinstance(made, Problem):
        return await _link_page(request, [made], typed(form, LINK_FIELDS))
    return redirect(ACTIVITIES, done="activity-linked")


async def _link_page(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    rule = {"move_on": Field("choice", "move_on", "The rule", options=list(MOVE_ON.items()))}
    form = ShortForm(
        f"{ACTIVITIES}/link",
        "Link",
        [
            Field("text", "iri", "IRI of the activity", "As the statements name it."),
            Field("text", "title", "Title (optional)"),
            Field("choice", "course", "Course", options=await courses_in_use(request)),
            Field("one", "kind", "What it is", options=list(KINDS.items())),
            Field("one", "finishes", "What finishes the course", options=list(FINISHES.items()), reveals=rule),
        ],
    )
    return report(
        request,
        "Link an activity",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        caption="Learning systems",
        back=Link("Back to activities", ACTIVITIES),
        forms=[form],
    )


async def learning_activity_structure(request: Request) -> Response:
    """Bring in the structure of a cmi5 course."""
    if request.method == "GET":
        return await _structure_page(request, [], {})
    form = await form_of(request)
    upload = form.file("file")
    content = b"" if upload is None else await upload.read()

    async def change(work: UnitOfWork) -> int:
        return await activities.take_structure(work, needed_key(form, "course", "the course"), read_structure(content))

    made = await tried(request, ("course", "file"), change)
    if isinstance(made, Problem):
        return await _structure_page(request, [made], typed(form, ("course",)))
    return redirect(ACTIVITIES, done="structure-taken")


async def _structure_page(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    form = ShortForm(
        f"{ACTIVITIES}/structure",
        "Bring in",
        [
            Field("choice", "course", "Course", options=await courses_in_use(request)),
            Field("file", "file", "File", "The file cmi5.xml, of at most 1 MB. In a package, unpack it first."),
        ],
    )
    return report(
        request,
        "Bring in a course structure",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        caption="Learning systems",
        back=Link("Back to activities", ACTIVITIES),
        intro=[
            "The course, its blocks and its units become activities with their titles. The course is finished when "
            "the learning system says that it is satisfied; units and blocks tell that it is in progress."
        ],
        forms=[form],
    )


async def learning_activity_unlink(request: Request) -> Response:
    """The activity is of no course here."""
    activity_id = request.path_params["activity_id"]
    await form_about(request, LearningActivity, activity_id)

    async def change(work: UnitOfWork) -> None:
        await activities.unlink_activity(work, activity_id)

    if await tried(request, (), change) is not None:
        raise HTTPException(404)
    return redirect(ACTIVITIES, done="activity-unlinked")


async def learning_accounts(request: Request) -> Response:
    """Accounts that wait for somebody to say who they are, and those that were answered."""
    return report(
        request,
        "Accounts that wait for an answer",
        caption="Learning systems",
        back=BACK,
        intro=["Say who each one is. What its statements told counts from then on, also what came before."],
        tables=[await _waiting(request)],
    )


async def learning_accounts_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("accounts.csv", await _waiting(request))


async def _waiting(request: Request) -> Table:
    listed = (
        select(LearningAccount, LearningSystem.name)
        .join(
            LearningSystem,
            and_(
                LearningSystem.tenant_id == LearningAccount.tenant_id,
                LearningSystem.id == LearningAccount.learning_system_id,
            ),
        )
        .where(or_(LearningAccount.state == "waiting", LearningAccount.state == "left_out"))
        .order_by(LearningAccount.state.desc(), LearningAccount.last_heard_at.desc(), LearningAccount.id)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    return Table(
        "Accounts",
        ("Account", "Name", "Learning system", "State", "Why", "Last heard of"),
        [
            (
                Link(_account_name(row), f"{HOME}/accounts/{row.id}"),
                row.name,
                system,
                ACCOUNTS[row.state],
                REASONS.get(row.reason or ""),
                row.last_heard_at,
            )
            for row, system in rows
        ],
        f"{WAITING}/all.csv",
        nothing="No account waits.",
    )


def _account_name(row: LearningAccount) -> str:
    code = row.key.partition(":")[2]
    return row.account or row.email or (code if len(code) <= LONGEST_CODE else f"{code[:LONGEST_CODE]}…")


async def learning_account(request: Request) -> Response:
    """One account: who it may be, and the answer."""
    return await _account_page(request, [], {})


async def _account_page(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    words = request.query_params.get("name", "").strip()
    async with tenant_reads(request) as session:
        key = (principal_here(request).tenant_id, request.path_params["account_id"])
        row = await session.get(LearningAccount, key)
        if row is None:
            raise HTTPException(404)
        system = await session.get_one(LearningSystem, (row.tenant_id, row.learning_system_id))
        learner = None if row.learner_id is None else await session.get(Learner, (row.tenant_id, row.learner_id))
        found = await search_learners(session, words or row.name or "")
        ids = [UUID(one) for one in row.suggestions]
        likely = await session.execute(
            select(Learner.id, Learner.display_name).where(among(Learner.id, ids), Learner.merged_into_id.is_(None))
        )
        options = dict(likely.all())
    options |= {one.id: ", ".join([one.name, *one.employers[:2]]) for one in found}
    path = f"{HOME}/accounts/{row.id}"
    nothing = "Nobody is called so." if words and not found else ""
    choices = [*options.items(), ("new", "Somebody new"), ("none", "Nobody here")]
    fields = [
        Field(
            "one",
            "learner",
            "Who it is",
            options=choices,
            more={"none": "Such as a tester. Its statements count for nobody."},
            reveals={"new": Field("text", "new_name", "Name of the new learner")},
        )
    ]
    return report(
        request,
        _account_name(row),
        status=422 if problems else 200,
        problems=problems,
        values={"new_name": row.name or ""} | values,
        caption="Account of a learning system",
        back=Link("Back to accounts", WAITING),
        facts=[
            ("Learning system", system.name),
            ("Name in its statements", row.name),
            ("Address of its system", row.home_page),
            ("State", ACCOUNTS[row.state]),
            ("Why it waits", REASONS.get(row.reason or "")),
            ("Learner", Link(learner.display_name, f"/console/standing/learners/{learner.id}") if learner else None),
        ],
        search=Search(path, "name", "Find a learner by name", words, nothing),
        forms=[ShortForm(f"{path}/answer", "Save the answer", fields, "The answer")],
    )


async def learning_account_answer(request: Request) -> Response:
    """Say who an account is."""
    account_id = request.path_params["account_id"]
    form: Form = await form_about(request, LearningAccount, account_id)
    answer = form.text("learner")

    async def change(work: UnitOfWork) -> None:
        if answer == "new":
            await accounts.say_new(work, account_id, form.text("new_name"))
        elif answer == "none":
            await accounts.leave_out(work, account_id)
        else:
            await accounts.say_who(work, account_id, needed_key(form, "learner", "who it is"))

    problem = await tried(request, ("learner", "new_name"), change)
    if problem is not None:
        return await _account_page(request, [problem], typed(form, ("learner", "new_name")))
    return redirect(WAITING, done="account-answered")


_NEEDS, _PEOPLE, _POST = Permission.SETTINGS_WRITE, Permission.PEOPLE_READ, ("POST",)
_BOTH = ("GET", "POST")

ROUTES = [
    page("/learning-systems/activities", learning_activities, needs=_NEEDS),
    page("/learning-systems/activities/link", learning_activity_link, needs=_NEEDS, methods=_BOTH),
    page(
        "/learning-systems/activities/structure",
        learning_activity_structure,
        needs=_NEEDS,
        methods=_BOTH,
        files=1,
        largest_body=LARGEST + ROOM,
    ),
    page("/learning-systems/activities/{table}.csv", learning_activities_file, needs=_NEEDS),
    page(
        "/learning-systems/activities/{activity_id:uuid}/unlink", learning_activity_unlink, needs=_NEEDS, methods=_POST
    ),
    page("/learning-systems/waiting", learning_accounts, needs=_NEEDS, also=_PEOPLE),
    page("/learning-systems/waiting/all.csv", learning_accounts_file, needs=_NEEDS, also=_PEOPLE),
    page("/learning-systems/accounts/{account_id:uuid}", learning_account, needs=_NEEDS, also=_PEOPLE),
    page(
        "/learning-systems/accounts/{account_id:uuid}/answer",
        learning_account_answer,
        needs=_NEEDS,
        also=_PEOPLE,
        methods=_POST,
    ),
]
