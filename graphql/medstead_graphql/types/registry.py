"""Types of the registry: organisations such as boards and councils, their codes over time, and who succeeded whom."""

from datetime import date
from typing import Any

import strawberry
from sqlalchemy import Select, and_, select

from medstead_graphql.compiler.declare import Node, column, inline, node
from medstead_graphql.types.common import CodeScheme, OrganisationKind, SuccessionKind
from tenants.base import table_of
from tenants.models import Organisation as OrganisationModel
from tenants.models import OrganisationCode as CodeModel
from tenants.models import OrganisationSuccession as SuccessionModel


@strawberry.type(description="A code of an organisation, with the time in which it was valid.")
class OrganisationCode:
    """A dated code."""

    scheme: CodeScheme = column()
    code: str = column()
    valid_from: date = column()
    valid_to: date | None = column(description="The first day on which it is no longer valid.")


@strawberry.type(description="A step of succession, told from one of its two organisations.")
class Succession:
    """A succession; the other organisation is named."""

    name: str = column(description="The other organisation.")
    ods_code: str | None = column(description="Its ODS code, if it has one.")
    kind: SuccessionKind = column()
    happened_on: date = column()


def _codes(_: Any, row: Any, __: Any) -> Select[Any]:
    code = table_of(CodeModel).alias()
    return (
        select(code.c.scheme, code.c.code, code.c.valid_from, code.c.valid_to)
        .where(code.c.organisation_id == row.c.id)
        .order_by(code.c.valid_from, code.c.scheme, code.c.code)
    )


def _succession(*, onwards: bool) -> Any:
    def steps(_: Any, row: Any, __: Any) -> Select[Any]:
        succession, other, code = (table_of(model).alias() for model in (SuccessionModel, OrganisationModel, CodeModel))
        own, far = (
            (succession.c.predecessor_id, succession.c.successor_id)
            if onwards
            else (succession.c.successor_id, succession.c.predecessor_id)
        )
        return (
            select(other.c.name, code.c.code.label("ods_code"), succession.c.kind, succession.c.happened_on)
            .select_from(succession)
            .join(other, other.c.id == far)
            .outerjoin(code, and_(code.c.organisation_id == other.c.id, code.c.scheme == "ods"))
            .where(own == row.c.id)
            .order_by(succession.c.happened_on, other.c.name)
        )

    return steps


@node(
    OrganisationModel,
    scope=None,
    description="A body such as an Integrated Care Board or a council, current or historic.",
)
class Organisation(Node):
    """An organisation."""

    kind: OrganisationKind = column()
    name: str = column()
    established_on: date | None = column()
    abolished_on: date | None = column(description="The first day on which it no longer existed.")
    codes: list[OrganisationCode] = inline(_codes)
    successors: list[Succession] = inline(_succession(onwards=True))
    predecessors: list[Succession] = inline(_succession(onwards=False))
