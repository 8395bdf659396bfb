"""Campaigns: whom a segment reaches, four eyes, one copy for an address, each tenant's own look, withdrawal."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.directory.models import LearnerIdentifier
from app.identity.permissions import Permission
from app.messaging import campaigns, contacts, queueing
from app.messaging.models import ProviderContact
from app.messaging.objections import object_to
from app.messaging.reaching import Reach, reach
from app.messaging.segments import read_segment, segment_data
from app.training.errors import TrainingRefusal
from app.training.models import MedicationChampion
from app.training.sessions.details import Places
from tenants.identifiers import new_id
from tests.booking.support import make_session, make_staff
from tests.messaging.campaigning import (
    APPROVER,
    BODY,
    WRITER,
    add_contact,
    approved,
    at_work,
    given,
    location_of,
    the_campaign,
    tokens,
)
from tests.messaging.mailbox import Mailbox, page, plain
from tests.messaging.support import SENDER, give_addresses, ledger, set_sender, work_on
from tests.support import NOW, Installation
from tests.training.requirements import world as worlds
from tests.webhooks.support import work_off


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"who": "everybody"}, "UNKNOWN_WHO"),
        ({"colour": "red"}, "BAD_SEGMENT"),
        ({"roles": "office"}, "BAD_SEGMENT"),
        ({"roles": ["owner"]}, "UNKNOWN_ROLE"),
        ({"who": "learners", "roles": ["office"]}, "ROLES_OF_CONTACTS"),
        ({"settings": ["castle"]}, "UNKNOWN_SETTING"),
        ({"tier": "one"}, "BAD_SEGMENT"),
        ({"tier_held": 1}, "BAD_SEGMENT"),
        ({"provider_groups": ["x"]}, "BAD_SEGMENT"),
        ({"local_authorities": ["Luton"] * 201}, "TOO_MANY"),
        ({"who": "champions", "without_champion": True}, "CHAMPIONS_HAVE_ONE"),
    ],
)
def test_a_segment_is_checked(data: dict[str, Any], code: str) -> None:
    with pytest.raises(TrainingRefusal) as refused:
        read_segment(data)
    assert refused.value.code == code
    kept = {"who": "contacts", "roles": ["office"], "tier": str(new_id()), "tier_held": False, "without_champion": True}
    assert segment_data(read_segment(kept)) == kept


@pytest.mark.row("C3")
async def test_whom_a_segment_reaches(installation: Installation) -> None:
    rose, (ann, ben, cat) = await make_staff(installation, 3, home="Rose", setting="care_home_with_nursing")
    thorn, (dan,) = await make_staff(installation, 1, home="Thorn", setting="domiciliary")
    agency, _ = await make_staff(installation, 1, home="Agency")
    at_rose, at_thorn = await location_of(installation, rose), await location_of(installation, thorn)
    await give_addresses(installation, [ann, ben, dan])
    manager = await add_contact(
        installation, "rose@care.example", role="registered_manager", tenant_location_id=at_rose
    )
    await add_contact(installation, "Office@group.example", tenant_location_id=at_rose)
    await add_contact(installation, "office@GROUP.example", tenant_location_id=at_thorn)
    dead = await add_contact(installation, "gone@care.example", tenant_location_id=at_thorn)
    await add_contact(installation, "agency@work.example", employer_id=agency)
    ended = await add_contact(installation, "past@care.example", tenant_location_id=at_rose)
    async with installation.database.unit_of_work(at_work(installation)) as work:
        await contacts.end_contact(work, ended)
        again = contacts.ContactGiven("registered_manager", " rose@care.example ", "", at_rose)
        with pytest.raises(TrainingRefusal, match="contact of the place already"):
            await contacts.save_contact(work, again)
        mark = update(ProviderContact).where(ProviderContact.id == dead).values(undeliverable_since=NOW)
        await work.session.execute(mark)
        world = await worlds.open_world(work)
        worlds.course(work, world, "Foundation", 1)
        await work.session.flush()
        world.learners["Ann"] = ann
        worlds.complete(work, world, "Ann", "Foundation", date(2026, 6, 1))
        work.add(
            MedicationChampion(
                tenant_id=work.tenant_id, id=new_id(), learner_id=ben, tenant_location_id=at_rose, location_key="rose",
                trained_on=date(2026, 1, 1), started_on=date(2026, 1, 1), ended_on=None, deputy=False, import_id=None,
                created_at=NOW, state="active", version=1, contact_route=None, nomination_id=None, ended_because=None,
            )
        )  # fmt: skip
        await object_to(work, "programme", "team", contact_id=manager)
        await object_to(work, "marketing", "team", learner_id=dan)
    tier = str(world.tiers[1])
    expected: list[tuple[dict[str, Any], str, Reach]] = [
        ({}, "programme", Reach(2, 1, 1, 0, 1)),
        ({}, "marketing", Reach(3, 0, 1, 0, 1)),
        ({"roles": ["registered_manager"]}, "programme", Reach(0, 1, 0, 0, 0)),
        ({"settings": ["domiciliary"]}, "programme", Reach(1, 0, 1, 0, 0)),
        ({"local_authorities": ["Luton"], "without_champion": True}, "marketing", Reach(1, 0, 1, 0, 0)),
        ({"tier": tier}, "marketing", Reach(2, 0, 0, 0, 0)),
        ({"tier": tier, "tier_held": False}, "marketing", Reach(2, 0, 1, 0, 0)),
        ({"who": "learners"}, "marketing", Reach(2, 1, 0, 2, 0)),
        ({"who": "learners", "settings": ["care_home_with_nursing"]}, "programme", Reach(2, 0, 0, 1, 0)),
        ({"who": "learners", "tier": tier, "tier_held": False}, "programme", Reach(2, 0, 0, 2, 0)),
        ({"who": "learners", "without_champion": True}, "programme", Reach(1, 0, 0, 0, 0)),
        ({"who": "champions"}, "programme", Reach(1, 0, 0, 0, 0)),
        ({"who": "champions", "settings": ["domiciliary"]}, "programme", Reach(0, 0, 0, 0, 0)),
    ]
    async with installation.database.unit_of_work(at_work(installation)) as work:
        found = [(data, kind, await reach(work, read_segment(data), kind)) for data, kind, _ in expected]
        assert found == expected
        shared = (
            update(LearnerIdentifier).where(LearnerIdentifier.learner_id == ben).values(value="learner0@home.example")
        )
        await work.session.execute(shared)
        assert await reach(work, read_segment({"who": "learners"}), "programme") == Reach(2, 0, 0, 2, 1)
    assert cat


async def test_what_a_campaign_must_be(installation: Installation) -> None:
    agency, _ = await make_staff(installation, 1, home="Agency")
    session_id = await make_session(installation, Places(10, "promote"))
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"name": " "}, "NAME_MISSING"),
        ({"message_class": "service"}, "UNKNOWN_CLASS"),
        ({"subject": ""}, "SUBJECT_MISSING"),
        ({"body": "((session))"}, "PLACEHOLDERS"),
        ({"body": BODY}, "LINK_TO_NOTHING"),
        ({"session_ids": [session_id]}, "LINK_MISSING"),
        ({"body": BODY, "session_ids": [new_id()]}, "NO_SUCH_SESSION"),
        ({"segment": {"tier": str(new_id())}}, "NO_SUCH_TIER"),
        ({"segment": {"provider_groups": [str(new_id())]}}, "NO_SUCH_PROVIDER_GROUP"),
    ]
    for others, code in wrong:
        with pytest.raises(TrainingRefusal) as refused:
            async with installation.database.unit_of_work(at_work(installation)) as work:
                await campaigns.create_campaign(work, given(**others))
        assert refused.value.code == code, others
    async with installation.database.unit_of_work(at_work(installation)) as work:
        campaign_id = await campaigns.create_campaign(work, given(body=BODY, session_ids=[session_id]))

    async def refusal(change: Any, version: int, actor: Any = WRITER) -> str | None:
        try:
            async with installation.database.unit_of_work(at_work(installation, actor)) as work:
                await change(work, campaign_id, version)
        except TrainingRefusal as error:
            return error.code
        return None

    assert await refusal(campaigns.submit, 1) == "NO_SENDER"
    await set_sender(installation)
    assert await refusal(campaigns.submit, 1) == "NOBODY_GETS_IT"
    await add_contact(installation, "agency@work.example", employer_id=agency)
    assert await refusal(campaigns.submit, 0) == "CHANGED_MEANWHILE"
    assert await refusal(campaigns.approve, 1, APPROVER) == "NOT_SUBMITTED"
    assert await refusal(campaigns.submit, 1) is None
    assert await refusal(campaigns.approve, 2) == "OWN_CAMPAIGN"
    with pytest.raises(TrainingRefusal) as refused:
        async with installation.database.unit_of_work(at_work(installation)) as work:
            await campaigns.change_campaign(work, campaign_id, given(), 2)
    assert refused.value.code == "NOT_A_DRAFT"
    assert await refusal(campaigns.take_back, 2, APPROVER) is None
    async with installation.database.unit_of_work(at_work(installation, APPROVER)) as work:
        await campaigns.change_campaign(work, campaign_id, given(subject="Other words"), 3)
    assert await refusal(campaigns.submit, 4) is None
    assert await refusal(campaigns.approve, 5, APPROVER) == "OWN_CAMPAIGN", "who changed it last has written it"
    assert await refusal(campaigns.approve, 5) is None
    assert await refusal(campaigns.withdraw_campaign, 6) is None
    assert await refusal(campaigns.withdraw_campaign, 7) == "NOT_TO_BE_WITHDRAWN"


@pytest.mark.row("A43")
async def test_two_tenants_send_the_same_campaign_each_as_itself(installation: Installation, mailbox: Mailbox) -> None:
    for tenant, name in ((installation.north, "North council"), (installation.south, "South council")):
        host = name.replace(" ", ".").lower()
        look = type(SENDER)(name, f"post@{host}.example", f"team@{host}.example", name, "#00703c", f"{name}, Town hall")
        await set_sender(installation, tenant, look)
    north_agency, _ = await make_staff(installation, 1, home="Agency")
    async with installation.database.unit_of_work(installation.context(installation.south)) as work:
        world = await worlds.open_world(work)
        south_agency = await worlds.employer(work, world, "Agency")
    for tenant, employer in ((installation.north, north_agency), (installation.south, south_agency)):
        for address in ("agency@work.example", "office@work.example"):
            last = await add_contact(installation, address, tenant_id=tenant, employer_id=employer)
    async with installation.database.unit_of_work(installation.context(installation.south)) as work:
        await object_to(work, "all", "team", contact_id=last)
    for tenant in (installation.north, installation.south):
        await approved(installation, tenant)
    await work_on(installation)
    await work_off(installation, installation.south)
    letters = mailbox.to("agency@work.example")
    assert [letter["From"] for letter in letters] == [
        "North council <post@north.council.example>",
        "South council <post@south.council.example>",
    ]
    assert [letter["Reply-To"] for letter in letters] == ["team@north.council.example", "team@south.council.example"]
    for letter, slug in zip(letters, ("north", "south"), strict=True):
        assert f"{slug.title()} council, Town hall" in page(letter)
        assert f"news from Tenant {slug}." in plain(letter)
        assert f"/stop/{slug}/" in letter["List-Unsubscribe"]
    assert len(mailbox.to("office@work.example")) == 1, "an objection to the south holds there alone"


async def test_one_copy_for_an_address_whoever_dies_in_between(
    installation: Installation, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    rose, _ = await make_staff(installation, 1, home="Rose", setting="care_home_with_nursing")
    thorn, _ = await make_staff(installation, 1, home="Thorn", setting="domiciliary")
    places = [await location_of(installation, employer) for employer in (rose, thorn)]
    for number in range(5):
        for place in places:
            await add_contact(installation, f"office{number}@group.example", tenant_location_id=place)
    await set_sender(installation)
    campaign_id = await approved(installation)
    monkeypatch.setattr(queueing, "CHUNK", 2)
    steps = 0

    async def dying(*arguments: Any) -> queueing.Step:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise RuntimeError("the worker dies")
        return await true_step(*arguments)

    true_step = queueing.step
    monkeypatch.setattr(queueing, "step", dying)
    await work_on(installation)
    assert len(mailbox.messages) == 4, "what was committed before is sent"
    assert (await the_campaign(installation, campaign_id)).state == "sending"
    monkeypatch.setattr(queueing, "step", true_step)
    for _ in range(8):
        await work_on(installation, timedelta(seconds=60))
    assert sorted(str(message["To"]) for message in mailbox.messages.values()) == [
        f"office{number}@group.example" for number in range(5)
    ]
    assert set(mailbox.handed.values()) == {1}
    campaign = await the_campaign(installation, campaign_id)
    assert (campaign.state, campaign.recipients) == ("sent", 5)
    assert len(await tokens(installation)) == 5


async def test_it_waits_for_its_moment_and_can_be_withdrawn_while_it_is_sent(
    installation: Installation, mailbox: Mailbox
) -> None:
    agency, _ = await make_staff(installation, 1, home="Agency")
    for number in range(6):
        await add_contact(installation, f"office{number}@work.example", employer_id=agency)
    await set_sender(installation, given=type(SENDER)("Training", "training@council.example", per_minute=2))
    late = datetime(2026, 11, 24, 22, tzinfo=UTC)
    campaign_id = await approved(installation, starts_at=late)
    campaign = await the_campaign(installation, campaign_id)
    assert campaign.starts_at == datetime(2026, 11, 25, 8, tzinfo=UTC), "not in quiet hours"
    await work_on(installation, timedelta(hours=21, minutes=59))
    assert await ledger(installation) == []
    await work_on(installation, timedelta(minutes=1))
    assert len(mailbox.messages) == 2, "at the tenant's pace"
    async with installation.database.unit_of_work(at_work(installation)) as work:
        assert await campaigns.withdraw_campaign(work, campaign_id, campaign.version) == 4
    await work_on(installation, timedelta(minutes=5))
    assert len(mailbox.messages) == 2
    campaign = await the_campaign(installation, campaign_id)
    assert (campaign.state, campaign.recipients) == ("withdrawn", 6)
    assert {message.state for message in await ledger(installation)} == {"sent", "withdrawn"}


WRITE = """mutation ($input: CampaignInput!) { result: createCampaign(input: $input) { __typename
  ... on CampaignChanged { campaign { id state version segment funnel { recipients sent } } }
  ... on UserError { code path } } }"""
READ = """{ campaigns(where: {state: {equals: "draft"}}) { nodes { id name messageClass state } }
  providerContacts { nodes { id role address employer { name } } } }"""


async def test_campaigns_through_the_api(installation: Installation) -> None:
    agency, _ = await make_staff(installation, 1, home="Agency")
    await set_sender(installation)
    north = installation.north
    saved = await installation.data(
        north,
        """mutation ($input: ProviderContactInput!) { saveProviderContact(input: $input) { __typename
             ... on ProviderContactSaved { contact { id } } ... on UserError { code path } } }""",
        {"input": {"role": "OFFICE", "address": "agency@work.example", "employer": f"Employer:{agency}"}},
    )
    contact = saved["saveProviderContact"]["contact"]["id"]
    wanted = {
        "name": "Spring", "messageClass": "PROGRAMME", "subject": "News", "body": "Dear ((first_name))",
        "segment": {"who": "LEARNERS", "roles": ["OFFICE"]},
    }  # fmt: skip
    refused = (await installation.data(north, WRITE, {"input": wanted}))["result"]
    assert (refused["__typename"], refused["code"], refused["path"]) == (
        "CampaignRefused",
        "ROLES_OF_CONTACTS",
        ["roles"],
    )
    wanted["segment"] = {"who": "CONTACTS", "roles": ["OFFICE"]}
    made = (await installation.data(north, WRITE, {"input": wanted}))["result"]["campaign"]
    assert (made["state"], made["segment"]) == ("DRAFT", {"who": "contacts", "roles": ["office"]})
    reach_of = await installation.data(
        north, f'{{ campaignReach(campaignId: "{made["id"]}") {{ goes objects undeliverable noAddress shared }} }}'
    )
    assert reach_of["campaignReach"] == {"goes": 1, "objects": 0, "undeliverable": 0, "noAddress": 0, "shared": 0}
    listed = await installation.graphql(north, READ, scopes=[Permission.MESSAGES_READ, Permission.DIRECTORY_READ])
    assert listed["data"]["campaigns"]["nodes"][0]["name"] == "Spring"
    assert listed["data"]["providerContacts"]["nodes"] == [
        {"id": contact, "role": "OFFICE", "address": None, "employer": {"name": "Agency"}}
    ]
    assert [error["extensions"]["code"] for error in listed["errors"]] == ["FORBIDDEN"]

    async def moved(name: str, version: int, answer: str = "CampaignChanged") -> str:
        result = await installation.data(
            north,
            f"""mutation {{ result: {name}(id: "{made["id"]}", version: {version}) {{ __typename
              ... on {answer} {{ campaign {{ state }} }} ... on UserError {{ code }} }} }}""",
        )
        return str(result["result"].get("code") or result["result"]["campaign"]["state"])

    assert await moved("submitCampaign", 1) == "SUBMITTED"
    assert await moved("takeBackCampaign", 2) == "DRAFT"
    changed = await installation.data(
        north,
        """mutation ($input: CampaignChange!) { result: updateCampaign(input: $input) { __typename
             ... on CampaignChanged { campaign { subject version } } ... on UserError { code } } }""",
        {"input": wanted | {"id": made["id"], "version": 3, "subject": "Other news"}},
    )
    assert changed["result"]["campaign"] == {"subject": "Other news", "version": 4}
    assert await moved("withdrawCampaign", 4, "CampaignWithdrawn") == "WITHDRAWN"
    ended = f'mutation {{ endProviderContact(id: "{contact}") {{ __typename ... on UserError {{ code }} }} }}'
    for answer in ("ProviderContactSaved", "CampaignRefused"):
        assert (await installation.data(north, ended))["endProviderContact"]["__typename"] == answer
