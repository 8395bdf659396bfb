"""Prerequisites of tiers as data, and overrides that end by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from app.training.errors import TrainingRefusal
from app.training.models import Course, Programme, Tier
from app.training.requirements.finding import row_of, said, same_version, standing_learner
from app.training.requirements.models import PrerequisiteOverride, PrerequisiteRule
from app.training.requirements.rules import RuleKind, out_of_reach
from tenants.audit import Action
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule to be: rules with one number of `alternatives` stand for each other."""

    kind: RuleKind
    alternatives: int
    needs_tier_id: UUID | None = None
    needs_course_id: UUID | None = None
    needs_skill: str | None = None


def default_rules(tiers: Sequence[Tier]) -> dict[UUID, list[NewRule]]:
    """Foundation first: each later tier needs those before it, and the third an approved nomination too."""
    made: dict[UUID, list[NewRule]] = {}
    ordered = sorted(tiers, key=lambda tier: tier.position)
    for index, tier in enumerate(ordered):
        rules = [NewRule(RuleKind.TIER_MET, number, earlier.id) for number, earlier in enumerate(ordered[:index], 1)]
        if tier.position == 3:
            rules.append(NewRule(RuleKind.APPROVED_NOMINATION, len(rules) + 1))
        made[tier.id] = rules
    return made


async def set_prerequisites(work: UnitOfWork, tier_id: UUID, version: int, wanted: Sequence[NewRule]) -> None:
    """Have the tier ask for exactly these rules; those that stay keep their ids. `version` is the programme's.

    Raises TrainingRefusal `NO_SUCH_TIER`, `CHANGED_MEANWHILE`, `NEEDS_NOTHING`, `NEEDS_ITSELF` or `NO_SUCH_COURSE`.
    """
    tier = await row_of(work, Tier, tier_id, "NO_SUCH_TIER", "tier", "tierId")
    programme = await row_of(work, Programme, tier.programme_id, "NO_SUCH_PROGRAMME", "programme")
    same_version(version, programme.version, "programme")
    for rule in wanted:
        await _check(work, tier, rule)
    await _within_reach(work, tier, wanted)
    programme.version += 1
    changed = await replace_rules(work, tier.id, wanted)
    work.record(Action.PREREQUISITES_CHANGED, "tier", tier.id, after=changed)


async def _check(work: UnitOfWork, tier: Tier, rule: NewRule) -> None:
    needs = {RuleKind.TIER_MET: rule.needs_tier_id, RuleKind.COURSE_COMPLETED: rule.needs_course_id}
    if rule.kind in needs and needs[rule.kind] is None:
        raise TrainingRefusal("NEEDS_NOTHING", "Say which tier or which course the rule asks for.", "rules")
    if rule.needs_tier_id == tier.id:
        raise TrainingRefusal("NEEDS_ITSELF", "A tier cannot need itself. Choose another tier.", "rules")
    if rule.needs_tier_id is not None:
        await row_of(work, Tier, rule.needs_tier_id, "NO_SUCH_TIER", "tier", "rules")
    if rule.needs_course_id is not None:
        await row_of(work, Course, rule.needs_course_id, "NO_SUCH_COURSE", "course", "rules")


async def _within_reach(work: UnitOfWork, tier: Tier, wanted: Sequence[NewRule]) -> None:
    """Raises TrainingRefusal `NEEDS_ITSELF` where tiers would need each other, so that nobody could begin."""
    present: dict[UUID, list[tuple[int, UUID | None]]] = {}
    for row in await work.session.scalars(select(PrerequisiteRule)):
        present.setdefault(row.tier_id, []).append((row.alternatives, row.needs_tier_id))
    present[tier.id] = [(rule.alternatives, rule.needs_tier_id) for rule in wanted]
    if tier.id in out_of_reach(present):
        message = "Tiers would need each other, so that nobody could begin. Leave out what leads back to this tier."
        raise TrainingRefusal("NEEDS_ITSELF", message, "rules")


async def replace_rules(work: UnitOfWork, tier_id: UUID, wanted: Sequence[NewRule]) -> dict[str, Any]:
    """As `set_prerequisites`, for rules that are known to be sound; what was changed, for the audit trail."""
    present = {
        NewRule(RuleKind(row.kind), row.alternatives, row.needs_tier_id, row.needs_course_id, row.needs_skill): row.id
        for row in await work.session.scalars(select(PrerequisiteRule).where(PrerequisiteRule.tier_id == tier_id))
    }
    gone = [row_id for rule, row_id in present.items() if rule not in wanted]
    for table, column in (
        (PrerequisiteOverride, PrerequisiteOverride.rule_id),
        (PrerequisiteRule, PrerequisiteRule.id),
    ):
        await work.session.execute(delete(table).where(among(column, gone)))
    added = [rule for rule in dict.fromkeys(wanted) if rule not in present]
    work.add(
        *(
            PrerequisiteRule(
                tenant_id=work.tenant_id,
                id=new_id(),
                tier_id=tier_id,
                kind=rule.kind.value,
                alternatives=rule.alternatives,
                needs_tier_id=rule.needs_tier_id,
                needs_course_id=rule.needs_course_id,
                needs_skill=rule.needs_skill,
                created_at=work.now,
            )
            for rule in added
        )
    )
    await work.session.flush()
    return {"added": [rule.kind.value for rule in added], "removed": len(gone)}


async def override_prerequisites(
    work: UnitOfWork, *, learner_id: UUID, tier_id: UUID, rule_id: UUID | None, reason: str, until: date
) -> UUID:
    """Let a learner pass a rule of the tier (None: all of them) up to a day, which is included.

    Raises TrainingRefusal `NO_SUCH_LEARNER`, `NO_SUCH_TIER`, `NO_SUCH_RULE`, `REASON_MISSING` or `OVER_ALREADY`.
    """
    why = said(reason, "REASON_MISSING", "Say why the learner may pass without it.", "reason")
    if until < london_date(work.now):
        raise TrainingRefusal("OVER_ALREADY", "Choose a last day that is still to come.", "until")
    await row_of(work, Tier, tier_id, "NO_SUCH_TIER", "tier", "tierId")
    if rule_id is not None:
        rule = await row_of(work, PrerequisiteRule, rule_id, "NO_SUCH_RULE", "rule of that tier", "ruleId")
        if rule.tier_id != tier_id:
            message = "There is no such rule of that tier. Choose one from the list."
            raise TrainingRefusal("NO_SUCH_RULE", message, "ruleId")
    override = PrerequisiteOverride(
        tenant_id=work.tenant_id,
        id=new_id(),
        learner_id=await standing_learner(work, learner_id),
        tier_id=tier_id,
        rule_id=rule_id,
        reason=why,
        granted_by=work.context.actor_id,
        granted_at=work.now,
        until=until,
        ended_at=None,
    )
    work.add(override)
    await work.session.flush()
    work.record(
        Action.PREREQUISITE_OVERRIDDEN,
        "prerequisite_override",
        override.id,
        after={
            "learner": str(override.learner_id),
            "tier": str(tier_id),
            "rule": None if rule_id is None else str(rule_id),
            "reason": why,
            "until": until.isoformat(),
        },
    )
    return override.id


async def end_override(work: UnitOfWork, override_id: UUID) -> None:
    """End an override before its day. Raises TrainingRefusal `NO_SUCH_OVERRIDE` or `ENDED_ALREADY`."""
    override = await row_of(work, PrerequisiteOverride, override_id, "NO_SUCH_OVERRIDE", "override", "id")
    if override.ended_at is not None:
        raise TrainingRefusal("ENDED_ALREADY", "The override was ended already. Nothing was changed.", "id")
    override.ended_at = work.now
    work.record(
        Action.OVERRIDE_ENDED, "prerequisite_override", override.id, after={"until": override.until.isoformat()}
    )
