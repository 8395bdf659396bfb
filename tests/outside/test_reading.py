"""What both systems' objects mean, with what is odd about them; nothing that came raises."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.outside.eventbrite.reading import Pointer, alone, event_found, of_order, pointer, question_found
from app.outside.systems import Asked
from app.outside.teams.reading import fresh, lines_of, registration_of, webinar_found
from app.outside.teams.reading import question_found as teams_question
from tests.outside.eventbrite_double import pointer_to
from tests.outside.graph_double import record

ATTENDEE: dict[str, Any] = {
    "id": "7", "event_id": "9", "order_id": "3", "changed": "2026-11-20T09:00:00Z", "status": "Attending",
    "profile": {"name": "Ada Example", "email": "ada@example.org", "company": "Rose Lodge"},
}  # fmt: skip
ORDER = {"id": "3", "event_id": "9", "name": "Ada Example", "email": "ada@example.org"}
KEYS = (
    "id", "event_id", "profile", "answers", "barcodes", "status", "name", "start", "email", "identity", "config",
    "attendanceIntervals", "joinDateTime", "leaveDateTime", "registrationQuestionAnswers",
)  # fmt: skip
JSON = st.recursive(
    st.sampled_from([None, True, 5, "", "7", "2026-11-20T09:00:00Z"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("path", "action", "found"),
    [
        ("orders/123", "order.placed", Pointer("order", "123", "order.placed")),
        ("events/9/attendees/7", "barcode.checked_in", Pointer("attendee", "9/7", "barcode.checked_in")),
        ("events/9", "event.updated", Pointer("event", "9", "event.updated")),
        ("events/9/ticket_classes/5", "ticket_class.updated", None),
        ("events/9/attendees/7", "organizer.updated", None),
        ("orders/12a", "order.placed", None),
        ("orders/1/../2", "order.placed", None),
        ("{api-endpoint-to-fetch-object-details}", "test", None),
    ],
)
def test_a_notice_is_a_pointer_of_which_only_ids_are_taken(path: str, action: str, found: Pointer | None) -> None:
    assert pointer(pointer_to(path, action)) == found


def test_what_an_attendee_tells() -> None:
    def told(**changes: Any) -> tuple[str, str | None, str, bool]:
        ((_, one),) = of_order(ORDER, [ATTENDEE | changes], Asked("profile:company"))
        return one.state, one.who.email, one.who.workplace, one.checked_in_at is not None

    assert told() == ("registered", "ada@example.org", "Rose Lodge", False)
    assert told(cancelled=True)[0] == told(refunded=True)[0] == told(status="Deleted")[0] == "cancelled"
    assert told(status="Unpaid")[0] == "waiting"
    assert told(quantity=3)[1] is None, "one row for several people has nobody's own address"
    assert told(checked_in=True, barcodes=[{"status": "used", "changed": "2026-12-01T10:00:00Z"}])[3]
    nobody = {"name": "Info Requested", "first_name": "Info Requested", "email": "Info Requested"}
    assert told(profile=nobody)[1] is None
    ((_, one),) = alone(ATTENDEE, Asked())
    assert one.who.email is None, "without the order nobody knows whose the address is"


def test_lines_of_reports_are_each_taken_once() -> None:
    stays = ("2026-12-01T10:00:00Z", "2026-12-01T10:30:00.9999999Z")
    first = [record(None, None, stays), record("a@example.org", "Ada", stays, stays)]
    lines = lines_of(first)
    assert [line.name for line in lines] == ["Unnamed participant 10:00:00", "Ada", "Ada"]
    taken = [line.key for line in fresh(lines, [])]
    assert len(taken) == 2, "a stay that is told twice is one"
    later = lines_of([record("b@example.org", "Ben", stays), *first])
    assert [line.name for line in fresh(later, taken)] == ["Ben"], "late records move nobody else"
    untimed = lines_of([record("a@example.org", "Ada", totalAttendanceInSeconds=90), record(None, None)])
    assert [(line.seconds, line.joined_at) for line in untimed] == [(90, None), (60, None)]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(("changed", *KEYS)), JSON), JSON)
def test_nothing_that_comes_raises(told: dict[str, Any], anything: Any) -> None:
    pointer(anything)
    of_order(told, [told, told], Asked("1", "profile:x"))
    alone(told, Asked("1"))
    event_found(told)
    question_found(told)
    registration_of(told, Asked("q"))
    webinar_found(told)
    teams_question(told)
    lines_of([told])
