"""Dates, durations, numbers, names and cells of exports."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.formats import RejectsFile, safe_cell
from app.imports.formats.base import FAULT, RawRow, Rejected
from app.imports.formats.dates import DAY_FIRST, MONTH_FIRST, order_of, read_date, read_duration, read_moment
from app.imports.formats.scales import SCALES, option_number, scale_of
from app.imports.formats.values import clean, email_of, location_id_of, number_of, split_name

AFTERNOON = datetime(2026, 9, 16, 15, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "16/09/2026 16:05",
        "16/09/26 16:05:00",
        "16.09.2026 16:05",
        "16-09-2026 4:05 pm",
        "2026-09-16 16:05",
        "2026-09-16T15:05:00Z",
        "2026-09-16T16:05:00.000+01:00",
        "16 September 2026, 4:05 PM",
        "Wednesday, 16 September 2026, 4:05 PM",
        "Wed 16 Sep 2026 at 16:05",
        "September 16, 2026 4:05 PM",
        "16th Sept 2026 4:05\u202fPM",
        "16/Sep/2026 - 16:05",
        "16 septembre 2026 16:05",
        "46281.6701388889",
        "1789571100",
        "1789571100000",
        "\u200e16/09/2026\u200e 16:05",
        "16 Sep 2026 16:05 BST",
    ],
)
def test_one_moment_in_many_spellings(text: str) -> None:
    moment = read_moment(text)
    assert moment is not None
    assert moment.at == AFTERNOON


@pytest.mark.parametrize(
    "text", ["16/09/2026", "16-Sep-26", "20260916", "46281", "2026-09-16", "16 de septiembre de 2026"]
)
def test_one_day_in_many_spellings(text: str) -> None:
    assert read_date(text) == date(2026, 9, 16)
    moment = read_moment(text)
    assert moment is not None
    assert not moment.has_time


@pytest.mark.parametrize(
    "text", ["", "soon", "31/02/2026", "13/25/2026", "25:00", "2026-13-01", "16/09/2026 25:10", "9" * 40, "1-1", "0"]
)
def test_what_is_no_date(text: str) -> None:
    assert read_moment(text) is None


def test_clock_changes() -> None:
    twice, missing = read_moment("25/10/2026 01:30"), read_moment("29/03/2026 01:30")
    assert twice is not None
    assert missing is not None
    assert (twice.at, twice.shifted) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), False)
    assert (missing.at, missing.shifted) == (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), True)


def test_order_of_day_and_month() -> None:
    assert order_of(["3/4/26", "7/22/26, 7:02:11 PM"]) == MONTH_FIRST
    assert order_of(["3/4/26", "22/7/26"]) == DAY_FIRST
    assert order_of(["3/4/26"]) is None
    assert order_of(["13/4/26", "4/13/26"]) is None
    assert order_of(["11/12/2026"], date(2026, 11, 24)) == MONTH_FIRST
    assert order_of(["11/10/2026"], date(2026, 11, 24)) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h 27m 51s", 5271),
        ("19m 26s", 1166),
        ("01:27:51", 5271),
        ("1 h 27 min", 5220),
        ("1 Std. 2 Min.", 3720),
        ("2 heures et 3 minutes", 7380),
        ("1 hora 5 minutos", 3900),
        ("PT1H27M", 5220),
        ("P1DT2H", 93_600),
        ("3.5 hours", 12_600),
        ("3,5 hours", 12_600),
        ("90", 5400),
        ("3:30", 12_600),
        ("1 day, 2:00:00", 93_600),
        ("45s", 45),
        ("0s", 0),
        ("", None),
        ("long", None),
        ("-5", None),
        ("99999999", None),
        ("1x", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert read_duration(text) == seconds


@given(st.one_of(st.text(max_size=70), st.from_regex(r"[\d/.:, -]{0,30}([AP]M)?", fullmatch=True)))
def test_no_text_makes_reading_raise(text: str) -> None:
    for order in (DAY_FIRST, MONTH_FIRST):
        moment = read_moment(text, order)
        assert moment is None or moment.at.tzinfo is not None
    duration = read_duration(text)
    assert duration is None or duration >= 0
    order_of([text], date(2026, 11, 24))
    number_of(text)
    split_name(text)
    email_of(text)
    scale_of([text, text])


@given(st.datetimes(datetime(2000, 1, 1), datetime(2068, 12, 31)))  # noqa: DTZ001
def test_written_times_are_read_back(local: datetime) -> None:
    local = local.replace(microsecond=0)
    spellings = (
        local.isoformat(),
        local.strftime("%d/%m/%Y %H:%M:%S"),
        local.strftime("%A, %d %B %Y, %I:%M:%S %p"),
        local.strftime("%d/%m/%y, %I:%M:%S %p"),
    )
    assert len({read_moment(text) for text in spellings}) == 1
    assert read_moment(local.strftime("%m/%d/%y, %I:%M:%S %p"), MONTH_FIRST) == read_moment(spellings[0])


def test_small_values() -> None:
    assert clean("  n/a ") is None
    assert clean('="00123"') == "00123"
    assert clean("'=SUM(A1)") == "=SUM(A1)"
    assert clean("O'Neil") == "O'Neil"
    assert email_of("Zoe Ozols <Zoe.Ozols@Care.Example>") == "zoe.ozols@care.example"
    assert email_of("a@b.example; c@d.example") is None
    assert email_of("a@b") is None
    assert location_id_of(" 1-abc123 ") == "1-ABC123"
    assert location_id_of("Jan-12 home") is None
    assert str(number_of("17/20")) == "85.00"
    assert str(number_of("85,5 %")) == "85.5"
    assert split_name("Ozols, Zoë (Guest)") == ("Zoë", "Ozols")
    assert split_name("Zoë") == ("Zoë", None)


def test_scales_and_their_places() -> None:
    assert scale_of(["Extremely useful", " very  useful", "", "Useful"]) == "usefulness"
    assert scale_of(["Strongly Agree", "agree", "no idea"]) == "agreement"
    assert scale_of(["1", "5", "3"]) == "rating"
    assert scale_of(["1", "5", "3"], "How confident are you with covert administration?") == "confidence"
    assert scale_of(["It was good", "Thanks", "Agree"]) is None
    assert scale_of(["", " "]) is None
    assert option_number("usefulness", "EXTREMELY  useful") == 4
    assert option_number("agreement", "5 - Strongly agree") == 4
    assert option_number("confidence", "4") == 3
    assert option_number("usefulness", "4") is None
    for name, options in SCALES.items():
        assert [option_number(name, option) for option in options] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("text", ["=1+1", "+44 20", "-1", "@x", "\tx", "\rx"])
def test_no_cell_of_an_export_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


def test_rejects_come_back_as_they_came_with_the_reason() -> None:
    reason = Rejected("BAD_DATE", "Completed", "“x” is not a date. Write it as 16/09/2026.")
    file = RejectsFile()
    content = (
        file.line(RawRow(7, "rows", {"Name": "=cmd()", "Completed": "x", FAULT: "TOO_FEW_CELLS: …"}), reason)
        + file.line(RawRow(9, "rows", {"Name": "Zoë", "Completed": "", "Extra cell 3": "lost?"}), reason)
        + file.end()
    )
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert lines[0] == ["Name", "Completed", "Row", "Reason code", "Reason", "Further cells"]
    assert lines[1][:4] == ["'=cmd()", "x", "7", "BAD_DATE"]
    assert lines[2] == ["Zoë", "", "9", "BAD_DATE", reason.message, "Extra cell 3: lost?"]
    assert RejectsFile().end().decode("utf-8-sig").startswith("Row,")
