"""Statements over HTTP: what is refused and how, what is kept once, what it comes to, and what voiding takes back."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from app.directory.models import LearnerIdentifier
from app.directory.rules import account_key
from app.evidence.models import TenantMetric
from app.training.certificates.issuing import Wanted, request_certificates
from app.training.elearning import accounts, activities, deriving, meaning, systems
from app.training.elearning.activities import Link
from app.training.elearning.models import (
    LearningAccount,
    LearningSystem,
    LearningSystemSecret,
    StatementCompletion,
    XapiStatement,
)
from app.training.elearning.tidying import forget_old_statements
from app.training.errors import TrainingRefusal
from app.training.merging import merge_learners
from app.training.models import Completion, Programme
from app.training.requirements.models import CourseProgress, LearnerStanding, Requirement
from tenants.audit import Action, AuditEvent
from tenants.identifiers import new_id
from tests.elearning.learning_system import COURSE, HOME, VERSION, LearningSystemDouble, connected, statement, voiding
from tests.support import NOW, Installation
from tests.training.requirements import world as worlds
from tests.training.requirements.world import World
from tests.webhooks.support import work_off
from workers import elearning, evidence, training, webhooks

AMY, BEN = "Amy Example", "Ben Example"


def handlers() -> None:
    """Everything that follows from statements."""
    for family in (elearning, evidence, training, webhooks):
        family.register_handlers()


async def scene(installation: Installation, link: Link | None = None) -> World:
    """Two learners with accounts, a course of tier 1 that tier 1 needs, and its activity."""
    handlers()
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        world = await worlds.open_world(work)
        await worlds.employer(work, world, "Rose Lodge", "1-ROSE")
        course_id = worlds.course(work, world, "Managing medicines", 1, expected_minutes_min=60)
        for name in (AMY, BEN):
            worlds.learner(work, world, name)
        await work.session.flush()
        for name, account in ((AMY, "learner-8842"), (BEN, "learner-2")):
            worlds.employ(work, world, name, "Rose Lodge")
            work.add(
                LearnerIdentifier(
                    tenant_id=work.tenant_id,
                    id=new_id(),
                    learner_id=world.learners[name],
                    kind="account",
                    value=account_key("elearning", account),
                    shared=False,
                    created_at=NOW,
                )
            )
        work.add(
            Requirement(
                tenant_id=work.tenant_id,
                id=new_id(),
                programme_id=world.programme,
                tier_id=world.tiers[1],
                created_at=NOW,
            )
        )
        programme = await work.session.get_one(Programme, (work.tenant_id, world.programme))
        programme.status = "published"
        if link is None:
            link = Link(COURSE, course_id, "course", finishes="satisfied")
        await activities.link_activity(work, Link(link.iri, course_id, link.kind, "", link.finishes, link.move_on))
    await work_off(installation)
    return world


async def all_of(installation: Installation, model: Any, *where: Any) -> Sequence[Any]:
    """Rows of the north."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return (await session.scalars(select(model).where(*where).order_by(model.id))).all()


async def state(installation: Installation) -> tuple[Any, ...]:
    """What statements came to, without ids that differ from run to run."""
    done = await all_of(installation, Completion)
    progress = await all_of(installation, CourseProgress)
    return (
        sorted((str(one.learner_id), one.completed_at, one.minutes, one.score, one.source) for one in done),
        sorted((str(one.learner_id), one.state) for one in progress),
    )


async def test_what_a_request_must_have_and_how_it_is_refused(installation: Installation) -> None:
    lms = LearningSystemDouble(installation, await connected(installation))
    other = LearningSystemDouble(installation, await connected(installation, source="other"))
    stranger = LearningSystemDouble(installation, await connected(installation, installation.south))
    about = await installation.http.get("/xapi/north/about")
    assert (about.status_code, about.json()["version"][-1]) == (200, "1.0.3")
    body = statement()
    answers = [
        (await lms.post(body, headers={}), 400, "X-Experience-API-Version"),
        (await lms.post(body, headers={"X-Experience-API-Version": "2.0.0"}), 400, "1.0.3"),
        (await lms.post(body, auth=("", "")), 401, "Basic"),
        (await lms.post(body, auth=(lms.system.key_id, "wrong")), 401, "Basic"),
        (await lms.post(body, auth=(stranger.system.key_id, stranger.system.secret)), 401, "Basic"),
        (await lms.post(body, params={"method": "PUT"}), 400, "itself"),
        (await lms.post(body, headers=VERSION | {"content-type": "multipart/mixed; boundary=x"}), 400, "signatures"),
        (await lms.post(body, headers=VERSION | {"content-type": "text/plain"}), 400, "application/json"),
        (await lms.post([body, statement() | {"actor": {}}]), 400, "statements[1].actor"),
        (await lms.post([statement(result={"response": "x" * 5_000_000})]), 413, "4 MB"),
        (await lms.put("no-uuid", body), 400, "statementId"),
        (await lms.put(str(uuid4()), body), 400, "statementId"),
        (await lms.get(statementId=str(uuid4())), 404, "voidedStatementId"),
        (await lms.get(verb=meaning.PASSED), 400, "statementId"),
        (await lms.get(statementId=str(uuid4()), voidedStatementId=str(uuid4())), 400, "nothing else"),
        (await lms.get(statementId=body["id"], attachments="true"), 400, "attachments"),
        (await installation.http.get("/xapi/nowhere/about"), 404, "address"),
        (await installation.http.get("/xapi/north/activities/state"), 404, "states"),
    ]
    for answer, status, words in answers:
        assert (answer.status_code, answer.headers["x-experience-api-version"]) == (status, "1.0.3"), answer.text
        assert words in answer.json()["error"]
    assert answers[2][0].headers["www-authenticate"].startswith("Basic")
    assert await all_of(installation, XapiStatement) == [], "all or nothing"
    assert (await lms.put(body["id"], {k: v for k, v in body.items() if k != "id"})).status_code == 204
    assert (await lms.post([body, second := statement(result={"success": True})])).json() == [body["id"], second["id"]]
    kept = (await lms.get(statementId=body["id"])).json()
    assert {name: kept[name] for name in body} == body
    assert kept["authority"]["account"]["name"] == lms.system.key_id
    assert (await lms.post(body | {"result": {"success": True}})).status_code == 409
    assert (await other.post(body)).status_code == 409
    assert (await other.get(statementId=body["id"])).status_code == 404
    assert (await other.post(voiding(body))).status_code == 403
    void = voiding(body)
    assert (await lms.post(void)).status_code == 200
    assert (await lms.get(statementId=body["id"])).status_code == 404
    assert (await lms.get(voidedStatementId=body["id"])).json()["id"] == body["id"]
    assert (await lms.post(voiding(void))).status_code == 400
    assert len(await all_of(installation, XapiStatement)) == 3
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await systems.change_system(work, lms.system.id, 1, systems.SystemGiven("Off", active=False))
    assert (await lms.post(statement())).status_code == 403
    for _ in range(20):
        answer = await lms.post(body, auth=(lms.system.key_id, "wrong"))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.row("A18")
@pytest.mark.row("A34")
async def test_repeats_and_disorder_come_to_the_same_and_voiding_takes_back(installation: Installation) -> None:
    world = await scene(installation)
    lms = LearningSystemDouble(installation, await connected(installation))
    amy, course_id = world.learners[AMY], world.courses["Managing medicines"]
    at, first = NOW - timedelta(days=2), uuid4()
    cmi5: dict[str, Any] = {"registration": first, "kind": "au"}
    satisfied = statement(at=at + timedelta(hours=2), registration=first, kind="course")
    again = statement(at=at + timedelta(hours=3), registration=first, kind="course")
    story = [
        statement(meaning.LAUNCHED, at=at, grouping=COURSE, about=f"{HOME}/au", **cmi5),
        statement(meaning.INITIALIZED, at=at, grouping=COURSE, about=f"{HOME}/au", **cmi5),
        statement(meaning.FAILED, at=at + timedelta(hours=4), registration=first),
        statement(meaning.TERMINATED, at=at + timedelta(hours=5), registration=first, result={"duration": "PT40M"}),
        satisfied,
        again,
        statement(meaning.INITIALIZED, who="learner-2", at=at),
    ]
    await lms.tell_badly(story[:2], 1)
    await work_off(installation)
    assert await state(installation) == ([], [(str(amy), "in_progress")])
    await lms.tell_badly(story, 2)
    await work_off(installation)
    expected = (
        [(str(amy), at + timedelta(hours=2), 40, None, "elearning")],
        sorted([(str(amy), "completed"), (str(world.learners[BEN]), "in_progress")]),
    )
    assert await state(installation) == expected
    (kept,) = await all_of(installation, Completion)
    assert kept.short_duration, "40 minutes of at least 60 are accepted and flagged"
    for seed in (3, 4):
        await lms.tell_badly(story, seed)
        await work_off(installation)
        assert await state(installation) == expected
        assert [one.id for one in await all_of(installation, Completion)] == [kept.id]
    standing = await all_of(installation, LearnerStanding, LearnerStanding.learner_id == amy)
    assert [(one.state, one.evidence_id) for one in standing] == [("met", kept.id)]
    installation.clock.move(timedelta(minutes=12))
    await work_off(installation)
    counted = await all_of(
        installation,
        TenantMetric,
        TenantMetric.metric_code == "IMP-01",
        TenantMetric.period_start == date(2026, 11, 1),
    )
    assert [one.numerator for one in counted] == [1]
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        with pytest.raises(TrainingRefusal) as refused:
            await request_certificates(work, Wanted(course_id=course_id))
        assert refused.value.code == "NO_TEMPLATE", "it came as far as asking for a template"
    assert (await lms.post(voiding(satisfied))).status_code == 200
    await work_off(installation)
    (still,) = await all_of(installation, Completion)
    assert (still.id, still.completed_at) == (kept.id, at + timedelta(hours=3)), "the other statement bears it"
    assert (await lms.post(voiding(again))).status_code == 200
    await work_off(installation)
    assert await all_of(installation, Completion) == []
    assert [one.state for one in await all_of(installation, CourseProgress, CourseProgress.learner_id == amy)] == [
        "in_progress"
    ]
    assert [one.state for one in await all_of(installation, LearnerStanding, LearnerStanding.learner_id == amy)] == [
        "missing"
    ]
    (told,) = await all_of(installation, AuditEvent, AuditEvent.action == Action.COMPLETION_TAKEN_BACK)
    assert told.subject_id == kept.id
    assert told.after == {"reason": "voided", "statements": [again["id"]]}
    before = statement(registration=first, kind="course")
    assert (await lms.post(voiding(before))).status_code == 200
    await lms.tell_badly([*story, before], 5)
    await work_off(installation)
    assert await all_of(installation, Completion) == [], "voiding came before what it voids"


async def test_people_who_are_not_clear_wait_and_count_once_somebody_has_answered(installation: Installation) -> None:
    world = await scene(installation, Link(COURSE, uuid4()))
    lms = LearningSystemDouble(installation, await connected(installation))
    amy, ben = world.learners[AMY], world.learners[BEN]

    def by(actor: dict[str, Any]) -> dict[str, Any]:
        return statement(meaning.PASSED, actor=actor, result={"score": {"scaled": 0.75}})

    account = {"homePage": HOME, "name": "nobody-knows"}
    bodies = [
        by({"account": account}),
        by({"account": {"homePage": "https://other.example", "name": "learner-8842"}, "name": AMY}),
        by({"mbox": "mailto:cara@rose.example"}),
        by({"openid": "https://id.example/5"}),
        by({"account": {"homePage": f"{HOME}/", "name": "LEARNER-2"}, "name": "Whatever"}),
        by({"account": {"homePage": HOME, "name": "new-1"}, "name": "Cara Newcomer"}),
    ]
    assert (await lms.post(bodies)).status_code == 200
    await work_off(installation)
    waiting = await all_of(installation, LearningAccount, LearningAccount.state == "waiting")
    reasons = {one.account or one.email or one.key: one.reason for one in waiting}
    assert reasons == {
        "nobody-knows": "NO_NAME", "learner-8842": "OTHER_SYSTEM", "cara@rose.example": "NO_NAME",
        "openid:https://id.example/5": "NOT_LEGIBLE",
    }  # fmt: skip
    ids = {one.account or one.key: one.id for one in waiting}
    done = await all_of(installation, Completion)
    assert ben in {one.learner_id for one in done}
    assert amy not in {one.learner_id for one in done}
    assert all(one.score == 75 for one in done)
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        await accounts.say_who(work, ids["nobody-knows"], amy)
        await accounts.leave_out(work, ids["openid:https://id.example/5"])
    await work_off(installation)
    (completion,) = await all_of(installation, Completion, Completion.learner_id == amy)
    async with installation.database.unit_of_work(context) as work:
        with pytest.raises(TrainingRefusal) as refused:
            await accounts.say_new(work, ids["nobody-knows"], "Dora Newcomer")
        assert refused.value.code == "ALREADY_KNOWN"
        made = await accounts.say_new(work, ids["learner-8842"], "Dora Newcomer")
        await accounts.say_who(work, ids["nobody-knows"], ben)
    await work_off(installation)
    done = await all_of(installation, Completion)
    assert amy not in {one.learner_id for one in done}, "it was somebody else's after all"
    assert made in {one.learner_id for one in done}
    assert completion.id not in {one.id for one in done}
    async with installation.database.unit_of_work(context) as work:
        await merge_learners(work, amy, ben, "One person")
    assert (await lms.post(by({"account": account}))).status_code == 200
    await work_off(installation)
    assert {one.learner_id for one in await all_of(installation, Completion)} >= {amy, made}
    assert ben not in {one.learner_id for one in await all_of(installation, Completion)}


async def test_what_is_linked_later_counts_and_old_statements_are_deleted_without_it(
    installation: Installation,
) -> None:
    world = await scene(installation)
    made = await connected(installation, keep_days=30)
    lms, iri = LearningSystemDouble(installation, made), f"{HOME}/quiz/1"
    bodies = [statement(meaning.PASSED, about=iri, at=NOW - timedelta(days=3)), statement(meaning.PASSED, about=iri)]
    assert (await lms.post(bodies)).status_code == 200
    await work_off(installation)
    assert await all_of(installation, Completion) == []
    context, course_id = installation.context(installation.north), world.courses["Managing medicines"]
    async with installation.database.unit_of_work(context) as work:
        activity_id = await activities.link_activity(work, Link(iri, course_id))
    await work_off(installation)
    assert len(await all_of(installation, Completion)) == 2, "one a day, for no registration tells them apart"
    assert (await asyncio.gather(*(lms.post(bodies) for _ in range(4))))[0].status_code == 200
    installation.clock.move(timedelta(days=31))
    assert (await lms.post(late := statement(meaning.PASSED, about=iri))).status_code == 200
    await work_off(installation)
    async with installation.database.unit_of_work(context) as work:
        await forget_old_statements(work)
    assert [str(one.id) for one in await all_of(installation, XapiStatement)] == [late["id"]]
    await lms.post(statement(meaning.INITIALIZED, about=iri))
    await work_off(installation)
    assert len(await all_of(installation, Completion)) == 2, "the day of the late one is known already"
    assert (await lms.post(voiding(bodies[0]))).status_code == 200
    await work_off(installation)
    assert len(await all_of(installation, Completion)) == 1, "voided, although it is kept no longer"
    async with installation.database.unit_of_work(context) as work:
        await activities.unlink_activity(work, activity_id)
    await work_off(installation)
    assert [one.reason for one in await all_of(installation, LearningAccount)] == [None]
    assert len(await all_of(installation, StatementCompletion)) == len(await all_of(installation, Completion))


async def test_what_is_linked_while_its_statements_are_taken_in_counts(installation: Installation) -> None:
    world = await scene(installation)
    lms, iri = LearningSystemDouble(installation, await connected(installation)), f"{HOME}/quiz/2"
    assert (await lms.post(statement(meaning.PASSED, about=iri))).status_code == 200
    context, course_id = installation.context(installation.north), world.courses["Managing medicines"]

    async def link() -> None:
        async with installation.database.unit_of_work(context) as work:
            await activities.link_activity(work, Link(iri, course_id))

    async with installation.database.unit_of_work(context) as work:
        assert await deriving.derive_some(work) == 1, "read when nothing was linked yet"
        linking = asyncio.create_task(link())
        await asyncio.wait({linking}, timeout=0.5)
    await linking
    await work_off(installation)
    assert len(await all_of(installation, Completion)) == 1


async def test_a_systems_secrets_change_over_and_its_words_are_checked(installation: Installation) -> None:
    made = await connected(installation)
    vault, context = installation.services.vault, installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        second = await systems.add_secret(work, vault, made.id)
        with pytest.raises(TrainingRefusal, match="Two secrets"):
            await systems.add_secret(work, vault, made.id)
    lms = LearningSystemDouble(installation, made)
    assert (await lms.post(statement(), auth=(made.key_id, second))).status_code == 200
    first = min(await all_of(installation, LearningSystemSecret), key=lambda row: row.id)
    async with installation.database.unit_of_work(context) as work:
        await systems.revoke_secret(work, made.id, first.id)
        await systems.revoke_secret(work, made.id, first.id)
    assert (await lms.post(statement())).status_code == 401
    assert (await lms.post(statement(), auth=(made.key_id, second))).status_code == 200
    for code, source, given in (
        ("TEXT_MISSING", "new", systems.SystemGiven(" ")),
        ("INVALID_SOURCE", "Ü", systems.SystemGiven("Name")),
        ("SOURCE_TAKEN", "ELEARNING", systems.SystemGiven("Name")),
        ("INVALID_HOME_PAGE", "new", systems.SystemGiven("Name", "lms")),
        ("INVALID_DAYS", "new", systems.SystemGiven("Name", keep_days=1)),
    ):
        async with installation.database.unit_of_work(context) as work:
            with pytest.raises(TrainingRefusal) as refused:
                await systems.connect_system(work, vault, source, given)
            assert refused.value.code == code
    async with installation.database.unit_of_work(context) as work:
        with pytest.raises(TrainingRefusal, match="Somebody changed"):
            await systems.change_system(work, made.id, 7, systems.SystemGiven("Name"))
    async with installation.database.session(context) as session:
        assert (await session.execute(select(func.count()).select_from(LearningSystem))).scalar_one() == 1
        assert UUID(str(made.id)) == made.id
