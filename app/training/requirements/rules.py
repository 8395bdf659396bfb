"""Rules of requirements: what is valid until when, and every reason against a place. Pure functions."""

import calendar
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from app.training.errors import Reason

FOR_EVER = date.max
"""The end of what does not end."""


class RuleKind(StrEnum):
    """What a prerequisite can ask for."""

    TIER_MET = "tier_met"
    COURSE_COMPLETED = "course_completed"
    APPROVED_NOMINATION = "approved_nomination"
    COMPETENCE_CURRENT = "competence_current"


class DeliveryMode(StrEnum):
    """How a course is given."""

    E_LEARNING = "e_learning"
    WEBINAR = "webinar"
    FACE_TO_FACE = "face_to_face"
    PRACTICAL = "practical"
    BLENDED = "blended"


ONLINE_MODES = (DeliveryMode.WEBINAR, DeliveryMode.BLENDED)
PRESENT_MODES = (DeliveryMode.FACE_TO_FACE, DeliveryMode.PRACTICAL, DeliveryMode.BLENDED)
"""What a session that people join online, or come to, may be taken for where a tier names the modes that it accepts."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A prerequisite: `needs` is the tier or the course, `name` what people call it."""

    id: UUID
    kind: RuleKind
    alternatives: int
    needs: UUID | None = None
    skill: str | None = None
    name: str = ""


@dataclass(slots=True)
class Facts:
    """What is known of a learner on a day. Tiers and skills have the last day on which they are valid.

    `passed`: rules that somebody let the learner pass on that day; None among them: all rules. `inside`: the learner
    works for an employer that the programme is for.
    """

    tiers: dict[UUID, date] = field(default_factory=dict)
    courses: set[UUID] = field(default_factory=set)
    nominated: bool = False
    skills: dict[str, date] = field(default_factory=dict)
    passed: set[UUID | None] = field(default_factory=set)
    inside: bool = True


def add_months(day: date, months: int) -> date:
    """The same day so many months later; the month's last day where there is no such day, as PostgreSQL counts."""
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def valid_until(day: date, months: int | None) -> date:
    """The last day on which what was got on `day` counts."""
    return FOR_EVER if months is None else add_months(day, months)


def reasons_against(rules: Iterable[Rule], facts: Facts, on: date, learner_id: UUID) -> tuple[Reason, ...]:
    """Every reason why the learner may not have a place on that day; none: they may. An override of all rules lets
    people of the programme in, never those whom it is not for.
    """
    found: list[Reason] = []
    if not facts.inside:
        found.append(
            Reason(
                "OUTSIDE_PROGRAMME",
                "The programme is for people of certain providers. Book with a programme that is open to your own.",
                None,
                learner_id,
            )
        )
    if None in facts.passed:
        return tuple(found)
    groups: dict[int, list[Rule]] = defaultdict(list)
    for rule in rules:
        groups[rule.alternatives].append(rule)
    for _, group in sorted(groups.items()):
        missing = [(rule, fault) for rule in group if (fault := _fault(rule, facts, on)) is not None]
        if len(missing) < len(group):
            continue
        suffix = f" Any one of these {len(group)} will do." if len(group) > 1 else ""
        found += [Reason(code, f"{words}{suffix}", rule.id, learner_id) for rule, (code, words) in missing]
    return tuple(found)


def out_of_reach(rules: Mapping[UUID, Iterable[tuple[int, UUID | None]]]) -> set[UUID]:
    """Tiers that nobody can ever have a place on, since each needs another of them first.

    `rules`: for each tier its rules, each with its number of alternatives and the tier that it needs, None where it
    needs something else.
    """
    left = dict(rules)
    reached = True
    while reached:
        reached = False
        for tier_id, own in list(left.items()):
            groups: dict[int, bool] = {}
            for number, needs in own:
                groups[number] = groups.get(number, False) or needs is None or needs not in left
            if all(groups.values()):
                del left[tier_id]
                reached = True
    return set(left)


def _fault(rule: Rule, facts: Facts, on: date) -> tuple[str, str] | None:
    """Why a rule is not met: code and words."""
    if rule.id in facts.passed:
        return None
    if rule.kind is RuleKind.APPROVED_NOMINATION:
        words = "Have a nomination as Medication Champion approved first."
        return None if facts.nominated else ("NOMINATION_MISSING", words)
    if rule.kind is RuleKind.COURSE_COMPLETED:
        return None if rule.needs in facts.courses else ("COURSE_MISSING", f"Complete the course {rule.name} first.")
    if rule.kind is RuleKind.COMPETENCE_CURRENT:
        until = _best(facts.skills, rule.skill)
        about = f"in {rule.skill.replace('_', ' ')}" if rule.skill else "with medicines"
        if until is None:
            return "COMPETENCE_MISSING", f"Have competence {about} assessed first."
        words = f"Competence {about} was due for review on {until:%-d %B %Y}. Have it assessed again first."
        return None if until >= on else ("COMPETENCE_EXPIRED", words)
    until = facts.tiers.get(rule.needs) if rule.needs else None
    if until is None:
        return "TIER_MISSING", f"Complete {rule.name} first."
    words = f"{rule.name} was valid until {until:%-d %B %Y}. Renew it first."
    return None if until >= on else ("TIER_EXPIRED", words)


def _best(skills: Mapping[str, date], skill: str | None) -> date | None:
    return skills.get(skill) if skill is not None else max(skills.values(), default=None)


TASKS = ("administers", "orders", "stores", "records", "witnesses_controlled_drugs", "disposes", "delegated_healthcare")
"""What somebody may do with medicines for an employer."""


def requires(
    role: int | None, setting: str | None, task: str | None, *, has: tuple[int | None, str | None, frozenset[str]]
) -> bool:
    """Whether a row of the matrix fits somebody with this job role, setting and tasks. None in the row: whichever.

    Rows add up: somebody needs what any fitting row asks for, however broad it is.
    """
    own_role, own_setting, tasks = has
    return (
        (role is None or role == own_role)
        and (setting is None or setting == own_setting)
        and (task is None or task in tasks)
    )


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """Something that meets a requirement: what ends last counts, and of those the latest."""

    until: date
    day: date
    id: UUID
    lead_days: int = field(compare=False)


def standing_on(today: date, evidence: Iterable[Evidence]) -> tuple[str, Evidence | None]:
    """State on a day, and what it rests on: met, expiring, expired or missing."""
    best = max((one for one in evidence if one.day <= today), default=None)
    if best is None:
        return "missing", None
    if best.until < today:
        return "expired", best
    soon = best.until != FOR_EVER and (best.until - today).days <= best.lead_days
    return ("expiring" if soon else "met"), best


def may_assess(
    rules: Iterable[tuple[int | None, str | None, bool]],
    *,
    roles: frozenset[int],
    profession: str | None,
    competent: bool,
) -> bool:
    """Whether an assessor fits a rule (job role, profession, needs own competence): all that the rule names."""
    return any(
        (role is not None or wanted is not None)
        and (role is None or role in roles)
        and (wanted is None or wanted.casefold() == (profession or "").casefold())
        and (competent or not needs_own)
        for role, wanted, needs_own in rules
    )


def why_not_assess(
    rules: Sequence[tuple[int | None, str | None, bool]],
    *,
    roles: frozenset[int],
    profession: str | None,
    competent: bool,
) -> str | None:
    """Why an assessor fits no rule: what they lack of one that names them, or that none does. None: they may assess."""
    if may_assess(rules, roles=roles, profession=profession, competent=competent):
        return None
    if may_assess(rules, roles=roles, profession=profession, competent=True):
        return "OWN_COMPETENCE_MISSING"
    return "PROFESSION_MISSING" if any(role in roles for role, _, _ in rules) else "NOT_NAMED"


PROGRESS = ("not_started", "in_progress", "completed", "expired")


def next_progress(present: str | None, told: str) -> str:
    """What progress becomes when a learning system tells `told`: what was completed is never begun again by itself."""
    if present in ("completed", "expired") and told in ("not_started", "in_progress"):
        return present
    return told


@dataclass(frozen=True, slots=True)
class Spell:
    """A time with an employer; both days included, no end while it runs."""

    employer_id: UUID
    started_on: date
    ended_on: date | None


def visible_to_employer(record_on: date, spells: Iterable[Spell], employer_id: UUID) -> bool:
    """Whether an employer sees a record of a learner: only what fell into a time in which they worked there."""
    return any(
        spell.employer_id == employer_id and spell.started_on <= record_on <= (spell.ended_on or FOR_EVER)
        for spell in spells
    )
