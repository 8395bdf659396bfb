"""Fields that are counted from other rows, told once more for the oracle."""

from collections.abc import Callable, Mapping
from typing import Any


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
}
"""Fields that are counted: from all rows that the tenant sees, by table, and the row that the field is of."""
