"""Parts about the programme: coverage by tier and setting, what is open and overdue, forums, gaps, champions."""

from typing import Any

from sqlalchemy import and_, func, literal, select, union_all

from app.directory.models import CqcLocation, TenantLocation
from app.governance import reports
from app.governance.models import ActionPlan, ForumMinutes, GovernanceItem, PartnerOrganisation, PlanAction
from app.governance.rules import CLOSED
from app.reporting.content import Column, Figure, NewTable, Section, day, percent
from app.reporting.reading import Reading
from app.reporting.words import GAP_KINDS, ITEM_KINDS, ITEM_STATES, SETTINGS
from app.training.champion_register.figures import summary, without_champion
from app.training.mapping.models import MappingGap
from app.training.models import Attendance, Tier, TrainingSession
from app.training.requirements.oversight import By, competence_coverage, oversight
from tenants.clock import LONDON

COUNTED = (
    "A post that needs a tier: one person at one employer, by the matrix of requirements. Somebody with two posts "
    "counts at each. Trained: the requirement is met, or met and ending soon, as last computed."
)
COLUMNS = (
    Column("Posts that need it", "number"),
    Column("Trained", "number"),
    Column("Not trained", "number"),
    Column("% trained", "decimal"),
)


async def coverage(reading: Reading) -> Section:
    """Who needs each tier and has it, then the same by setting."""
    found = list(await reading.session.execute(oversight(reading.tenant, reading.day, By.TIER)))
    by_tier = [(row.label, *_counts(row)) for row in found]
    by_setting = []
    for tier in await reading.session.scalars(select(Tier).order_by(Tier.position, Tier.id)):
        of_tier = oversight(reading.tenant, reading.day, By.SETTING, tier=literal(tier.id))
        for row in await reading.session.execute(of_tier):
            if row.needing:
                setting = SETTINGS.get(row.key, "Not known")
                by_setting.append((f"{tier.position}. {tier.name}", setting, row.staff, *_counts(row)))
    figures = [
        _share(
            f"tier-{number}", f"Trained in tier {row.label}", row.trained, row.needing, "posts that need it", COUNTED
        )
        for number, row in enumerate(found, 1)
    ]
    tables = [
        NewTable("by-tier", "Coverage by tier", (Column("Tier"), *COLUMNS), by_tier, "Nobody needs a tier yet."),
        NewTable(
            "by-setting",
            "Coverage by tier and setting",
            (Column("Tier"), Column("Setting"), Column("Posts", "number"), *COLUMNS),
            by_setting,
            "Nobody needs a tier yet.",
        ),
    ]
    return Section("coverage", "Who is trained", [COUNTED], figures, [], tables)


def _counts(row: Any) -> tuple[int, int, int, float | None]:
    return row.needing, row.trained, row.untrained, percent(row.trained, row.needing)


def _share(key: str, label: str, part: int, whole: int, of: str, method: str) -> Figure:
    value = percent(part, whole)
    return Figure(key, label, "share", value, f"% of {of}", part, whole, of, "now", method)


async def competence(reading: Reading) -> Section:
    """Who gives medicines and was assessed within twelve months."""
    row = (await reading.session.execute(competence_coverage(reading.tenant, reading.day))).one()
    method = "People who give medicines in a current post; those of them with an assessment in the last twelve months."
    figure = _share(
        "competence", "Assessed in the last year", row.assessed, row.giving, "people who give medicines", method
    )
    return Section("competence", "Competence", [], [figure])


async def open_items(reading: Reading) -> Section:
    """How much is open and overdue, and what is overdue."""
    counts = await reports.counts_by_kind(reading.session, reading.today)
    late = await reports.late(reading.session, reading.today)
    columns = (
        Column("Kind"), Column("Open", "number"), Column("Overdue", "number"), Column("Past the review date", "number"),
    )  # fmt: skip
    by_kind = [(ITEM_KINDS[row.kind], row.open, row.overdue, row.review_due) for row in counts]
    rows = [
        (
            row.title,
            ITEM_KINDS[row.kind],
            row.organisation,
            *_owner(reading, row.owner),
            day(row.due_on),
            ITEM_STATES[row.status],
        )
        for row in late
    ]
    figure = Figure(
        "overdue", "Overdue", "count", len(late), "actions and items", len(late), None, "", "now",
        "Items and actions of open plans that should have been done before today and are not closed.",
    )  # fmt: skip
    headings = ("What", "Kind", "Organisation", *_owner(reading, "Owner"))
    overdue = NewTable(
        "overdue",
        "Overdue actions",
        (*map(Column, headings), Column("Due", "day"), Column("State")),
        rows,
        "Nothing is overdue.",
    )
    return Section(
        "open", "What is open", [], [figure], [], [NewTable("open", "What is open", columns, by_kind), overdue]
    )


def _owner(reading: Reading, owner: str) -> tuple[str, ...]:
    """The cell of an owner, where owners are named."""
    return (owner,) if reading.named else ()


async def actions(reading: Reading) -> Section:
    """Every item and action of a plan that is not closed, the earliest due first."""
    items = (
        select(
            GovernanceItem.kind, GovernanceItem.title, PartnerOrganisation.name.label("organisation"),
            GovernanceItem.owner, GovernanceItem.due_on, GovernanceItem.status, GovernanceItem.id,
        )
        .join(PartnerOrganisation, _is(GovernanceItem, GovernanceItem.owner_organisation_id, PartnerOrganisation))
        .where(GovernanceItem.status.not_in(CLOSED))
    )  # fmt: skip
    steps = (
        select(
            literal("plan_action"), PlanAction.title, PartnerOrganisation.name, PlanAction.owner, PlanAction.due_on,
            PlanAction.status, PlanAction.id,
        )
        .join(ActionPlan, _is(PlanAction, PlanAction.plan_id, ActionPlan))
        .join(PartnerOrganisation, _is(ActionPlan, ActionPlan.owner_organisation_id, PartnerOrganisation))
        .where(PlanAction.status.not_in(CLOSED), ActionPlan.status == "open")
    )  # fmt: skip
    every = union_all(items, steps).subquery()
    listed = select(every).order_by(every.c.due_on.nulls_last(), every.c.title, every.c.id)
    rows = [
        (
            row.title,
            ITEM_KINDS[row.kind],
            row.organisation,
            *_owner(reading, row.owner),
            day(row.due_on),
            "Overdue" if row.due_on is not None and row.due_on < reading.today else ITEM_STATES[row.status],
        )
        for row in await reading.session.execute(listed)
    ]
    headings = ("What", "Kind", "Organisation", *_owner(reading, "Owner"))
    table = NewTable(
        "actions",
        "Everything that is not closed",
        (*map(Column, headings), Column("Due", "day"), Column("State")),
        rows,
        "Nothing is open.",
    )
    return Section("actions", "Actions", tables=[table])


async def forums(reading: Reading) -> Section:
    """Forums of the period: who came, whether there are minutes, which actions are open."""
    came = (
        select(Attendance.session_id, func.count().label("people"))
        .where(Attendance.tenant_id == reading.tenant_id, Attendance.qualifies)
        .group_by(Attendance.session_id)
        .subquery()
    )
    asked = (
        select(
            GovernanceItem.session_id,
            func.count().label("actions"),
            func.count().filter(GovernanceItem.status.not_in(CLOSED)).label("open"),
        )
        .where(GovernanceItem.tenant_id == reading.tenant_id, GovernanceItem.kind == "forum_action")
        .group_by(GovernanceItem.session_id)
        .subquery()
    )
    listed = (
        select(TrainingSession, ForumMinutes.id, came.c.people, asked.c.actions, asked.c.open)
        .outerjoin(came, came.c.session_id == TrainingSession.id)
        .outerjoin(asked, asked.c.session_id == TrainingSession.id)
        .outerjoin(
            ForumMinutes,
            and_(ForumMinutes.tenant_id == TrainingSession.tenant_id, ForumMinutes.session_id == TrainingSession.id),
        )
        .where(
            TrainingSession.kind == "forum",
            TrainingSession.state != "cancelled",
            TrainingSession.starts_at >= reading.period.start,
            TrainingSession.starts_at < reading.period.end,
        )
        .order_by(TrainingSession.starts_at, TrainingSession.id)
    )
    rows = [
        (
            day(forum.starts_at.astimezone(LONDON).date()),
            forum.title,
            people or 0,
            "Yes" if minutes is not None else "No",
            made or 0,
            still or 0,
        )
        for forum, minutes, people, made, still in await reading.session.execute(listed)
    ]
    columns = (
        Column("Day", "day"), Column("Forum"), Column("People", "number"), Column("Minutes"),
        Column("Actions", "number"), Column("Still open", "number"),
    )  # fmt: skip
    return Section(
        "forums", "Forums", tables=[NewTable("forums", "Forums in the period", columns, rows, "There was none.")]
    )


async def gaps(reading: Reading) -> Section:
    """What training lacks and nobody has closed yet."""
    listed = (
        select(MappingGap)
        .where(MappingGap.status == "open")
        .order_by(MappingGap.due_on, MappingGap.title, MappingGap.id)
    )
    rows = [
        (gap.title, GAP_KINDS[gap.kind], *_owner(reading, gap.owner), day(gap.due_on))
        for gap in await reading.session.scalars(listed)
    ]
    columns = (*map(Column, ("Gap", "Kind", *_owner(reading, "Owner"))), Column("Due", "day"))
    return Section(
        "gaps", "Gaps in training", tables=[NewTable("gaps", "Gaps that are open", columns, rows, "No gap is open.")]
    )


async def champions(reading: Reading) -> Section:
    """Champions now, and the locations without one."""
    row = (await reading.session.execute(summary(reading.tenant))).one()
    method = "Locations of the tenant that are not former ones, and have a champion whose role is active."
    figures = [
        _share("covered", "Locations with a champion", row.covered, row.locations, "locations", method),
        Figure(
            "active", "Champions active", "count", row.active, "people", row.active, None, "", "now",
            "Distinct people with an active role, trained or not.",
        ),
    ]  # fmt: skip
    listed = (
        select(CqcLocation.name, CqcLocation.primary_setting, CqcLocation.local_authority)
        .join(TenantLocation, TenantLocation.location_id == CqcLocation.id)
        .where(TenantLocation.id.in_(without_champion(reading.tenant)))
        .order_by(CqcLocation.name, CqcLocation.id)
    )
    rows = [
        (found.name, SETTINGS.get(found.primary_setting or "", "Not known"), found.local_authority)
        for found in await reading.session.execute(listed)
    ]
    columns = (Column("Location"), Column("Setting"), Column("Local authority"))
    table = NewTable(
        "without-champion", "Locations without a champion", columns, rows, "Every location has a champion."
    )
    return Section("champions", "Medication Champions", [], figures, [], [table])


def _is(source: Any, key: Any, target: Any) -> Any:
    return and_(target.tenant_id == source.tenant_id, target.id == key)
