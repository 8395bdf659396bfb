"""Types of the directory: tenant, locations, employers, learners, employment."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from sqlalchemy import func, select

from app.directory import models
from app.training.models import TrainingSession
from medstead_graphql.compiler.declare import Connection, Node, column, expression, many, mixed, node, one, part
from medstead_graphql.types import listings, listings_booking, listings_certificates, listings_requirements
from medstead_graphql.types.common import JSON, PEOPLE, LocationRelationship, TenantKind, TenantStatus
from medstead_graphql.types.registry import Organisation
from tenants import models as registry
from tenants.base import table_of

if TYPE_CHECKING:
    from medstead_graphql.types.booking import Booking
    from medstead_graphql.types.certificates import Certificate
    from medstead_graphql.types.champions import LearnerStep
    from medstead_graphql.types.learner_records import CompetenceAssessment, CourseProgress
    from medstead_graphql.types.requirements import ChampionNomination, EmploymentTask, LearnerStanding
    from medstead_graphql.types.training import Attendance, Completion, LearningRecord, MedicationChampion


@strawberry.type(description="What a tenant has chosen.")
class TenantSettings:
    """Settings of a tenant."""

    version: int = column(description="Send this back when you change the settings; it guards against lost updates.")
    attendance_threshold_percent: int = column(
        description="Share of the scheduled minutes that makes an attendance count."
    )
    count_unknown_durations: bool = column(
        description="Whether presence counts where a report hides how long people stayed."
    )
    meeting_people_at_most: int = column(
        description="More people than this in an online meeting, where everybody can speak, is warned of."
    )
    column_mappings: JSON = column(description="Saved column mappings of import formats: format → field → heading.")
    updated_at: datetime = column()


@node(
    registry.Tenant,
    scope="tenant:read",
    description="The tenant that the caller acts in: an Integrated Care Board or a council.",
)
class Tenant(Node):
    """A tenant."""

    slug: str = column()
    name: str = column()
    kind: TenantKind = column()
    status: TenantStatus = column()
    organisation: Organisation | None = one(registry.Organisation, key="organisation_id")
    settings: TenantSettings | None = one(
        registry.TenantSettings, join=lambda tenant, settings, _: settings.c.tenant_id == tenant.c.id
    )


@node(models.CqcProvider, scope="directory:read", description="A provider registered with the Care Quality Commission.")
class CqcProvider(Node):
    """A CQC provider."""

    name: str = column()


@node(
    models.CqcLocation,
    scope="directory:read",
    description="A location registered with the Care Quality Commission: shared national reference data.",
)
class CqcLocation(Node):
    """A CQC location."""

    cqc_location_id: str = column("original_id", description="CQC's own id, as published.")
    name: str = column()
    provider: CqcProvider | None = one(models.CqcProvider, key="provider_id")
    brand_name: str | None = column()
    ods_code: str | None = column()
    care_home: bool | None = column()
    dormant: bool | None = column()
    beds: int | None = column()
    location_type: str | None = column()
    primary_setting: str | None = column(description="One setting drawn from the service types.")
    service_types: list[str] = column()
    user_bands: list[str] = column(description="Service user bands, such as learning disabilities.")
    regulated_activities: list[str] = column()
    latest_rating: str | None = column(description="Never use a rating without its date.")
    rating_published_on: date | None = column()
    registered_on: date | None = column()
    deregistered_on: date | None = column()
    region: str | None = column()
    nhs_region: str | None = column()
    local_authority: str | None = column()
    icb_code: str | None = column()
    icb_name: str | None = column()
    address: str | None = column()
    postcode: str | None = column()
    uprn: str | None = column()
    latitude: Decimal | None = column()
    longitude: Decimal | None = column()
    telephone: str | None = column()
    web_address: str | None = column()
    dual_registered: bool | None = column()
    primary_location_id: str | None = column(description="CQC id of the first registration of a dual registration.")


@node(models.TenantLocation, scope="directory:read", description="A tenant's own relationship to a CQC location.")
class Location(Node):
    """A tenant's location."""

    relationship: LocationRelationship = column()
    since: date = column()
    until: date | None = column()
    cqc: CqcLocation = one(models.CqcLocation, key="location_id")
    employers: Connection["Employer"] = many(listings.EMPLOYER, on="tenant_location_id")
    champions: Connection[Annotated["MedicationChampion", strawberry.lazy("medstead_graphql.types.training")]] = many(
        listings.CHAMPION, on="tenant_location_id"
    )


@node(
    models.Employer,
    scope="directory:read",
    description="Who employs learners: a care provider's site, an agency, a council, an individual.",
)
class Employer(Node):
    """An employer."""

    name: str = column()
    kind: str = column()
    location: Location | None = one(models.TenantLocation, key="tenant_location_id")
    employments: Connection["Employment"] = many(listings.EMPLOYMENT, on="employer_id")


@strawberry.type(description="A main job role of the Adult Social Care Workforce Data Set.")
class JobRole:
    """A job role."""

    code: int = column()
    label: str = column()


def _identifier_count(row: Any, compilation: Any) -> Any:
    identifiers = models.LearnerIdentifier.__table__.alias()
    counted = select(func.count()).select_from(identifiers)
    counted = counted.where(identifiers.c.tenant_id == compilation.tenant, identifiers.c.learner_id == row.c.id)
    return counted.correlate(row).scalar_subquery()


def _session_start(row: Any, compilation: Any) -> Any:
    session = table_of(TrainingSession).alias()
    start = select(session.c.starts_at)
    start = start.where(session.c.tenant_id == compilation.tenant, session.c.id == row.c.session_id)
    return start.correlate(row).scalar_subquery()


@node(
    models.Learner,
    scope="directory:read",
    description="A person who learns. Learning belongs to the learner; employers come and go.",
)
class Learner(Node):
    """A learner."""

    display_name: str | None = column(scope=PEOPLE)
    given_name: str | None = column(scope=PEOPLE)
    family_name: str | None = column(scope=PEOPLE)
    identifier_count: int = expression(_identifier_count, description="How many e-mail addresses and accounts.")
    created_at: datetime = column()
    merged_into: "Learner | None" = one(
        models.Learner, key="merged_into_id", description="Set when this record was found to be another learner's."
    )
    employments: Connection["Employment"] = many(listings.EMPLOYMENT, on="learner_id")
    completions: Connection[Annotated["Completion", strawberry.lazy("medstead_graphql.types.training")]] = many(
        listings.COMPLETION, on="learner_id"
    )
    attendances: Connection[Annotated["Attendance", strawberry.lazy("medstead_graphql.types.training")]] = many(
        listings.ATTENDANCE, on="learner_id"
    )
    bookings: Connection[Annotated["Booking", strawberry.lazy("medstead_graphql.types.booking")]] = many(
        listings_booking.BOOKING, on="learner_id"
    )
    learning: Connection[Annotated["LearningRecord", strawberry.lazy("medstead_graphql.types.training")]] = mixed(
        part("Completion", "completed_at", on="learner_id"),
        part("Attendance", _session_start, on="learner_id"),
        description="What the learner finished and attended, latest first.",
    )
    tasks: Connection[Annotated["EmploymentTask", strawberry.lazy("medstead_graphql.types.requirements")]] = many(
        listings_requirements.TASK, on="learner_id", description="What they do with medicines, by employer."
    )
    standing: Connection[Annotated["LearnerStanding", strawberry.lazy("medstead_graphql.types.requirements")]] = many(
        listings_requirements.STANDING, on="learner_id"
    )
    progress: Connection[Annotated["CourseProgress", strawberry.lazy("medstead_graphql.types.learner_records")]] = many(
        listings_requirements.PROGRESS, on="learner_id"
    )
    competence_assessments: Connection[
        Annotated["CompetenceAssessment", strawberry.lazy("medstead_graphql.types.learner_records")]
    ] = many(listings_requirements.ASSESSMENT, on="learner_id")
    nominations: Connection[Annotated["ChampionNomination", strawberry.lazy("medstead_graphql.types.requirements")]] = (
        many(listings_requirements.NOMINATION, on="learner_id")
    )
    champion_roles: Connection[Annotated["MedicationChampion", strawberry.lazy("medstead_graphql.types.training")]] = (
        many(listings.CHAMPION, on="learner_id")
    )
    certificates: Connection[Annotated["Certificate", strawberry.lazy("medstead_graphql.types.certificates")]] = many(
        listings_certificates.CERTIFICATE, on="learner_id"
    )
    pathway_steps: Connection[Annotated["LearnerStep", strawberry.lazy("medstead_graphql.types.champions")]] = many(
        listings_certificates.LEARNER_STEP, on="learner_id"
    )


@node(
    models.LearnerMerge,
    scope="directory:read",
    description="Two records found to be one person, by somebody, for a reason.",
)
class LearnerMerge(Node):
    """A merge of learners."""

    reason: str | None = column(scope=PEOPLE, description="Free text may name people.")
    merged_at: datetime = column()
    undone_at: datetime | None = column(description="Set when the two turned out to be two people.")
    kept: Learner = one(models.Learner, key="kept_learner_id")
    merged: Learner = one(models.Learner, key="merged_learner_id")


@node(models.Employment, scope="directory:read", description="A learner's time with an employer.")
class Employment(Node):
    """An employment."""

    job_title: str | None = column()
    setting: str | None = column()
    started_on: date = column()
    ended_on: date | None = column()
    job_role: JobRole | None = one(
        models.JobRole, join=lambda employment, role, _: role.c.code == employment.c.job_role_code
    )
    employer: Employer = one(models.Employer, key="employer_id")
    learner: Learner = one(models.Learner, key="learner_id")
