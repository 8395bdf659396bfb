"""Tables of evidence: metric definitions with versions, and a tenant's figures by month."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, TenantOwned, reference_table, tenant_index, tenant_table, tenant_unique


class MetricDefinition(Base):
    """What a figure means. A change of meaning is a new version; old versions stay."""

    __tablename__ = "metric_definition"
    __table_args__ = reference_table(
        CheckConstraint("polarity in ('higher_better', 'lower_better', 'neutral')", name="polarity"),
        CheckConstraint("kind in ('count', 'share', 'rate')", name="kind"),
        Index("metric_definition_current_key", "code", unique=True, postgresql_where=text("effective_to is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    version: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str]
    numerator: Mapped[str]
    denominator: Mapped[str | None]
    exclusions: Mapped[str]
    polarity: Mapped[str]
    method_note: Mapped[str]
    effective_from: Mapped[date]
    effective_to: Mapped[date | None]


class TenantMetric(TenantOwned, Base):
    """A tenant's figure for a period, as last refreshed from its rows; the monthly series of charts."""

    __tablename__ = "tenant_metric"
    __table_args__ = tenant_table(
        tenant_unique("metric_code", "metric_version", "period_start", "period_end"),
        tenant_index("period_start"),
    )

    metric_code: Mapped[str]
    metric_version: Mapped[int]
    period_start: Mapped[date]
    period_end: Mapped[date]
    numerator: Mapped[int]
    denominator: Mapped[int | None]
    computed_at: Mapped[datetime]


class PostcodeArea(Base):
    """What is known of a postcode, or of a postcode district such as LU1: read where no fuller one is listed.

    `code` is upper case without spaces. `imd_decile`: 1 is the most deprived tenth of England.
    """

    __tablename__ = "postcode_area"
    __table_args__ = reference_table(
        CheckConstraint("imd_decile between 1 and 10", name="imd_decile"),
        CheckConstraint("rurality in ('urban', 'rural')", name="rurality"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    imd_decile: Mapped[int] = mapped_column(SmallInteger)
    rurality: Mapped[str]
    local_authority: Mapped[str]
    edition: Mapped[str]
    loaded_at: Mapped[datetime]
