"""Tables of training: programme, tiers, courses, completions, sessions, attendance, champions, feedback."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import SCHEMA, Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant


class Programme(TenantOwned, Base):
    """A training programme of a tenant: for the whole system, for a provider group, or for one CQC provider.

    `published_without_mapping`: it was published although no mapping exercise was locked, which somebody chose.
    """

    __tablename__ = "programme"
    __table_args__ = tenant_table(
        to_tenant("provider_group_id", "provider_group"),
        CheckConstraint("scope in ('system', 'provider_group', 'single_provider')", name="scope"),
        CheckConstraint("status in ('draft', 'published', 'retired')", name="status"),
        tenant_unique("name"),
        tenant_index("provider_group_id"),
    )

    name: Mapped[str]
    created_at: Mapped[datetime]
    scope: Mapped[str] = mapped_column(server_default="system")
    provider_group_id: Mapped[UUID | None]
    cqc_provider_id: Mapped[str | None] = mapped_column(ForeignKey(f"{SCHEMA}.cqc_provider.id"))
    status: Mapped[str] = mapped_column(server_default="published")
    version: Mapped[int] = mapped_column(server_default="1")
    published_at: Mapped[datetime | None]
    published_without_mapping: Mapped[bool] = mapped_column(server_default="false")


class Tier(TenantOwned, Base):
    """A level of a programme, ordered from 1 (foundation).

    `accepted_modes`: modes of delivery that meet it; empty: any. `validity_months`: null: for ever. It is told as
    expiring `renewal_lead_days` before its end.
    """

    __tablename__ = "tier"
    __table_args__ = tenant_table(
        to_tenant("programme_id", "programme"),
        CheckConstraint("position >= 1", name="position"),
        tenant_unique("programme_id", "position"),
    )

    programme_id: Mapped[UUID]
    position: Mapped[int]
    name: Mapped[str]
    minimum_minutes: Mapped[int | None]
    accepted_modes: Mapped[list[Any]] = mapped_column(server_default="[]")
    validity_months: Mapped[int | None]
    renewal_lead_days: Mapped[int] = mapped_column(server_default="90")


class TrainingProvider(TenantOwned, Base):
    """Who makes or gives a course. `key` is the normalised name."""

    __tablename__ = "training_provider"
    __table_args__ = tenant_table(tenant_unique("key"))

    name: Mapped[str]
    key: Mapped[str]


class Course(TenantOwned, Base):
    """A course is its training provider, title and version: the same title twice is two courses.

    `revision` guards against lost updates; times are minutes. A course found to be another one is `merged` into it.
    """

    __tablename__ = "course"
    __table_args__ = tenant_table(
        to_tenant("training_provider_id", "training_provider"),
        to_tenant("tier_id", "tier"),
        to_tenant("merged_into_id", "course"),
        CheckConstraint("scope in ('national', 'local', 'provider_internal')", name="scope"),
        CheckConstraint(
            "delivery_mode in ('e_learning', 'webinar', 'face_to_face', 'practical', 'blended')", name="delivery_mode"
        ),
        CheckConstraint("access_kind in ('free', 'licensed', 'local_venue')", name="access_kind"),
        CheckConstraint("status in ('active', 'retired', 'merged')", name="status"),
        CheckConstraint(
            "expected_minutes_max is null or expected_minutes_min is null "
            "or expected_minutes_max >= expected_minutes_min",
            name="expected_minutes",
        ),
        tenant_unique("training_provider_id", "title_key", "version"),
        tenant_index("tier_id"),
    )

    training_provider_id: Mapped[UUID]
    title: Mapped[str]
    title_key: Mapped[str]
    version: Mapped[str]
    tier_id: Mapped[UUID | None]
    scope: Mapped[str | None]
    delivery_mode: Mapped[str | None]
    duration_minutes: Mapped[int | None]
    expected_minutes_min: Mapped[int | None]
    expected_minutes_max: Mapped[int | None]
    assessment: Mapped[str | None]
    certificate_required: Mapped[bool | None]
    author_profession: Mapped[str | None]
    languages: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    access_kind: Mapped[str | None]
    accessibility_notes: Mapped[str | None]
    url: Mapped[str | None]
    review_on: Mapped[date | None]
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    merged_into_id: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime]


class Completion(TenantOwned, Base):
    """A learner finished a course, as a source told it. Not competence: that is assessed apart."""

    __tablename__ = "completion"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("course_id", "course"),
        to_tenant("import_id", "import_run"),
        tenant_unique("learner_id", "course_id", "completed_at", "source"),
        tenant_index("course_id", "completed_at", "id"),
        tenant_index("completed_at", "id"),
        tenant_index("created_at", "id"),
    )

    learner_id: Mapped[UUID]
    course_id: Mapped[UUID]
    completed_at: Mapped[datetime]
    source: Mapped[str]
    minutes: Mapped[int | None]
    score: Mapped[Decimal | None] = mapped_column(Numeric(7, 2))
    certificate_number: Mapped[str | None]
    short_duration: Mapped[bool]
    import_id: Mapped[UUID | None]
    import_row_number: Mapped[int | None]
    created_at: Mapped[datetime]


class TrainingSession(TenantOwned, Base):
    """A dated event such as a webinar, a champions' day or a forum.

    `parts` is 2 for a day whose halves are attended apart; the second begins at `second_part_at`. `check_in_code` is
    what the room's poster leads to; sessions that came by import have none. `occurrence` is when the series meant it.
    """

    __tablename__ = "training_session"
    __table_args__ = tenant_table(
        to_tenant("tier_id", "tier"),
        to_tenant("series_id", "session_series"),
        to_tenant("venue_id", "venue"),
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("online_mode in ('meeting', 'webinar', 'town_hall', 'none')", name="online_mode"),
        CheckConstraint("kind in ('training', 'champions_day', 'forum')", name="kind"),
        CheckConstraint("state in ('draft', 'published', 'cancelled')", name="state"),
        CheckConstraint("parts in (1, 2)", name="parts"),
        CheckConstraint("(parts = 2) = (second_part_at is not null)", name="second_part_at"),
        tenant_unique("external_key"),
        tenant_unique("series_id", "occurrence"),
        tenant_unique("check_in_code"),
        tenant_index("starts_at", "id"),
        tenant_index("tier_id"),
        tenant_index("venue_id"),
    )

    title: Mapped[str]
    tier_id: Mapped[UUID | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    online_mode: Mapped[str]
    external_key: Mapped[str]
    created_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(server_default="training")
    state: Mapped[str] = mapped_column(server_default="published")
    series_id: Mapped[UUID | None]
    occurrence: Mapped[datetime | None]
    venue_id: Mapped[UUID | None]
    join_url: Mapped[str | None]
    description: Mapped[str | None]
    parts: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    second_part_at: Mapped[datetime | None]
    people_per_facilitator: Mapped[int | None]
    check_in_code: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")


class AttendanceEvidence(TenantOwned, Base):
    """One line of one attendance report, kept as evidence beside the decision drawn from it."""

    __tablename__ = "attendance_evidence"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("learner_id", "learner"),
        to_tenant("import_id", "import_run"),
        tenant_unique("import_id", "row_number"),
        tenant_index("session_id", "learner_id"),
        tenant_index("learner_id"),
    )

    session_id: Mapped[UUID]
    learner_id: Mapped[UUID]
    import_id: Mapped[UUID]
    row_number: Mapped[int]
    role: Mapped[str]
    joined_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    seconds: Mapped[int | None]


class Attendance(TenantOwned, Base):
    """A learner's attendance at a session, folded from all evidence. `seconds` is null when no source told it.

    The halves are null while nobody has marked them; they are marked for each session that people check in to.
    """

    __tablename__ = "attendance"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("learner_id", "learner"),
        tenant_unique("session_id", "learner_id"),
        tenant_index("learner_id"),
        tenant_index("updated_at", "id"),
    )

    session_id: Mapped[UUID]
    learner_id: Mapped[UUID]
    seconds: Mapped[int | None]
    qualifies: Mapped[bool]
    decided_because: Mapped[str]
    first_half: Mapped[bool | None]
    second_half: Mapped[bool | None]
    updated_at: Mapped[datetime]


class MedicationChampion(TenantOwned, Base):
    """A learner's champion role at a location. `trained_on` is the day of the completed tier 3 training.

    `ended_on` is the first day without the role; from then on the state is `ended`. A deputy stands in for the others
    of the location. `contact_route` is how the home and health professionals reach the champion.
    """

    __tablename__ = "medication_champion"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("tenant_location_id", "tenant_location"),
        to_tenant("import_id", "import_run"),
        to_tenant("nomination_id", "champion_nomination"),
        CheckConstraint("state in ('active', 'ended')", name="state"),
        CheckConstraint("ended_on is null or started_on is null or ended_on >= started_on", name="dates"),
        tenant_unique("learner_id", "location_key"),
        tenant_index("tenant_location_id"),
        tenant_index("nomination_id", name="medication_champion_nomination_index", where="nomination_id is not null"),
        tenant_index("trained_on", "id"),
    )

    learner_id: Mapped[UUID]
    tenant_location_id: Mapped[UUID | None]
    location_key: Mapped[str]
    trained_on: Mapped[date | None]
    started_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    deputy: Mapped[bool]
    import_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="active")
    version: Mapped[int] = mapped_column(server_default="1")
    contact_route: Mapped[str | None]
    nomination_id: Mapped[UUID | None]
    ended_because: Mapped[str | None]


class FeedbackForm(TenantOwned, Base):
    """A questionnaire given after training of a tier. `source_key` names the form in its own system."""

    __tablename__ = "feedback_form"
    __table_args__ = tenant_table(to_tenant("tier_id", "tier"), tenant_unique("source_key"), tenant_index("tier_id"))

    title: Mapped[str]
    source_key: Mapped[str]
    tier_id: Mapped[UUID | None]
    invited: Mapped[int | None]
    created_at: Mapped[datetime]


class FeedbackQuestion(TenantOwned, Base):
    """A question of a form. `scale` names a Likert scale, from the least to the most; null for free text."""

    __tablename__ = "feedback_question"
    __table_args__ = tenant_table(
        to_tenant("form_id", "feedback_form"), tenant_unique("form_id", "key"), tenant_index("scale")
    )

    form_id: Mapped[UUID]
    position: Mapped[int]
    text: Mapped[str]
    key: Mapped[str]
    scale: Mapped[str | None]
    options: Mapped[list[Any]]


class FeedbackResponse(TenantOwned, Base):
    """One person's answers to one form. Who answered is kept only as the form's own response number."""

    __tablename__ = "feedback_response"
    __table_args__ = tenant_table(
        to_tenant("form_id", "feedback_form"),
        to_tenant("import_id", "import_run"),
        tenant_unique("form_id", "respondent_key"),
        tenant_index("submitted_at"),
    )

    form_id: Mapped[UUID]
    respondent_key: Mapped[str]
    submitted_at: Mapped[datetime]
    import_id: Mapped[UUID | None]


class FeedbackAnswer(TenantOwned, Base):
    """An answer: an option of the scale, or free text; both null when the question was left open."""

    __tablename__ = "feedback_answer"
    __table_args__ = tenant_table(
        to_tenant("response_id", "feedback_response"),
        to_tenant("question_id", "feedback_question"),
        tenant_unique("response_id", "question_id"),
        tenant_index("question_id", "option_number"),
    )

    response_id: Mapped[UUID]
    question_id: Mapped[UUID]
    option_number: Mapped[int | None]
    text: Mapped[str | None]
