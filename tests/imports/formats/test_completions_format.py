"""Completions exports: columns under many headings, what counts as completed, and reasons for refusal."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.imports.formats import FORMATS, UnreadableFile, refuse_unless
from app.imports.formats.base import CompletionRecord, Context, Ignored, NotCompleted, Parsed, Rejected

FORM = FORMATS["completions"]
TODAY = date(2026, 11, 24)
HEADINGS = (
    "Course name,Username,First name,Surname,Email address,Organisation,CQC location ID,Job role,Started,Completed,"
    "Status,Time spent,Grade,Training provider,Course version,Certificate number"
)
FULL = (
    "Safe handling,u1,Zoë,Ozols,Zoe@Care.Example,Rose Lodge Ltd,1-900000001,Care worker,15/09/2026 10:00,"
    '"16 September 2026, 4:05 PM",Completed,3h 10m,85.00,PrescQIPP,2,C-1'
)


def parse_all(folder: Path, text: str, options: dict[str, Any] | None = None) -> list[Parsed]:
    path = folder / "completions.csv"
    path.write_text(text, encoding="utf-8")
    facts = FORM.facts(path, options or {}, TODAY)
    context = Context(TODAY, options or {}, facts)
    return [FORM.parse(raw, context) for raw in FORM.stage(path, options or {})]


def parse_one(folder: Path, **cells: str) -> Parsed:
    row = {
        "Course name": "Safe handling", "Username": "u1", "Email address": "a@b.example", "Completed": "16/09/2026",
        "Training provider": "PrescQIPP",
    } | {name.replace("_", " "): cell for name, cell in cells.items()}  # fmt: skip
    text = ",".join(row) + "\n" + ",".join(f'"{cell}"' for cell in row.values())
    (parsed,) = parse_all(folder, text)
    return parsed


def test_a_full_row(tmp_path: Path) -> None:
    (record,) = parse_all(tmp_path, f"{HEADINGS}\n{FULL}\n")
    assert record == CompletionRecord(
        training_provider="PrescQIPP",
        course_title="Safe handling",
        course_version="2",
        account="u1",
        email="zoe@care.example",
        given_name="Zoë",
        family_name="Ozols",
        employer_name="Rose Lodge Ltd",
        cqc_location_id="1-900000001",
        job_role="Care worker",
        started_at=datetime(2026, 9, 15, 9, 0, tzinfo=UTC),
        completed_at=datetime(2026, 9, 16, 15, 5, tzinfo=UTC),
        minutes=190,
        score=Decimal("85.00"),
        certificate_number="C-1",
    )


@pytest.mark.parametrize(
    "headings",
    [
        "Course,User ID,E-mail,Date completed,Supplier",
        "Module,Learner,Email,Completion date,Course provider",
        "COURSE FULL NAME,Full name,email address,Time completed,Training Provider",
        "Course title,Employee number,Work email,Completed on,Vendor",
    ],
)
def test_headings_by_their_synonyms(tmp_path: Path, headings: str) -> None:
    (record,) = parse_all(tmp_path, f"{headings}\nSafe handling,x y,a@b.example,16/09/2026,PrescQIPP\n")
    assert isinstance(record, CompletionRecord)
    assert (record.course_title, record.email, record.training_provider) == (
        "Safe handling",
        "a@b.example",
        "PrescQIPP",
    )


def test_columns_named_by_the_tenant_and_values_for_the_whole_file(tmp_path: Path) -> None:
    options = {
        "columns": {"account": "Wer", "completed": "Wann"}, "course_title": "Safe handling", "course_version": "3",
        "training_provider": "PrescQIPP",
    }  # fmt: skip
    text = "Wer,Wann,Sonst\nu1,16/09/2026,x\n"
    (record,) = parse_all(tmp_path, text, options)
    assert isinstance(record, CompletionRecord)
    assert (record.account, record.course_version) == ("u1", "3")
    assert refuse_unless("completions", tmp_path / "completions.csv", "x.csv", options) is None
    with pytest.raises(UnreadableFile):
        refuse_unless("completions", tmp_path / "completions.csv", "x.csv")


@pytest.mark.parametrize(
    ("status", "completed", "outcome"),
    [
        ("Completed", "16/09/2026", CompletionRecord),
        ("", "16/09/2026", CompletionRecord),
        ("In progress", "", NotCompleted),
        ("Not started", "-", NotCompleted),
        ("", "", NotCompleted),
        ("", "Never", NotCompleted),
        ("", "1 January 1970", NotCompleted),
        ("Completed", "", "NO_COMPLETION_DATE"),
        ("In progress", "16/09/2026", "STATUS_CONTRADICTS_DATE"),
        ("Failed", "16/09/2026", "STATUS_CONTRADICTS_DATE"),
        ("Completed", "next week", "BAD_DATE"),
        ("Completed", "16/09/2027", "DATE_IN_FUTURE"),
        ("Completed", "16/09/1987", "DATE_TOO_OLD"),
        ("", "Yes", "NO_COMPLETION_DATE"),
    ],
)
def test_what_counts_as_completed(tmp_path: Path, status: str, completed: str, outcome: type | str) -> None:
    parsed = parse_one(tmp_path, Status=status, Completed=completed)
    if isinstance(outcome, str):
        assert isinstance(parsed, Rejected)
        assert parsed.code == outcome
        assert parsed.message.endswith(".")
    else:
        assert type(parsed) is outcome


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"Email_address": "not an address"}, "BAD_EMAIL"),
        ({"Email_address": "", "Username": ""}, "NO_LEARNER"),
        ({"Course_name": "n/a"}, "NO_COURSE"),
        ({"Training_provider": ""}, "NO_TRAINING_PROVIDER"),
    ],
)
def test_reasons_for_refusal(tmp_path: Path, cells: dict[str, str], code: str) -> None:
    parsed = parse_one(tmp_path, **cells)
    assert isinstance(parsed, Rejected)
    assert parsed.code == code


@pytest.mark.row("A19")
@pytest.mark.parametrize(
    ("heading", "text", "minutes"),
    [
        ("Time spent", "3h 10m", 190),
        ("Duration", "0:30", 30),
        ("Time_spent_(hours)", "3.5", 210),
        ("Duration (mins)", "30", 30),
        ("Time spent", "ages", None),
    ],
)
def test_recorded_time_in_minutes(tmp_path: Path, heading: str, text: str, minutes: int | None) -> None:
    parsed = parse_one(tmp_path, **{heading: text})
    assert isinstance(parsed, CompletionRecord)
    assert parsed.minutes == minutes
    assert ("BAD_DURATION" in parsed.remarks) == (minutes is None)


@pytest.mark.row("A6")
def test_the_training_provider_and_version_are_part_of_a_course(tmp_path: Path) -> None:
    text = (
        "Course,Email,Completed,Training provider,Version\n"
        "Medicines awareness,a@b.example,16/09/2026,PrescQIPP,1\n"
        "Medicines awareness,a@b.example,16/09/2026,Invented Training,1\n"
        "Medicines awareness,a@b.example,16/09/2026,PrescQIPP,2\n"
    )
    records = [record for record in parse_all(tmp_path, text) if isinstance(record, CompletionRecord)]
    assert len({(record.training_provider, record.course_title, record.course_version) for record in records}) == 3


def test_odd_rows_are_told_apart_from_data(tmp_path: Path) -> None:
    assert isinstance(parse_all(tmp_path, f"{HEADINGS}\n{FULL}\nTotal,1\n")[1], Ignored)
    formula = parse_one(tmp_path, Full_name="=cmd|' /C calc'!A0", Username="007")
    assert isinstance(formula, CompletionRecord)
    assert formula.account == "007"
    assert formula.family_name == "calc'!A0"


def test_month_first_files_are_recognised_by_their_dates(tmp_path: Path) -> None:
    text = "Course,Email,Completed,Training provider\nA,a@b.example,03/04/2026,P\nA,c@b.example,03/24/2026,P\n"
    records = parse_all(tmp_path, text)
    assert [record.completed_at.month for record in records if isinstance(record, CompletionRecord)] == [3, 3]
    strict = parse_all(tmp_path, text, {"date_order": "day_first"})
    assert isinstance(strict[1], Rejected)


def test_remarks_do_not_stop_a_completion(tmp_path: Path) -> None:
    parsed = parse_one(tmp_path, CQC_location_ID="Dec 2001", Started="17/09/2026", Completed="29/03/2026 01:30")
    assert isinstance(parsed, CompletionRecord)
    assert parsed.remarks == ("CLOCK_CHANGE", "BAD_LOCATION_ID", "STARTED_AFTER_COMPLETION")
