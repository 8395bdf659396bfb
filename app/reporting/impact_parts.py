"""Parts of the impact report: what was reached, champions, what people said, attendance over time, what cites it."""

import calendar
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Date, and_, cast, func, or_, select

from app.evidence import definitions
from app.evidence.figures import attendances_in
from app.evidence.summary import Figure as Counted
from app.evidence.summary import impact
from app.governance.models import ActionPlan, PlanAction, Recognition
from app.reporting import disclosure
from app.reporting.content import MASK, Chart, Column, Figure, NewTable, Section, day
from app.reporting.reading import Reading
from app.reporting.spc import FEWEST, Rule, xmr
from app.reporting.stories import tellable
from app.training.models import Attendance, TrainingSession
from tenants.base import table_of
from tenants.clock import LONDON

RULES = {
    Rule.OUTSIDE: "Outside the limits",
    Rule.TREND: "Part of a trend of seven",
    Rule.TWO_OF_THREE: "Two of three near a limit",
    Rule.SHIFT: "Part of seven on one side of the mean",
}


def _figure(reading: Reading, counted: Counted) -> Figure:
    """A figure of evidence as a report tells it."""
    about = counted.definition
    value: float | int | None = counted.numerator if about.kind == "count" else counted.value
    figure = Figure(
        key=about.code,
        label=about.name,
        kind=about.kind,
        value=round(value, 1) if isinstance(value, float) else value,
        unit=about.unit,
        numerator=counted.numerator,
        denominator=counted.denominator,
        of={"share": "answers", "rate": "locations"}.get(about.kind, ""),
        when="day"
        if about.code in (definitions.CHAMPIONS_ACTIVE, definitions.CHAMPIONS_PER_100_LOCATIONS)
        else "period",
        method=" ".join(filter(None, (about.numerator, about.denominator, about.exclusions, about.method_note))),
        code=about.code,
        version=about.version,
    )
    return disclosure.told(figure) if reading.masked else figure


async def _figures(reading: Reading, *codes: str) -> list[Figure]:
    return [_figure(reading, one) for one in await impact(reading.session, reading.tenant_id, reading.period, codes)]


async def reach(reading: Reading) -> Section:
    """Completions and learners, attendances and people: four counts that are never added up."""
    codes = (
        definitions.TIER_1_COMPLETIONS,
        definitions.TIER_1_LEARNERS,
        definitions.WEBINAR_ATTENDANCES,
        definitions.WEBINAR_PEOPLE,
    )
    words = "Completions and attendances are events; learners and people are persons. One person may have several."
    return Section("reach", "Training that was taken up", [words], await _figures(reading, *codes))


async def champions(reading: Reading) -> Section:
    """Champions trained, active, and for every hundred locations."""
    codes = (
        definitions.CHAMPIONS_TRAINED,
        definitions.CHAMPIONS_ACTIVE,
        definitions.CHAMPIONS_PER_100_LOCATIONS,
    )
    return Section("champions", "Medication Champions", [], await _figures(reading, *codes))


async def said(reading: Reading) -> Section:
    """Top-box shares with their distributions, n and response rates."""
    figures: list[Figure] = []
    charts: list[Chart] = []
    tables: list[NewTable] = []
    asked = (definitions.USEFULNESS, definitions.PRACTICE)
    for counted in await impact(reading.session, reading.tenant_id, reading.period, asked):
        share, more, chart, table = _answers(reading, counted)
        figures += [share, *more]
        charts += [] if chart is None else [chart]
        tables.append(table)
    words = "A percentage is of the answers given. Whoever left the question open is counted apart."
    return Section("said", "What people said", [words], figures, charts, tables)


def _answers(reading: Reading, counted: Counted) -> tuple[Figure, list[Figure], Chart | None, NewTable]:
    """The share, its counts of responses, and the distribution drawn and as a table."""
    answers, about = counted.answers, counted.definition
    assert answers is not None
    share = _figure(reading, counted)
    numbers = [option.count for option in answers.options]
    given, shares = disclosure.options(numbers) if reading.masked else _open(numbers)
    if MASK in given[-1:] or (reading.masked and disclosure.total(numbers) == MASK):
        # What is hidden among the options is not told by the share or by n.
        share = disclosure.hidden(share)
    few = reading.masked and disclosure.count(answers.not_answered) == MASK
    key, rate = about.code, answers.response_rate
    more = [
        _beside(
            key,
            "responses",
            f"Responses: {about.name}",
            "responses",
            MASK if few else answers.responses,
            "Feedback forms given back.",
        ),
        _beside(
            key,
            "open",
            f"Left the question open: {about.name}",
            "people",
            MASK if few else answers.not_answered,
            "Not in the percentages.",
        ),
    ]
    if answers.invited:
        value = MASK if few or rate is None else round(rate, 1)
        whole = answers.invited
        method = "Responses out of the people who were invited to answer."
        more.append(
            Figure(
                f"{key}-rate", f"Response rate: {about.name}", "share", value, "% of people invited",
                MASK if few else answers.responses, whole, "people invited", "period", method,
            )
        )  # fmt: skip
    table = NewTable(
        f"{key}-answers",
        f"Answers: {about.name}",
        (Column("Answer"), Column("Answers", "number"), Column("% of answers", "decimal")),
        [(option.label, *told) for option, *told in zip(answers.options, given, shares, strict=True)],
        "Nobody was asked in this period.",
    )
    whole_told = bool(numbers) and MASK not in given
    words = "; ".join(f"{option.label}: {number:,}" for option, number in zip(answers.options, numbers, strict=True))
    labels = [option.label for option in answers.options]
    chart = Chart(f"{key}-bars", "bars", about.name, words, table.key, labels, numbers) if whole_told else None
    return share, more, chart, table


def _beside(key: str, part: str, label: str, unit: str, value: int | str, method: str) -> Figure:
    return Figure(f"{key}-{part}", label, "count", value, unit, value, None, "", "period", method)


def _open(numbers: Sequence[int]) -> tuple[list[Any], list[Any]]:
    total = sum(numbers)
    return list(numbers), [round(100 * number / total, 1) if total else None for number in numbers]


async def attendance_trend(reading: Reading) -> Section:
    """Webinar attendances of each whole month, as XmR: a signal only where a rule fires."""
    months = _whole_months(reading)
    counted = await _by_month(reading)
    numbers = [counted.get(month, 0) for month in months]
    told = disclosure.counts(numbers) if reading.masked else list(numbers)
    open_ = bool(numbers) and MASK not in told
    chart = xmr(numbers, "increase") if open_ else None
    rows = [
        (
            f"{month:%B %Y}",
            number,
            None if chart is None or (rule := chart.points[at].rule) is None else RULES[rule],
        )
        for at, (month, number) in enumerate(zip(months, told, strict=True))
    ]
    columns = (Column("Month"), Column("Attendances", "number"), Column("Signal"))
    table = NewTable(
        "attendance-months", "Attendances and signals by month", columns, rows, "No whole month has passed."
    )
    if chart is None:
        why = "The chart is not drawn, because it would show small numbers." if numbers else ""
        return Section("trend", "Webinar attendance over time", [why] if why else [], [], [], [table])
    text = [
        f"The mean is {chart.mean:,.1f} a month; the limits of chance variation are {max(chart.lower, 0):,.1f} and "
        f"{chart.upper:,.1f}. " + _signals(chart.signals, len(numbers)),
        *([f"With fewer than {FEWEST} months these limits are on trial."] if chart.trial else []),
    ]
    drawn = Chart(
        "attendance-xmr",
        "xmr",
        "Webinar attendances each month",
        text[0],
        table.key,
        [f"{month:%b %Y}" for month in months],
        numbers,
        {"mean": round(chart.mean, 2), "lower": round(chart.lower, 2), "upper": round(chart.upper, 2)},
        [point.variation.value for point in chart.points],
    )
    return Section("trend", "Webinar attendance over time", text, [], [drawn], [table])


def _signals(number: int, months: int) -> str:
    if number == 0:
        return "No month differs from the others by more than chance."
    return f"{number} of {months} months {'is' if number == 1 else 'are'} more than chance."


def _whole_months(reading: Reading) -> list[date]:
    """First days of the whole months of the period that have passed."""
    first, last = reading.period.first_day, min(reading.period.last_day, reading.today)
    number = first.year * 12 + first.month - 1 + (first.day > 1)
    months = []
    while (month := date(number // 12, number % 12 + 1, 1)) <= last:
        if month.replace(day=calendar.monthrange(month.year, month.month)[1]) > last:
            break
        months.append(month)
        number += 1
    return months


async def _by_month(reading: Reading) -> dict[date, int]:
    attendance, session = table_of(Attendance), table_of(TrainingSession).alias()
    month = cast(func.date_trunc("month", func.timezone(LONDON.key, session.c.starts_at)), Date)
    rows = await reading.session.execute(
        select(month, func.count())
        .select_from(
            attendance.join(
                session, and_(session.c.tenant_id == reading.tenant, session.c.id == attendance.c.session_id)
            )
        )
        .where(attendances_in(reading.window))
        .group_by(month)
    )
    return {row[0]: row[1] for row in rows}


async def citations(reading: Reading) -> Section:
    """Action plans that cite courses or sessions, and recognitions."""
    cites = or_(PlanAction.course_id.is_not(None), PlanAction.session_id.is_not(None))
    counted = (
        select(ActionPlan.kind, func.count(func.distinct(ActionPlan.id)))
        .join(PlanAction, and_(PlanAction.tenant_id == ActionPlan.tenant_id, PlanAction.plan_id == ActionPlan.id))
        .where(ActionPlan.status != "withdrawn", cites)
        .group_by(ActionPlan.kind)
    )
    found = {row[0]: row[1] for row in await reading.session.execute(counted)}
    method = "Plans that are not withdrawn and have an action that names a course or a session. Plans, not people."
    figures = [
        Figure(key, label, "count", found.get(kind, 0), "action plans", found.get(kind, 0), None, "", "now", method)
        for key, kind, label in (
            ("plans-cqc", "cqc", "Action plans after CQC inspections that cite the programme"),
            ("plans-local", "local", "Local improvement plans that cite the programme"),
        )
    ]
    return Section("citations", "Where the programme is cited", [], figures, [], [await recognitions(reading)])


async def recognitions(reading: Reading) -> NewTable:
    """Awards and other recognitions up to the last day of the period."""
    rows = await reading.session.execute(
        select(Recognition.awarded_on, Recognition.award, Recognition.body, Recognition.url)
        .where(Recognition.awarded_on <= reading.period.last_day)
        .order_by(Recognition.awarded_on.desc(), Recognition.id)
    )
    columns = (Column("Day", "day"), Column("Award"), Column("Given by"), Column("Read more"))
    told = [(day(row.awarded_on), row.award, row.body, row.url) for row in rows]
    return NewTable("recognitions", "Recognitions", columns, told, "No award has been written down.")


async def stories(reading: Reading) -> Section:
    """Success stories that may be told: their words are not kept with the report."""
    found = await tellable(reading.session)
    words = "Each is told with the consent of whom it is about."
    return Section("stories", "Success stories", [words], stories=[str(story.id) for story in found])
