"""Rules of the ASC-WDS training file, of a provider's worker file, and of deadlines of refunds."""

import dataclasses
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from app.console.asc_wds_pages import training_file
from app.training.asc_wds.rules import (
    HEADINGS,
    TrainingRow,
    category_of,
    cells,
    check,
    expiry,
    faults_of_id,
    how_delivered,
)
from app.training.asc_wds.worker_file import read_workers
from app.training.errors import TrainingRefusal
from app.training.refunds.rules import Eligibility, days_in_hand, deadline, eligible, urgency

TODAY = date(2026, 11, 24)
CATEGORIES = {13: "Medication management", 11: "Leadership and management"}
ROW = TrainingRow("HOME01", "W0042", 13, "Covert administration webinar", False, 2, 999, 2, 12, date(2026, 11, 23))
LINE = b"HOME01,W0042,13,Covert administration webinar,0,2,999,2,12,23/11/2026,22/11/2027,\r\n"


def test_a_row_stands_in_the_file_as_its_service_reads_it() -> None:
    assert training_file([ROW]) == ",".join(HEADINGS).encode() + b"\r\n" + LINE
    for_ever = dataclasses.replace(ROW, months=None, who=1, how=None, accredited=True)
    assert cells(for_ever)[4:] == ("1", "1", "", "", "none", "23/11/2026", "", "")
    nasty = dataclasses.replace(ROW, name='=HYPERLINK("http://x.example")\nand, more')
    assert b"\"'=HYPERLINK(" in training_file([nasty])
    long = dataclasses.replace(ROW, name="word " * 40)
    assert len(cells(long)[3]) <= 120


@pytest.mark.parametrize(
    ("completed_on", "months", "last"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 27)),
        (date(2024, 2, 29), 12, date(2025, 2, 27)),
        (date(2026, 11, 1), 36, date(2029, 10, 31)),
    ],
)
def test_expiry_is_so_many_months_later_less_a_day(completed_on: date, months: int, last: date) -> None:
    assert expiry(completed_on, months) == last


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"local_id": ""}, [1000]),
        ({"worker_id": ""}, [1010]),
        ({"local_id": "x" * 51, "worker_id": "=1+1"}, [1000, 1010]),
        ({"completed_on": date(2026, 11, 25)}, [1020]),
        ({"months": 0}, [1030, 1110]),
        ({"months": 1000}, [1110]),
        ({"category": 24}, [1050]),
        ({"name": "  "}, [1040]),
        ({"name": "x" * 121, "how": None}, [2040, 2100]),
    ],
)
def test_what_is_wrong_has_the_published_codes(changes: dict[str, object], codes: list[int]) -> None:
    found = check([ROW, dataclasses.replace(ROW, **({"worker_id": "W1"} | changes))], TODAY, CATEGORIES)  # type: ignore[arg-type]
    assert [one.code for one in found] == codes
    assert {one.line for one in found} <= {3}
    assert [one.is_error for one in found] == [code < 2000 for code in codes]
    assert all(one.name.endswith("_ERROR" if one.is_error else "_WARNING") for one in found)


def test_the_same_training_twice_is_told_with_its_line() -> None:
    (found,) = check([ROW, ROW], TODAY, CATEGORIES)
    assert (found.line, found.code) == (3, 2020)
    assert "line 2" in found.message
    assert how_delivered("webinar", 1) == 1
    modes = ("webinar", "e_learning", "face_to_face", "practical", "blended", None)
    assert [how_delivered(mode, 2) for mode in modes] == [2, 2, 1, 1, 1, None]
    assert [category_of(None, ()), category_of(None, [11, 11]), category_of(None, [11, 2]), category_of(6, [11])] == [
        13, 11, 13, 6,
    ]  # fmt: skip
    assert [faults_of_id(text) is None for text in ("W 01", "-12", "+44", "@x", "-1+2|x", "=1", "Ünder 5/6")] == [
        True, True, True, False, False, False, True,
    ]  # fmt: skip


HEAD = "LOCALESTID,UNIQUEWORKERID,STATUS,DISPLAYID,NINUMBER,POSTCODE,DOB,CHGUNIQUEWRKID,TRANSFERSTAFFRECORD"
SECRET = "QQ123456C,LS1 2RP,01/01/1985"
FILE = f'{HEAD}\nHome,W1,UPDATE,"Worker, One",{SECRET},,\nHome,W2,update,,{SECRET},W20,Other home\n,W3,NEW,,,,,,\n'


def test_a_worker_file_is_read_for_ids_and_nothing_else() -> None:
    for content in (
        FILE.encode(),
        b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode(),
        FILE.encode("utf-16"),
        FILE.replace(",", ";").replace("Worker; One", "Worker, One").encode("cp1252"),
        FILE.replace("LOCALESTID", " localestid ").encode(),
    ):
        first, second = read_workers(content)
        assert (first.local_id, first.unique_id, first.display_id, first.line) == ("Home", "W1", "Worker, One", 2)
        assert (second.status, second.new_id, second.moves_to) == ("UPDATE", "W20", "Other home")
        assert not [one for one in SECRET.split(",") if one in str((first, second))], "personal columns are never read"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose the worker file"),
        (b"LOCALESTID,STATUS,ESTNAME\n", "workplace file"),
        (b"LOCALESTID,UNIQUEWORKERID,CATEGORY,DATECOMPLETED\n", "training file"),
        (b"Name,Email\nA,b@c.example\n", "LOCALESTID and UNIQUEWORKERID"),
        (b"\xff\xfe\x00", "no text"),
        (f"{HEAD}\nHome,W\0,NEW\n".encode(), "character"),
        (b"LOCALESTID,UNIQUEWORKERID\n" + b"h,w\n" * 20_001, "Split it"),
    ],
)
def test_what_is_no_worker_file_is_refused_with_what_it_is(content: bytes, words: str) -> None:
    with pytest.raises(TrainingRefusal, match=words) as refused:
        read_workers(content)
    assert (refused.value.code, refused.value.field) == ("FILE_UNREADABLE", "file")


def test_deadlines_of_refunds() -> None:
    assert [deadline(day) for day in (date(2026, 11, 30), date(2026, 8, 24))] == [date(2027, 2, 28), TODAY]
    course, other = uuid4(), uuid4()
    periods = [
        Eligibility(course, "A1", Decimal("30"), date(2026, 1, 1), date(2026, 6, 30)),
        Eligibility(course, "A2", Decimal("35"), date(2026, 7, 1), None),
    ]
    found = [eligible(periods, course, day) for day in (date(2025, 12, 31), date(2026, 6, 30), date(2027, 1, 1))]
    assert [one.learning_code if one else None for one in found] == [None, "A1", "A2"]
    assert eligible(periods, other, TODAY) is None
    states = [
        urgency(state, due, TODAY)
        for state, due in (
            ("to_claim", date(2026, 11, 23)), ("to_claim", TODAY), ("to_claim", date(2026, 12, 8)),
            ("to_claim", date(2026, 12, 9)), ("claimed", date(2026, 1, 1)), ("paid", TODAY), ("refused", TODAY),
        )
    ]  # fmt: skip
    assert states == ["overdue", "soon", "soon", "open", "claimed", "closed", "closed"]
    hands = [(date(2026, 11, 1), TODAY), (date(2026, 11, 20), TODAY), (date(2026, 11, 26), TODAY)]
    assert days_in_hand(hands) == (4.0, 1, 3)
    assert days_in_hand([]) == (None, 0, 0)
