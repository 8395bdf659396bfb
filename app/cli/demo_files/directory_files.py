"""The demonstration's CQC files: the monthly one as workbook, OpenDocument or text, and the weekly directory."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from app.cli.demo_files.places import Area, Place, activities_of
from app.cli.demo_files.writing import Value, write_opendocument, write_text, write_workbook

_LEADING = (
    "Location ID", "Location HSCA start date", "Dormant (Y/N)", "Care home?", "Location Name", "Location ODS Code",
    "Location Telephone Number", "Registered manager", "Location Web Address", "Care homes beds",
    "Location Type/Sector", "Location Inspection Directorate", "Location Primary Inspection Category",
    "Location Latest Overall Rating", "Publication Date", "Inherited Rating (Y/N)", "Location Region",
    "Location NHS Region", "Location Local Authority", "Location ONSPD CCG Code", "Location ONSPD CCG",
    "Location Street Address", "Location Address Line 2", "Location City", "Location County", "Location Postal Code",
    "Location UPRN ID", "Location Latitude", "Location Longitude", "Brand ID", "Brand Name", "Provider ID",
    "Provider Name", "Provider Nominated Individual Name",
)  # fmt: skip
_ACTIVITIES = (
    "Accommodation for persons who require nursing or personal care", "Personal care",
    "Treatment of disease, disorder or injury",
)  # fmt: skip
_SERVICES = (
    "Care home service with nursing", "Care home service without nursing", "Domiciliary care service",
    "Extra Care housing services", "Shared Lives", "Supported living service",
)  # fmt: skip
_BANDS = (
    "Dementia", "Learning disabilities or autistic spectrum disorder", "Mental Health", "Older People",
    "Physical Disability", "Younger Adults",
)  # fmt: skip
MONTHLY_HEADINGS = (
    *_LEADING,
    *(f"Regulated activity - {name}" for name in _ACTIVITIES),
    *(f"Service type - {name}" for name in _SERVICES),
    *(f"Service user band - {name}" for name in _BANDS),
    "Location Dual Registered",
    "Primary ID (Dual registration locations)",
)
_WEEKLY_SERVICES = {
    "Care home service with nursing": "Nursing homes",
    "Care home service without nursing": "Residential homes",
    "Domiciliary care service": "Homecare agencies",
    "Extra Care housing services": "Supported housing",
    "Supported living service": "Supported living",
    "Shared Lives": "Shared lives",
}
_WEEKLY_BANDS = {
    "Dementia": "Dementia",
    "Older People": "Caring for adults over 65 yrs",
    "Younger Adults": "Caring for adults under 65 yrs",
    "Learning disabilities or autistic spectrum disorder": "Learning disabilities",
    "Mental Health": "Mental health conditions",
    "Physical Disability": "Physical disabilities",
}


def write_monthly(path: Path, area: Area, places: Sequence[Place]) -> Path:
    """Write the monthly file in the kind that the path's ending names."""
    read_me: list[Sequence[Value]] = [["HSCA active locations"], ["Invented data of a demonstration"], []]
    if path.suffix == ".csv":
        headings = [heading.upper() if number % 7 == 2 else heading for number, heading in enumerate(MONTHLY_HEADINGS)]
        rows = [[_slashed(value) for value in _monthly(area, place)] for place in places]
        return write_text(path, [headings, *rows, ["Not an id", *rows[0][1:]]], "cp1252")
    rows_typed: list[Sequence[Value]] = [MONTHLY_HEADINGS, *(_monthly(area, place) for place in places)]
    write = write_workbook if path.suffix == ".xlsx" else write_opendocument
    return write(path, {"README": read_me, "HSCA_Active_Locations": rows_typed})


def _slashed(value: Value) -> Value:
    return value.strftime("%d/%m/%Y") if isinstance(value, date) else value


def _monthly(area: Area, place: Place) -> list[Value]:
    def flags(wanted: Sequence[str], have: Sequence[str]) -> list[Value]:
        return ["Y" if name in have else None for name in wanted]

    leading: list[Value] = [
        place.location_id, place.registered_on, "Y" if place.dormant else "N", "Y" if place.beds else "N", place.name,
        f"V{place.location_id[-5:]}", f"07700 900{int(place.location_id[2:]) % 1000:03}", "Not a person", None,
        place.beds or None, "Social Care Org", "Adult social care",
        "Residential social care" if place.beds else "Community based adult social care services",
        place.rating or None, place.rated_on, "N", area.region, area.nhs_region, place.council, area.icb_code,
        area.icb_name, place.street, None, place.town, None, place.postcode, place.uprn, place.latitude,
        place.longitude, "-" if place.brand == "-" else f"BD{len(place.brand):03}", place.brand, place.provider_id,
        place.provider_name, "Not a person",
    ]  # fmt: skip
    return [
        *leading,
        *flags(_ACTIVITIES, activities_of(place)),
        *flags(_SERVICES, place.services),
        *flags(_BANDS, place.bands),
        "Y" if place.dual_registered else "N",
        place.primary_location_id or None,
    ]


def write_weekly(path: Path, area: Area, places: Sequence[Place]) -> Path:
    """Write the weekly directory, with its four lines before the headings and a row without an id."""
    headings = (
        "Name", "Also known as", "Address", "Postcode", "Phone number", "Service's website (if available)",
        "Service types", "Date of latest check", "Specialisms/services", "Provider name", "Local authority", "Region",
        "Location URL", "CQC Location ID (for office use only)", "CQC Provider ID (for office use only)",
    )  # fmt: skip
    blank = [""] * (len(headings) - 1)
    rows: list[Sequence[Value]] = [
        ["CQC Locations data", *blank],
        ["", *blank],
        ["This data was produced on 14 October 2026", *blank],
        ["", *blank],
        headings,
    ]
    for place in places:
        row: Sequence[Value] = (
            place.name, "", f"{place.street},{place.town}", place.postcode, "", "",
            "|".join(_WEEKLY_SERVICES[name] for name in place.services),
            place.rated_on.strftime("%d/%b/%Y - 00:00") if place.rated_on else "",
            "|".join(_WEEKLY_BANDS[name] for name in place.bands), place.provider_name, place.council, area.region,
            f"https://www.cqc.org.uk/location/{place.location_id}", place.location_id, place.provider_id,
        )  # fmt: skip
        rows.append(row)
    rows.append(["Service Without An Id", "", "1 Invented Lane", "MK40 1AA", *[""] * (len(headings) - 4)])
    return write_text(path, rows, "utf-8")
