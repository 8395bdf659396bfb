"""The mutation of a tenant's settings."""

from typing import Annotated, Any

import strawberry

from app.training.errors import TrainingRefusal
from app.training.settings import change_settings
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.payload import Payload, UserError, command, refusal, success
from medstead_graphql.types.common import JSON
from medstead_graphql.types.directory import Tenant
from tenants.session import UnitOfWork


@strawberry.type(description="Why the settings cannot be changed as asked.")
class SettingsRefused(UserError):
    """A refusal of settings."""

    code: str
    message: str
    path: list[str]


@strawberry.type(description="The settings are changed.")
class SettingsChanged:
    """Success of updateTenantSettings."""

    tenant: Tenant


UpdateTenantSettingsResult = Annotated[
    SettingsChanged | SettingsRefused, strawberry.union("UpdateTenantSettingsResult")
]


@strawberry.input(description="What is left out stays as it is. `version` is the one that you read.")
class TenantSettingsInput:
    """Settings to change."""

    version: int
    attendance_threshold_percent: int | None = None
    count_unknown_durations: bool | None = None
    meeting_people_at_most: int | None = None
    column_mappings: JSON | None = None


async def _update(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    mappings = given.get("columnMappings")
    if mappings is not None and not _are_mappings(mappings):
        message = "Column mappings are an object: format, then field, then the heading in the file."
        return refusal("SettingsRefused", "INVALID_COLUMN_MAPPINGS", message, ("columnMappings",))
    try:
        await change_settings(
            work,
            version=given["version"],
            attendance_threshold_percent=given.get("attendanceThresholdPercent"),
            count_unknown_durations=given.get("countUnknownDurations"),
            meeting_people_at_most=given.get("meetingPeopleAtMost"),
            column_mappings=mappings,
        )
    except TrainingRefusal as error:
        return refusal("SettingsRefused", error.code, error.message, tuple(filter(None, (error.field,))))
    return success("SettingsChanged", {"tenant": work.tenant_id})


def _are_mappings(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(columns, dict) and all(isinstance(heading, str) for heading in columns.values())
        for columns in value.values()
    )


@strawberry.type
class SettingsMutations:
    """Mutations of settings."""

    update_tenant_settings: UpdateTenantSettingsResult | None = command(
        _update,
        "settings:write",
        {"input": TenantSettingsInput},
        description="Change the tenant's settings. A new attendance rule is applied to every attendance at once.",
    )
