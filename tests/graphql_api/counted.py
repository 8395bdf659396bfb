"""Fields that are counted from other rows, told once more for the oracle."""

from collections.abc import Callable, Mapping
from typing import Any

from tenants.clock import london_date, system_clock


def _bookings(state: str) -> Callable[[Mapping[str, list[Any]], Any], int]:
    def counted(rows: Mapping[str, list[Any]], places: Any) -> int:
        return sum(row["session_id"] == places["session_id"] and row["state"] == state for row in rows["booking"])

    return counted


def _waiting_position(rows: Mapping[str, list[Any]], booking: Any) -> int | None:
    waiting = [
        row for row in rows["booking"] if row["session_id"] == booking["session_id"] and row["state"] == "waiting"
    ]
    numbers = [row["number"] for row in waiting if row["number"] <= booking["number"]]
    return len(numbers) if booking["state"] == "waiting" else None


def _last_heard(rows: Mapping[str, list[Any]], system: Any) -> str | None:
    heard = [row["stored_at"] for row in rows["xapi_statement"] if row["learning_system_id"] == system["id"]]
    return max(heard, default=None)


def _certificate(rows: Mapping[str, list[Any]], claim: Any) -> str | None:
    own = [
        row
        for name in ("certificate", "completion")
        for row in rows[name]
        if row["learner_id"] == claim["learner_id"] and row["course_id"] == claim["course_id"]
    ]
    issued = [row for row in own if row.get("state") == "issued" and row["achieved_on"] == claim["completed_on"]]
    if issued:
        return str(min(issued, key=lambda row: (row["issued_at"], row["id"]))["number"])
    done = [row for row in own if "completed_at" in row and london_date(row["completed_at"]) == claim["completed_on"]]
    return max((row["certificate_number"] for row in done if row["certificate_number"] is not None), default=None)


COMPUTED: dict[str, Callable[[Mapping[str, list[Any]], Any], Any]] = {
    "Learner.identifierCount": lambda rows, learner: sum(
        row["learner_id"] == learner["id"] for row in rows["learner_identifier"]
    ),
    "Course.citingPlans": lambda rows, course: len(
        {row["plan_id"] for row in rows["plan_action"] if row["course_id"] == course["id"]}
    ),
    "SessionPlaces.confirmed": _bookings("confirmed"),
    "SessionPlaces.offered": _bookings("offered"),
    "SessionPlaces.waiting": _bookings("waiting"),
    "Booking.waitingPosition": _waiting_position,
    "LearningSystem.lastHeardAt": _last_heard,
    "LdssClaim.certificateNumber": _certificate,
    "LdssClaim.daysLeft": lambda _, claim: (claim["due_on"] - london_date(system_clock())).days,
}
"""Fields that are counted: from all rows that the tenant sees, by table, and the row that the field is of."""
