"""Tables of governance: partners, items, forums' notes, plans, themes and changes, objectives, incidents, awards."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import SCHEMA, Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

PARTNER_KINDS = ("icb", "council", "care_provider", "nhs_trust", "community_pharmacy", "voluntary", "other")
ITEM_KINDS = ("policy", "decision", "risk", "forum_action", "feedback_theme")
ITEM_STATES = ("open", "in_progress", "done", "withdrawn")
PLAN_KINDS = ("cqc", "local")
INCIDENT_STAGES = ("prescribing", "dispensing", "administration", "monitoring", "transfer", "storage")
HARM_LEVELS = ("none", "low", "moderate", "severe", "fatal")
NEED_STATES = ("suggested", "accepted", "declined", "met")


class PartnerOrganisation(TenantOwned, Base):
    """An organisation that shares the governance. `registry_organisation_id`: which board or council it is, if any."""

    __tablename__ = "partner_organisation"
    __table_args__ = tenant_table(
        CheckConstraint(f"kind in {PARTNER_KINDS}", name="kind"), tenant_unique("name"), tenant_index("name", "id")
    )

    name: Mapped[str]
    kind: Mapped[str]
    registry_organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.organisation.id"))
    version: Mapped[int]
    created_at: Mapped[datetime]


class Partnership(TenantOwned, Base):
    """How far a council has come in joining the programme: each step has its day, and follows the one before it.

    `local_authority` is the council's name as CQC writes it. Names of people at its locations are shared from the day
    on which the data sharing agreement was signed until `agreement_until` (null: no end was agreed), and never after
    `ended_on`.
    """

    __tablename__ = "partnership"
    __table_args__ = tenant_table(
        to_tenant("partner_organisation_id", "partner_organisation"),
        CheckConstraint("agreed_on is null or agreed_on >= invited_on", name="agreed_on"),
        CheckConstraint(
            "agreement_signed_on is null or (agreed_on is not null and agreement_signed_on >= agreed_on)",
            name="agreement_signed_on",
        ),
        CheckConstraint("agreement_until is null or agreement_until >= agreement_signed_on", name="agreement_until"),
        CheckConstraint(
            "live_on is null or (agreement_signed_on is not null and live_on >= invited_on)", name="live_on"
        ),
        CheckConstraint("ended_on is null or ended_on >= invited_on", name="ended_on"),
        tenant_unique("partner_organisation_id"),
        tenant_index("invited_on", "id"),
    )

    partner_organisation_id: Mapped[UUID]
    local_authority: Mapped[str]
    invited_on: Mapped[date]
    agreed_on: Mapped[date | None]
    agreement_signed_on: Mapped[date | None]
    agreement_until: Mapped[date | None]
    agreement_reference: Mapped[str | None]
    live_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class GovernanceItem(TenantOwned, Base):
    """A policy, decision, risk, forum's action or theme of feedback, with an owner of some partner and a review date.

    An action of a forum names the forum's session and the day on which it is due.
    """

    __tablename__ = "governance_item"
    __table_args__ = tenant_table(
        to_tenant("owner_organisation_id", "partner_organisation"),
        to_tenant("session_id", "training_session"),
        CheckConstraint(f"kind in {ITEM_KINDS}", name="kind"),
        CheckConstraint(f"status in {ITEM_STATES}", name="status"),
        CheckConstraint("kind <> 'forum_action' or (session_id is not null and due_on is not null)", name="forum"),
        tenant_index("owner_organisation_id"),
        tenant_index("session_id"),
        tenant_index("review_on", "id"),
        tenant_index("due_on", "id"),
        tenant_index("created_at", "id"),
    )

    kind: Mapped[str]
    title: Mapped[str]
    details: Mapped[str | None]
    owner: Mapped[str]
    owner_role: Mapped[str | None]
    owner_organisation_id: Mapped[UUID]
    review_on: Mapped[date]
    due_on: Mapped[date | None]
    session_id: Mapped[UUID | None]
    status: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ForumMinutes(TenantOwned, Base):
    """What was said at a forum, one text for each."""

    __tablename__ = "forum_minutes"
    __table_args__ = tenant_table(to_tenant("session_id", "training_session"), tenant_unique("session_id"))

    session_id: Mapped[UUID]
    text: Mapped[str]
    version: Mapped[int]
    written_at: Mapped[datetime]


class ThemeResponse(TenantOwned, Base):
    """A response to a feedback form that speaks of a theme."""

    __tablename__ = "theme_response"
    __table_args__ = tenant_table(
        to_tenant("theme_id", "governance_item"),
        to_tenant("response_id", "feedback_response"),
        tenant_unique("theme_id", "response_id"),
        tenant_index("response_id"),
        tenant_index("cited_at", "id"),
    )

    theme_id: Mapped[UUID]
    response_id: Mapped[UUID]
    cited_at: Mapped[datetime]


class FeedbackSubject(TenantOwned, Base):
    """Which course or session a feedback form asked about."""

    __tablename__ = "feedback_subject"
    __table_args__ = tenant_table(
        to_tenant("form_id", "feedback_form"),
        to_tenant("course_id", "course"),
        to_tenant("session_id", "training_session"),
        CheckConstraint("num_nonnulls(course_id, session_id) >= 1", name="subject"),
        tenant_unique("form_id"),
        tenant_index("course_id"),
        tenant_index("session_id"),
    )

    form_id: Mapped[UUID]
    course_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]


class ContentChange(TenantOwned, Base):
    """What was changed in a course or session because of feedback."""

    __tablename__ = "content_change"
    __table_args__ = tenant_table(
        to_tenant("course_id", "course"),
        to_tenant("session_id", "training_session"),
        CheckConstraint("num_nonnulls(course_id, session_id) >= 1", name="subject"),
        tenant_index("course_id"),
        tenant_index("session_id"),
        tenant_index("changed_on", "id"),
    )

    course_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    description: Mapped[str]
    changed_on: Mapped[date]
    created_at: Mapped[datetime]


class ChangeTheme(TenantOwned, Base):
    """A theme of feedback that led to a change of content."""

    __tablename__ = "change_theme"
    __table_args__ = tenant_table(
        to_tenant("change_id", "content_change"),
        to_tenant("theme_id", "governance_item"),
        tenant_unique("change_id", "theme_id"),
        tenant_index("theme_id"),
    )

    change_id: Mapped[UUID]
    theme_id: Mapped[UUID]


class ActionPlan(TenantOwned, Base):
    """A plan after an inspection (cqc) or a local framework: for one location, one provider, or the whole tenant."""

    __tablename__ = "action_plan"
    __table_args__ = tenant_table(
        to_tenant("tenant_location_id", "tenant_location"),
        to_tenant("owner_organisation_id", "partner_organisation"),
        CheckConstraint(f"kind in {PLAN_KINDS}", name="kind"),
        CheckConstraint("status in ('open', 'completed', 'withdrawn')", name="status"),
        tenant_index("tenant_location_id"),
        tenant_index("owner_organisation_id"),
        tenant_index("due_on", "id"),
        tenant_index("created_at", "id"),
    )

    kind: Mapped[str]
    title: Mapped[str]
    tenant_location_id: Mapped[UUID | None]
    cqc_provider_id: Mapped[str | None] = mapped_column(ForeignKey(f"{SCHEMA}.cqc_provider.id"))
    owner_organisation_id: Mapped[UUID]
    due_on: Mapped[date]
    status: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]


class PlanAction(TenantOwned, Base):
    """A step of a plan. It may cite a course and a session; it is done by evidence."""

    __tablename__ = "plan_action"
    __table_args__ = tenant_table(
        to_tenant("plan_id", "action_plan"),
        to_tenant("course_id", "course"),
        to_tenant("session_id", "training_session"),
        CheckConstraint(f"status in {ITEM_STATES}", name="status"),
        CheckConstraint("status <> 'done' or evidence is not null", name="evidence"),
        tenant_index("plan_id"),
        tenant_index("course_id"),
        tenant_index("session_id"),
        tenant_index("due_on", "id"),
    )

    plan_id: Mapped[UUID]
    title: Mapped[str]
    owner: Mapped[str]
    due_on: Mapped[date]
    course_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    status: Mapped[str]
    evidence: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class StrategicObjective(TenantOwned, Base):
    """What the system strives for, such as integrated care; activity is tagged with it."""

    __tablename__ = "strategic_objective"
    __table_args__ = tenant_table(
        CheckConstraint("status in ('current', 'past')", name="status"), tenant_unique("title")
    )

    title: Mapped[str]
    details: Mapped[str | None]
    status: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]


class ObjectiveTag(TenantOwned, Base):
    """A programme, course or plan that serves an objective."""

    __tablename__ = "objective_tag"
    __table_args__ = tenant_table(
        to_tenant("objective_id", "strategic_objective"),
        to_tenant("programme_id", "programme"),
        to_tenant("course_id", "course"),
        to_tenant("plan_id", "action_plan"),
        CheckConstraint("num_nonnulls(programme_id, course_id, plan_id) >= 1", name="tagged"),
        tenant_unique("objective_id", "programme_id"),
        tenant_unique("objective_id", "course_id"),
        tenant_unique("objective_id", "plan_id"),
        tenant_index("programme_id"),
        tenant_index("course_id"),
        tenant_index("plan_id"),
    )

    objective_id: Mapped[UUID]
    programme_id: Mapped[UUID | None]
    course_id: Mapped[UUID | None]
    plan_id: Mapped[UUID | None]


class Recognition(TenantOwned, Base):
    """An award or another public recognition of the programme."""

    __tablename__ = "recognition"
    __table_args__ = tenant_table(tenant_unique("award", "body", "awarded_on"), tenant_index("awarded_on", "id"))

    award: Mapped[str]
    body: Mapped[str]
    awarded_on: Mapped[date]
    url: Mapped[str | None]
    created_at: Mapped[datetime]


class IncidentCategory(TenantOwned, Base):
    """A category of incident, and the topic that somebody should learn about after one."""

    __tablename__ = "incident_category"
    __table_args__ = tenant_table(to_tenant("topic_id", "topic"), tenant_unique("name"), tenant_index("topic_id"))

    name: Mapped[str]
    topic_id: Mapped[UUID | None]
    version: Mapped[int]


class MedicineIncident(TenantOwned, Base):
    """An incident with medicines: never who the resident is, and nobody's account; not who reported it."""

    __tablename__ = "medicine_incident"
    __table_args__ = tenant_table(
        to_tenant("category_id", "incident_category"),
        to_tenant("tenant_location_id", "tenant_location"),
        CheckConstraint(f"stage in {INCIDENT_STAGES}", name="stage"),
        CheckConstraint(f"harm in {HARM_LEVELS}", name="harm"),
        tenant_index("category_id"),
        tenant_index("tenant_location_id"),
        tenant_index("occurred_on", "id"),
    )

    category_id: Mapped[UUID]
    stage: Mapped[str]
    harm: Mapped[str]
    tenant_location_id: Mapped[UUID]
    occurred_on: Mapped[date]
    safeguarding_raised: Mapped[bool]
    created_at: Mapped[datetime]


class LearningNeed(TenantOwned, Base):
    """A topic that people at a location should learn about, as an incident suggests."""

    __tablename__ = "learning_need"
    __table_args__ = tenant_table(
        to_tenant("incident_id", "medicine_incident"),
        to_tenant("topic_id", "topic"),
        to_tenant("tenant_location_id", "tenant_location"),
        CheckConstraint(f"status in {NEED_STATES}", name="status"),
        tenant_unique("incident_id", "topic_id"),
        tenant_index("topic_id"),
        tenant_index("tenant_location_id"),
        tenant_index("created_at", "id"),
    )

    incident_id: Mapped[UUID]
    topic_id: Mapped[UUID]
    tenant_location_id: Mapped[UUID]
    status: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
