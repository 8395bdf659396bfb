"""Applies lists of Medication Champions: the home, the person, and the role."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.directory.employment import AtWork, bear_witness, job_role_codes
from app.directory.models import Employer
from app.imports.appliers.base import ApplyContext, Outcome, ParsedRow, place_people, sound_rows
from app.imports.appliers.workplaces import employer_of, place_workplaces, remark_doubt, workplace
from app.imports.formats.base import ChampionRecord
from app.imports.people import person_of
from app.training.champions import ChampionInFile, record_champions
from tenants.base import among
from tenants.session import UnitOfWork


async def apply(work: UnitOfWork, context: ApplyContext, rows: Sequence[ParsedRow]) -> Outcome:
    """As `Applier`."""
    outcome = Outcome()
    records = [(raw, record) for raw, record in sound_rows(rows, outcome) if isinstance(record, ChampionRecord)]
    named = [workplace(record.location_name, record.cqc_location_id) for _, record in records]
    places = await place_workplaces(work, named)
    employers = [employer_of(places, item) for item in named]
    locations = await _locations(work, {employer for employer in employers if employer})
    people = []
    for (raw, record), employer in zip(records, employers, strict=True):
        person = person_of(record, context.options, employer)
        assert person is not None
        people.append((raw, person))
    learners = await place_people(work, context, people, outcome)
    roles: list[ChampionInFile] = []
    at_work: list[AtWork] = []
    for (raw, record), item, employer, learner_id in zip(records, named, employers, learners, strict=True):
        if learner_id is None:
            continue
        location = locations.get(employer) if employer else None
        roles.append(
            ChampionInFile(
                learner_id,
                location,
                str(location or employer or ""),
                record.trained_on,
                record.started_on,
                record.ended_on,
                record.deputy,
            )
        )
        day = record.started_on or record.trained_on
        if employer is not None and day is not None:
            at_work.append(AtWork(learner_id, employer, day, record.job_role))
        if employer is not None and location is None:
            outcome.remark(
                raw,
                "LOCATION_UNKNOWN",
                "The home is none of the tenant's CQC locations. Add its CQC location id, or import the directory.",
            )
        remark_doubt(outcome, raw, places, item)
    await bear_witness(work, at_work, await job_role_codes(work))
    stored = await record_champions(work, context.import_id, roles)
    outcome.counts["applied"] += stored
    outcome.counts["duplicates"] += len(roles) - stored
    return outcome


async def _locations(work: UnitOfWork, employers: set[UUID]) -> dict[UUID, UUID]:
    rows = await work.session.execute(
        select(Employer.id, Employer.tenant_location_id).where(among(Employer.id, employers))
    )
    return {employer_id: location for employer_id, location in rows if location is not None}
