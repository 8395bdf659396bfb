"""Forms of governance: objectives, feedback that leads to changes, incidents with their learning, forums."""

import re
from typing import Any
from uuid import UUID

import httpx2
import pytest

from app.governance import items, plans
from app.identity.permissions import Role
from app.training.mapping import taxonomy
from app.training.sessions.details import Places
from tenants.identifiers import new_id
from tests.booking.support import make_session
from tests.console.programme import small_programme
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.support import Installation
from tests.training.requirements.world import TODAY

G = "/console/governance"
ID = "[0-9a-f-]{36}"


def option(page: httpx2.Response, text: str) -> str:
    """The value of the option that begins with this text."""
    found = re.search(rf'<option value="([^"]+)"[^>]*>\s*{re.escape(text)}', page.text)
    assert found is not None, text
    return found[1]


def version(page: httpx2.Response) -> str:
    """The version that the page's form holds."""
    found = re.search(r'name="version" value="(\d+)"', page.text)
    assert found is not None
    return found[1]


async def sent(visitor: Visitor, path: str, fields: dict[str, Any]) -> str:
    """Where a form leads that is taken, without what was done."""
    answer = await visitor.post(path, fields)
    assert answer.status_code == 303, main_text(answer)
    return str(answer.headers["location"]).partition("?")[0]


async def refused(visitor: Visitor, path: str, fields: dict[str, Any], message: str, field: str = "") -> str:
    """The page of a form that is refused, with the message, beside its field, and with what was typed."""
    answer = await visitor.post(path, fields)
    assert answer.status_code == 422, answer.headers.get("location")
    assert message in main_text(answer)
    assert not field or f'id="{field}-error"' in answer.text, field
    for name, value in fields.items():
        if isinstance(value, str) and value and name != "version":
            assert value in answer.text, f"{name} is kept"
    return answer.text


@pytest.fixture
async def council(installation: Installation) -> str:
    """A partner by its id."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        return str(await items.save_partner(work, "Invented Council", "council"))


async def only_looks(installation: Installation, paths: list[str], posts: list[str]) -> None:
    """Somebody who only reads finds the pages without forms and buttons that change, and is refused those."""
    analyst = await visitor_as(installation, Role.ANALYST)
    for path in paths:
        page = await analyst.get(path)
        assert page.status_code == 200, path
        changing = re.findall(r'<form method="post" action="([^"]+)"', page.text.partition("<main")[2])
        assert changing == [], path
        assert not re.search(r'href="[^"]*/(add|change|responses|enrol)["?]', page.text), path
    for path in posts:
        assert (await analyst.post(path)).status_code == 403, path


@pytest.mark.row("A60")
@pytest.mark.row("A66")
async def test_objectives_are_kept_tagged_and_retired_and_awards_written_down(
    installation: Installation, council: str
) -> None:
    await small_programme(installation, installation.north)
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    start = main_text(await visitor.get(f"{G}/objectives"))
    assert "There is no objective yet" in start
    assert "No award has been written down yet" in start
    await visitor.get(f"{G}/objectives/add")
    await refused(visitor, f"{G}/objectives/add", {"details": "Kept words"}, "Enter what is striven for", "title")
    one = await sent(visitor, f"{G}/objectives/add", {"title": "A skilled workforce", "details": "By 2028"})
    page = await visitor.get(one)
    assert "Nothing serves it yet" in main_text(page)
    await refused(visitor, f"{one}/tags", {}, "Name one programme, course or plan", "programme")
    course = {"course": re.findall(rf'<option value="({ID})"', page.text.partition('id="course"')[2])[0]}
    await sent(visitor, f"{one}/tags", course)
    answer = await visitor.post(f"{one}/tags", course)
    assert "has this objective already" in main_text(answer)
    assert f'value="{course["course"]}" selected' in answer.text
    await sent(visitor, f"{one}/tags", {"programme": option(page, "Medicines training")})
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        plan = await plans.create_plan(work, plans.PlanGiven("local", "Fewer errors", UUID(council), TODAY))
        await work.session.flush()
        await plans.add_action(work, plan, plans.ActionGiven("Train all", "Sam Invented", TODAY))
    await sent(visitor, f"{G}/objectives/add", {"title": "Another one"})
    await sent(visitor, f"{one}/tags", {"plan": str(plan)})
    shown = await visitor.get(one)
    assert "What Fewer errors Done or met 0 Of 1" in main_text(shown), "however many objectives there are"
    assert "Kind Programme What Medicines training" in main_text(shown)
    tags = re.findall(rf'action="({G}/objectives/{ID}/tags/{ID}/remove)"', shown.text)
    assert len(tags) == 3
    assert (await visitor.post(tags[0].replace(one, f"{G}/objectives/{new_id()}"))).status_code == 404
    for tag in tags:
        await sent(visitor, tag, {})
    assert "Nothing serves it yet" in main_text(await visitor.get(one))
    assert (await visitor.post(tags[0])).status_code == 404
    change = await visitor.get(f"{one}/change")
    assert "By 2028" in change.text
    fields = {"version": version(change), "title": "A skilled workforce", "status": "past"}
    await refused(visitor, f"{one}/change", fields | {"version": "0"}, "Somebody changed the objective meanwhile")
    await refused(visitor, f"{one}/change", fields | {"status": ""}, "Choose the state", "status")
    await sent(visitor, f"{one}/change", fields)
    assert "Past" in main_text(await visitor.get(f"{G}/objectives"))
    await visitor.get(f"{G}/recognitions/add")
    award = {"award": "Best practice", "body": "Invented society", "awarded_on": "2026-11-01", "url": "ftp://x"}
    await refused(visitor, f"{G}/recognitions/add", award, "The address begins with https://", "url")
    await sent(visitor, f"{G}/recognitions/add", award | {"url": "https://example.org/award"})
    assert 'href="https://example.org/award"' in (await visitor.get(f"{G}/objectives")).text
    await only_looks(
        installation, [f"{G}/objectives", one], [f"{one}/tags", f"{one}/change", tags[0], f"{G}/recognitions/add"]
    )


@pytest.mark.row("A65")
async def test_a_theme_cites_responses_and_leads_to_a_change(installation: Installation, council: str) -> None:
    await small_programme(installation, installation.north)
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    assert "No theme has been raised yet" in main_text(await visitor.get(f"{G}/feedback"))
    add = f"{G}/items/add?kind=feedback_theme"
    raising = await visitor.get(add)
    assert "Raise a theme of feedback" in main_text(raising)
    assert 'name="kind"' not in raising.text
    entry = {"title": "More on inhalers", "owner": "Sam Invented", "owner_organisation": council}
    await refused(visitor, add, entry, "Enter the day on which it is to be reviewed", "review_on")
    theme = await sent(visitor, add, entry | {"review_on": "2027-01-31"})
    assert theme.startswith(f"{G}/feedback/")
    assert "No response is cited yet" in main_text(await visitor.get(theme))
    page = await visitor.get(f"{theme}/responses")
    assert "Responses 1 to 4 of 4" in main_text(page)
    responses = re.findall(rf'name="responses" type="checkbox" value="({ID})"', page.text)
    assert len(responses) == 4
    await refused(visitor, f"{theme}/responses", {}, "Choose at least one response to cite", "responses")
    answer = await visitor.post(f"{theme}/responses", {"responses": [responses[0], str(new_id())]})
    assert "There is no such response" in main_text(answer)
    assert re.search(rf'value="{responses[0]}"[^>]* checked', answer.text), "what was ticked is kept"
    assert (await visitor.post(f"{theme}/responses", {"responses": ["x"]})).status_code == 422
    await sent(visitor, f"{theme}/responses", {"responses": responses[:2]})
    rest = await visitor.get(f"{theme}/responses?words=inhaler&page=x&form=y")
    assert "no such responses that the theme does not cite already" in main_text(rest)
    assert "1 to 2 of 2" in main_text(await visitor.get(f"{theme}/responses"))

    form_page = await visitor.get(f"{theme}/change")
    change: dict[str, Any] = {"description": "A part on inhalers", "changed_on": "2026-11-20"}
    await refused(visitor, f"{theme}/change", change, "Name one course or session", "course")
    course = re.findall(rf'<option value="({ID})"', form_page.text.partition('id="course"')[2])[0]
    await refused(visitor, f"{theme}/change", {"course": course}, "Enter the day of the change", "changed_on")
    await sent(visitor, f"{theme}/change", change | {"course": course})
    shown = main_text(await visitor.get(theme))
    assert "A part on inhalers" in shown
    assert "How useful was the webinar: Extremely useful" in shown or "Very useful" in shown
    listed = main_text(await visitor.get(f"{G}/feedback"))
    assert "More on inhalers" in listed
    for name in ("responses", "changes"):
        assert (await visitor.get(f"{theme}/{name}.csv")).text.count("\n") >= 2, name

    forms = await visitor.get(f"{G}/feedback/forms")
    assert "Not told yet" in main_text(forms)
    (form,) = set(re.findall(rf"{G}/feedback/forms/{ID}", forms.text))
    await visitor.get(form)
    await refused(visitor, f"{form}/subject", {}, "Name one course or session", "course")
    await sent(visitor, f"{form}/subject", {"course": course})
    assert "Not told yet" not in main_text(await visitor.get(form))
    await only_looks(
        installation,
        [f"{G}/feedback", theme, f"{G}/feedback/forms", form],
        [f"{theme}/responses", f"{theme}/change", f"{form}/subject", add],
    )
    analyst = await visitor_as(installation, Role.ANALYST, email="second@example.org")
    assert "Sam Invented" not in (await analyst.get(theme)).text
    assert (await analyst.get(f"{theme}/responses")).status_code == 403
    assert (await visitor.get(f"{G}/feedback/{new_id()}")).status_code == 404


@pytest.mark.row("A66")
async def test_incidents_suggest_learning_that_is_decided(installation: Installation) -> None:
    await small_programme(installation, installation.north)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        given = taxonomy.NewTopic("T90", "Missed doses", "Safety")
        topic = await taxonomy.save_topic(work, given)
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    incidents, categories = f"{G}/incidents", f"{G}/incidents/categories"
    assert "There are no categories yet" in main_text(await visitor.get(categories))
    await refused(visitor, f"{categories}/add", {"name": " "}, "Enter the category's name", "name")
    for name, learned in (("Missed dose", str(topic)), ("Other", "")):
        await sent(visitor, f"{categories}/add", {"name": name, "topic": learned})
    await refused(visitor, f"{categories}/add", {"name": "Other"}, "There is a category of that name already", "name")
    listed = await visitor.get(categories)
    assert "T90: Missed doses" in main_text(listed)
    other = re.findall(rf'href="({categories}/{ID})">Other', listed.text)[0]
    page = await visitor.get(other)
    stale = {"version": "0", "name": "Something else"}
    await refused(visitor, other, stale, "Somebody changed the category meanwhile")
    await sent(visitor, other, {"version": version(page), "name": "Something else"})

    page = await visitor.get(f"{incidents}/add")
    entry = {
        "category": option(page, "Missed dose"), "stage": "administration", "harm": "low",
        "location": option(page, "Rose Lodge"), "occurred_on": "2026-11-20", "safeguarding_raised": "yes",
    }  # fmt: skip
    await refused(visitor, f"{incidents}/add", entry | {"harm": ""}, "Choose how much harm it did", "harm")
    late = await visitor.post(f"{incidents}/add", entry | {"occurred_on": "2027-11-20"})
    assert "Enter a day that has been" in main_text(late)
    assert re.search(r'value="administration"[^>]* checked', late.text)
    assert re.search(r'name="safeguarding_raised"[^>]* checked', late.text)
    need = await sent(visitor, f"{incidents}/add", entry)
    shown = main_text(await visitor.get(need))
    assert "T90: Missed doses State Suggested For people at Rose Lodge" in shown
    await sent(visitor, f"{incidents}/add", entry | {"category": option(page, "Something else")})
    await refused(visitor, f"{need}/decide", {"version": "0", "status": "met"}, "Somebody changed the learning need")
    await refused(visitor, f"{need}/decide", {"version": "1"}, "Choose what becomes of it", "status")
    await sent(visitor, f"{need}/decide", {"version": "1", "status": "accepted"})
    everything = main_text(await visitor.get(incidents))
    assert "Accepted" in everything
    assert everything.count("Rose Lodge") == 3, "two incidents, one need"
    await only_looks(
        installation, [incidents, need, categories], [f"{incidents}/add", f"{need}/decide", f"{categories}/add", other]
    )


@pytest.mark.row("A59")
async def test_a_forum_has_minutes_and_actions(installation: Installation, council: str) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    assert "There is no forum yet" in main_text(await visitor.get(f"{G}/forums"))
    session_id = await make_session(installation, Places(30), kind="forum")
    webinar = await make_session(installation, Places(30))
    forum = f"{G}/forums/{session_id}"
    assert f'href="{forum}"' in (await visitor.get(f"/console/sessions/{session_id}")).text
    assert "/governance/forums/" not in (await visitor.get(f"/console/sessions/{webinar}")).text
    assert (await visitor.get(f"{G}/forums/{webinar}")).status_code == 404
    page = await visitor.get(forum)
    assert "There are no minutes yet" in main_text(page)
    assert "has asked for nothing yet" in main_text(page)
    await refused(visitor, f"{forum}/minutes", {"version": "0", "text": " "}, "Write down what was said", "text")
    long = {"version": "0", "text": "é" * 20_001}
    await refused(visitor, f"{forum}/minutes", long, "Shorten the minutes to 20000 characters", "text")
    await sent(visitor, f"{forum}/minutes", {"version": "0", "text": "Charts differ.\nNights are short."})
    stale = {"version": "0", "text": "What I typed"}
    await refused(visitor, f"{forum}/minutes", stale, "Somebody changed the minutes meanwhile")
    page = await visitor.get(forum)
    assert "Charts differ.\nNights are short." in page.text
    await sent(visitor, f"{forum}/minutes", {"version": version(page), "text": "Charts differ. Agreed."})
    add = f"{G}/items/add?kind=forum_action&session={session_id}"
    assert f'href="{add.replace("&", "&amp;")}"' in page.text
    assert "Add an action of a forum" in main_text(await visitor.get(add))
    entry = {"title": "Share one chart", "owner": "Fay Invented", "owner_organisation": council}
    entry |= {"review_on": "2027-01-31"}
    await refused(visitor, add, entry, "Enter the day by which the action is to be done", "due_on")
    assert await sent(visitor, add, entry | {"due_on": "2026-11-01"}) == forum
    shown = main_text(await visitor.get(forum))
    assert "Share one chart" in shown
    assert "Fay Invented" in shown
    assert "Overdue" in shown
    assert "Written" in main_text(await visitor.get(f"{G}/forums"))
    for wrong in (f"{G}/items/add?kind=forum_action&session=x", f"{G}/items/add?kind=forum_action&session={webinar}"):
        assert (await visitor.get(wrong)).status_code == 404
    await only_looks(installation, [f"{G}/forums", forum], [f"{forum}/minutes"])
    analyst = await visitor_as(installation, Role.ANALYST, email="second@example.org")
    hidden = (await analyst.get(forum)).text
    assert "Charts differ" not in hidden
    assert "Fay Invented" not in hidden
