"""Locations of the Care Quality Commission: the monthly "HSCA Active Locations" file and the weekly directory."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.imports.formats.base import (
    FAULT,
    Context,
    Format,
    Ignored,
    LocationRecord,
    Parsed,
    RawRow,
    Rejected,
    UnreadableFile,
)
from app.imports.formats.cqc_columns import (
    ACTIVITY,
    BAND,
    MONTHLY,
    PERSONAL,
    SERVICE,
    WEEKLY,
    primary_setting,
    weekly_band,
    weekly_service,
)
from app.imports.formats.dates import order_of, read_date
from app.imports.formats.tables import ROWS, find_header, heads, is_footer, lines_of, no_rows, not_a_row, rows_under
from app.imports.formats.values import (
    Cells,
    clean,
    columns_of,
    heading_key,
    location_id_of,
    named_columns,
    order_option,
    text_option,
)

CODE = "cqc_locations"
WANTED = "the columns Location ID and Location Name (or CQC Location ID and Name)"

_POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})", re.IGNORECASE)
_BLANK_WORDS = frozenset({"not applicable", "not known", "unknown", "unassigned", "unspecified", "(pseudo) wales"})
_PLAIN = (
    "ods_code", "telephone", "web_address", "location_type", "region", "nhs_region", "local_authority", "icb_code",
    "icb_name", "brand_id", "brand_name",
)  # fmt: skip
_RATINGS = ("Outstanding", "Good", "Requires improvement", "Inadequate")


def weigh(cells: Sequence[str], named: Mapping[str, str] | None = None) -> float:
    """How much a line looks like the headings of a file of CQC locations."""
    monthly = columns_of(cells, MONTHLY, named)
    if {"location_id", "name"} <= monthly.keys() and len(monthly) >= 3:
        flags = sum(heading_key(cell).startswith((ACTIVITY, SERVICE, BAND)) for cell in cells)
        if flags or monthly.keys() & {"registered_on", "dormant", "beds", "location_type", "latest_rating"}:
            return min(0.6 + 0.02 * min(flags, 10) + 0.02 * len(monthly), 1.0)
    weekly = columns_of(cells, WEEKLY, named)
    if {"location_id", "name"} <= weekly.keys() and len(
        weekly.keys() & {"services", "address", "local_authority"}
    ) >= 2:
        return 0.95
    return 0.0


def score(head: Sequence[Sequence[str]]) -> float:
    """As `Format.score`."""
    return max((weigh(cells) for cells in head), default=0.0)


def stage(path: Path, options: Mapping[str, Any]) -> Iterator[RawRow]:
    """As `Format.stage`. Blank cells are left out, and so are cells that name a person."""
    named = named_columns(options)
    try:
        header = find_header(path, lambda cells: weigh(cells, named), WANTED)
    except UnreadableFile as error:
        if error.code == "NO_HEADER" and _lacks_location_id(path):
            raise UnreadableFile(
                "NO_LOCATION_ID",
                "The list has no CQC location ids, so its homes cannot be told apart. Use the file from cqc.org.uk.",
            ) from error
        raise
    kept = {name for name in header.names if not any(word in heading_key(name) for word in PERSONAL)}
    empty = True
    for raw in rows_under(header, lines_of(path, header.sheet), ROWS):
        empty = False
        yield RawRow(
            raw.number,
            raw.section,
            {name: cell for name, cell in raw.cells.items() if cell and (name in kept or name not in header.names)},
        )
    if empty:
        raise no_rows()


def _lacks_location_id(path: Path) -> bool:
    for _, head in heads(path):
        for line in head:
            keys = {heading_key(cell) for cell in line.cells}
            if {"name", "postcode"} <= keys and keys & {
                "type",
                "service types",
                "address",
                "area name",
                "local authority",
            }:
                return True
    return False


def facts(path: Path, options: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The order of day and month, where the dates of the first rows prove one and no option says it."""
    if text_option(options, "date_order"):
        return {}
    texts: list[str] = []
    for raw in stage(path, options):
        found = columns_of(raw.cells, MONTHLY, named_columns(options))
        texts.extend(
            raw.cells.get(found[name], "") for name in ("registered_on", "rating_published_on") if name in found
        )
        if len(texts) >= 1000:
            break
    order = order_of(texts)
    return {"date_order": order} if order else {}


def parse(raw: RawRow, context: Context) -> Parsed:
    """As `Format.parse`."""
    unsound = not_a_row(raw)
    if unsound is not None:
        return unsound
    weekly = any(heading_key(name) in WEEKLY.words["location_id"][:1] for name in raw.cells) or "Name" in raw.cells
    cells = Cells(raw, WEEKLY if weekly else MONTHLY, context)
    original = cells["location_id"]
    if original is None and weekly and cells["location_url"]:
        original = (cells["location_url"] or "").rstrip("/").rpartition("/")[2]
    if original is None:
        if is_footer(list(raw.cells.values())) or len(raw.cells) == 1:
            return Ignored()
        return Rejected("NO_LOCATION_ID", cells.heading("location_id"), "The row has no CQC location id. Add it.")
    location_id, name = location_id_of(original), cells["name"]
    if location_id is None:
        return Rejected(
            "BAD_LOCATION_ID",
            cells.heading("location_id"),
            f"“{original[:40]}” is not a CQC location id such as 1-123456789. A spreadsheet may have changed it.",
        )
    if name is None:
        return Rejected("NO_NAME", cells.heading("name"), "The row has no name of the location. Add it.")
    provider_id = location_id_of(cells["provider_id"])
    values = _weekly_values(cells) if weekly else _monthly_values(raw, cells, context)
    if isinstance(values, Rejected):
        return values
    return LocationRecord(location_id, name, provider_id, cells["provider_name"], {"original_id": original, **values})


def _word(text: str | None) -> str | None:
    return None if text is None or text.casefold() in _BLANK_WORDS else text


def _weekly_values(cells: Cells) -> dict[str, Any]:
    services = [weekly_service(part) for part in _parts(cells["services"])]
    return {
        "address": cells["address"],
        "postcode": _postcode(cells["postcode"]),
        "telephone": cells["telephone"],
        "web_address": cells["web_address"],
        "service_types": services,
        "user_bands": [weekly_band(part) for part in _parts(cells["bands"])],
        "primary_setting": primary_setting(services),
        "care_home": primary_setting(services) in ("care_home_with_nursing", "care_home_without_nursing"),
        "local_authority": _word(cells["local_authority"]),
        "region": _word(cells["region"]),
    }


def _parts(text: str | None) -> list[str]:
    return list(dict.fromkeys(part for part in (piece.strip() for piece in (text or "").split("|")) if part))


def _monthly_values(raw: RawRow, cells: Cells, context: Context) -> dict[str, Any] | Rejected:
    values: dict[str, Any] = {name: _word(cells[name]) for name in _PLAIN}
    for name in ("registered_on", "rating_published_on"):
        text = cells[name]
        values[name] = read_date(text, order_option(context)) if text else None
        if text and values[name] is None:
            return Rejected(
                "BAD_DATE", cells.heading(name), f"“{text[:60]}” is not a date that can be read. Write 16/09/2026."
            )
    beds = cells["beds"]
    if beds is not None and not re.fullmatch(r"\d{1,4}(?:\.0+)?", beds):
        return Rejected("BAD_NUMBER", cells.heading("beds"), f"“{beds[:40]}” is not a number of beds. Correct it.")
    services, bands, activities = (_flags(raw, prefix) for prefix in (SERVICE, BAND, ACTIVITY))
    address = ", ".join(part for part in (cells[name] for name in ("street", "line_2", "city", "county")) if part)
    rating = cells["latest_rating"]
    return values | {
        "care_home": _yes(cells["care_home"]),
        "dormant": _yes(cells["dormant"]),
        "beds": int(float(beds)) if beds else None,
        "latest_rating": next((known for known in _RATINGS if known.casefold() == (rating or "").casefold()), rating),
        "address": address or None,
        "postcode": _postcode(cells["postcode"]),
        "uprn": _uprn(cells["uprn"]),
        "latitude": _degrees(cells["latitude"], Decimal(90)),
        "longitude": _degrees(cells["longitude"], Decimal(180)),
        "service_types": services,
        "user_bands": bands,
        "regulated_activities": activities,
        "primary_setting": primary_setting(services),
        "dual_registered": _yes(cells["dual_registered"]) or False,
        "primary_location_id": location_id_of(cells["primary_location_id"]),
    }


def _flags(raw: RawRow, prefix: str) -> list[str]:
    return [
        name
        for heading, cell in raw.cells.items()
        if (name := _flag_name(heading, prefix)) is not None and _yes(clean(cell))
    ]


@lru_cache(maxsize=1024)
def _flag_name(heading: str, prefix: str) -> str | None:
    """What a heading such as "Service type - Shared Lives" flags, spelled as the current file spells it."""
    if not heading_key(heading).startswith(prefix):
        return None
    name = re.split(r"\s*[-–:]\s*", heading, maxsplit=1)[-1].strip()
    return None if name == FAULT or not name else name[0].upper() + name[1:]


def _yes(text: str | None) -> bool | None:
    key = (text or "").casefold()
    return True if key in ("y", "yes", "true", "1") else False if key in ("n", "no", "false", "0") else None


def _postcode(text: str | None) -> str | None:
    found = _POSTCODE.fullmatch((text or "").strip())
    return f"{found[1]} {found[2]}".upper() if found else text


def _uprn(text: str | None) -> str | None:
    plain = re.sub(r"\.0+$", "", text or "")
    return plain if plain.isdecimal() and 1 <= len(plain) <= 12 else None


def _degrees(text: str | None, most: Decimal) -> Decimal | None:
    try:
        value = round(Decimal(text or ""), 6)
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) <= most else None


FORMAT = Format(CODE, "CQC directory of locations", score, stage, parse, facts)
