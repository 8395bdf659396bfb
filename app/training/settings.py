"""A tenant's settings: what it chooses about attendance and about the columns of its files."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.training.attendance import decide_all_anew
from app.training.errors import TrainingRefusal
from app.training.requirements import standing
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.models import TenantSettings
from tenants.outbox import Topic
from tenants.session import UnitOfWork


async def change_settings(
    work: UnitOfWork,
    *,
    version: int,
    attendance_threshold_percent: int | None = None,
    count_unknown_durations: bool | None = None,
    meeting_people_at_most: int | None = None,
    column_mappings: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Change what is given. A changed attendance rule is applied to every attendance at once.

    Raises TrainingRefusal `CHANGED_MEANWHILE` when `version` is not the present one, `INVALID_THRESHOLD` or
    `INVALID_MEETING_SIZE`.
    """
    settings = (await work.session.execute(select(TenantSettings).with_for_update())).scalar_one()
    if settings.version != version:
        raise TrainingRefusal(
            "CHANGED_MEANWHILE",
            "Somebody changed the settings meanwhile. Read them again first.",
            "version",
        )
    if attendance_threshold_percent is not None and not 0 <= attendance_threshold_percent <= 100:
        raise TrainingRefusal(
            "INVALID_THRESHOLD", "The attendance threshold is a percentage from 0 to 100.", "attendanceThresholdPercent"
        )
    if meeting_people_at_most is not None and not 1 <= meeting_people_at_most <= 100_000:
        raise TrainingRefusal(
            "INVALID_MEETING_SIZE", "Warn of meetings from 1 to 100,000 people.", "meetingPeopleAtMost"
        )
    before = _told(settings)
    if meeting_people_at_most is not None:
        settings.meeting_people_at_most = meeting_people_at_most
    if attendance_threshold_percent is not None:
        settings.attendance_threshold_percent = attendance_threshold_percent
    if count_unknown_durations is not None:
        settings.count_unknown_durations = count_unknown_durations
    if column_mappings is not None:
        settings.column_mappings = {name: dict(columns) for name, columns in column_mappings.items()}
    after = _told(settings)
    if after == before:
        return
    settings.version += 1
    settings.updated_at = work.now
    work.record(Action.SETTINGS_CHANGED, "tenant_settings", settings.id, before=before, after=after)
    announce(work, EventType.SETTINGS_CHANGED, f"Tenant:{work.tenant_id}")
    if (before["threshold"], before["count_unknown"]) != (after["threshold"], after["count_unknown"]):
        await work.session.flush()
        await decide_all_anew(
            work, settings.attendance_threshold_percent, count_unknown=settings.count_unknown_durations
        )
        work.emit(Topic.FIGURES_REFRESH, f"settings:{settings.version}", settings_id=settings.id)
        standing.request_all(work, f"settings:{settings.version}")


def _told(settings: TenantSettings) -> dict[str, Any]:
    return {
        "threshold": settings.attendance_threshold_percent,
        "count_unknown": settings.count_unknown_durations,
        "meeting_people_at_most": settings.meeting_people_at_most,
        "column_mappings": dict(settings.column_mappings),
    }
