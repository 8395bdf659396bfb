"""Programmes and their tiers: publishing, widening, naming and ordering."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update

from app.directory.models import CqcLocation, CqcProvider, ProviderGroup, ProviderGroupLocation, TenantLocation
from app.training.errors import TrainingRefusal
from app.training.models import Attendance, Completion, Course, FeedbackForm, Programme, Tier, TrainingSession
from app.training.operations import create_programme
from app.training.requirements import standing
from app.training.requirements.finding import row_of, said, same_version
from app.training.requirements.models import (
    ConfidenceRating,
    PrerequisiteOverride,
    PrerequisiteRule,
    Requirement,
    ShortCourseOverride,
)
from app.training.requirements.rules import DeliveryMode
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import among, table_of
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

WIDTH = {"single_provider": 1, "provider_group": 2, "system": 3}
LONGEST_VALIDITY, LONGEST_LEAD = 240, 730
DEFAULT_LEAD_DAYS = 90


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a programme is for: the whole system, a provider group, or one CQC provider."""

    kind: str = "system"
    provider_group_id: UUID | None = None
    cqc_provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class TierChange:
    """What a tier shall be."""

    name: str
    minimum_minutes: int | None
    accepted_modes: Sequence[str]
    validity_months: int | None
    renewal_lead_days: int


@dataclass(frozen=True, slots=True)
class TierPlace:
    """A place in the order of tiers: a tier that there is, or a new one by name."""

    tier_id: UUID | None = None
    name: str | None = None


def open_to_location(programme: Any, location: Any, tenant: Any) -> ColumnElement[bool]:
    """Whether a programme is for people at a tenant's location. As `visible_programmes` shows it to providers."""
    member, cqc = table_of(ProviderGroupLocation).alias(), table_of(CqcLocation).alias()
    # Told which tables stand outside: of two levels up, one would be read anew, and anybody's programme would fit.
    in_group = (
        exists()
        .where(
            member.c.tenant_id == tenant,
            member.c.provider_group_id == programme.c.provider_group_id,
            member.c.tenant_location_id == location.c.id,
        )
        .correlate(programme, location)
    )
    of_provider = (
        exists()
        .where(cqc.c.id == location.c.location_id, cqc.c.provider_id == programme.c.cqc_provider_id)
        .correlate(programme, location)
    )
    return or_(
        programme.c.scope == "system",
        and_(programme.c.scope == "provider_group", in_group),
        and_(programme.c.scope == "single_provider", of_provider),
    )


async def visible_programmes(work: UnitOfWork, location_id: UUID | None) -> Sequence[Programme]:
    """Programmes that somebody may see: all of the tenant's for its own people (None), else those that are published
    and for a location's provider.
    """
    programme, location = table_of(Programme), table_of(TenantLocation).alias()
    statement = select(Programme).order_by(Programme.name, Programme.id)
    if location_id is not None:
        statement = statement.where(
            Programme.status == "published",
            exists().where(
                location.c.tenant_id == work.tenant_id,
                location.c.id == location_id,
                open_to_location(programme, location, work.tenant_id),
            ),
        )
    return (await work.session.scalars(statement)).all()


async def start_programme(work: UnitOfWork, name: str, scope: Scope) -> UUID:
    """A draft with three tiers. Raises TrainingRefusal `NAME_MISSING`, `NAME_TAKEN`, `SCOPE_INCOMPLETE`,
    `NO_SUCH_GROUP` or `NO_SUCH_PROVIDER`.
    """
    plain = await _free_name(work, name, None)
    await _check_scope(work, scope)
    programme_id = await create_programme(work, plain)
    programme = await work.session.get_one(Programme, (work.tenant_id, programme_id))
    programme.scope, programme.provider_group_id = scope.kind, scope.provider_group_id
    programme.cqc_provider_id = scope.cqc_provider_id
    return programme_id


async def rename_programme(work: UnitOfWork, programme_id: UUID, version: int, name: str) -> None:
    """Raises TrainingRefusal `NO_SUCH_PROGRAMME`, `CHANGED_MEANWHILE`, `NAME_MISSING` or `NAME_TAKEN`."""
    programme = await _programme(work, programme_id, version)
    before, programme.name = programme.name, await _free_name(work, name, programme_id)
    _changed(work, programme, {"name": before}, {"name": programme.name})


async def publish_programme(
    work: UnitOfWork, programme_id: UUID, version: int, *, has_locked_mapping: bool, anyway: bool = False
) -> None:
    """Let the programme's requirements count and its providers see it.

    Raises TrainingRefusal as `rename_programme`, `PUBLISHED_ALREADY`, or, as a warning that `anyway` overrules and
    the audit trail keeps, `NO_LOCKED_MAPPING`.
    """
    programme = await _programme(work, programme_id, version)
    if programme.status == "published":
        raise TrainingRefusal("PUBLISHED_ALREADY", "The programme was published already. Nothing was changed.", "id")
    if not has_locked_mapping and not anyway:
        message = (
            "No mapping exercise is locked yet, so nobody can tell what the courses leave out. "
            "Lock one first, or publish anyway; your choice is recorded."
        )
        raise TrainingRefusal("NO_LOCKED_MAPPING", message, "anyway")
    before = programme.status
    programme.status, programme.published_at = "published", work.now
    programme.published_without_mapping = not has_locked_mapping
    programme.version += 1
    after = {"status": "published", "without_mapping": programme.published_without_mapping}
    work.record(Action.PROGRAMME_PUBLISHED, "programme", programme.id, before={"status": before}, after=after)
    announce(work, EventType.PROGRAMME_PUBLISHED, f"Programme:{programme.id}")
    standing.request_all(work, f"programme:{programme.id}:{programme.version}")


async def retire_programme(work: UnitOfWork, programme_id: UUID, version: int) -> None:
    """Its requirements count no longer; what was learned stays. Raises TrainingRefusal `NOT_PUBLISHED` and others."""
    programme = await _programme(work, programme_id, version)
    if programme.status != "published":
        raise TrainingRefusal("NOT_PUBLISHED", "Only a published programme can be retired. Publish it first.", "id")
    programme.status = "retired"
    programme.version += 1
    work.record(
        Action.PROGRAMME_RETIRED,
        "programme",
        programme.id,
        before={"status": "published"},
        after={"status": "retired"},
    )
    standing.request_all(work, f"programme:{programme.id}:{programme.version}")


async def widen_programme(work: UnitOfWork, programme_id: UUID, version: int, scope: Scope) -> None:
    """Open a programme to more providers. Completions belong to learners and courses, so none is lost.

    Raises TrainingRefusal `NOT_WIDER` and those of `start_programme` and `rename_programme`.
    """
    programme = await _programme(work, programme_id, version)
    if WIDTH.get(scope.kind, 0) <= WIDTH[programme.scope]:
        message = "A programme can only be opened to more providers. Make another one for fewer."
        raise TrainingRefusal("NOT_WIDER", message, "scope")
    await _check_scope(work, scope)
    before = {"scope": programme.scope}
    programme.scope, programme.provider_group_id = scope.kind, scope.provider_group_id
    programme.cqc_provider_id = scope.cqc_provider_id
    _changed(work, programme, before, {"scope": scope.kind})
    standing.request_all(work, f"programme:{programme.id}:{programme.version}")


async def change_tier(work: UnitOfWork, tier_id: UUID, version: int, wanted: TierChange) -> None:
    """Name a tier and set what meets it; always possible. `version` is the programme's.

    Raises TrainingRefusal `NO_SUCH_TIER`, `CHANGED_MEANWHILE`, `NAME_MISSING`, `UNKNOWN_MODE` or `OUT_OF_RANGE`.
    """
    tier = await row_of(work, Tier, tier_id, "NO_SUCH_TIER", "tier", "id")
    programme = await _programme(work, tier.programme_id, version)
    name = said(wanted.name, "NAME_MISSING", "Give the tier a name.", "name")
    modes = sorted(set(wanted.accepted_modes))
    if not set(modes) <= set(DeliveryMode):
        raise TrainingRefusal("UNKNOWN_MODE", f"Choose among {', '.join(DeliveryMode)}.", "acceptedModes")
    _within(wanted.minimum_minutes, 10_000, "minimumMinutes")
    _within(wanted.validity_months, LONGEST_VALIDITY, "validityMonths")
    _within(wanted.renewal_lead_days, LONGEST_LEAD, "renewalLeadDays")
    before = _told(tier)
    tier.name, tier.minimum_minutes, tier.accepted_modes = name, wanted.minimum_minutes, list(modes)
    tier.validity_months, tier.renewal_lead_days = wanted.validity_months, wanted.renewal_lead_days
    programme.version += 1
    work.record(Action.TIER_CHANGED, "tier", tier.id, before=before, after=_told(tier))
    standing.request_all(work, f"programme:{programme.id}:{programme.version}")


def _within(value: int | None, largest: int, field: str) -> None:
    if value is not None and not 0 <= value <= largest:
        raise TrainingRefusal("OUT_OF_RANGE", f"Enter a whole number from 0 to {largest:,}.", field)


def _told(tier: Tier) -> dict[str, Any]:
    return {
        "name": tier.name,
        "minimum_minutes": tier.minimum_minutes,
        "accepted_modes": list(tier.accepted_modes),
        "validity_months": tier.validity_months,
        "renewal_lead_days": tier.renewal_lead_days,
    }


async def arrange_tiers(work: UnitOfWork, programme_id: UUID, version: int, order: Sequence[TierPlace]) -> None:
    """Have exactly these tiers in this order: some moved, some new, those left out removed.

    Only while nobody has completed or attended anything of the programme. Raises TrainingRefusal `HAS_HISTORY`,
    `NO_TIERS`, `NO_SUCH_TIER`, `NAME_MISSING` or `TIER_IN_USE`, and those of `rename_programme`.
    """
    programme = await _programme(work, programme_id, version)
    present = {tier.id: tier for tier in await work.session.scalars(select(Tier).where(_of(programme_id)))}
    kept = [place.tier_id for place in order if place.tier_id is not None]
    if not order:
        raise TrainingRefusal("NO_TIERS", "A programme needs at least one tier.", "order")
    if len(set(kept)) < len(kept) or not set(kept) <= present.keys():
        raise TrainingRefusal("NO_SUCH_TIER", "Name each tier of this programme once at most.", "order")
    if await has_history(work, programme_id):
        message = "People have completed or attended parts of it, so the tiers keep their order. Rename them instead."
        raise TrainingRefusal("HAS_HISTORY", message, "order")
    gone = present.keys() - set(kept)
    await _remove_tiers(work, gone)
    await work.session.execute(update(Tier).where(_of(programme_id)).values(position=Tier.position + 1_000_000))
    for position, place in enumerate(order, 1):
        if place.tier_id is not None:
            await work.session.execute(update(Tier).where(Tier.id == place.tier_id).values(position=position))
            continue
        name = said(place.name or "", "NAME_MISSING", "Give each new tier a name.", "order")
        work.add(
            Tier(
                tenant_id=work.tenant_id,
                id=new_id(),
                programme_id=programme_id,
                position=position,
                name=name,
                minimum_minutes=None,
                accepted_modes=[],
                validity_months=None,
                renewal_lead_days=DEFAULT_LEAD_DAYS,
            )
        )
    programme.version += 1
    after = {"tiers": len(order), "removed": len(gone)}
    work.record(Action.TIERS_ARRANGED, "programme", programme_id, before={"tiers": len(present)}, after=after)


async def has_history(work: UnitOfWork, programme_id: UUID) -> bool:
    """Whether anybody has completed a course, or attended a session, of one of the programme's tiers."""
    completed = (
        select(Completion.id)
        .join(Course, and_(Course.tenant_id == Completion.tenant_id, Course.id == Completion.course_id))
        .join(Tier, and_(Tier.tenant_id == Course.tenant_id, Tier.id == Course.tier_id))
        .where(_of(programme_id))
    )
    attended = (
        select(Attendance.id)
        .join(
            TrainingSession,
            and_(TrainingSession.tenant_id == Attendance.tenant_id, TrainingSession.id == Attendance.session_id),
        )
        .join(Tier, and_(Tier.tenant_id == TrainingSession.tenant_id, Tier.id == TrainingSession.tier_id))
        .where(_of(programme_id))
    )
    for statement in (completed, attended):
        if (await work.session.execute(statement.limit(1))).first() is not None:
            return True
    return False


async def _remove_tiers(work: UnitOfWork, gone: set[UUID]) -> None:
    for table in (Course, TrainingSession, FeedbackForm, Requirement, ConfidenceRating, ShortCourseOverride):
        used = select(func.count()).select_from(table).where(among(table.tier_id, gone))
        if (await work.session.execute(used)).scalar_one():
            message = "Courses, sessions, requirements or feedback refer to a tier that you leave out. Move them first."
            raise TrainingRefusal("TIER_IN_USE", message, "order")
    rules = select(PrerequisiteRule.id).where(
        or_(among(PrerequisiteRule.tier_id, gone), among(PrerequisiteRule.needs_tier_id, gone))
    )
    removed = (await work.session.scalars(rules)).all()
    await work.session.execute(
        delete(PrerequisiteOverride).where(
            or_(among(PrerequisiteOverride.rule_id, removed), among(PrerequisiteOverride.tier_id, gone))
        )
    )
    await work.session.execute(delete(PrerequisiteRule).where(among(PrerequisiteRule.id, removed)))
    await work.session.execute(delete(Tier).where(among(Tier.id, gone)))


async def let_short_course_count(work: UnitOfWork, course_id: UUID, reason: str) -> UUID:
    """Let a course that is shorter than its tier's minimum meet the tier all the same; gives the override.

    Raises TrainingRefusal `NO_SUCH_COURSE`, `REASON_MISSING`, `IN_NO_TIER`, `NOT_SHORT` or `LET_PASS_ALREADY`.
    """
    why = said(reason, "REASON_MISSING", "Say why the short course may count.", "reason")
    course = await row_of(work, Course, course_id, "NO_SUCH_COURSE", "course", "courseId")
    if course.tier_id is None:
        raise TrainingRefusal("IN_NO_TIER", "The course stands in no tier. Put it into one first.", "courseId")
    tier = await work.session.get_one(Tier, (work.tenant_id, course.tier_id))
    if course.duration_minutes is None or course.duration_minutes >= (tier.minimum_minutes or 0):
        raise TrainingRefusal("NOT_SHORT", "The course is long enough for its tier, so it counts already.", "courseId")
    known = select(ShortCourseOverride.id).where(
        ShortCourseOverride.course_id == course_id, ShortCourseOverride.tier_id == tier.id
    )
    if (await work.session.scalars(known)).first() is not None:
        raise TrainingRefusal("LET_PASS_ALREADY", "The course may count already. Nothing was changed.", "courseId")
    override = ShortCourseOverride(
        tenant_id=work.tenant_id,
        id=new_id(),
        course_id=course_id,
        tier_id=tier.id,
        reason=why,
        granted_by=work.context.actor_id,
        granted_at=work.now,
    )
    work.add(override)
    after = {"tier": str(tier.id), "reason": why, "minutes": course.duration_minutes}
    work.record(Action.SHORT_COURSE_LET_PASS, "course", course_id, after=after)
    standing.request_all(work, f"short:{override.id}")
    return override.id


def _of(programme_id: UUID) -> ColumnElement[bool]:
    return Tier.programme_id == programme_id


async def _programme(work: UnitOfWork, programme_id: UUID, version: int) -> Programme:
    programme = await row_of(work, Programme, programme_id, "NO_SUCH_PROGRAMME", "programme", "id")
    same_version(version, programme.version, "programme")
    return programme


def _changed(work: UnitOfWork, programme: Programme, before: dict[str, Any], after: dict[str, Any]) -> None:
    programme.version += 1
    work.record(Action.PROGRAMME_CHANGED, "programme", programme.id, before=before, after=after)


async def _free_name(work: UnitOfWork, name: str, own: UUID | None) -> str:
    plain = said(name, "NAME_MISSING", "Give the programme a name.", "name")
    taken = (await work.session.scalars(select(Programme.id).where(Programme.name == plain))).first()
    if taken not in (None, own):
        raise TrainingRefusal("NAME_TAKEN", "There is a programme of that name already. Choose another name.", "name")
    return plain


async def _check_scope(work: UnitOfWork, scope: Scope) -> None:
    fits = {
        "system": (scope.provider_group_id, scope.cqc_provider_id) == (None, None),
        "provider_group": scope.provider_group_id is not None and scope.cqc_provider_id is None,
        "single_provider": scope.cqc_provider_id is not None and scope.provider_group_id is None,
    }
    if not fits.get(scope.kind, False):
        message = "Name the provider group, or the CQC provider, that the programme is for; and only that."
        raise TrainingRefusal("SCOPE_INCOMPLETE", message, "scope")
    if scope.provider_group_id is not None:
        await row_of(work, ProviderGroup, scope.provider_group_id, "NO_SUCH_GROUP", "provider group", "providerGroupId")
    if scope.cqc_provider_id is not None:
        found = await work.session.scalars(select(CqcProvider.id).where(CqcProvider.id == scope.cqc_provider_id))
        if found.first() is None:
            message = "No provider with that CQC id is known here. Bring in the CQC directory first."
            raise TrainingRefusal("NO_SUCH_PROVIDER", message, "cqcProviderId")
