"""Applies completions: employers, people, employment, courses, then the completions themselves."""

from collections.abc import Sequence

from app.directory.employment import AtWork, bear_witness, job_role_codes
from app.imports.appliers.base import ApplyContext, Outcome, ParsedRow, place_people, sound_rows
from app.imports.appliers.progress import record_finished, record_unfinished
from app.imports.appliers.workplaces import employer_of, place_workplaces, remark_doubt, workplace
from app.imports.formats.base import CompletionRecord, NotCompleted
from app.imports.people import person_of, source_of
from app.training.completions import NewCompletion, is_short, record_completions
from app.training.courses import CourseInFile, place_courses, tier_at
from tenants.clock import london_date
from tenants.session import UnitOfWork

_REMARKS = {
    "CLOCK_CHANGE": "The time falls into the hour that the clocks leave out; it was moved on by an hour. Check it.",
    "BAD_LOCATION_ID": "The CQC location id is not one, so the employer was found by its name. Correct the id.",
    "STARTED_AFTER_COMPLETION": "The course was started after it was completed. Correct one of the dates.",
    "BAD_DURATION": "The time spent cannot be read and was left out. Write it as 3h 10m or 190.",
}


async def apply(work: UnitOfWork, context: ApplyContext, rows: Sequence[ParsedRow]) -> Outcome:
    """As `Applier`."""
    outcome = Outcome()
    await record_unfinished(work, context, [parsed for _, parsed in rows if isinstance(parsed, NotCompleted)])
    records = [(raw, record) for raw, record in sound_rows(rows, outcome) if isinstance(record, CompletionRecord)]
    named = [workplace(record.employer_name, record.cqc_location_id) for _, record in records]
    places = await place_workplaces(work, named)
    employers = [employer_of(places, item) for item in named]
    people = []
    for (raw, record), employer in zip(records, employers, strict=True):
        person = person_of(record, context.options, employer)
        assert person is not None
        people.append((raw, person))
    learners = await place_people(work, context, people, outcome)
    tier = await tier_at(work, context.options["tier"]) if "tier" in context.options else None
    courses = await place_courses(work, {_course(record) for _, record in records}, tier.id if tier else None)
    at_work: list[AtWork] = []
    completions: list[NewCompletion] = []
    for (raw, record), item, employer, learner_id in zip(records, named, employers, learners, strict=True):
        if learner_id is None:
            continue
        course = courses[_course(record)]
        if employer is not None:
            at_work.append(AtWork(learner_id, employer, london_date(record.completed_at), record.job_role))
        completions.append(
            NewCompletion(
                learner_id,
                course.id,
                record.completed_at,
                source_of(context.options),
                record.minutes,
                record.score,
                record.certificate_number,
                is_short(record.minutes, course.minimum_minutes),
                context.import_id,
                raw.number,
            )
        )
        for code in record.remarks:
            outcome.remark(raw, code, _REMARKS[code])
        remark_doubt(outcome, raw, places, item)
    await bear_witness(work, at_work, await job_role_codes(work))
    stored = await record_completions(work, completions)
    await record_finished(work, [(item.learner_id, item.course_id) for item in completions], source_of(context.options))
    outcome.counts["applied"] += stored
    outcome.counts["duplicates"] += len(completions) - stored
    return outcome


def _course(record: CompletionRecord) -> CourseInFile:
    return CourseInFile(record.training_provider, record.course_title, record.course_version)
