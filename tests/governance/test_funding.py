"""Money and fairness through the API: pools under concurrency, accounts, unit costs, equity, postcodes."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.cli.postcodes import load_areas
from app.directory.models import CqcLocation
from app.identity.permissions import Permission
from app.training.models import Attendance, Tier, TrainingSession
from app.training.requirements import matrix, programmes, standing
from app.training.requirements.models import LearnerStanding
from app.training.sessions.details import Places
from app.training.sessions.models import SessionFacilitator
from app.training.sessions.team import Place, save_venue
from tenants.identifiers import new_id
from tests.booking.support import make_session, make_staff
from tests.console.programme import small_programme
from tests.governance.support import Row, a_course, change, read
from tests.support import NOW, Installation
from tests.training.mapping.support import Word

POOL = "LicencePoolSaved { pool { id version seats } }"
SEAT = "SeatChanged { enrolment { id state number } }"
ACCOUNTS = "{ licenceAccounts { name seats used charged waiting released free reconciles } }"


@pytest.mark.row("A37")
async def test_a_pool_is_never_overdrawn_and_its_account_reconciles(installation: Installation) -> None:
    await small_programme(installation, installation.north)
    course = await a_course(installation)
    _, learners = await make_staff(installation, 9, home="Fern House", setting="domiciliary")
    given: Row = {
        "version": 0, "name": "Care grant", "funder": "Invented fund", "amount": Decimal("5000.00"),
        "startsOn": "2026-04-01", "endsOn": "2027-03-31", "courses": [course],
        "eligibleSettings": ["domiciliary"],
    }  # fmt: skip
    stream = "FundingStreamSaved { stream { id amount courses(first: 2) { nodes { course { id } } } } }"
    saved = (await change(installation, "saveFundingStream", stream, input=given))["stream"]
    assert (saved["amount"], saved["courses"]["nodes"]) == ("5000.00", [{"course": {"id": course}}])
    entry: Row = {
        "version": 0, "name": "Seats", "course": course, "seats": 4, "beyond": Word("WAIT"), "startsOn": "2026-04-01",
        "endsOn": "2027-03-31", "stream": saved["id"], "costPerSeat": Decimal("12.50"),
    }  # fmt: skip
    pool = (await change(installation, "saveLicencePool", POOL, input=entry))["pool"]
    answers = await asyncio.gather(
        *(
            change(installation, "enrolLearner", SEAT, pool=pool["id"], learner=f"Learner:{learner}")
            for learner in (*learners[:7], learners[0])
        )
    )
    assert sorted(answer.get("code", "ok") for answer in answers) == ["ENROLLED_ALREADY", *["ok"] * 7]
    made = {answer["enrolment"]["number"]: answer["enrolment"] for answer in answers if "enrolment" in answer}
    assert [made[number]["state"] for number in sorted(made)] == ["CHARGED"] * 4 + ["WAITING"] * 3
    (account,) = (await read(installation, ACCOUNTS))["licenceAccounts"]
    assert account == {
        "name": "Seats", "seats": 4, "used": 4, "charged": 4, "waiting": 3, "released": 0, "free": 0,
        "reconciles": True,
    }  # fmt: skip
    released = await change(installation, "releaseSeat", SEAT, id=made[2]["id"])
    assert released["enrolment"]["state"] == "RELEASED"
    assert (await change(installation, "releaseSeat", SEAT, id=made[2]["id"]))["code"] == "RELEASED_ALREADY"
    fewer = entry | {"id": pool["id"], "version": 1, "seats": 3}
    assert (await change(installation, "saveLicencePool", POOL, input=fewer))["code"] == "BELOW_CHARGED"
    more = entry | {"id": pool["id"], "version": 1, "seats": 5, "beyond": Word("REFUSE")}
    assert (await change(installation, "saveLicencePool", POOL, input=more))["pool"]["version"] == 2
    (account,) = (await read(installation, ACCOUNTS))["licenceAccounts"]
    assert (account["used"], account["charged"], account["waiting"], account["released"]) == (5, 5, 1, 1)
    assert account["reconciles"]
    waiting = '{ licenceEnrolments(first: 9, where: {state: {equals: "waiting"}}) { nodes { number } } }'
    assert (await read(installation, waiting))["licenceEnrolments"]["nodes"] == [{"number": 7}], "the last of all waits"
    full = await change(installation, "enrolLearner", SEAT, pool=pool["id"], learner=f"Learner:{learners[7]}")
    assert full["code"] == "POOL_EXHAUSTED"
    _, others = await make_staff(installation, 1, home="Oak House", setting="care_home_with_nursing")
    wrong = await change(installation, "enrolLearner", SEAT, pool=pool["id"], learner=f"Learner:{others[0]}")
    assert wrong["code"] == "NOT_ELIGIBLE"
    period = '{from: "2026-10-01", to: "2026-12-31"}'
    (cost,) = (await read(installation, f"{{ unitCosts(period: {period}) {{ measure licences units each }} }}"))[
        "unitCosts"
    ][-1:]
    assert cost == {"measure": "learner", "licences": "62.50", "units": 5, "each": "12.50"}


@pytest.mark.row("A38")
@pytest.mark.row("A39")
@pytest.mark.row("A61")
async def test_unit_costs_come_from_stored_inputs(installation: Installation) -> None:
    north = installation.north
    _, learners = await make_staff(installation, 4)
    session_id = await make_session(installation, Places(30), online_mode="none")
    async with installation.database.unit_of_work(installation.context(north)) as work:
        venue = await save_venue(work, Place("Town hall", day_cost=Decimal("90.00")))
        held = await work.session.get_one(TrainingSession, (north, session_id))
        held.venue_id = venue
        for learner in learners:
            work.add(
                Attendance(
                    tenant_id=north, id=new_id(), session_id=session_id, learner_id=learner, seconds=None,
                    qualifies=learner != learners[0], decided_because="by hand", updated_at=NOW,
                )
            )  # fmt: skip
        member = (await work.session.scalars(select(SessionFacilitator.team_member_id))).one()
    costs = """{ sessionCosts(period: {from: "2026-12-01", to: "2026-12-31"}) { title attendees staff venue total
      perAttendee staffSharePercent missing { code } times { profession activity minutes }
      rates { profession hourlyRate } } }"""
    assert (await read(installation, costs))["sessionCosts"] == [], "it is still to come"
    installation.clock.move(timedelta(days=10))
    (before,) = (await read(installation, costs))["sessionCosts"]
    assert (before["staff"], before["total"], before["venue"]) == (None, None, "90.00")
    assert before["missing"] == [{"code": "TIME_MISSING"}], "listed, not nought"
    log = {"session": f"Session:{session_id}", "teamMember": f"TeamMember:{member}", "activity": Word("DELIVERY")}
    logged = "TimeLogged { time { minutes } }"
    for minutes in (100, 90):
        await change(installation, "logTime", logged, input=log | {"minutes": minutes})
    await change(installation, "logTime", logged, input=log | {"minutes": 30, "activity": Word("PREPARATION")})
    (without,) = (await read(installation, costs))["sessionCosts"]
    assert without["missing"] == [{"code": "RATE_MISSING"}]
    rate = {"profession": Word("PHARMACIST"), "hourlyRate": Decimal("30.00"), "validFrom": "2026-04-01"}
    await change(installation, "setStaffRate", "RateSet { rate { hourlyRate } }", input=rate)
    (cost,) = (await read(installation, costs))["sessionCosts"]
    assert (cost["staff"], cost["total"], cost["attendees"]) == ("60.00", "150.00", 3)
    assert (cost["perAttendee"], cost["staffSharePercent"], cost["missing"]) == ("50.00", "40.00", [])
    # Reproducible: the inputs that are told give the figure again.
    hours = sum(time["minutes"] for time in cost["times"]) / 60
    assert (hours * float(cost["rates"][0]["hourlyRate"]) + float(cost["venue"])) / cost["attendees"] == 50
    units = '{ unitCosts(period: {from: "2026-01-01", to: "2026-12-31"}) { measure quarter things complete each } }'
    assert (await read(installation, units))["unitCosts"] == [
        {"measure": "attendee", "quarter": "2026 Q4", "things": 1, "complete": 1, "each": "50.00"}
    ]
    refused = await installation.graphql(north, costs, scopes=[Permission.TRAINING_READ])
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


AREAS = "code,imd_decile,rurality,local_authority\nLU1,1,urban,Luton\nLU1 2BB,9,rural,Luton\n"


@pytest.mark.row("A40")
async def test_equity_is_told_by_five_dimensions_with_suppression(installation: Installation, tmp_path: Path) -> None:
    north = installation.north
    file = tmp_path / "areas.csv"
    file.write_text(AREAS)
    assert await load_areas(installation.urls.owner, file, "2025", NOW) == 2
    assert await load_areas(installation.urls.owner, file, "2025", NOW) == 2, "again is harmless"
    homes = {
        "Rose Lodge": (20, "care_home_with_nursing", "LU1 1AA"),
        "Ivy House": (16, "domiciliary", "lu12bb"),
        "Elm Cottage": (5, "extra_care", "ZZ9 9ZZ"),
    }
    async with installation.database.unit_of_work(installation.context(north)) as work:
        tier = (await work.session.scalars(select(Tier).where(Tier.position == 1))).one()
        wanted = matrix.NewRequirement(tier_id=tier.id)
        await matrix.add_requirement(work, tier.programme_id, 1, wanted)
        await programmes.publish_programme(work, tier.programme_id, 2, has_locked_mapping=False, anyway=True)
    trained = []
    for name, (count, setting, postcode) in homes.items():
        _, learners = await make_staff(installation, count, home=name, setting=setting)
        trained += learners[: count // 2]
        async with installation.database.unit_of_work(installation.context(north)) as work:
            await work.session.execute(update(CqcLocation).where(CqcLocation.name == name).values(postcode=postcode))
    async with installation.database.unit_of_work(installation.context(north)) as work:
        await standing.compute(work)
    async with installation.database.unit_of_work(installation.context(north)) as work:
        met = update(LearnerStanding).where(LearnerStanding.learner_id.in_(trained)).values(state="met")
        await work.session.execute(met)
    asked = f"""{{ equity(on: "2026-11-24", tierId: "Tier:{tier.id}") {{ name needing having percent
      cells {{ group needing having percent suppressed }} }} }}"""
    told = {row["name"]: row for row in (await read(installation, asked))["equity"]}
    assert {name: (row["needing"], row["having"]) for name, row in told.items()} == dict.fromkeys(
        ("setting", "provider_size", "place", "deprivation", "rurality"), (41, 20)
    )
    cells = {cell["group"]: (cell["needing"], cell["suppressed"]) for cell in told["setting"]["cells"]}
    assert cells == {
        "care_home_with_nursing": (20, False), "domiciliary": (None, True), "extra_care": (None, True),
    }, "five people, and the next smallest with them"  # fmt: skip
    cells = {cell["group"]: (cell["needing"], cell["having"]) for cell in told["deprivation"]["cells"]}
    assert cells == {"1": (20, 10), "5": (None, None), "unknown": (None, None)}, "the fuller postcode goes first"
    assert [(cell["group"], cell["percent"]) for cell in told["place"]["cells"]] == [("Luton", 48.8)]
