"""Types of reports: what was asked for, how far it is, and its figures. Names are for people in the console alone."""

import enum
from datetime import date, datetime
from typing import Any

import strawberry
from sqlalchemy import Boolean, Float, Integer, Select, Text, case, cast, func, literal, null, select
from sqlalchemy.dialects.postgresql import JSONB

from app.directory import models as directory
from app.reporting import models
from app.reporting.content import MASK
from app.reporting.definitions import DEFINITIONS
from medstead_graphql.compiler.declare import Node, column, inline, node, one
from medstead_graphql.types.directory import CqcProvider
from medstead_graphql.types.requirements import ProviderGroup
from tenants.base import among, table_of

SCOPE = "evidence:read"


@strawberry.enum(description="Which report.")
class ReportKind(enum.Enum):
    """Kinds of reports."""

    IMPACT = "impact"
    BOARD = "board"
    COVERAGE = "coverage"
    ACTIONS = "actions"
    EVIDENCE_PACK = "evidence_pack"
    STORIES = "stories"


@strawberry.enum(description="How far a report is.")
class ReportState(enum.Enum):
    """States of a report."""

    WAITING = "waiting"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"


@strawberry.type(description="A figure of a report: it never changes. Numbers that are suppressed are null.")
class ReportFigure:
    """A figure."""

    section: str = column()
    key: str = column()
    label: str = column()
    value: float | None = column()
    unit: str = column()
    numerator: int | None = column()
    denominator: int | None = column()
    suppressed: bool = column(description="Whether it is hidden because it would tell of few people.")
    method: str = column(description="How it was counted.")
    definition_code: str | None = column(description="Of the metric definition, where there is one.")
    definition_version: int | None = column()


def _figures(compilation: Any, row: Any, _: Any) -> Select[Any]:
    """The figures of a report's content, in their order; none of a kind that the caller's scopes do not open."""
    content = table_of(models.ReportContent).alias()
    sections = (
        func.jsonb_array_elements(content.c.data["sections"])
        .table_valued("value", with_ordinality="number", joins_implicitly=True)
        .render_derived(name="section")
    )
    section = cast(sections.c.value, JSONB())
    figures = (
        func.jsonb_array_elements(section["figures"])
        .table_valued("value", with_ordinality="number", joins_implicitly=True)
        .render_derived(name="figure")
    )
    figure = cast(figures.c.value, JSONB())
    allowed = [kind for kind, definition in DEFINITIONS.items() if definition.needs <= compilation.scopes]

    def number(name: str, type_: Any) -> Any:
        told = func.jsonb_typeof(figure[name]) == "number"
        return case((told, cast(figure[name].astext, type_)), else_=cast(null(), type_)).label(name)

    return (
        select(
            section["title"].astext.label("section"),
            *(figure[name].astext.label(name) for name in ("key", "label", "unit", "method")),
            number("value", Float()),
            number("numerator", Integer()),
            number("denominator", Integer()),
            cast(func.coalesce(figure["value"].astext == MASK, literal(False)), Boolean()).label("suppressed"),
            cast(figure["code"].astext, Text()).label("definition_code"),
            cast(figure["version"].astext, Integer()).label("definition_version"),
        )
        .select_from(content.join(sections, literal(True)).join(figures, literal(True)))
        .where(
            content.c.tenant_id == compilation.tenant,
            content.c.snapshot_id == row.c.id,
            among(row.c.kind, allowed),
        )
        .order_by(sections.c.number, figures.c.number)
    )


@node(models.ReportSnapshot, scope=SCOPE, description="A report that was asked for. Once it is ready it never changes.")
class ReportSnapshot(Node):
    """A report."""

    kind: ReportKind = column()
    state: ReportState = column()
    steps_done: int = column()
    steps_total: int = column()
    first_day: date = column()
    last_day: date = column()
    requested_at: datetime = column()
    built_at: datetime | None = column()
    provider: CqcProvider | None = one(directory.CqcProvider, key="cqc_provider_id")
    provider_group: ProviderGroup | None = one(directory.ProviderGroup, key="provider_group_id")
    figures: list[ReportFigure] = inline(
        _figures, description="Its figures once it is ready; none of a kind that your scopes do not open."
    )
