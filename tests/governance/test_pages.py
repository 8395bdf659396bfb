"""Pages: a provider manager finds nothing of another group; governance, costs and equity as people see them."""

import re
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from app.console.console import ROUTES
from app.console.pages import ConsoleRoute
from app.directory.models import CqcLocation, CqcProvider, Employer, Employment, Learner, ProviderGroupLocation
from app.identity.models import StaffMember
from app.identity.permissions import Permission, Role
from app.training.models import Programme
from app.training.requirements import programmes
from app.training.sessions.details import Places
from tenants.identifiers import new_id
from tests.booking.support import make_session, make_staff, states
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.support import NOW, Installation
from tests.training.requirements import world as worlds


async def located(installation: Installation, employer_id: UUID) -> UUID:
    async with installation.database.session(installation.context(installation.north)) as session:
        found = (await session.scalars(select(Employer.tenant_location_id).where(Employer.id == employer_id))).one()
        assert found is not None
        return found


async def join_group(installation: Installation, email: str, location_id: UUID) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        groups = await work.session.scalars(
            select(StaffMember.provider_group_id).where(StaffMember.provider_group_id.is_not(None))
        )
        work.add(
            ProviderGroupLocation(
                tenant_id=work.tenant_id, id=new_id(), provider_group_id=groups.one(), tenant_location_id=location_id
            )
        )


async def rename(installation: Installation, learners: list[UUID], name: str) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        for number, learner in enumerate(learners):
            values = {"display_name": f"{name} {number}", "name_key": f"{name} {number}".casefold()}
            await work.session.execute(update(Learner).where(Learner.id == learner).values(**values))


@pytest.mark.row("A28")
@pytest.mark.row("A35")
@pytest.mark.row("A67")
@pytest.mark.row("A69")
async def test_a_manager_finds_the_own_group_and_nothing_of_another(installation: Installation) -> None:
    north = installation.north
    ours, our_people = await make_staff(installation, 3, home="Rose Lodge", setting="care_home_with_nursing")
    theirs, their_people = await make_staff(installation, 2, home="Thorn House", setting="domiciliary")
    await rename(installation, our_people, "Ourperson")
    await rename(installation, their_people, "Strangerson")
    context = installation.context(north)
    async with installation.database.unit_of_work(context) as work:
        # One of ours worked at Thorn House before: what she learned there is theirs.
        world = await worlds.open_world(work)
        worlds.course(work, world, "Learned with us", 1)
        worlds.course(work, world, "Learned elsewhere", 1)
        await work.session.flush()
        world.learners["mover"] = our_people[0]
        moved = Employment(
            tenant_id=north, id=new_id(), learner_id=our_people[0], employer_id=theirs, job_role_code=None,
            job_title=None, setting=None, started_on=date(2024, 1, 1), ended_on=date(2024, 12, 31), created_at=NOW,
        )  # fmt: skip
        work.add(moved)
        worlds.complete(work, world, "mover", "Learned elsewhere", date(2024, 6, 1))
        worlds.complete(work, world, "mover", "Learned with us", date(2025, 6, 1))
        for home, provider in (("Rose Lodge", "1-ROSE"), ("Thorn House", "1-THORN")):
            await work.session.execute(insert(CqcProvider).values(id=provider, name=home, updated_at=NOW))
            await work.session.execute(update(CqcLocation).where(CqcLocation.name == home).values(provider_id=provider))
            scope = programmes.Scope("single_provider", None, provider)
            made = await programmes.start_programme(work, f"{home.split()[0]} programme", scope)
            await work.session.execute(update(Programme).where(Programme.id == made).values(status="published"))
    visitor = await visitor_as(installation, Role.PROVIDER_MANAGER, email="manager@example.org")
    assert "no locations yet" in main_text(await visitor.get("/console/my-locations"))
    our_location, their_location = await located(installation, ours), await located(installation, theirs)
    await join_group(installation, "manager@example.org", our_location)
    shown = main_text(await visitor.get("/console/my-locations"))
    assert "Rose Lodge" in shown, "it counts without signing in again"
    assert "Thorn House" not in shown

    session_id = await make_session(installation, Places(2))
    await visitor.get("/console/my-locations/book")
    wrong = {"session": str(session_id), "people": [str(their_people[0])]}
    assert (await visitor.post("/console/my-locations/book", wrong)).status_code == 422
    right = {"session": str(session_id), "people": [str(our_people[0]), str(our_people[1])]}
    assert (await visitor.post("/console/my-locations/book", right)).status_code == 303
    assert set(await states(installation, session_id)) == set(our_people[:2])
    listed = await visitor.get("/console/my-locations/bookings")
    booking = re.findall(r'<option value="([0-9a-f-]{36})"', listed.text)[0]
    swap = {"booking_to_swap": booking, "colleague": str(their_people[0])}
    assert (await visitor.post("/console/my-locations/bookings/swap", swap)).status_code == 422
    swap |= {"colleague": str(our_people[2])}
    assert (await visitor.post("/console/my-locations/bookings/swap", swap)).status_code == 303
    assert (await states(installation, session_id))[our_people[2]] == "confirmed"
    listed = await visitor.get("/console/my-locations/bookings")
    booking = re.findall(r'<option value="([0-9a-f-]{36})"', listed.text)[0]
    assert (await visitor.post("/console/my-locations/bookings/cancel", {"booking": booking})).status_code == 303
    assert sorted((await states(installation, session_id)).values()) == ["cancelled", "confirmed", "swapped"]

    record = main_text(await visitor.get(f"/console/my-locations/people/{our_people[0]}"))
    assert "Learned with us" in record
    assert "Learned elsewhere" not in record, "outside the time in which they worked for us"
    seen = await walk(visitor, [our_location, their_location, *our_people, *their_people])
    assert "Ourperson 1" in seen
    assert "Rose programme" in seen
    for secret in ("Thorn", "Strangerson", "Learned elsewhere"):
        assert secret not in seen, secret
    assert (await visitor.get(f"/console/my-locations/people/{their_people[0]}")).status_code == 404
    assert (await visitor.get(f"/console/my-locations/{their_location}")).status_code == 404


async def walk(visitor: Visitor, ids: list[UUID]) -> str:
    """Everything that a manager is shown, on every page of every route, with each of these ids."""
    seen = []
    for route in ROUTES:
        assert isinstance(route, ConsoleRoute)
        if route.needs in (Permission.GROUP_READ, Permission.TENANT_READ) and "GET" in (route.methods or ()):
            paths = {re.sub(r"\{\w+:uuid\}", str(one), route.path) for one in ids}
            for path in sorted(paths):
                answer = await visitor.get(f"/console{path}")
                assert answer.status_code in (200, 404), path
                seen.append(answer.text)
    return "\n".join(seen)


@pytest.mark.row("A59")
@pytest.mark.row("A53")
async def test_governance_costs_and_equity_as_people_see_them(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)

    async def sent(path: str, fields: dict[str, Any], done: str) -> str:
        await visitor.get("/console/governance")
        await visitor.get(path)
        answer = await visitor.post(f"/console{path.removeprefix('/console')}", fields)
        assert answer.status_code == 303, main_text(answer)
        assert answer.headers["location"].endswith(done)
        return str(answer.headers["location"])

    await visitor.get("/console/governance/partners")
    assert (await visitor.post("/console/governance/partners/add", {"name": "", "kind": "icb"})).status_code == 422
    await visitor.post("/console/governance/partners/add", {"name": "Invented Council", "kind": "council"})
    form = await visitor.get("/console/governance/items/add")
    (partner,) = re.findall(r'<option value="([0-9a-f-]{36})">Invented Council', form.text)
    fields = {
        "kind": "risk", "title": "Too few nurses", "owner": "Pat Invented", "owner_organisation": partner,
        "review_on": "2027-01-31", "due_on": "2026-11-01",
    }  # fmt: skip
    place = await sent("/console/governance/items/add", fields, "done=item-added")
    item = place.partition("?")[0]
    report = main_text(await visitor.get("/console/governance"))
    assert "Too few nurses" in report
    assert "Overdue" in report
    change = {"version": "1", "status": "done", "title": "Far too few nurses", "owner": "Pat Invented"}
    change |= {"owner_organisation": partner}
    await visitor.get(item)
    answer = await visitor.post(f"{item}/change", change)
    assert answer.status_code == 303, main_text(answer)
    changed = main_text(await visitor.get(item))
    assert "state: Done" in changed
    assert "Far too few nurses" in changed
    assert "Nothing is overdue" in main_text(await visitor.get("/console/governance"))
    plan_fields = {"kind": "local", "title": "Plan A", "owner_organisation": partner, "due_on": "2027-03-31"}
    plan = (await sent("/console/governance/plans/add", plan_fields, "done=plan-added")).partition("?")[0]
    await visitor.get(plan)
    action = {"title": "Train all", "owner": "Pat Invented", "due_on": "2027-02-01"}
    assert (await visitor.post(f"{plan}/add", action)).status_code == 303
    shown = await visitor.get(plan)
    (action_id,) = re.findall(r'<option value="([0-9a-f-]{36})">Train all', shown.text)
    assert (await visitor.post(f"{plan}/done", {"action": action_id})).status_code == 422
    assert (await visitor.post(f"{plan}/done", {"action": action_id, "evidence": "Register"})).status_code == 303
    assert "1 of 1" in main_text(await visitor.get("/console/governance/plans"))
    for path in ("governance/feedback", "governance/incidents", "governance/objectives", "costs", "equity"):
        shown = await visitor.get(f"/console/{path}")
        assert shown.status_code == 200, path
        for csv in re.findall(r'href="([^"]+\.csv[^"]*)"', shown.text):
            file = await visitor.get(csv.replace("&amp;", "&"))
            assert file.headers["content-type"].startswith("text/csv"), csv
    for path in ("overdue", "items", "counts", "plans/all", "partners/all"):
        assert (await visitor.get(f"/console/governance/{path}.csv")).status_code == 200
    facilitator = await visitor_as(installation, Role.ANALYST)
    hidden = main_text(await facilitator.get(item))
    assert "Pat Invented" not in hidden
    assert (await facilitator.get("/console/governance/items/add")).status_code == 403
