"""Types of governance: partners, items, forums, plans, themes and changes, objectives, incidents, recognitions."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import Select

from app.directory import models as directory
from app.governance import models, reports
from app.governance.equity import equity
from app.training import models as training
from app.training.mapping.models import Topic as TopicRow
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.declare import Connection, Node, column, computed, inline, many, node, one
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.compiler.identifiers import key_of
from medstead_graphql.types import listings_governance as listed
from medstead_graphql.types.common import JSON, PEOPLE
from medstead_graphql.types.directory import CqcProvider, Location
from medstead_graphql.types.governance_words import (
    GovernanceItemKind,
    GovernanceStatus,
    HarmLevel,
    IncidentStage,
    NeedStatus,
    ObjectiveStatus,
    PartnerKind,
    PlanKind,
    PlanStatus,
)
from medstead_graphql.types.mapping import Topic
from medstead_graphql.types.registry import Organisation
from medstead_graphql.types.requirements import Programme
from medstead_graphql.types.training import Course, FeedbackForm, FeedbackResponse, Session
from tenants.models import Organisation as OrganisationRow
from tenants.session import UnitOfWork

SCOPE = "governance:read"
VERSION = "Send this back when you change it."


@node(models.PartnerOrganisation, scope=SCOPE, description="An organisation that shares the governance.")
class PartnerOrganisation(Node):
    """A partner."""

    name: str = column()
    kind: PartnerKind = column()
    version: int = column(description=VERSION)
    registry_organisation: Organisation | None = one(
        OrganisationRow, key="registry_organisation_id", description="The board or council that it is, if any."
    )


@strawberry.type(description="An entry of the audit trail about one row.")
class HistoryEntry:
    """A change."""

    at: datetime = column()
    action: str = column()
    by: str = column(description="Kind of actor; who it was is told to those who may read the whole trail.")
    before: JSON | None = column()
    after: JSON | None = column()


def _history(subject_type: str) -> Any:
    def found(compilation: Any, row: Any, _: Any) -> Select[Any]:
        return reports.history(compilation.tenant, subject_type, row.c.id)

    return inline(found, description="What the audit trail tells of it, latest first, at most 200 entries.")


def _report(report: Callable[..., Select[Any]]) -> Callable[[Any, Any, dict[str, Any]], Select[Any]]:
    return lambda compilation, row, _: report(compilation.tenant, row)


@node(
    models.GovernanceItem,
    scope=SCOPE,
    description="A policy, decision, risk, action of a forum or theme of feedback, owned by somebody of a partner.",
)
class GovernanceItem(Node):
    """An item."""

    kind: GovernanceItemKind = column()
    title: str = column()
    details: str | None = column()
    owner: str | None = column(scope=PEOPLE)
    owner_role: str | None = column()
    review_on: date = column()
    due_on: date | None = column()
    status: GovernanceStatus = column()
    version: int = column(description=VERSION)
    created_at: datetime = column()
    closed_at: datetime | None = column()
    owner_organisation: PartnerOrganisation = one(models.PartnerOrganisation, key="owner_organisation_id")
    session: Session | None = one(
        training.TrainingSession, key="session_id", description="The forum that asked for it."
    )
    citations: Connection["ThemeResponse"] = many(
        listed.THEME_RESPONSE, on="theme_id", description="Responses that speak of this theme."
    )
    changes: Connection["ChangeTheme"] = many(
        listed.CHANGE_THEME, on="theme_id", description="Changes of content that this theme led to."
    )
    history: list[HistoryEntry] = _history("governance_item")


@node(models.ForumMinutes, scope=SCOPE, description="What was said at a forum.")
class ForumMinutes(Node):
    """Minutes."""

    text: str | None = column(scope=PEOPLE, description="Minutes may name people.")
    version: int = column(description=VERSION)
    written_at: datetime = column()
    session: Session = one(training.TrainingSession, key="session_id")


@node(models.ThemeResponse, scope=SCOPE, description="A response that speaks of a theme.")
class ThemeResponse(Node):
    """A citation."""

    cited_at: datetime = column()
    theme: GovernanceItem = one(models.GovernanceItem, key="theme_id")
    response: FeedbackResponse = one(training.FeedbackResponse, key="response_id")


@node(models.FeedbackSubject, scope="training:read", description="What a feedback form asked about.")
class FeedbackSubject(Node):
    """A subject."""

    form: FeedbackForm = one(training.FeedbackForm, key="form_id")
    course: Course | None = one(training.Course, key="course_id")
    session: Session | None = one(training.TrainingSession, key="session_id")


@node(models.ContentChange, scope=SCOPE, description="What was changed in a course or session because of feedback.")
class ContentChange(Node):
    """A change of content."""

    description: str = column()
    changed_on: date = column()
    created_at: datetime = column()
    course: Course | None = one(training.Course, key="course_id")
    session: Session | None = one(training.TrainingSession, key="session_id")
    themes: Connection["ChangeTheme"] = many(
        listed.CHANGE_THEME, on="change_id", description="Themes of feedback that led to it; they cite the responses."
    )


@node(models.ChangeTheme, scope=SCOPE, description="A theme of feedback that led to a change.")
class ChangeTheme(Node):
    """The tie between the two."""

    change: ContentChange = one(models.ContentChange, key="change_id")
    theme: GovernanceItem = one(models.GovernanceItem, key="theme_id")


@node(models.ActionPlan, scope=SCOPE, description="A CQC or local plan for a location, a provider or everybody.")
class ActionPlan(Node):
    """A plan."""

    kind: PlanKind = column()
    title: str = column()
    due_on: date = column()
    status: PlanStatus = column()
    version: int = column(description=VERSION)
    created_at: datetime = column()
    location: Location | None = one(directory.TenantLocation, key="tenant_location_id")
    provider: CqcProvider | None = one(directory.CqcProvider, key="cqc_provider_id")
    owner_organisation: PartnerOrganisation = one(models.PartnerOrganisation, key="owner_organisation_id")
    actions: Connection["PlanAction"] = many(listed.PLAN_ACTION, on="plan_id")
    history: list[HistoryEntry] = _history("action_plan")


@node(models.PlanAction, scope=SCOPE, description="A step of a plan. It may cite a course and a session.")
class PlanAction(Node):
    """An action."""

    title: str = column()
    owner: str | None = column(scope=PEOPLE)
    due_on: date = column()
    status: GovernanceStatus = column()
    evidence: str | None = column(description="What shows that it was done.")
    version: int = column(description=VERSION)
    created_at: datetime = column()
    plan: ActionPlan = one(models.ActionPlan, key="plan_id")
    course: Course | None = one(training.Course, key="course_id")
    session: Session | None = one(training.TrainingSession, key="session_id")


@strawberry.type(
    description="Something that serves an objective, with its metric. Programme: tiers that people in post need, and "
    "those met. Course: learners who began it, and who completed it. Plan: its actions, and those done."
)
class ObjectiveActivity:
    """An activity."""

    tag_id: str = column(description="For untagObjective.")
    kind: str = column()
    title: str = column()
    subject: str = column(description="For `node(id:)`.")
    total: int = column()
    done: int = column()


@node(models.StrategicObjective, scope=SCOPE, description="What the system strives for.")
class StrategicObjective(Node):
    """An objective."""

    title: str = column()
    details: str | None = column()
    status: ObjectiveStatus = column()
    version: int = column(description=VERSION)
    tags: Connection["ObjectiveTag"] = many(listed.OBJECTIVE_TAG, on="objective_id")
    activity: list[ObjectiveActivity] = inline(_report(reports.objective_activity))


@node(models.ObjectiveTag, scope=SCOPE, description="A programme, course or plan that serves an objective.")
class ObjectiveTag(Node):
    """A tag."""

    objective: StrategicObjective = one(models.StrategicObjective, key="objective_id")
    programme: Programme | None = one(training.Programme, key="programme_id")
    course: Course | None = one(training.Course, key="course_id")
    plan: ActionPlan | None = one(models.ActionPlan, key="plan_id")


@node(models.Recognition, scope=SCOPE, description="An award or another public recognition of the programme.")
class Recognition(Node):
    """A recognition."""

    award: str = column()
    body: str = column()
    awarded_on: date = column()
    url: str | None = column()


@node(models.IncidentCategory, scope=SCOPE, description="A category of incidents with the topic to learn about.")
class IncidentCategory(Node):
    """A category."""

    name: str = column()
    version: int = column(description=VERSION)
    topic: Topic | None = one(TopicRow, key="topic_id")


@node(
    models.MedicineIncident,
    scope=SCOPE,
    description="An incident with medicines. Neither the resident nor who reported it is kept.",
)
class MedicineIncident(Node):
    """An incident."""

    stage: IncidentStage = column()
    harm: HarmLevel = column()
    occurred_on: date = column()
    safeguarding_raised: bool = column()
    category: IncidentCategory = one(models.IncidentCategory, key="category_id")
    location: Location = one(directory.TenantLocation, key="tenant_location_id")
    learning_needs: Connection["LearningNeed"] = many(listed.LEARNING_NEED, on="incident_id")


@node(models.LearningNeed, scope=SCOPE, description="What people at a location should learn about, after an incident.")
class LearningNeed(Node):
    """A learning need."""

    status: NeedStatus = column()
    version: int = column(description=VERSION)
    created_at: datetime = column()
    incident: MedicineIncident = one(models.MedicineIncident, key="incident_id")
    topic: Topic = one(TopicRow, key="topic_id")
    location: Location = one(directory.TenantLocation, key="tenant_location_id")


@strawberry.type(description="Items of a kind that are not closed.")
class KindCount:
    """Counts of a kind."""

    kind: GovernanceItemKind
    open: int
    overdue: int
    review_due: int


@strawberry.type(description="Something overdue: an item, or an action of an open plan (kind `plan_action`).")
class OverdueAction:
    """Something overdue."""

    id: strawberry.ID
    kind: str
    title: str
    organisation: str
    due_on: date
    status: GovernanceStatus


@strawberry.type(description="What is open, what is overdue, what is to be reviewed on a day.")
class GovernanceReport:
    """The report."""

    counts: list[KindCount]
    overdue: list[OverdueAction]


async def _governance(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> dict[str, Any]:
    today = arguments["on"]
    return {
        "counts": [
            {"kind": row.kind.upper(), "open": row.open, "overdue": row.overdue, "reviewDue": row.review_due}
            for row in await reports.counts_by_kind(work.session, today)
        ],
        "overdue": [
            {
                "id": f"{'PlanAction' if row.kind == 'plan_action' else 'GovernanceItem'}:{row.id}",
                "kind": row.kind,
                "title": row.title,
                "organisation": row.organisation,
                "dueOn": row.due_on.isoformat(),
                "status": row.status.upper(),
            }
            for row in await reports.late(work.session, today)
        ],
    }


@strawberry.type(description="People in post of one group who need the tier. All is null where it is suppressed.")
class EquityCell:
    """A cell."""

    group: str
    needing: int | None
    having: int | None
    percent: float | None
    suppressed: bool


@strawberry.type(
    description="Coverage by one dimension: setting, provider_size, place, deprivation (1: the most deprived fifth) or "
    "rurality. Numbers of 1 to 7 are not told, nor what would give them away."
)
class EquityDimension:
    """A dimension."""

    name: str
    needing: int | None
    having: int | None
    percent: float | None
    cells: list[EquityCell]


async def _equity(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    tier_id = key_of(arguments["tierId"], "Tier", UUID)
    if not isinstance(tier_id, UUID):
        raise Refusal("NO_SUCH_TIER", "There is no such tier. Use an id that this API gave.")
    return [
        {
            "name": found.name,
            "needing": found.needing,
            "having": found.having,
            "percent": found.percent,
            "cells": [asdict(cell) | {"suppressed": cell.suppressed} for cell in found.cells],
        }
        for found in await equity(work.session, work.tenant_id, tier_id, arguments["on"])
    ]


@strawberry.type
class GovernanceQuestions:
    """Reads of governance."""

    partner_organisations: Connection[PartnerOrganisation] = many(listed.PARTNER)
    governance_items: Connection[GovernanceItem] = many(listed.ITEM)
    content_changes: Connection[ContentChange] = many(listed.CONTENT_CHANGE)
    theme_responses: Connection[ThemeResponse] = many(listed.THEME_RESPONSE)
    action_plans: Connection[ActionPlan] = many(listed.PLAN)
    plan_actions: Connection[PlanAction] = many(listed.PLAN_ACTION)
    strategic_objectives: Connection[StrategicObjective] = many(listed.OBJECTIVE)
    recognitions: Connection[Recognition] = many(listed.RECOGNITION)
    incident_categories: Connection[IncidentCategory] = many(listed.INCIDENT_CATEGORY)
    medicine_incidents: Connection[MedicineIncident] = many(listed.INCIDENT)
    learning_needs: Connection[LearningNeed] = many(listed.LEARNING_NEED)
    governance_report: GovernanceReport | None = computed(
        _governance, SCOPE, {"on": date}, description="What is open and what is overdue on a day."
    )
    equity: list[EquityDimension] | None = computed(
        _equity,
        "evidence:read",
        {"on": date, "tier_id": strawberry.ID},
        description="Coverage of a tier among people in post who need it, by five dimensions, with suppression.",
    )
