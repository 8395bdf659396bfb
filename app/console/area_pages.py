"""Our area: what the staff of a council see of it. Names only while a data sharing agreement is in force."""

from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.governance_pages import today_of
from app.console.governance_words import PARTNERSHIP_STAGES
from app.console.pages import page, principal_here, problem_page, tenant_reads
from app.console.reports import report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import SETTINGS
from app.governance import area, group
from app.governance.area import OwnArea
from app.identity.permissions import Permission
from app.reporting.words import STANDING

HOME = "/console/our-area"
BACK = Link("Back to our area", HOME)
HIDDEN = "Hidden: too few people"


async def our_area(request: Request) -> Response:
    """The council's locations, and how many posts have the training that they need."""
    async with tenant_reads(request) as reads:
        own = await _own(request, reads)
        tables = await _tables(reads, own) if own else []
    if own is None:
        return report(request, "Our area", intro=["Your council has not been invited yet. Ask the programme’s team."])
    names = (
        "Names are shared with you under the data sharing agreement. Use them for what it says alone."
        if own.names_shared
        else "You see no names: no data sharing agreement is in force. Once it is signed, names appear here."
    )
    return report(
        request,
        "Our area",
        caption=own.council,
        intro=[names, "Numbers of 1 to 7 people are hidden, and those that would give them away."],
        facts=[
            ("Area", own.local_authority),
            ("Partnership", PARTNERSHIP_STAGES[own.stage]),
            *([("Agreement until", own.agreement_until or "No end was agreed")] if own.names_shared else []),
        ],
        tables=tables,
    )


async def our_area_file(request: Request) -> Response:
    """A table of the page as a CSV."""
    async with tenant_reads(request) as reads:
        own = await _own(request, reads)
        if own is None:
            raise HTTPException(404)
        training, locations = await _tables(reads, own)
    return (
        csv_of("training.csv", training)
        if request.url.path.endswith("training.csv")
        else csv_of("locations.csv", locations)
    )


async def _own(request: Request, reads: Any) -> OwnArea | None:
    return await area.own_area(reads, principal_here(request).id, today_of(request))


async def _tables(reads: Any, own: OwnArea) -> list[Table]:
    places = await area.places(reads, own)
    cells = await area.coverage(reads, group.employers_of(places))
    training = [
        (cell.group, HIDDEN, HIDDEN, HIDDEN)
        if cell.suppressed
        else (cell.group, cell.needing, cell.having, "–" if cell.percent is None else f"{cell.percent}%")
        for cell in cells
    ]
    locations = [
        (
            Link(place.name, f"{HOME}/{place.id}") if own.names_shared else place.name,
            SETTINGS.get(place.setting or "", "Not known"),
        )
        for place in places
    ]
    return [
        Table("Training", ("Tier", "Posts that need it", "Have it", "Share"), training, f"{HOME}/training.csv"),
        Table("Locations", ("Location", "Setting"), locations, f"{HOME}/locations.csv"),
    ]


async def our_location(request: Request) -> Response:
    """Who works at a location, by name: while names are shared."""
    async with tenant_reads(request) as reads:
        found = await _named(request, reads)
        if found is None:
            return _not_shared(request)
        place, table = found[0], await _staff(request, reads, found[0])
    return report(request, place.name, caption="Our area", back=BACK, tables=[table])


async def our_location_file(request: Request) -> Response:
    """The same as a CSV."""
    async with tenant_reads(request) as reads:
        found = await _named(request, reads)
        return _not_shared(request) if found is None else csv_of("staff.csv", await _staff(request, reads, found[0]))


async def our_person(request: Request) -> Response:
    """Where somebody of the area stands: while names are shared."""
    async with tenant_reads(request) as reads:
        found = await _named(request, reads)
        if found is None:
            return _not_shared(request)
        person = next(
            (
                one
                for one in await group.colleagues(reads, found[0].employers, today_of(request))
                if one.learner_id == request.path_params["learner_id"]
            ),
            None,
        )
        if person is None:
            raise HTTPException(404)
        needs = await group.standing_of(reads, person.learner_id, found[0].employers)
    rows = [(need.need, STANDING[need.state], need.valid_until) for need in needs]
    path = f"{HOME}/{found[0].id}/people/{person.learner_id}"
    table = Table("Where they stand", ("Needs", "State", "Valid until"), rows, f"{path}/standing.csv")
    if request.url.path.endswith(".csv"):
        return csv_of("standing.csv", table)
    facts = [("Works for", person.employer), ("Since", person.since)]
    back = Link(f"Back to {found[0].name}", f"{HOME}/{found[0].id}")
    return report(request, person.name, caption="Our area", back=back, facts=facts, tables=[table])


async def _named(request: Request, reads: Any) -> tuple[group.Place, OwnArea] | None:
    """The location of the address, if names are shared; 404 for one of another area."""
    own = await _own(request, reads)
    if own is None:
        raise HTTPException(404)
    for place in await area.places(reads, own):
        if place.id == request.path_params["location_id"]:
            return (place, own) if own.names_shared else None
    raise HTTPException(404)


def _not_shared(request: Request) -> Response:
    return problem_page(request, 403, "NOT_SHARED")


async def _staff(request: Request, reads: Any, place: group.Place) -> Table:
    people: Sequence[group.Colleague] = await group.colleagues(reads, place.employers, today_of(request))
    rows = []
    for person in people:
        needs = await group.standing_of(reads, person.learner_id, [person.employer_id])
        wanting = sum(need.state in ("missing", "expired") for need in needs)
        link = Link(person.name, f"{HOME}/{place.id}/people/{person.learner_id}")
        rows.append((link, person.job_title, person.since, wanting or "Nothing"))
    headings = ("Name", "Job title", "Since", "Still to learn")
    return Table("People who work there now", headings, rows, f"{HOME}/{place.id}/staff.csv")


_NEEDS = Permission.AREA_READ

ROUTES = [
    page("/our-area", our_area, needs=_NEEDS),
    page("/our-area/training.csv", our_area_file, needs=_NEEDS),
    page("/our-area/locations.csv", our_area_file, needs=_NEEDS),
    page("/our-area/{location_id:uuid}", our_location, needs=_NEEDS),
    page("/our-area/{location_id:uuid}/staff.csv", our_location_file, needs=_NEEDS),
    page("/our-area/{location_id:uuid}/people/{learner_id:uuid}", our_person, needs=_NEEDS),
    page("/our-area/{location_id:uuid}/people/{learner_id:uuid}/standing.csv", our_person, needs=_NEEDS),
]
