"""ASC-WDS files and LDSS deadlines through the console: the team's, and a manager's for the own group alone."""

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, update

from app.directory.models import Employment, Learner
from app.identity.models import StaffMember
from app.identity.permissions import Permission, Role
from app.training.asc_wds.models import AscWdsWorker
from app.training.certificates.models import Certificate, CertificateTemplate
from app.training.mapping.models import CourseAccreditation
from app.training.models import Completion, Course, Tier
from app.training.refunds.models import LdssClaim
from app.training.refunds.operations import CourseGiven, save_course
from tenants.audit import Action, AuditEvent
from tenants.clock import london_date, system_clock
from tenants.identifiers import new_id
from tests.console.visitor import ORIGIN, Visitor, main_text, visitor_as
from tests.imports.support import completion, completions, take
from tests.support import NOW, Installation
from tests.training.requirements import world as worlds
from tests.training.requirements.world import World
from tests.webhooks.support import work_off
from workers import elearning

AMY, BEN, CARA, DAN = "Amy Example", "Ben Example", "Cara Example", "Dan Example"
FILE = """LOCALESTID,UNIQUEWORKERID,STATUS,DISPLAYID,NINUMBER,DOB,CHGUNIQUEWRKID,TRANSFERSTAFFRECORD
ROSE 1,{0},UPDATE,{1},QQ123456C,01/01/1985,{2},{3}
ROSE 1,W2,UPDATE,Ben Example,,,,
ELSE,W9,NEW,Somebody Else,,,,
"""


async def scene(installation: Installation) -> World:
    """Amy and Ben at Rose Lodge, Cara at Thorn House, both of one group; Dan left Rose Lodge; Amy was elsewhere."""
    elearning.register_handlers()
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        world = await worlds.open_world(work)
        await worlds.employer(work, world, "Rose Lodge", "1-ROSE", "Rose group")
        await worlds.employer(work, world, "Thorn House", "1-ROSE", "Rose group")
        await worlds.employer(work, world, "Other home", "1-OTHER")
        for name, mode in (("Foundation", "e_learning"), ("Practice", "practical")):
            worlds.course(work, world, name, 1 if name == "Foundation" else None, delivery_mode=mode)
        for name in (AMY, BEN, CARA, DAN):
            worlds.learner(work, world, name)
        await work.session.flush()
        worlds.employ(work, world, AMY, "Rose Lodge", started_on=date(2026, 3, 1))
        worlds.employ(work, world, AMY, "Other home", started_on=date(2025, 1, 1), ended_on=date(2026, 2, 28))
        worlds.employ(work, world, BEN, "Rose Lodge")
        worlds.employ(work, world, CARA, "Thorn House")
        worlds.employ(work, world, DAN, "Rose Lodge", started_on=date(2025, 1, 1), ended_on=date(2026, 10, 31))
        worlds.complete(work, world, AMY, "Foundation", date(2026, 2, 1))
        worlds.complete(work, world, AMY, "Foundation", date(2026, 8, 20))
        worlds.complete(work, world, AMY, "Practice", date(2026, 9, 1))
        worlds.complete(work, world, CARA, "Foundation", date(2026, 11, 20))
        worlds.complete(work, world, DAN, "Foundation", date(2026, 9, 30))
        worlds.session(work, world, "Covert administration webinar", 2, date(2026, 10, 5))
        await work.session.flush()
        worlds.attend(work, world, BEN, "Covert administration webinar")
        await work.session.execute(update(Tier).where(Tier.id == world.tiers[1]).values(validity_months=12))
        work.add(
            CourseAccreditation(
                tenant_id=work.tenant_id, id=new_id(), course_id=world.courses["Foundation"], awarding_body="Invented",
                reference="R1", level=None, valid_from=date(2026, 8, 1), valid_to=date(2026, 9, 30),
            )
        )  # fmt: skip
    return world


async def manager(installation: Installation, world: World) -> Visitor:
    """The manager of the group."""
    visitor = await visitor_as(installation, Role.PROVIDER_MANAGER)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await work.session.execute(
            update(StaffMember)
            .where(StaffMember.role == Role.PROVIDER_MANAGER)
            .values(provider_group_id=world.groups["Rose group"])
        )
    return visitor


async def upload(visitor: Visitor, path: str, content: str, **fields: Any) -> httpx2.Response:
    """Send a file as a form does."""
    return await visitor.http.post(
        path,
        data={"token": visitor.token} | fields,
        files={"file": ("workers.csv", content.encode(), "text/csv")},
        headers={"origin": ORIGIN, "sec-fetch-site": "same-origin"},
    )


async def rows(installation: Installation, model: Any, *where: Any) -> list[Any]:
    """Rows of the north."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return list(await session.scalars(select(model).where(*where).order_by(model.id)))


@pytest.mark.row("A64")
async def test_a_manager_makes_the_file_of_the_own_group(installation: Installation) -> None:
    world = await scene(installation)
    visitor = await manager(installation, world)
    home = "/console/my-locations/asc-wds"
    shown = main_text(await visitor.get(home))
    assert "Errors 8" in shown, "four lines without either id"
    assert (await visitor.post(f"{home}/file")).status_code == 422
    rose, thorn = world.employers["Rose Lodge"], world.employers["Thorn House"]
    for fields, path, status in (
        ({"employer": str(rose), "local_id": "ROSE 1"}, "workplace", 303),
        ({"employer": str(world.employers["Other home"]), "local_id": "X"}, "workplace", 422),
        ({"employer": str(rose), "local_id": "=1+1"}, "workplace", 422),
        ({"employer": str(thorn), "local_id": "THORN"}, "workplace", 303),
        ({"worker": f"{thorn}:{world.learners[CARA]}", "unique_id": "W2"}, "worker", 303),
        ({"worker": f"{thorn}:{world.learners[AMY]}", "unique_id": "W7"}, "worker", 422),
        ({"worker": "nobody", "unique_id": "W7"}, "worker", 422),
    ):
        answer = await visitor.post(f"{home}/{path}", fields)
        assert answer.status_code == status, (fields, main_text(answer))
    await visitor.get(home)
    assert (await upload(visitor, f"{home}/workers/file", "Name\nA")).status_code == 422
    assert (await upload(visitor, f"{home}/workers/file", FILE.format("W1", "AMY  example", "", ""))).status_code == 303
    page = await visitor.get(home)
    chosen = dict(re.findall(r'name="(worker_[0-9a-f-]+)".*?value="([0-9a-f-]+)" selected', page.text, re.S))
    assert set(chosen.values()) == {str(world.learners[AMY]), str(world.learners[BEN])}, "the one colleague so named"
    assert (await visitor.post(f"{home}/workers", {"worker_x": "y"})).status_code == 422
    assert (await visitor.post(f"{home}/workers", chosen)).status_code == 303
    workers = await rows(installation, AscWdsWorker)
    assert {(one.unique_id, one.display_id) for one in workers} == {("W1", None), ("W2", None)}
    await visitor.get(home)
    answer = await visitor.post(f"{home}/file")
    assert answer.status_code == 200
    assert not answer.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))
    assert answer.content.count(b"\r\n") == len(lines) == 5
    assert lines[1:] == [
        ["ROSE 1", "W1", "13", "Foundation", "1", "2", "999", "2", "12", "20/08/2026", "19/08/2027", ""],
        ["ROSE 1", "W1", "13", "Practice", "0", "2", "999", "1", "none", "01/09/2026", "", ""],
        ["ROSE 1", "W2", "13", "Covert administration webinar", "0", "2", "999", "2", "none", "05/10/2026", "", ""],
        ["THORN", "W2", "13", "Foundation", "0", "2", "999", "2", "12", "20/11/2026", "19/11/2027", ""],
    ], "not what Amy did elsewhere before, nobody who has left, ids unique within a workplace alone"
    (told,) = await rows(installation, AuditEvent, AuditEvent.action == Action.ASC_WDS_EXPORTED)
    assert (told.after["rows"], sorted(told.after["employers"])) == (4, sorted([str(rose), str(thorn)]))
    await visitor.get(home)
    moved = FILE.format("W1", "", "W1-NEW", "")
    assert (await upload(visitor, f"{home}/workers/file", moved)).status_code == 303
    assert (await upload(visitor, f"{home}/workers/file", moved)).status_code == 303, "and once more"
    await upload(visitor, f"{home}/workers/file", FILE.format("W1-NEW", "", "", "THORN"))
    amy = await rows(installation, AscWdsWorker, AscWdsWorker.learner_id == world.learners[AMY])
    assert [(one.employer_id, one.unique_id) for one in amy] == [(thorn, "W1-NEW")]
    await upload(visitor, f"{home}/workers/file", FILE.format("W5", "", "", "").replace("W2,UPDATE", "W2,DELETE"))
    assert await rows(installation, AscWdsWorker, AscWdsWorker.learner_id == world.learners[BEN]) == []
    await visitor.get(home)
    refused = await visitor.post(f"{home}/file")
    assert "Some lines have errors" in main_text(refused)
    partial = await visitor.post(f"{home}/file", {"leave_out": "yes"})
    assert partial.content.count(b"\r\n") == 2
    findings = (await visitor.get(f"{home}/preview/findings.csv")).text
    assert "1010,UNIQUE_WORKER_ID_ERROR" in findings
    assert "QQ123456C" not in str([vars(one) for one in await rows(installation, AscWdsWorker)])
    for path in ("/console/asc-wds", f"/console/asc-wds/{rose}", "/console/ldss"):
        assert (await visitor.get(path)).status_code == 403


async def test_the_team_says_what_stands_in_the_file(installation: Installation) -> None:
    world = await scene(installation)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    rose, settings = world.employers["Rose Lodge"], "/console/asc-wds/settings"
    listed = await lead.get("/console/asc-wds")
    assert "Rose group" in main_text(listed)
    await lead.get(settings)
    course, provider = world.courses["Practice"], world.training_provider
    for fields, what, status in (
        ({"course": str(course), "category": "5"}, "category", 303),
        ({"course": str(course), "category": "24"}, "category", 422),
        ({"topic": "T01", "category": "11"}, "category", 303),
        ({"category": "11"}, "category", 422),
        ({"provider": str(provider), "who": "1"}, "provider", 303),
        ({"provider": str(provider), "who": "3"}, "provider", 422),
        ({"provider": str(provider), "who": "2", "code": "0"}, "provider", 422),
        ({"webinar_how": "1", "session_code": "88"}, "save", 303),
        ({"webinar_how": "3"}, "save", 422),
    ):
        answer = await lead.post(f"{settings}/{what}", fields)
        assert answer.status_code == status, (fields, main_text(answer))
    assert "5 Emergency aid awareness" in main_text(await lead.get(settings))
    lines = (await lead.get(f"/console/asc-wds/{rose}/preview/lines.csv")).text
    assert "Amy Example,,,5,Practice,0,1,,1,none,01/09/2026" in lines
    assert "Ben Example,,,13,Covert administration webinar,0,2,88,1,none,05/10/2026" in lines
    assert (await lead.post(f"{settings}/category", {"course": str(course)})).status_code == 303
    assert ",13,Practice" in (await lead.get(f"/console/asc-wds/{rose}/preview/lines.csv")).text
    group = f"/console/asc-wds/groups/{world.groups['Rose group']}"
    assert "Cara Example" in main_text(await lead.get(group))
    analyst = await visitor_as(installation, Role.ANALYST)
    assert (await analyst.get(group)).status_code == 403
    south = await visitor_as(installation, Role.PROGRAMME_LEAD, installation.south, "south@example.org")
    assert (await south.get(group)).status_code == 404


async def certify(installation: Installation, world: World) -> None:
    """Cara got a certificate on the next day."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        template = CertificateTemplate(
            tenant_id=work.tenant_id, id=new_id(), version=1, issuer_name="Issuer", signatory_name="Signer",
            signatory_role="Lead", disclaimer="Guidance only", expiry_rule="never", validity_months=None,
            colour="#005eb8", logo_text="", created_at=NOW, created_by=None,
        )  # fmt: skip
        work.add(template)
        await work.session.flush()
        work.add(
            Certificate(
                tenant_id=work.tenant_id, id=new_id(), learner_id=world.learners[CARA], session_id=None,
                course_id=world.courses["Foundation"], run_id=None, template_id=template.id, follows_id=None, serial=1,
                number="NORTH-000001", verification_code="X", issue_key="x", state="issued", learner_name=CARA,
                title="Foundation", tier_name=None, minutes=None, achieved_on=date(2026, 11, 20), valid_until=None,
                issuer_name="Issuer", signatory_name="Signer", signatory_role="Lead", disclaimer="Guidance only",
                accreditation=[], issued_at=NOW, issued_by=None, reissued_because=None, revoked_at=None,
                revoked_because=None,
            )
        )  # fmt: skip


READ = """query($employer: ID!) {
  open: ldssClaims(where: {state: {equals: "to_claim"}, dueOn: {before: "2027-01-01"}}) { totalCount nodes { dueOn } }
  late: ldssClaims(orderBy: [DUE_ON_DESC], first: 1) { nodes { certificateNumber learner { id } } }
  own: ldssClaims(where: {employerId: {equals: $employer}}, first: 1) {
    nodes { state dueOn daysLeft amount certificateNumber learner { displayName } employer { name } course { title } }
  } }"""


async def read_by_the_api(installation: Installation, world: World) -> None:
    """Claims by deadline, state and employer; numbers of certificates and names for those alone who may read names."""
    asked = {"employer": f"Employer:{world.employers['Rose Lodge']}"}
    read = await installation.data(installation.north, READ, asked)
    assert read["open"] == {"totalCount": 2, "nodes": [{"dueOn": "2026-11-20"}, {"dueOn": "2026-12-30"}]}
    cara = {"id": f"Learner:{world.learners[CARA]}"}
    assert read["late"] == {"nodes": [{"certificateNumber": "NORTH-000001", "learner": cara}]}
    (own,) = read["own"]["nodes"]
    assert own == {
        "state": "TO_CLAIM", "dueOn": "2026-11-20", "amount": "30.50", "learner": {"displayName": AMY},
        "daysLeft": (date(2026, 11, 20) - london_date(system_clock())).days, "certificateNumber": None,
        "employer": {"name": "Rose Lodge"}, "course": {"title": "Foundation"},
    }  # fmt: skip
    some = [Permission.TRAINING_READ, Permission.DIRECTORY_READ]
    answer = await installation.graphql(installation.north, READ, asked, scopes=some)
    refused = {(error["path"][-1], error["extensions"]["code"]) for error in answer["errors"]}
    assert refused == {("certificateNumber", "FORBIDDEN"), ("displayName", "FORBIDDEN")}
    assert answer["data"]["late"]["nodes"][0]["certificateNumber"] is None
    assert (await installation.data(installation.south, READ, asked))["own"] == {"nodes": []}


async def test_refunds_follow_from_completions_until_their_deadline(installation: Installation) -> None:
    world = await scene(installation)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    courses = "/console/ldss/courses"
    await lead.get(courses)
    said = {"course": str(world.courses["Foundation"]), "learning_code": "LC-1", "amount": "30.50"}
    for fields, status in (
        (said | {"eligible_from": "2026-08-01"}, 303),
        (said | {"eligible_from": "2026-08-01", "amount": "-1"}, 422),
        (said | {"eligible_from": "2026-09-01"}, 422),
        (said | {"eligible_from": "2026-07-01", "eligible_until": "2026-06-01"}, 422),
        (said | {"eligible_from": "2026-08-01", "learning_code": ""}, 422),
    ):
        answer = await lead.post(courses, fields)
        assert answer.status_code == status, main_text(answer)
    await work_off(installation)
    await certify(installation, world)
    claims = {one.learner_id: one for one in await rows(installation, LdssClaim)}
    assert {(one.learner_id, one.due_on, one.amount) for one in claims.values()} == {
        (world.learners[AMY], date(2026, 11, 20), Decimal("30.50")),
        (world.learners[CARA], date(2027, 2, 20), Decimal("30.50")),
        (world.learners[DAN], date(2026, 12, 30), Decimal("30.50")),
    }
    shown = main_text(await lead.get("/console/ldss"))
    assert "Overdue 1" in shown
    assert "Can still be claimed £61.00" in shown
    assert "88 days before the deadline (0 of 1 after it)" in shown
    assert "NORTH-000001" in shown
    assert shown.index(AMY) < shown.index(DAN) < shown.index(CARA), "the next deadline first"
    await read_by_the_api(installation, world)
    late = (await lead.get("/console/ldss/all.csv?state=overdue")).text
    assert (AMY in late, DAN in late) == (True, False)
    visitor = await manager(installation, world)
    own = f"/console/my-locations/ldss/{claims[world.learners[AMY]].id}"
    assert "Amy Example" in main_text(await visitor.get(own))
    assert (await visitor.post(f"{own}/change", {"version": "1", "state": "not_claimed"})).status_code == 303
    assert (await visitor.post(f"{own}/change", {"version": "1", "state": "paid"})).status_code == 422
    (told,) = await rows(installation, AuditEvent, AuditEvent.action == Action.LDSS_CLAIM_CHANGED)
    assert (told.before, told.after) == ({"state": "to_claim"}, {"state": "not_claimed"})
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await work.session.execute(
            update(Employment)
            .where(Employment.learner_id == world.learners[DAN])
            .values(employer_id=world.employers["Other home"])
        )
        gone = (
            await work.session.scalars(select(Completion).where(Completion.learner_id == world.learners[CARA]))
        ).one()
        await work.session.delete(gone)
    await lead.get(courses)
    assert (await lead.post(courses, said | {"eligible_from": "2026-08-01"})).status_code == 303
    await work_off(installation)
    left = {(one.learner_id, one.employer_id, one.state) for one in await rows(installation, LdssClaim)}
    assert left == {
        (world.learners[AMY], world.employers["Rose Lodge"], "not_claimed"),
        (world.learners[DAN], world.employers["Other home"], "to_claim"),
    }
    theirs = next(one for one in await rows(installation, LdssClaim) if one.state == "to_claim")
    assert (await visitor.get(f"/console/my-locations/ldss/{theirs.id}")).status_code == 404
    answer = await visitor.post(f"/console/my-locations/ldss/{theirs.id}/change", {"version": "1", "state": "paid"})
    assert answer.status_code in {404, 422}
    assert [one.state for one in await rows(installation, LdssClaim, LdssClaim.id == theirs.id)] == ["to_claim"]
    installation.clock.move(timedelta(days=1))
    names: set[UUID] = {one.id for one in await rows(installation, Learner)}
    assert names >= set(world.learners.values())


async def test_an_import_brings_claims_as_soon_as_it_is_applied(installation: Installation) -> None:
    elearning.register_handlers()
    north, context = installation.north, installation.context(installation.north)
    await take(installation, north, completions([completion(1)]), options={"tier": 1})
    async with installation.database.unit_of_work(context) as work:
        course_id = (await work.session.scalars(select(Course.id))).one()
        await save_course(work, CourseGiven(course_id, "LC-1", Decimal("30.50"), date(2024, 1, 1)))
    await work_off(installation)
    before = {one.learner_id for one in await rows(installation, LdssClaim)}
    await take(installation, north, completions([completion(1), completion(2)]), options={"tier": 1})
    await work_off(installation)
    assert len(before) == 1
    assert before < {one.learner_id for one in await rows(installation, LdssClaim)}
