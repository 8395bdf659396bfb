"""Shared governance through the API: items, forums, plans, themes and changes, objectives, incidents."""

import pytest

from app.identity.permissions import Permission
from app.training.sessions.details import Part, Places
from tenants.audit import Action
from tests.booking.support import make_session
from tests.console.programme import small_programme
from tests.governance.support import Row, a_course, change, locations, read
from tests.support import Installation
from tests.training.mapping.support import Word
from tests.webhooks.support import events, trail

PARTNER = "PartnerSaved { partner { id version name kind } }"
ITEM = "GovernanceItemChanged { item { id version status ownerOrganisation { name } } }"
PLAN = "ActionPlanChanged { plan { id version status } }"
ACTION = "PlanActionChanged { action { id version status evidence } }"


async def partner(installation: Installation, name: str, kind: str) -> str:
    entry = {"version": 0, "name": name, "kind": Word(kind)}
    saved = await change(installation, "savePartnerOrganisation", PARTNER, input=entry)
    return str(saved["partner"]["id"])


async def forum(installation: Installation) -> str:
    agenda = (Part("What went well", 30), Part("What to change", 30))
    return f"Session:{await make_session(installation, Places(30), kind='forum', agenda=agenda)}"


@pytest.mark.row("A46")
@pytest.mark.row("A59")
async def test_items_are_owned_by_any_partner_reviewed_and_have_a_history(installation: Installation) -> None:
    council = await partner(installation, "Invented Council", "COUNCIL")
    trust = await partner(installation, "Invented Hospital Trust", "NHS_TRUST")
    taken = {"version": 0, "name": "Invented  Council", "kind": Word("OTHER")}
    assert (await change(installation, "savePartnerOrganisation", PARTNER, input=taken))["code"] == "NAME_TAKEN"
    policy = {
        "kind": Word("POLICY"), "title": "Covert administration", "owner": "Pat Invented", "ownerRole": "Head of care",
        "ownerOrganisation": council, "reviewOn": "2026-11-01",
    }  # fmt: skip
    item = (await change(installation, "createGovernanceItem", ITEM, input=policy))["item"]
    change_ = {"id": item["id"], "version": 1, "ownerOrganisation": trust, "status": Word("IN_PROGRESS")}
    changed = (await change(installation, "updateGovernanceItem", ITEM, input=change_))["item"]
    assert (changed["ownerOrganisation"]["name"], changed["version"]) == ("Invented Hospital Trust", 2)
    assert (await change(installation, "updateGovernanceItem", ITEM, input=change_))["code"] == "CHANGED_MEANWHILE"
    document = """{ governanceItems(first: 5, where: {kind: {equals: "policy"}}) { nodes { owner reviewOn
      ownerOrganisation { kind } history { action by before after } } } }"""
    (told,) = (await read(installation, document))["governanceItems"]["nodes"]
    assert (told["owner"], told["reviewOn"], told["ownerOrganisation"]) == (
        "Pat Invented", "2026-11-01", {"kind": "NHS_TRUST"},
    )  # fmt: skip
    assert [entry["action"] for entry in told["history"]] == ["governance:item:change", "governance:item:create"]
    assert (told["history"][0]["before"]["status"], told["history"][0]["after"]["status"]) == ("open", "in_progress")
    assert "Pat" not in str(told["history"]), "who owns it is no matter of the trail"

    meeting = await forum(installation)
    minutes = "MinutesWritten { minutes { id version text } }"
    written = {"session": meeting, "version": 0, "text": "We agreed on PRN charts."}
    assert (await change(installation, "writeForumMinutes", minutes, input=written))["minutes"]["version"] == 1
    assert (await change(installation, "writeForumMinutes", minutes, input=written))["code"] == "CHANGED_MEANWHILE"
    action = policy | {"kind": Word("FORUM_ACTION"), "title": "Share the PRN chart", "session": meeting}
    assert (await change(installation, "createGovernanceItem", ITEM, input=action))["code"] == "DUE_DAY_MISSING"
    late, soon = action | {"dueOn": "2026-11-20"}, action | {"dueOn": "2026-12-20", "title": "Ask the GPs"}
    overdue = (await change(installation, "createGovernanceItem", ITEM, input=late))["item"]
    await change(installation, "createGovernanceItem", ITEM, input=soon)
    report = """{ governanceReport(on: "2026-11-24") { counts { kind open overdue reviewDue }
      overdue { id kind title organisation dueOn status } } }"""
    told = (await read(installation, report))["governanceReport"]
    assert told["overdue"] == [
        {
            "id": overdue["id"], "kind": "forum_action", "title": "Share the PRN chart",
            "organisation": "Invented Council", "dueOn": "2026-11-20", "status": "OPEN",
        }
    ]  # fmt: skip
    counts = {row["kind"]: (row["open"], row["overdue"], row["reviewDue"]) for row in told["counts"]}
    assert (counts["FORUM_ACTION"], counts["POLICY"], counts["RISK"]) == ((2, 1, 2), (1, 0, 1), (0, 0, 0))
    done = {"id": overdue["id"], "version": 1, "status": Word("DONE")}
    await change(installation, "updateGovernanceItem", ITEM, input=done)
    assert (await read(installation, report))["governanceReport"]["overdue"] == []
    read_forum = f'{{ session(id: "{meeting}") {{ minutes {{ text }} agenda(first: 3) {{ nodes {{ title }} }} '
    read_forum += "forumActions(first: 3) { nodes { title status } } } }"
    told = (await read(installation, read_forum))["session"]
    assert told["minutes"] == {"text": "We agreed on PRN charts."}
    assert [row["status"] for row in told["forumActions"]["nodes"]] == ["DONE", "OPEN"]
    assert len(told["agenda"]["nodes"]) == 2
    hidden = await installation.graphql(
        installation.north, "{ governanceItems(first: 1) { nodes { title } } }", scopes=[Permission.TRAINING_READ]
    )
    assert hidden["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "governance.item_changed" in {event.type for event in await events(installation)}


@pytest.mark.row("A53")
@pytest.mark.row("A60")
@pytest.mark.row("A65")
@pytest.mark.row("A66")
@pytest.mark.row("A2")
@pytest.mark.row("A8")
async def test_plans_themes_objectives_and_incidents(installation: Installation) -> None:
    await small_programme(installation, installation.north)
    course, (home, *_) = await a_course(installation), await locations(installation)
    council = await partner(installation, "Invented Council", "COUNCIL")

    entry: Row = {"title": "After the inspection", "ownerOrganisation": council, "dueOn": "2027-03-31"}
    plans = []
    for kind, extra in (("CQC", {"location": home}), ("LOCAL", {"provider": "1-800000001"}), ("LOCAL", {})):
        made = await change(
            installation, "createActionPlan", PLAN, input=entry | extra | {"kind": Word(kind), "title": f"Plan {kind}"}
        )
        plans.append(made["plan"]["id"])
    step = {"title": "All seniors take it", "owner": "Sam Invented", "dueOn": "2026-11-01"}
    actions = [
        (await change(installation, "addPlanAction", ACTION, input=step | {"plan": plan, "course": course}))["action"]
        for plan in plans[:2]
    ]
    await change(installation, "addPlanAction", ACTION, input=step | {"plan": plans[2]})
    cites = f'{{ course(id: "{course}") {{ citingPlans planActions(first: 9) {{ nodes {{ plan {{ id kind }} }} }} }} }}'
    told = (await read(installation, cites))["course"]
    assert told["citingPlans"] == 2
    assert {row["plan"]["id"] for row in told["planActions"]["nodes"]} == set(plans[:2])
    finish = {"id": actions[0]["id"], "version": 1, "status": Word("DONE")}
    assert (await change(installation, "updatePlanAction", ACTION, input=finish))["code"] == "EVIDENCE_MISSING"
    complete = {"id": plans[0], "version": 1, "status": Word("COMPLETED")}
    assert (await change(installation, "updateActionPlan", PLAN, input=complete))["code"] == "ACTIONS_OPEN"
    report = '{ governanceReport(on: "2026-11-24") { overdue { kind } } }'
    assert (await read(installation, report))["governanceReport"]["overdue"] == [{"kind": "plan_action"}] * 3
    finish |= {"evidence": "Register of 2 November"}
    assert (await change(installation, "updatePlanAction", ACTION, input=finish))["action"]["status"] == "DONE"
    assert (await change(installation, "updateActionPlan", PLAN, input=complete))["plan"]["status"] == "COMPLETED"
    more = step | {"plan": plans[0]}
    assert (await change(installation, "addPlanAction", ACTION, input=more))["code"] == "PLAN_CLOSED"

    feedback = "{ feedbackForms(first: 1) { nodes { id responses(first: 9) { nodes { id } } } } }"
    (form,) = (await read(installation, feedback))["feedbackForms"]["nodes"]
    responses = [row["id"] for row in form["responses"]["nodes"]]
    theme_entry = {
        "kind": Word("FEEDBACK_THEME"), "title": "Too little on inhalers", "owner": "Sam Invented",
        "ownerOrganisation": council, "reviewOn": "2027-01-31",
    }  # fmt: skip
    theme = (await change(installation, "createGovernanceItem", ITEM, input=theme_entry))["item"]["id"]
    cited = "FeedbackCited { added }"
    for added in (2, 0):
        given = {"theme": theme, "responses": responses[:2]}
        assert (await change(installation, "citeFeedback", cited, **given))["added"] == added
    content = {"description": "A part on inhalers", "changedOn": "2026-11-20", "course": course}
    logged = "ContentChangeLogged { change { id } }"
    refused = await change(installation, "logContentChange", logged, input=content | {"themes": []})
    assert refused["code"] == "THEME_MISSING"
    change_id = (await change(installation, "logContentChange", logged, input=content | {"themes": [theme]}))["change"]
    forth = f"""{{ node(id: "{change_id["id"]}") {{ ... on ContentChange {{ themes(first: 2) {{ nodes {{ theme {{
      citations(first: 9) {{ nodes {{ response {{ id }} }} }} }} }} }} }} }} }}"""
    (tie,) = (await read(installation, forth))["node"]["themes"]["nodes"]
    assert {row["response"]["id"] for row in tie["theme"]["citations"]["nodes"]} == set(responses[:2])
    back = f"""{{ node(id: "{theme}") {{ ... on GovernanceItem {{ changes(first: 2) {{ nodes {{ change {{
      id description course {{ id }} }} }} }} }} }} }}"""
    (tie,) = (await read(installation, back))["node"]["changes"]["nodes"]
    assert tie["change"] == {"id": change_id["id"], "description": "A part on inhalers", "course": {"id": course}}

    subject = "FeedbackSubjectTold { form { subject { course { id } } } }"
    neither = await change(installation, "setFeedbackSubject", subject, form=form["id"])
    assert neither["code"] == "NAME_ONE"
    await change(installation, "setFeedbackSubject", subject, form=form["id"], course=course)
    kpis = f'{{ course(id: "{course}") {{ kpis {{ begun completed completions completedPercent responses invited '
    kpis += "answers topBox topBoxPercent } } }"
    told = (await read(installation, kpis))["course"]["kpis"]
    assert told == {
        "begun": 4, "completed": 4, "completions": 4, "completedPercent": 100.0, "responses": 4, "invited": 8,
        "answers": 3, "topBox": 2, "topBoxPercent": 66.7,
    }  # fmt: skip
    sessions = "{ sessions(first: 2) { nodes { kpis { booked attended attendedPercent topBoxPercent } } } }"
    told = (await read(installation, sessions))["sessions"]["nodes"]
    assert told == [{"kpis": {"booked": 0, "attended": 1, "attendedPercent": None, "topBoxPercent": None}}]

    objective = "ObjectiveChanged { objective { id version } }"
    saved = await change(installation, "saveObjective", objective, input={"version": 0, "title": "Workforce"})
    objective_id = saved["objective"]["id"]
    (programme,) = (await read(installation, "{ programmes(first: 1) { nodes { id } } }"))["programmes"]["nodes"]
    for tagged in ({"course": course}, {"plan": plans[0]}, {"programme": programme["id"]}):
        await change(installation, "tagObjective", objective, objective=objective_id, **tagged)
    again = await change(installation, "tagObjective", objective, objective=objective_id, course=course)
    assert again["code"] == "TAGGED_ALREADY"
    activity = "{ strategicObjectives(first: 1) { nodes { activity { tagId kind title total done } } } }"
    (told,) = (await read(installation, activity))["strategicObjectives"]["nodes"]
    numbers = {row["kind"]: (row["total"], row["done"]) for row in told["activity"]}
    assert numbers == {"course": (4, 4), "plan": (1, 1), "programme": (0, 0)}
    await change(installation, "untagObjective", objective, id=told["activity"][0]["tagId"])
    assert len((await read(installation, activity))["strategicObjectives"]["nodes"][0]["activity"]) == 2

    award = {"award": "Best practice", "body": "Invented body", "awardedOn": "2025-06-01"}
    kept = "RecognitionAdded { recognition { id award } }"
    assert (await change(installation, "addRecognition", kept, input=award))["recognition"]["award"] == "Best practice"
    assert (await change(installation, "addRecognition", kept, input=award))["code"] == "LOGGED_ALREADY"

    await installation.data(installation.north, "mutation { loadBaseTaxonomy { __typename } }")
    (topic,) = (await read(installation, '{ topics(first: 1, where: {code: {equals: "T17"}}) { nodes { id } } }'))[
        "topics"
    ]["nodes"]
    category = "IncidentCategorySaved { category { id } }"
    mapped = {"version": 0, "name": "Wrong dose", "topic": topic["id"]}
    category_id = (await change(installation, "saveIncidentCategory", category, input=mapped))["category"]["id"]
    incident = {
        "category": category_id, "stage": Word("ADMINISTRATION"), "harm": Word("LOW"), "location": home,
        "occurredOn": "2026-11-20",
    }  # fmt: skip
    recorded = "IncidentRecorded { incident { id } suggested { id status topic { code } location { id } } }"
    suggested = (await change(installation, "recordIncident", recorded, input=incident))["suggested"]
    assert (suggested["status"], suggested["topic"], suggested["location"]) == (
        "SUGGESTED", {"code": "T17"}, {"id": home},
    )  # fmt: skip
    future = await change(installation, "recordIncident", recorded, input=incident | {"occurredOn": "2026-11-25"})
    assert future["code"] == "IN_THE_FUTURE"
    decision = {"id": suggested["id"], "version": 1, "status": Word("ACCEPTED")}
    decided = await change(
        installation, "decideLearningNeed", "LearningNeedDecided { need { status } }", input=decision
    )
    assert decided["need"]["status"] == "ACCEPTED"
    (told,) = await trail(installation, Action.INCIDENT_RECORDED)
    assert set(told.after or {}) == {"category_id", "stage", "harm", "learning_need"}, "nobody is told of"
