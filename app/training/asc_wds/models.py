"""Tables of the ASC-WDS: training categories, ids of workplaces and workers, and what a tenant says of its training."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import (
    SCHEMA,
    Base,
    TenantOwned,
    reference_table,
    tenant_index,
    tenant_table,
    tenant_unique,
    to_tenant,
)


class TrainingCategory(Base):
    """A training category of the ASC-WDS by its bulk-upload code; `internal_id` is the one that its service uses."""

    __tablename__ = "training_category"
    __table_args__ = reference_table()

    code: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str]
    internal_id: Mapped[int]


class AscWdsWorkplace(TenantOwned, Base):
    """Under which LOCALESTID a provider keeps an employer as its workplace."""

    __tablename__ = "asc_wds_workplace"
    __table_args__ = tenant_table(to_tenant("employer_id", "employer"), tenant_unique("employer_id"))

    employer_id: Mapped[UUID]
    local_id: Mapped[str]
    updated_at: Mapped[datetime]


class AscWdsWorker(TenantOwned, Base):
    """A worker of a workplace by UNIQUEWORKERID, which is unique within the workplace alone.

    Until somebody says who it is, `learner_id` is null and `display_id` is what the provider's file shows.
    """

    __tablename__ = "asc_wds_worker"
    __table_args__ = tenant_table(
        to_tenant("employer_id", "employer"),
        to_tenant("learner_id", "learner"),
        tenant_unique("employer_id", "unique_id"),
        tenant_unique("learner_id", "employer_id"),
        tenant_index("learner_id"),
    )

    employer_id: Mapped[UUID]
    unique_id: Mapped[str]
    learner_id: Mapped[UUID | None]
    display_id: Mapped[str | None]
    updated_at: Mapped[datetime]


class AscWdsTrainingProvider(TenantOwned, Base):
    """WHODELIVERED (1 in-house, 2 external) and, for external ones, the code of PROVIDERNAME of a training provider."""

    __tablename__ = "asc_wds_training_provider"
    __table_args__ = tenant_table(
        to_tenant("training_provider_id", "training_provider"),
        CheckConstraint("who_delivered in (1, 2)", name="who_delivered"),
        tenant_unique("training_provider_id"),
    )

    training_provider_id: Mapped[UUID]
    who_delivered: Mapped[int] = mapped_column(SmallInteger)
    provider_code: Mapped[int]


class AscWdsCourse(TenantOwned, Base):
    """The training category of a course, where it is another than that of its topics."""

    __tablename__ = "asc_wds_course"
    __table_args__ = tenant_table(to_tenant("course_id", "course"), tenant_unique("course_id"))

    course_id: Mapped[UUID]
    category_code: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.training_category.code"))


class AscWdsTopic(TenantOwned, Base):
    """The training category of a topic, where it is another than medication management."""

    __tablename__ = "asc_wds_topic"
    __table_args__ = tenant_table(tenant_unique("topic_code"))

    topic_code: Mapped[str]
    category_code: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.training_category.code"))


class AscWdsSettings(TenantOwned, Base):
    """How a tenant's webinars and sessions stand in the file; one row, whose `id` equals `tenant_id`.

    `webinar_how` is HOWDELIVERED (1 face to face, 2 e-learning), `session_code` PROVIDERNAME of the tenant's sessions.
    """

    __tablename__ = "asc_wds_settings"
    __table_args__ = tenant_table(
        CheckConstraint("id = tenant_id", name="single"),
        CheckConstraint("webinar_how in (1, 2)", name="webinar_how"),
    )

    webinar_how: Mapped[int] = mapped_column(SmallInteger)
    session_code: Mapped[int]
