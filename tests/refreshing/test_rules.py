"""Rules of refreshes: what differs, what is unusually much, how CQC and ODS are read."""

from datetime import date
from decimal import Decimal
from typing import Any

from app.refreshing.cqc import location_of
from app.refreshing.ods import board_of, in_words, name_key
from app.refreshing.rules import difference, is_large
from tests.refreshing.register_double import a_board, a_location, after


def test_only_what_is_told_and_differs_is_a_difference() -> None:
    known = {"name": "Rose", "beds": 30, "deregistered_on": None, "services": ["b", "a"], "north": Decimal("51.10")}
    assert difference(known, {"name": "Rose", "beds": None, "services": ["a", "b"]}, "deregistered_on") is None
    changed = difference(known, {"name": "Rose", "beds": 31}, "deregistered_on")
    assert changed is not None
    assert (changed.kind, changed.before, changed.after) == ("changed", {"beds": 30}, {"beds": 31})
    closed = difference(known, {"deregistered_on": date(2026, 11, 1)}, "deregistered_on")
    assert closed is not None
    assert (closed.kind, closed.after) == ("closed", {"deregistered_on": "2026-11-01"})
    moved = difference(
        known | {"deregistered_on": date(2026, 1, 1)}, {"deregistered_on": date(2026, 1, 2)}, "deregistered_on"
    )
    assert moved is not None
    assert moved.kind == "changed"
    new = difference(None, {"name": "Thorn", "beds": None}, "deregistered_on")
    assert new is not None
    assert (new.kind, new.after) == ("new", {"name": "Thorn"})


def test_when_a_person_has_to_look_twice() -> None:
    assert not is_large({"new": 100, "closed": 90, "changed": 10}, 20_000)
    assert is_large({"changed": 401}, 20_000), "more than 2 in 100"
    assert is_large({"new": 600, "closed": 401}, 1_000_000), "more than 1,000 came and went"
    assert not is_large({"new": 3}, 0), "the first look finds all of it new"


def test_a_location_of_cqc_in_our_columns() -> None:
    location = location_of(a_location("1-abc9", "  Rose   Lodge ", numberOfBeds="many", onspdLatitude=None))
    assert location is not None
    assert (location.location_id, location.name, location.provider_id) == ("1-ABC9", "Rose Lodge", "1-900")
    assert location.values["original_id"] == "1-abc9"
    assert location.values["primary_setting"] == "care_home_without_nursing"
    assert location.values["registered_on"] == date(2020, 10, 1)
    assert location.values["longitude"] == Decimal("-0.42")
    assert (location.values["latest_rating"], location.values["rating_published_on"]) == ("Good", date(2025, 2, 3))
    assert not location.values.keys() & {"beds", "brand_name", "latitude", "deregistered_on", "contacts"}
    assert "Manager" not in str(location.values)
    strange: tuple[Any, ...] = (None, [], {"name": "Rose"}, {"locationId": "1-1"}, a_location("3. 4", "Rose"))
    for nothing in strange:
        assert location_of(nothing) is None


def test_a_board_of_ods() -> None:
    told = a_board(
        "S1Y5D", "NHS CENTRAL EAST INTEGRATED CARE BOARD", "2026-04-01", **after("QHG", "QUE", on="2026-04-01")
    )
    board = board_of({"Organisation": told})
    assert board is not None
    assert (board.code, board.name) == ("S1Y5D", "NHS Central East Integrated Care Board")
    assert (board.established_on, board.abolished_on) == (date(2026, 4, 1), None)
    assert board.predecessors == (("QHG", date(2026, 4, 1)), ("QUE", date(2026, 4, 1)))
    closed = board_of({"Organisation": a_board("QHG", "X", "2022-07-01", "2026-03-31")})
    assert closed is not None
    assert closed.abolished_on == date(2026, 4, 1), "the day after the last"
    partnership = a_board("QZZ", "OLD STP", "2020-04-01")
    partnership["Roles"]["Role"].pop()
    for no_board in (None, {}, {"Organisation": partnership}, {"Organisation": {"Name": "X"}}):
        assert board_of(no_board) is None
    assert in_words("NHS STOKE-ON-TRENT AND THE WIRRAL ICB") == "NHS Stoke-On-Trent and the Wirral ICB"
    assert in_words("NHS Kent and Medway") == "NHS Kent and Medway"
    assert name_key("NHS BATH, A INTEGRATED CARE BOARD") == name_key("NHS Bath a ICB")
