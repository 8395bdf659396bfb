"""The mutation that asks for a report."""

from typing import Annotated, Any

import strawberry

from app.evidence.figures import Period
from app.identity.permissions import Permission
from app.reporting.definitions import DEFINITIONS
from app.reporting.operations import Wanted, request_report
from app.training.errors import TrainingRefusal
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.mutations.payload import Payload, UserError, command, refusal, success
from medstead_graphql.types.evidence import PeriodInput, period_of
from medstead_graphql.types.reporting import SCOPE, ReportKind, ReportSnapshot
from tenants.session import UnitOfWork


@strawberry.type(description="Why a report cannot be made as asked.")
class ReportRefused(UserError):
    """A refusal of a report."""

    code: str
    message: str
    path: list[str]


@strawberry.type(description="The report is being made. Ask for it again to see how far it is.")
class ReportRequested:
    """Success of requestReport."""

    report: ReportSnapshot


RequestReportResult = Annotated[ReportRequested | ReportRefused, strawberry.union("RequestReportResult")]


@strawberry.input(description="`provider` is CQC's id, for an evidence pack. Reports of partners name nobody.")
class ReportInput:
    """A report to be made."""

    kind: ReportKind
    period: PeriodInput
    provider: str | None = None


async def _request(work: UnitOfWork, caller: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    kind = given["kind"].value if isinstance(given["kind"], ReportKind) else given["kind"]
    missing = sorted(DEFINITIONS[kind].needs - {Permission(scope) for scope in caller.scopes})
    if missing:
        message = f"This report needs the scope {missing[0]} as well. Ask the tenant to grant it."
        return refusal("ReportRefused", "SCOPE_MISSING", message, ("kind",))
    try:
        period: Period = period_of(given["period"])
        made = await request_report(work, Wanted(kind, period, cqc_provider_id=given.get("provider")))
    except TrainingRefusal as error:
        return refusal("ReportRefused", error.code, error.message, tuple(filter(None, (error.field,))))
    except Refusal as error:
        return refusal("ReportRefused", "INVALID_PERIOD", error.message, ("period",))
    return success("ReportRequested", {"report": made})


@strawberry.type
class ReportMutations:
    """Mutations of reports."""

    request_report: RequestReportResult | None = command(
        _request, SCOPE, {"input": ReportInput}, description="Have a report made. It is built by a worker."
    )
