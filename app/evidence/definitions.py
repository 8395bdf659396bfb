"""The registry of metric definitions: what each figure counts, of what, without what, and how."""

from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID, uuid5

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.evidence.models import MetricDefinition

_NAMESPACE = UUID("9c7d5bb2-3c53-5d0e-8a44-2f5a6d1f0e02")


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a metric."""

    code: str
    version: int
    name: str
    kind: str
    unit: str
    numerator: str
    denominator: str | None
    exclusions: str
    method_note: str
    polarity: str = "higher_better"
    effective_from: date = date(2020, 1, 1)
    effective_to: date | None = None

    @property
    def id(self) -> UUID:
        """Stable over databases."""
        return uuid5(_NAMESPACE, f"{self.code}:{self.version}")


TIER_1_COMPLETIONS = "IMP-01"
TIER_1_LEARNERS = "IMP-02"
WEBINAR_ATTENDANCES = "IMP-03"
WEBINAR_PEOPLE = "IMP-04"
CHAMPIONS_TRAINED = "IMP-05"
CHAMPIONS_ACTIVE = "IMP-06"
CHAMPIONS_PER_100_LOCATIONS = "IMP-07"
USEFULNESS = "IMP-08"
PRACTICE = "IMP-09"

DEFINITIONS = (
    Definition(
        TIER_1_COMPLETIONS,
        1,
        "Tier 1 courses completed",
        "count",
        "completions",
        "Completions of courses of tier 1 whose completion date lies in the period.",
        None,
        "Repeats of one completion from the same source are stored once. Courses not placed in a tier are left out.",
        "Counts completions, not people: a learner who finishes two courses counts twice.",
    ),
    Definition(
        TIER_1_LEARNERS,
        1,
        "Learners who completed a tier 1 course",
        "count",
        "people",
        "Distinct learners with at least one tier 1 completion in the period.",
        None,
        "Records found to be one person and merged count once.",
        "Counts people, so it is never more than the completions and must not be added to them.",
    ),
    Definition(
        WEBINAR_ATTENDANCES,
        1,
        "Webinar attendances",
        "count",
        "attendances",
        "Attendances at tier 2 sessions that began in the period and that qualify under the tenant's threshold.",
        None,
        "Presenters and organisers. People below the threshold of scheduled minutes. Unmatched guests until a person "
        "has placed them.",
        "Minutes are the union of all joins over all reports of the session. Where the report hides durations the "
        "tenant's setting decides whether presence counts.",
    ),
    Definition(
        WEBINAR_PEOPLE,
        1,
        "People who attended a webinar",
        "count",
        "people",
        "Distinct learners with at least one qualifying tier 2 attendance in the period.",
        None,
        "As for webinar attendances.",
        "Counts people, so it is never more than the attendances and must not be added to them.",
    ),
    Definition(
        CHAMPIONS_TRAINED,
        1,
        "Medication Champions trained",
        "count",
        "people",
        "Distinct learners whose tier 3 training was completed in the period.",
        None,
        "Champions named without a training date.",
        "A person who is champion at two locations counts once.",
    ),
    Definition(
        CHAMPIONS_ACTIVE,
        1,
        "Medication Champions active",
        "count",
        "people",
        "Distinct trained champions whose role had begun and not ended on the last day of the period.",
        None,
        "Deputies are counted when they are trained.",
        "A snapshot on the last day of the period, not a flow.",
    ),
    Definition(
        CHAMPIONS_PER_100_LOCATIONS,
        1,
        "Active Medication Champions per 100 locations",
        "rate",
        "champions per 100 locations",
        "Medication Champions active on the last day of the period.",
        "CQC locations in the tenant's area or commissioned by it on that day, without dormant ones; "
        "a dual registration counts once.",
        "Former and dormant locations.",
        "Shown with its numerator and denominator.",
    ),
    Definition(
        USEFULNESS,
        1,
        "Tier 2 attendees who found it extremely useful",
        "share",
        "% of answers",
        "Answers with the highest option of the usefulness scale on tier 2 feedback given in the period.",
        "Answers to that question. People who left it open are counted apart.",
        "Responses without an answer to the question.",
        "The whole distribution and the response rate are shown beside the share.",
    ),
    Definition(
        PRACTICE,
        1,
        "Champions who strongly agreed it would improve their practice",
        "share",
        "% of answers",
        "Answers with the highest option of the agreement scale on tier 3 feedback given in the period.",
        "Answers to that question. People who left it open are counted apart.",
        "Responses without an answer to the question.",
        "The whole distribution and the response rate are shown beside the share.",
    ),
)


async def load(connection: AsyncConnection) -> None:
    """Insert new versions and close the old ones; needs the owner role. Commits nothing."""
    rows = [{**asdict(definition), "id": definition.id} for definition in DEFINITIONS]
    statement = insert(MetricDefinition).values(rows)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[MetricDefinition.id], set_={"effective_to": statement.excluded.effective_to}
        )
    )
