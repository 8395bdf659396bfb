"""Learning systems in the console: connected, linked to courses, and their accounts answered."""

import re
from html import unescape

import httpx2

from app.identity.permissions import Role
from app.training.elearning import meaning
from app.training.elearning.models import LearningAccount, LearningActivity
from app.training.models import Completion
from tests.console.visitor import ORIGIN, Visitor, main_text, visitor_as
from tests.elearning.learning_system import COURSE, HOME, VERSION, lead, statement
from tests.elearning.test_rules import AU, WHOLE, structure
from tests.elearning.test_statements import AMY, all_of, scene
from tests.support import Installation
from tests.webhooks.support import work_off

PAGE = "/console/learning-systems"


async def upload(visitor: Visitor, course: str, content: bytes) -> httpx2.Response:
    """Send a course structure by the form."""
    await visitor.get(f"{PAGE}/activities/structure")
    return await visitor.http.post(
        f"{PAGE}/activities/structure",
        data={"token": visitor.token, "course": course},
        files={"file": ("cmi5.xml", content, "text/xml")},
        headers={"origin": ORIGIN, "sec-fetch-site": "same-origin"},
    )


async def test_a_lead_connects_a_system_links_its_course_and_answers_who_is_who(installation: Installation) -> None:
    world = await scene(installation)
    visitor = await lead(installation)
    course = str(world.courses["Managing medicines"])
    await visitor.get(f"{PAGE}/add")
    wrong = await visitor.post(f"{PAGE}/add", {"name": "Moodle", "source": "MOODLE!", "home_page": HOME})
    assert wrong.status_code == 422
    assert 'value="MOODLE!"' in wrong.text, "what was typed stays"
    made = await visitor.post(f"{PAGE}/add", {"name": "Moodle", "source": "moodle", "home_page": HOME})
    endpoint, key_id, secret = (unescape(text) for text in re.findall(r'medstead-code">([^<]+)<', made.text))
    assert endpoint == "http://testserver/xapi/north/"
    assert secret not in (await visitor.get(PAGE)).text
    quiz = f"{HOME}/quiz/9"
    bodies = [statement(meaning.PASSED, about=quiz), statement(meaning.PASSED, who="77", about=quiz)]
    answer = await installation.http.post(f"{endpoint}statements", json=bodies, auth=(key_id, secret), headers=VERSION)
    assert answer.status_code == 200
    await work_off(installation)
    shown = main_text(await visitor.get(f"{PAGE}/activities"))
    assert f"{quiz}" in shown
    assert "Managing medicines" in shown
    assert f"{quiz},Managing medicines,2," in (await visitor.get(f"{PAGE}/activities/heard.csv")).text
    assert await all_of(installation, LearningAccount) == [], "nobody needs to be known for what is no course"
    linked = {
        "iri": quiz, "course": course, "kind": "activity", "finishes": "move_on", "move_on": "Passed", "title": "Quiz",
    }  # fmt: skip
    for name, value in (("iri", "no iri"), ("course", ""), ("kind", "thing"), ("move_on", "")):
        assert (await visitor.post(f"{PAGE}/activities/link", linked | {name: value})).status_code == 422, name
    assert (await visitor.post(f"{PAGE}/activities/link", linked)).status_code == 303
    await work_off(installation)
    waiting = await all_of(installation, LearningAccount)
    assert {(one.account, one.state) for one in waiting} == {("learner-8842", "waiting"), ("77", "waiting")}
    assert "Accounts that wait for an answer (2)" in main_text(await visitor.get(PAGE))
    assert "only an account that is not known" in main_text(await visitor.get(f"{PAGE}/waiting"))
    ids = {one.account: one.id for one in waiting}
    path = f"{PAGE}/accounts/{ids['learner-8842']}"
    found = await visitor.get(f"{path}?name=amy")
    assert AMY in main_text(found)
    assert (await visitor.post(f"{path}/answer")).status_code == 422
    assert (await visitor.post(f"{path}/answer", {"learner": "new"})).status_code == 422
    assert (await visitor.post(f"{path}/answer", {"learner": str(world.learners[AMY])})).status_code == 303
    other = f"{PAGE}/accounts/{ids['77']}/answer"
    assert (await visitor.post(other, {"learner": "new", "new_name": "Nora Newcomer"})).status_code == 303
    await work_off(installation)
    done = await all_of(installation, Completion)
    assert len(done) == 2
    assert world.learners[AMY] in {one.learner_id for one in done}
    assert (await upload(visitor, course, b"<a/>")).status_code == 422
    assert (await upload(visitor, course, structure(WHOLE))).status_code == 303
    rows = {row.iri: row for row in await all_of(installation, LearningActivity)}
    assert {iri: (row.kind, row.finishes, row.title) for iri, row in rows.items()} == {
        COURSE: ("course", "satisfied", "Managing medicines"),
        f"{HOME}/block": ("block", "never", "Teil"),
        AU: ("au", "never", "Records"),
        quiz: ("activity", "move_on", "Quiz"),
    }
    assert (await visitor.post(f"{PAGE}/activities/{rows[quiz].id}/unlink")).status_code == 303
    await work_off(installation)
    assert await all_of(installation, Completion) == []
    system = re.search(rf'href="{PAGE}/([0-9a-f-]{{36}})"', (await visitor.get(PAGE)).text)
    assert system is not None
    page = f"{PAGE}/{system[1]}"
    await visitor.get(page)
    second = await visitor.post(f"{page}/secrets")
    assert "Shown once" in main_text(second)
    revoke = re.findall(rf'action="({page}/secrets/[0-9a-f-]+/revoke)"', (await visitor.get(page)).text)
    assert len(revoke) == 2
    assert (await visitor.post(revoke[0])).status_code == 303
    off = {"version": "1", "name": "Moodle", "home_page": HOME, "keep_days": "400"}
    assert (await visitor.post(f"{page}/change", off)).status_code == 303
    assert "State Off" in main_text(await visitor.get(page))
    analyst = await visitor_as(installation, Role.ANALYST)
    assert (await analyst.get(f"{PAGE}/waiting")).status_code == 403
