"""What statements mean for a learner: which courses are begun, and which are finished, when, and on which statements.

Pure, and blind to order and repeats: the same set of statements always means the same. Verbs and `moveOn` are those
of cmi5 (https://aicc.github.io/CMI-5_Spec_Current) and of the ADL vocabulary.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.training.elearning.checks import moment, seconds_of
from tenants.clock import london_date

ADL, CMI5 = "http://adlnet.gov/expapi/verbs/", "https://w3id.org/xapi/adl/verbs/"
PASSED, COMPLETED, FAILED = f"{ADL}passed", f"{ADL}completed", f"{ADL}failed"
LAUNCHED, INITIALIZED, TERMINATED = f"{ADL}launched", f"{ADL}initialized", f"{ADL}terminated"
SATISFIED, WAIVED, ABANDONED = f"{CMI5}satisfied", f"{CMI5}waived", f"{CMI5}abandoned"
CATEGORY = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
TYPES = {
    "https://w3id.org/xapi/cmi5/activitytype/course": "course",
    "https://w3id.org/xapi/cmi5/activitytype/block": "block",
}
_NEVER_FINISH = frozenset({FAILED, LAUNCHED, INITIALIZED, TERMINATED, ABANDONED})
"""Verbs that finish nothing, whatever their result says: some authoring tools call a failed attempt complete."""
MOST_SECONDS = 60 * 100_000
"""Nobody learns longer at one course; what claims to is no time."""
_WITH_RESULT = frozenset({PASSED, COMPLETED, SATISFIED, WAIVED})


@dataclass(frozen=True, slots=True)
class Told:
    """What one statement says. `score` is a percentage."""

    id: UUID
    verb: str
    iri: str
    kind: str
    related: tuple[str, ...]
    cmi5: bool
    registration: UUID | None
    at: datetime
    success: bool | None = None
    completion: bool | None = None
    score: Decimal | None = None
    seconds: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity that is linked to a course, as `LearningActivity`."""

    iri: str
    kind: str
    course_id: UUID
    finishes: str
    move_on: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A course was finished at a moment. `occasion`: the registration, else the day in England."""

    course_id: UUID
    occasion: str
    at: datetime
    minutes: int | None
    score: Decimal | None
    rests_on: tuple[UUID, ...]


@dataclass(slots=True)
class Understood:
    """What statements about one learner come to: when each course was last heard of, and what is finished."""

    begun: dict[UUID, datetime] = field(default_factory=dict)
    finished: list[Finished] = field(default_factory=list)


def told(body: Mapping[str, Any], statement_id: UUID) -> Told | None:
    """What a kept statement about an activity says; None for one about something else."""
    about = body["object"]
    if about.get("objectType", "Activity") != "Activity":
        return None
    context, result = body.get("context", {}), body.get("result", {})
    related = context.get("contextActivities", {})
    category = {one["id"] for one in related.get("category", ())}
    registration = context.get("registration")
    duration = result.get("duration")
    return Told(
        id=statement_id,
        verb=body["verb"]["id"],
        iri=about["id"],
        kind=TYPES.get(about.get("definition", {}).get("type", ""), "au"),
        related=tuple(one["id"] for name in ("grouping", "parent") for one in related.get(name, ())),
        cmi5=CATEGORY in category,
        registration=UUID(registration) if registration else None,
        at=moment(body["timestamp"], "timestamp"),
        success=result.get("success"),
        completion=result.get("completion"),
        score=percentage(result.get("score", {})),
        seconds=seconds_of(duration) if duration else None,
    )


def percentage(score: Mapping[str, Any]) -> Decimal | None:
    """A score as a percentage: scaled, else raw between its bounds; None where neither tells."""
    if "scaled" in score:
        share = Decimal(str(score["scaled"]))
    elif "raw" in score and score.get("max", 0) > score.get("min", 0):
        low = Decimal(str(score.get("min", 0)))
        share = (Decimal(str(score["raw"])) - low) / (Decimal(str(score["max"])) - low)
    else:
        return None
    return (share * 100).quantize(Decimal("0.01")) if abs(share) <= 1 else None


def understand(statements: Iterable[Told], activities: Mapping[str, Activity]) -> Understood:
    """What the statements, none of them voided, mean. `activities`: those that are linked, by IRI."""
    found = Understood()
    groups: dict[tuple[UUID, str], list[tuple[Told, Activity]]] = defaultdict(list)
    for item in sorted(set(statements), key=lambda one: (one.at, str(one.id))):
        activity = _about(item, activities)
        near = [activity] if activity else [activities[iri] for iri in item.related if iri in activities]
        for course_id in {one.course_id for one in near}:
            found.begun[course_id] = max(found.begun.get(course_id, item.at), item.at)
        if activity is not None:
            occasion = str(item.registration) if item.registration else ""
            groups[activity.course_id, occasion].append((item, activity))
    for (course_id, occasion), items in sorted(groups.items(), key=lambda pair: (str(pair[0][0]), pair[0][1])):
        found.finished += _finishes(course_id, occasion, items)
    return found


def _about(item: Told, activities: Mapping[str, Activity]) -> Activity | None:
    """What a statement is about: its object, or what a cmi5 system names beside an id of its own for that."""
    if item.iri in activities:
        return activities[item.iri]
    if item.cmi5:
        for iri in item.related:
            if iri in activities and activities[iri].kind == item.kind:
                return activities[iri]
    return None


def _finishes(course_id: UUID, occasion: str, items: Sequence[tuple[Told, Activity]]) -> list[Finished]:
    moments: dict[str, tuple[datetime, set[UUID]]] = {}
    by_activity: dict[str, list[Told]] = defaultdict(list)
    rules = {activity.iri: activity for _, activity in items}
    for item, activity in items:
        by_activity[activity.iri].append(item)
    for iri, told_of in sorted(by_activity.items()):
        for at, bearers in _met(rules[iri], told_of, many=not occasion):
            key = occasion or london_date(at).isoformat()
            before = moments.get(key)
            moments[key] = (min(at, before[0]), before[1] | bearers) if before else (at, bearers)
    return [
        Finished(course_id, key, at, *_result(items, None if occasion else key), tuple(sorted(bearers, key=str)))
        for key, (at, bearers) in sorted(moments.items())
    ]


def _met(activity: Activity, items: Sequence[Told], *, many: bool) -> list[tuple[datetime, set[UUID]]]:
    """When an activity's rule was met, and by which statements; `many`: no registration parts them."""
    if activity.finishes == "never":
        return []
    whole = [item for item in items if item.verb in (SATISFIED, WAIVED)]
    found = [(item.at, {item.id}) for item in whole]
    if activity.finishes == "move_on":
        passed = [item for item in items if _is_passed(item)]
        completed = [item for item in items if _is_completed(item)]
        if activity.move_on == "CompletedAndPassed":
            found += _both(passed, completed)
        else:
            enough = {
                "Passed": passed,
                "Completed": completed,
                "CompletedOrPassed": [item for item in items if item in passed or item in completed],
                "NotApplicable": items,
            }[activity.move_on]
            found += [(item.at, {item.id}) for item in enough]
    if many or not found:
        return found
    return [(min(at for at, _ in found), set().union(*(ids for _, ids in found)))]


def _both(passed: Sequence[Told], completed: Sequence[Told]) -> list[tuple[datetime, set[UUID]]]:
    """Each time that both were said since the last time, at the later of the two."""
    found, first = [], {True: list[Told](), False: list[Told]()}
    together = sorted({*passed, *completed}, key=lambda item: (item.at, str(item.id)))
    for item in together:
        if item in passed:
            first[True].append(item)
        if item in completed:
            first[False].append(item)
        if first[True] and first[False]:
            found.append((item.at, {one.id for side in first.values() for one in side}))
            first = {True: [], False: []}
    return found


def _is_passed(item: Told) -> bool:
    return item.verb == PASSED or (item.success is True and item.verb not in _NEVER_FINISH)


def _is_completed(item: Told) -> bool:
    return item.verb == COMPLETED or (item.completion is True and item.verb not in _NEVER_FINISH)


def _result(items: Sequence[tuple[Told, Activity]], day: str | None) -> tuple[int | None, Decimal | None]:
    """Minutes spent and the best score, of the course itself where it tells, else of its parts."""
    here = [pair for pair in items if day is None or london_date(pair[0].at).isoformat() == day]
    own = [(item, activity) for item, activity in here if activity.finishes != "never"]
    parts = [(item, activity) for item, activity in here if activity.finishes == "never"]
    seconds = _seconds(own) or _seconds(parts)
    scores = [_scores(own), _scores(parts)]
    best = next((list(found.values()) for found in scores if found), [])
    return (int(seconds // 60) if 0 < seconds < MOST_SECONDS else None), (
        max(best) if len(best) == 1 or scores[0] else None
    )


def _seconds(items: Sequence[tuple[Told, Activity]]) -> Decimal:
    """The longest time that results tell of each activity, else the sum of its sessions; of all activities."""
    whole: dict[str, Decimal] = {}
    sessions: dict[str, Decimal] = defaultdict(Decimal)
    for item, activity in items:
        if item.seconds is None:
            continue
        if item.verb in _WITH_RESULT:
            whole[activity.iri] = max(whole.get(activity.iri, Decimal()), item.seconds)
        elif item.verb == TERMINATED:
            sessions[activity.iri] += item.seconds
    return sum((sessions | whole).values(), Decimal())


def _scores(items: Sequence[tuple[Told, Activity]]) -> dict[str, Decimal]:
    """The best score of each activity among its results."""
    best: dict[str, Decimal] = {}
    for item, activity in items:
        if item.score is not None and item.verb in _WITH_RESULT:
            best[activity.iri] = max(best.get(activity.iri, item.score), item.score)
    return best
