"""Pages behind links: GET changes nothing; a registration counts, also through a forwarded link; one press objects."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import Uuid, func, literal, select

from app.directory.models import Employment, Learner
from app.messaging.funnels import funnel
from app.messaging.models import CampaignRegistration, CampaignVisit, MessageObjection
from app.messaging.objections import stop_url
from app.messaging.rules import Occasion
from app.training.booking.check_in import Seen, mark
from app.training.booking.operations import transfer
from app.training.merging import merge_learners
from app.training.requirements.models import PrerequisiteRule
from app.training.sessions.details import Places
from tenants.identifiers import new_id
from tests.booking.support import NEXT_WEEK, book, bookings_of, make_session, make_staff
from tests.messaging.campaigning import BODY, add_contact, approved, at_work, location_of
from tests.messaging.mailbox import Mailbox, plain
from tests.messaging.support import give_addresses, set_sender, work_on
from tests.support import Installation
from tests.training.requirements import world as worlds


async def counted(installation: Installation, campaign_id: UUID) -> dict[str, int]:
    """The funnel of a campaign of the north."""
    statement = funnel(literal(installation.north, Uuid), literal(campaign_id, Uuid))
    async with installation.database.session(installation.context(installation.north)) as session:
        return {name: count for name, count in (await session.execute(statement)).one()._mapping.items() if count}


async def rows(installation: Installation, table: Any) -> int:
    """How many rows the north has of a table."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


def words(answer: httpx2.Response) -> str:
    """What the page says."""
    main = answer.text.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def link_in(mailbox: Mailbox, address: str) -> str:
    """The path of the campaign's link in the copy for an address."""
    found = re.search(r"http://testserver(/go/north/[\w-]+)", plain(mailbox.to(address)[-1]))
    assert found is not None
    return found[1]


@pytest.mark.row("A44")
async def test_who_registers_through_a_link_counts_also_if_it_was_passed_on(
    installation: Installation, mailbox: Mailbox
) -> None:
    rose, known = await make_staff(installation, 1, home="Rose Lodge", setting="care_home_with_nursing")
    thorn, _ = await make_staff(installation, 1, home="Thorn House", setting="domiciliary")
    places = [await location_of(installation, employer) for employer in (rose, thorn)]
    await give_addresses(installation, known)
    await add_contact(installation, "rose@care.example", tenant_location_id=places[0])
    await add_contact(installation, "nobody@care.example", tenant_location_id=places[1])
    await set_sender(installation)
    session_id, other = [await make_session(installation, Places(10, "promote")) for _ in range(2)]
    full = await make_session(installation, Places(1, "none"))
    await book(installation, full, known)
    sessions = [session_id, full]
    campaign_id = await approved(installation, body=BODY, session_ids=sessions)
    await work_on(installation)
    assert await counted(installation, campaign_id) == {"recipients": 2, "sent": 1, "bounced": 1}
    link, http = link_in(mailbox, "rose@care.example"), installation.http

    shown = await http.get(link)
    assert words(shown).count("Tuesday 1 December 2026 at 10am") == 1, (
        "a full session without a waiting list is left out"
    )
    assert shown.headers["cache-control"] == "no-store"
    assert await rows(installation, CampaignVisit) == 0, "scanners of mail open every address"
    for _ in range(2):
        form = await http.post(link)
    assert "Rose Lodge" in words(form)
    assert f'value="{places[0]}" checked' in re.sub(r"\s+", " ", form.text)
    assert "Learner" not in words(form)

    new = {"given_name": "Zoë", "family_name": "Field", "email": "zoe@care.example", "session": str(session_id)}
    wrong: list[tuple[dict[str, str], str]] = [
        ({"location": str(places[0]), "email": "zoe"}, "Enter an e-mail address"),
        ({"location": str(places[0]), "given_name": " "}, "Enter your first name"),
        ({"location": str(places[0]), "given_name": "007", "family_name": "9"}, "in letters"),
        ({"location": str(places[0]), "session": str(other)}, "Choose a session from the list"),
        ({"location": str(new_id())}, "Choose your workplace from the list"),
        ({}, "Say where you work"),
    ]
    people = await rows(installation, Learner)
    for others, message in wrong:
        answer = await http.post(f"{link}/register", data=new | others)
        assert (answer.status_code, message in words(answer)) == (422, True), message
        assert f'value="{unescape(others.get("family_name", "Field"))}"' in answer.text, "what was typed is kept"
    assert await rows(installation, Learner) == people
    found = await http.post(f"{link}/register", data=new | {"search": "thorn"})
    assert "Thorn House" in words(found)
    assert "My workplace is not in this list" in words(found)
    chosen = new | {"search": "thorn", "searched": "thorn", "location": str(places[1])}
    done = await http.post(f"{link}/register", data=chosen)
    assert "You are registered" in words(done)
    again = await http.post(f"{link}/register", data=chosen)
    assert again.text == done.text, "nothing tells who is booked or known already"
    someone_known = new | {
        "given_name": "Learner", "family_name": "O", "email": "learner0@home.example", "location": str(places[1]),
    }  # fmt: skip
    assert (await http.post(f"{link}/register", data=someone_known)).text == done.text, "of another name: somebody new"
    shared = new | {"given_name": "Ida", "email": "manager@care.example", "location": "none"}
    assert (await http.post(f"{link}/register", data=shared)).text == done.text

    assert await rows(installation, Learner) == people + 3
    assert await rows(installation, Employment) == 2 + 2, "whose workplace is not listed has none yet"
    assert await counted(installation, campaign_id) == {
        "recipients": 2, "sent": 1, "bounced": 1, "visited": 1, "registered": 3,
    }  # fmt: skip
    await work_on(installation)
    assert "Your reference: " in plain(mailbox.to("zoe@care.example")[-1])
    assert mailbox.to("manager@care.example"), "a shared mailbox hears of what was booked with it"

    booked = await bookings_of(installation, session_id)
    async with installation.database.unit_of_work(at_work(installation)) as work:
        moved = await transfer(work, booked[0].id, other, by_team=True)
        await merge_learners(work, booked[1].learner_id, known[0], "The same person")
    await work_on(installation, NEXT_WEEK - installation.clock() + timedelta(hours=1))
    async with installation.database.unit_of_work(at_work(installation)) as work:
        await mark(work, other, [Seen(booked[0].learner_id, 1, present=True)], "list")
        await mark(work, session_id, [Seen(booked[2].learner_id, 1, present=False)], "list")
    assert moved
    assert (await counted(installation, campaign_id))["attended"] == 1, "also at the session that the booking moved to"
    assert "None of these sessions can be booked any more" in words(await http.get(link))
    closed = await http.post(f"{link}/register", data=chosen)
    assert closed.status_code == 422
    assert await rows(installation, CampaignRegistration) == 3


async def test_tokens_are_not_guessed(installation: Installation) -> None:
    for _ in range(20):
        assert (await installation.http.get("/go/north/ABCDEFGHIJKLMNOPQRST")).status_code == 404
    assert (await installation.http.post("/go/north/ABCDEFGHIJKLMNOPQRST")).status_code == 429
    assert (await installation.http.get("/stop/north/ABCDEFGHIJ")).status_code == 404
    assert (await installation.http.get("/stop/nowhere/ABCDEFGHIJ")).status_code == 404


@pytest.mark.row("A43")
async def test_one_press_stops_messages_of_one_kind_and_tenant(installation: Installation, mailbox: Mailbox) -> None:
    agency, learners = await make_staff(installation, 2, home="Agency")
    await give_addresses(installation, learners)
    contact = await add_contact(installation, "agency@work.example", employer_id=agency)
    await set_sender(installation)
    await approved(installation, message_class="marketing", name="Advert")
    await work_on(installation)
    letter = mailbox.to("agency@work.example")[0]
    url = str(letter["List-Unsubscribe"]).strip("<>").removeprefix("http://testserver")
    shown = await installation.http.get(url)
    assert "messages that advertise courses" in words(shown)
    assert "agency@work" not in shown.text
    assert await rows(installation, MessageObjection) == 0, "GET changes nothing"
    for body in (None, {"List-Unsubscribe": "One-Click"}):
        answer = await installation.http.post(url, data=body)
        assert (answer.status_code, "These messages are stopped" in words(answer)) == (200, True)
    assert (await installation.http.get(url.replace("/north/", "/south/"))).status_code == 404
    async with installation.database.session(installation.context(installation.north)) as session:
        (objection,) = await session.scalars(select(MessageObjection))
        assert (objection.kind, objection.source, objection.contact_id) == ("marketing", "link", contact)
    await approved(installation, name="News")
    await work_on(installation, timedelta(minutes=1))
    assert len(mailbox.to("agency@work.example")) == 2, "news of the programme still comes"

    vault = installation.services.vault
    async with installation.database.unit_of_work(at_work(installation)) as work:
        await merge_learners(work, learners[0], learners[1], "The same person")
    for learner, occasion, kind in (
        (learners[0], Occasion.REMINDER, "programme"),
        (learners[1], Occasion.NUDGE_DORMANT, "dormant"),
    ):
        path = stop_url(vault, "", "north", installation.north, learner, None, occasion, "programme")
        assert (await installation.http.post(path)).status_code == 200
        async with installation.database.session(installation.context(installation.north)) as session:
            found = select(MessageObjection.learner_id).where(
                MessageObjection.kind == kind, MessageObjection.contact_id.is_(None)
            )
            assert (await session.scalars(found)).all() == [learners[0]], "the kept record objects"


async def test_both_of_two_records_object_and_are_one_person(installation: Installation) -> None:
    _, learners = await make_staff(installation, 2, home="Agency")
    for learner in learners:
        path = stop_url(
            installation.services.vault, "", "north", installation.north, learner, None, Occasion.REMINDER, "programme"
        )
        assert (await installation.http.post(path)).status_code == 200
    async with installation.database.unit_of_work(at_work(installation)) as work:
        await merge_learners(work, learners[0], learners[1], "The same person")
    assert await rows(installation, MessageObjection) == 1


async def test_what_stands_in_the_way_is_told_and_keeps_nothing(installation: Installation, mailbox: Mailbox) -> None:
    agency, _ = await make_staff(installation, 1, home="Agency")
    await add_contact(installation, "agency@work.example", employer_id=agency)
    await set_sender(installation)
    async with installation.database.unit_of_work(at_work(installation)) as work:
        world = await worlds.open_world(work)
        work.add(
            PrerequisiteRule(
                tenant_id=work.tenant_id, id=new_id(), tier_id=world.tiers[2], kind="tier_met", alternatives=1,
                needs_tier_id=world.tiers[1], needs_course_id=None, needs_skill=None, created_at=work.now,
            )
        )  # fmt: skip
    session_id = await make_session(installation, Places(10, "promote"), tier_id=world.tiers[2])
    await approved(installation, body=BODY, session_ids=[session_id])
    await work_on(installation)
    people = await rows(installation, Learner)
    form = {"given_name": "Zoë", "family_name": "Field", "email": "zoe@care.example", "location": "none"}
    link = f"{link_in(mailbox, 'agency@work.example')}/register"
    answer = await installation.http.post(link, data=form | {"session": str(session_id)})
    assert answer.status_code == 422
    assert "You cannot book this session yet." in words(answer)
    assert 'value="zoe@care.example"' in answer.text
    assert await rows(installation, Learner) == people
