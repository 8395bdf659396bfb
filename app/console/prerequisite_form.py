"""What somebody needs before a place on a tier: its rules in words, and the form that changes them.

A page reads `shown_rules(…)`, shows them with the macro of prerequisites.jinja, and `add_form(…)` with fields.jinja.
What was sent becomes the whole list again: `with_another(form, shown)`, or `without(rule_id, shown)`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException

from app.console.mapping_matrix import course_name, named_courses
from app.console.pages import Form
from app.console.reports import Field, ShortForm
from app.console.training_forms import Invalid, needed_key
from app.console.training_words import TASKS
from app.training.mapping.models import Topic
from app.training.models import Course, Programme, Tier
from app.training.requirements.models import PrerequisiteRule
from app.training.requirements.prerequisites import NewRule
from app.training.requirements.rules import RuleKind
from tenants.base import table_of

FIELDS = ("rule_kind", "rule_tier", "rule_course", "rule_skill", "rule_beside")
KINDS = {
    RuleKind.TIER_MET: "A tier",
    RuleKind.COURSE_COMPLETED: "A course",
    RuleKind.APPROVED_NOMINATION: "An approved nomination as Medication Champion",
    RuleKind.COMPETENCE_CURRENT: "Current competence",
}


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule: its id, what people call it, and what it is to the operation."""

    id: UUID
    words: str
    rule: NewRule


Groups = Sequence[Sequence[ShownRule]]
"""Rules that stand for each other are together."""


async def shown_rules(session: AsyncSession, tenant_id: UUID, which: ColumnElement[bool]) -> Groups:
    """The rules that are asked for, such as those with `PrerequisiteRule.tier_id == tier_id`."""
    found = await rules_in_words(session, tenant_id, which)
    return grouped(shown for _, shown in found)


def grouped(rules: Iterable[ShownRule]) -> Groups:
    """Rules with those that stand for them."""
    groups: dict[int, list[ShownRule]] = {}
    for shown in rules:
        groups.setdefault(shown.rule.alternatives, []).append(shown)
    return list(groups.values())


async def rules_in_words(
    session: AsyncSession, tenant_id: UUID, which: ColumnElement[bool]
) -> list[tuple[PrerequisiteRule, ShownRule]]:
    """Rules with what people call them, in the order of their numbers."""
    needed, course = table_of(Tier).alias(), table_of(Course).alias()
    rows = await session.execute(
        select(PrerequisiteRule, needed.c.position, needed.c.name, course.c.title)
        .outerjoin(needed, and_(needed.c.tenant_id == tenant_id, needed.c.id == PrerequisiteRule.needs_tier_id))
        .outerjoin(course, and_(course.c.tenant_id == tenant_id, course.c.id == PrerequisiteRule.needs_course_id))
        .where(which)
        .order_by(PrerequisiteRule.alternatives, PrerequisiteRule.id)
    )
    return [(row, ShownRule(row.id, _words(row, *named), _rule(row))) for row, *named in rows]


def _words(rule: PrerequisiteRule, position: int | None, name: str | None, title: str | None) -> str:
    skill = TASKS.get(rule.needs_skill or "", rule.needs_skill)
    return {
        RuleKind.TIER_MET: f"Tier {position} ({name})",
        RuleKind.COURSE_COMPLETED: f"the course {title}",
        RuleKind.APPROVED_NOMINATION: "an approved nomination",
        RuleKind.COMPETENCE_CURRENT: f"current competence: {skill}" if skill else "current competence of any kind",
    }[RuleKind(rule.kind)]


def _rule(row: PrerequisiteRule) -> NewRule:
    return NewRule(RuleKind(row.kind), row.alternatives, row.needs_tier_id, row.needs_course_id, row.needs_skill)


async def skills(session: AsyncSession) -> list[tuple[str, str]]:
    """What somebody can be competent in: tasks, then topics."""
    topics = await session.scalars(select(Topic).where(Topic.status == "active").order_by(Topic.code))
    return [*TASKS.items(), *((topic.code, f"{topic.code}: {topic.title}") for topic in topics)]


async def add_form(
    session: AsyncSession, path: str, shown: Groups, *, version: int | None = None, own_tier: UUID | None = None
) -> ShortForm:
    """The form that adds a rule. It is sent to `path`/add; a tier that owns the rules cannot be needed by itself."""
    tiers = await session.execute(
        select(Tier.id, Tier.position, Tier.name, Programme.name.label("programme"))
        .join(Programme, and_(Programme.tenant_id == Tier.tenant_id, Programme.id == Tier.programme_id))
        .order_by(Programme.name, Programme.id, Tier.position)
    )
    courses = await session.execute(named_courses().where(Course.status == "active"))
    reveals: dict[str, Field] = {
        RuleKind.TIER_MET: Field(
            "choice",
            "rule_tier",
            "Which tier",
            options=[(row.id, f"{row.programme}: {row.position}. {row.name}") for row in tiers if row.id != own_tier],
        ),
        RuleKind.COURSE_COMPLETED: Field(
            "choice", "rule_course", "Which course", options=[(row.id, course_name(row, name)) for row, name in courses]
        ),
        RuleKind.COMPETENCE_CURRENT: Field(
            "choice", "rule_skill", "Competence in what", options=await skills(session), any="Any task or topic"
        ),
    }
    beside = [(group[0].rule.alternatives, " or ".join(rule.words for rule in group)) for group in shown]
    instead = Field(
        "choice",
        "rule_beside",
        "Does something else do instead?",
        "Choose what stands there already, and either will do.",
        beside,
        "No: it is needed as well",
    )
    kind = Field("one", "rule_kind", "What is needed", options=list(KINDS.items()), reveals=reveals)
    fields = [kind, instead] if beside else [kind]
    return ShortForm(f"{path}/add", "Add what is needed", fields, "Ask for something more", version, second=True)


def with_another(form: Form, shown: Groups) -> list[NewRule]:
    """All rules with the one that the form adds. Raises Invalid."""
    kind = form.text("rule_kind")
    if kind not in set(RuleKind):
        raise Invalid("rule_kind", "Choose what is needed.")
    present = [one.rule for group in shown for one in group]
    numbers = {rule.alternatives for rule in present}
    beside = form.text("rule_beside") or str(max(numbers, default=0) + 1)
    if form.text("rule_beside") and beside not in set(map(str, numbers)):
        raise Invalid("rule_beside", "That is not asked for any more. Choose again.")
    rule = NewRule(
        RuleKind(kind),
        int(beside),
        needed_key(form, "rule_tier", "the tier") if kind == RuleKind.TIER_MET else None,
        needed_key(form, "rule_course", "the course") if kind == RuleKind.COURSE_COMPLETED else None,
        (form.text("rule_skill") or None) if kind == RuleKind.COMPETENCE_CURRENT else None,
    )
    for group in shown:
        there = {_needs(one.rule) for one in group}
        if _needs(rule) in there and (len(there) == 1 or group[0].rule.alternatives == rule.alternatives):
            raise Invalid("rule_kind", "That is asked for already. Nothing was changed.")
    return [*present, rule]


def without(rule_id: UUID, shown: Groups) -> list[NewRule]:
    """All rules but one. Raises HTTPException 404 if it is not among them."""
    present = {one.id: one.rule for group in shown for one in group}
    if present.pop(rule_id, None) is None:
        raise HTTPException(404)
    return list(present.values())


def _needs(rule: NewRule) -> tuple[object, ...]:
    return rule.kind, rule.needs_tier_id, rule.needs_course_id, rule.needs_skill
