"""Feedback forms, lists of champions, CQC files, and telling formats apart."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from app.imports.formats import FORMATS, UnreadableFile, WrongFormat, detect, refuse_unless
from app.imports.formats.base import (
    ChampionRecord,
    Context,
    FeedbackRecord,
    Ignored,
    LocationRecord,
    Parsed,
    RawRow,
    Rejected,
)
from app.imports.formats.cqc_columns import primary_setting

TODAY = date(2026, 11, 24)
FEEDBACK = (
    "ID,Start time,Completion time,Email,Name,How useful was the webinar?,What will you change?,Points - What?\n"
    '1,16/09/2026 14:00:00,16/09/2026 14:05:00,a@b.example,Ada,Extremely useful,"Ask more,\nand earlier",0\n'
    "2,16/09/2026 14:00:00,16/09/2026 14:06:00,anonymous,,extremely useful ,,0\n"
    "3,16/09/2026 14:00:00,16/09/2026 14:07:00,anonymous,,,None,0\n"
    "4,16/09/2026 14:00:00,,anonymous,,Very useful,,0\n"
)
CHAMPIONS = (
    "Medication Champions\n\nName,Email,Care home,CQC location ID,Role,Tier 3 completed,Start date,End date,Deputy\n"
    '"Ozols, Zoë",zoe@care.example,Rose Lodge,1-900000001,Senior carer,16 Sep 2026,17/09/2026,,No\n'
    "Ben Made-Up,,Rose Lodge,,Nurse,46281,,01/10/2026,Yes\n"
    ",,Ivy House,1-900000002,,,,,\n"
    "Cy Example,,Ivy House,,,,02/10/2026,01/10/2026,\n"
    "Di Example,,Ivy House,,,16/09/2027,,,\n"
    "Eve Example,nonsense,Ivy House,,,,,,\n"
    "Total,4\n"
)
MONTHLY = {
    "Location ID": "1-900000001",
    "Location HSCA Start Date": "01/10/2010",
    "Dormant (Y/N)": "N",
    "Care home?": "Y",
    "Location Name": "Rose Lodge",
    "Registered manager": "Person, Private",
    "Care homes beds": "40",
    "Location Type/Sector": "Social Care Org",
    "Location Latest Overall Rating": "requires improvement",
    "Publication Date": "2024-05-02",
    "Location Local Authority": "Luton",
    "Location ONSPD CCG Code": "E54000024",
    "Location Street Address": "1 Made-up Way",
    "Location City": "Luton",
    "Location Postal Code": "lu11aa",
    "Location UPRN ID": "100000000001.0",
    "Location Latitude": "51.8787000001",
    "Location Longitude": "-0.42",
    "Brand ID": "-",
    "Brand Name": "-",
    "Provider ID": "1-800000001",
    "Provider Name": "Rose Care Limited",
    "Provider Nominated Individual Name": "Person, Private",
    "Regulated activity - Accommodation for persons who require nursing or personal care": "Y",
    "Service type - Care home service with nursing": "Y",
    "Service type - Care home service without nursing": "Y",
    "Service type - Shared Lives": "",
    "Service user band - Learning disabilities or autistic spectrum disorder": "Y",
    "Location Dual Registered": "Y",
    "Primary ID (Dual registration locations)": "1-900000002",
}


def read(path: Path, code: str, options: dict[str, Any] | None = None) -> list[Parsed]:
    form = FORMATS[code]
    refuse_unless(code, path, path.name)
    context = Context(TODAY, options or {}, form.facts(path, options or {}, TODAY))
    return [form.parse(raw, context) for raw in form.stage(path, options or {})]


def put(folder: Path, text: str, encoding: str = "utf-8-sig") -> Path:
    path = folder / "file.csv"
    path.write_text(text, encoding=encoding)
    return path


def monthly(**changes: str) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(MONTHLY))
    writer.writeheader()
    writer.writerow(MONTHLY | changes)
    return buffer.getvalue()


@pytest.mark.row("A50")
def test_feedback_keeps_what_was_left_open_apart(tmp_path: Path) -> None:
    path = put(tmp_path, FEEDBACK)
    facts = FORMATS["feedback"].facts(path, {}, TODAY)
    assert [(question["text"], question["scale"]) for question in facts["questions"]] == [
        ("How useful was the webinar?", "usefulness"),
        ("What will you change?", None),
    ]
    first, second, third, fourth = read(path, "feedback")
    assert first == FeedbackRecord(
        "1",
        datetime(2026, 9, 16, 13, 5, tzinfo=UTC),
        {"How useful was the webinar?": "Extremely useful", "What will you change?": "Ask more,\nand earlier"},
    )
    assert isinstance(second, FeedbackRecord)
    assert second.answers["What will you change?"] is None
    assert isinstance(third, FeedbackRecord)
    assert third.answers == {"How useful was the webinar?": None, "What will you change?": "None"}
    assert isinstance(fourth, Rejected)
    assert fourth.code == "NO_DATE"


def test_feedback_never_carries_who_answered(tmp_path: Path) -> None:
    for parsed in read(put(tmp_path, FEEDBACK), "feedback"):
        assert "Ada" not in repr(parsed)
        assert "a@b.example" not in repr(parsed)


def test_feedback_workbook_with_trailing_open_answers(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.create_sheet("Form", 0)
    sheet.append(["ID", "Start time", "Completion time", "Email", "Name", "Q1: how was it?", "Anything else?"])
    sheet.append([1, datetime(2026, 9, 16, 14), datetime(2026, 9, 16, 14, 5), "anonymous", None, "Good"])  # noqa: DTZ001
    book.save(tmp_path / "file.xlsx")
    (record,) = read(tmp_path / "file.xlsx", "feedback")
    assert isinstance(record, FeedbackRecord)
    assert record.answers == {"Q1: how was it?": "Good", "Anything else?": None}
    assert record.submitted_at == datetime(2026, 9, 16, 13, 5, tzinfo=UTC)


def test_responses_without_numbers_have_stable_keys(tmp_path: Path) -> None:
    text = "Timestamp,How useful was it?\n16/09/2026 14:00:00,Very useful\n16/09/2026 14:00:00,Useful\n"
    keys = [
        record.respondent_key for record in read(put(tmp_path, text), "feedback") if isinstance(record, FeedbackRecord)
    ]
    again = [
        record.respondent_key for record in read(put(tmp_path, text), "feedback") if isinstance(record, FeedbackRecord)
    ]
    assert keys == again
    assert len(set(keys)) == 2


def test_champions(tmp_path: Path) -> None:
    zoe, ben, empty, backwards, ahead, address, total = read(put(tmp_path, CHAMPIONS), "champions")
    assert zoe == ChampionRecord(
        "Zoë", "Ozols", "zoe@care.example", "Rose Lodge", "1-900000001", date(2026, 9, 16), date(2026, 9, 17), None,
        False, "Senior carer",
    )  # fmt: skip
    assert isinstance(ben, ChampionRecord)
    assert (ben.given_name, ben.trained_on, ben.ended_on, ben.deputy) == (
        "Ben", date(2026, 9, 16), date(2026, 10, 1), True,
    )  # fmt: skip
    assert isinstance(empty, Ignored)
    assert isinstance(total, Ignored)
    assert [parsed.code for parsed in (backwards, ahead, address) if isinstance(parsed, Rejected)] == [
        "ENDED_BEFORE_START", "DATE_IN_FUTURE", "BAD_EMAIL",
    ]  # fmt: skip


def test_a_location_of_the_monthly_file(tmp_path: Path) -> None:
    (record,) = read(put(tmp_path, monthly()), "cqc_locations")
    assert isinstance(record, LocationRecord)
    assert (record.location_id, record.name, record.provider_id) == ("1-900000001", "Rose Lodge", "1-800000001")
    assert record.values == {
        "original_id": "1-900000001",
        "ods_code": None,
        "telephone": None,
        "web_address": None,
        "location_type": "Social Care Org",
        "region": None,
        "nhs_region": None,
        "local_authority": "Luton",
        "icb_code": "E54000024",
        "icb_name": None,
        "brand_id": None,
        "brand_name": None,
        "registered_on": date(2010, 10, 1),
        "rating_published_on": date(2024, 5, 2),
        "care_home": True,
        "dormant": False,
        "beds": 40,
        "latest_rating": "Requires improvement",
        "address": "1 Made-up Way, Luton",
        "postcode": "LU1 1AA",
        "uprn": "100000000001",
        "latitude": Decimal("51.878700"),
        "longitude": Decimal("-0.42"),
        "service_types": ["Care home service with nursing", "Care home service without nursing"],
        "user_bands": ["Learning disabilities or autistic spectrum disorder"],
        "regulated_activities": ["Accommodation for persons who require nursing or personal care"],
        "primary_setting": "care_home_with_nursing",
        "dual_registered": True,
        "primary_location_id": "1-900000002",
    }


def test_values_of_a_location_are_columns_of_its_table(tmp_path: Path) -> None:
    from app.directory.models import CqcLocation

    (record,) = read(put(tmp_path, monthly()), "cqc_locations")
    assert isinstance(record, LocationRecord)
    assert record.values.keys() <= set(CqcLocation.__table__.columns.keys())


def test_names_of_managers_are_not_even_staged(tmp_path: Path) -> None:
    for raw in FORMATS["cqc_locations"].stage(put(tmp_path, monthly()), {}):
        assert "Person, Private" not in raw.cells.values()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Location ID": ""}, "NO_LOCATION_ID"),
        ({"Location ID": "Dec 01"}, "BAD_LOCATION_ID"),
        ({"Location Name": "-"}, "NO_NAME"),
        ({"Care homes beds": "many"}, "BAD_NUMBER"),
        ({"Publication Date": "soon"}, "BAD_DATE"),
    ],
)
def test_faulty_locations_are_rejected(tmp_path: Path, changes: dict[str, str], code: str) -> None:
    (parsed,) = read(put(tmp_path, monthly(**changes)), "cqc_locations")
    assert isinstance(parsed, Rejected)
    assert parsed.code == code


def test_headings_in_another_case_and_a_cover_sheet(tmp_path: Path) -> None:
    book = Workbook()
    book.create_sheet("README", 0).append(["CQC file of active locations", None, "Contact"])
    sheet = book.create_sheet("HSCA_Active_Locations")
    sheet.append([name.upper() for name in MONTHLY])
    sheet.append(list(MONTHLY.values()))
    book.save(tmp_path / "file.xlsx")
    (record,) = read(tmp_path / "file.xlsx", "cqc_locations")
    assert isinstance(record, LocationRecord)
    assert record.values["primary_setting"] == "care_home_with_nursing"
    assert record.values["beds"] == 40


def test_the_weekly_directory(tmp_path: Path) -> None:
    text = (
        "CQC Locations data,,\n,,\nThis data was produced on 16 September 2026,,\n,,\n"
        "Name,Also known as,Address,Postcode,Phone number,Service's website (if available),Service types,"
        "Date of latest check,Specialisms/services,Provider name,Local authority,Region,Location URL,"
        "CQC Location ID (for office use only),CQC Provider ID (for office use only)\n"
        'Made-up Home,,"1 Way,Luton",LU1 1AA,,,Residential homes|Homecare agencies,01/Sep/2026 - 00:00,'
        "Dementia|Caring for adults over 65 yrs,Made-up Ltd,Luton,East,https://www.cqc.org.uk/location/1-900000009,"
        "1-900000009,1-800000009\n"
        "No Id Home,,,LU1 1AA,,,Residential homes,,,,Luton,East,,,\n"
    )
    record, rejected = read(put(tmp_path, text), "cqc_locations")
    assert isinstance(record, LocationRecord)
    assert record.location_id == "1-900000009"
    assert record.values["service_types"] == ["Care home service without nursing", "Domiciliary care service"]
    assert record.values["user_bands"] == ["Dementia", "Older People"]
    assert "beds" not in record.values
    assert isinstance(rejected, Rejected)


def test_a_list_of_homes_without_ids_says_what_is_missing(tmp_path: Path) -> None:
    path = put(tmp_path, "name,type,address,postcode,area_name\nMade-up Home,Residential homes,1 Way,LU1 1AA,Luton\n")
    with pytest.raises(UnreadableFile) as refusal:
        refuse_unless("cqc_locations", path, "homes.csv")
    assert refusal.value.code == "NO_LOCATION_ID"


@pytest.mark.parametrize(
    ("services", "setting"),
    [
        (["Care home service without nursing", "Care home service with nursing"], "care_home_with_nursing"),
        (["Domiciliary care service", "Supported living service"], "supported_living"),
        (["Extra Care housing services", "Supported living service"], "extra_care"),
        (["Shared Lives", "Domiciliary care service"], "domiciliary"),
        (["shared lives"], "shared_lives"),
        (["Dental service"], "other"),
        ([], "other"),
    ],
)
def test_primary_setting(services: list[str], setting: str) -> None:
    assert primary_setting(services) == setting


SHAPES = {
    "completions": "Course name,Email,Completion date,Training provider\nA,a@b.example,16/09/2026,P\n",
    "teams_attendance": "2. Participants\nName\tFirst Join\tLast Leave\tEmail\tRole\nA\t1\t2\ta@b.example\tAttendee\n",
    "feedback": FEEDBACK,
    "champions": CHAMPIONS,
    "cqc_locations": monthly(),
}


@pytest.mark.parametrize("code", list(SHAPES))
def test_every_format_is_told_from_every_other(tmp_path: Path, code: str) -> None:
    path = put(tmp_path, SHAPES[code])
    detections = detect(path, "upload")
    assert detections[0].format_code == code
    assert detections[0].confidence >= 0.6
    for other in SHAPES.keys() - {code}:
        with pytest.raises(WrongFormat) as refusal:
            refuse_unless(other, path, "upload")
        assert refusal.value.code == "WRONG_FORMAT"
        assert FORMATS[code].label in refusal.value.message
        assert refusal.value.looks_like == code


def test_known_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    path = put(tmp_path, "LOCALESTID,UNIQUEWORKERID,CATEGORY,DATECOMPLETED\nA,B,13,16/09/2026\n")
    with pytest.raises(WrongFormat) as refusal:
        refuse_unless("completions", path, "training.csv")
    assert "ASC-WDS" in refusal.value.message
    with pytest.raises(ValueError):
        refuse_unless("nonsense", path, "training.csv")


@pytest.mark.parametrize("code", list(FORMATS))
def test_no_row_makes_parsing_raise(code: str) -> None:
    for cells in (
        {},
        {"": ""},
        {"Name": "\udcff"},
        {"Completed": "x", "Email": "@", "Location ID": "=1"},
        {"a": "b" * 9999},
    ):
        for options in (
            {},
            {"time_zone": "Nowhere/Land", "columns": "x"},
            {"date_order": 7, "columns": {"email": None}},
        ):
            FORMATS[code].parse(RawRow(1, "rows", dict(cells)), Context(TODAY, options))
