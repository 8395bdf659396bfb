"""Dates and times as people and programs write them; durations too. Nothing here raises on bad text."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tenants.clock import LONDON

DAY_FIRST = "day_first"
MONTH_FIRST = "month_first"

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january janvier januar enero janv ene jän jänner",
            "feb february février februar febrero févr fevr fevrier",
            "mar march mars märz marzo mrz maerz",
            "apr april avril abril avr abr",
            "may mai mayo",
            "jun june juin juni junio",
            "jul july juillet juli julio juil",
            "aug august août agosto aout ago",
            "sep sept september septembre septiembre",
            "oct october octobre oktober octubre okt",
            "nov november novembre noviembre",
            "dec december décembre dezember diciembre dez déc decembre dic",
        ),
        1,
    )
    for name in names.split()
}
_WEEKDAY = re.compile(
    r"^(?:mon|tue|tues|wed|weds|thu|thur|thurs|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?\b[.,]?\s*", re.IGNORECASE
)
_TIME = (
    r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?(?:[:.](?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s*(?P<half>[ap]\.?\s?m\b\.?)?"
)
_ZONE = r"\s*(?:\(?(?P<zone>z|utc|gmt|bst|[+-]\d{2}:?\d{2})\)?)?"
_TAIL = rf"(?:(?:\s*[,T-]\s*|\s+(?:at\s+|um\s+|à\s+)?){_TIME}{_ZONE})?$"
_ISO = re.compile(rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}}){_TAIL}", re.IGNORECASE)
_NUMERIC = re.compile(
    rf"(?P<first>\d{{1,2}})\s?[-/.]\s?(?P<second_part>\d{{1,2}})\s?[-/.]\s?(?P<year>\d{{4}}|\d{{2}}){_TAIL}",
    re.IGNORECASE,
)
_DAY_NAME = re.compile(
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s/.-]*(?:of\s+|de\s+)?(?P<name>[^\W\d_]{{3,10}})\.?[\s/.,-]*(?:de\s+)?"
    rf"(?P<year>\d{{4}}|\d{{2}}){_TAIL}",
    re.IGNORECASE,
)
_NAME_DAY = re.compile(
    rf"(?P<name>[^\W\d_]{{3,10}})\.?[\s-]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s,]+(?P<year>\d{{4}}){_TAIL}",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>[01]\d)(?P<day>[0-3]\d)$")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?$")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?$|\d{13}$")
_EXCEL_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001
_OFFSETS = {"z": 0, "utc": 0, "gmt": 0, "bst": 60}


@dataclass(frozen=True, slots=True)
class Moment:
    """A time that was read. `shifted`: it fell into the hour that a clock change leaves out, and was moved on."""

    at: datetime
    shifted: bool
    has_time: bool


@lru_cache(maxsize=16_384)
def read_moment(text: str, order: str = DAY_FIRST, zone: ZoneInfo = LONDON) -> Moment | None:
    """A date with or without a time, as an aware moment in UTC; None when it is none.

    Local times without a zone are in `zone`; an hour that comes twice is its first. `order` settles 03/04/2026; a date
    that contradicts it (13/25/2026) is not turned round. Excel serial numbers and epoch seconds are read too.
    """
    tidy = _tidy(text)
    if not tidy or len(tidy) > 60:
        return None
    try:
        if _EPOCH.match(tidy):
            seconds = float(tidy)
            return Moment(datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC), False, True)
        if _SERIAL.match(tidy):
            days = float(tidy.replace(",", "."))
            if not 20_000 <= days < 80_000:
                return None
            return _in_zone(_EXCEL_DAY_0 + timedelta(seconds=round(days * 86_400)), zone, not days.is_integer())
        return _written(tidy, order, zone)
    except (ValueError, OverflowError, OSError):
        return None


def read_date(text: str, order: str = DAY_FIRST, zone: ZoneInfo = LONDON) -> date | None:
    """The calendar day in `zone` of a date with or without a time; None when it is none."""
    moment = read_moment(text, order, zone)
    return moment.at.astimezone(zone).date() if moment else None


def _tidy(text: str) -> str:
    if text.isascii():
        return _WEEKDAY.sub("", " ".join(text.split())) if text[:1].isalpha() else " ".join(text.split())
    # Exporters put narrow and no-break spaces before AM/PM and direction marks around dates.
    plain = "".join(
        " " if unicodedata.category(letter) == "Zs" else "" if unicodedata.category(letter) == "Cf" else letter
        for letter in text
    )
    return _WEEKDAY.sub("", " ".join(plain.split()))


def _written(text: str, order: str, zone: ZoneInfo) -> Moment | None:
    for pattern in (_ISO, _NUMERIC, _DAY_NAME, _NAME_DAY, _COMPACT):
        found = pattern.match(text)
        if found:
            break
    else:
        return None
    parts = found.groupdict()
    year = int(parts["year"])
    if year < 100:
        year += 2000 if year < 70 else 1900
    if "first" in parts:
        first, second = int(parts["first"]), int(parts["second_part"])
        day, month = (second, first) if order == MONTH_FIRST else (first, second)
    else:
        name = parts.get("name")
        known = _MONTHS.get(name.casefold()) if name else int(parts["month"])
        if known is None:
            return None
        day, month = int(parts["day"]), known
    if not parts.get("hour"):
        return _in_zone(datetime(year, month, day), zone, False)  # noqa: DTZ001
    hour, half = int(parts["hour"]), (parts.get("half") or "").lower()
    if not parts.get("minute") and not half:
        return None
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    local = datetime(year, month, day, hour, int(parts["minute"] or 0), int(parts.get("second") or 0))  # noqa: DTZ001
    named = (parts.get("zone") or "").lower()
    if named:
        return Moment((local - timedelta(minutes=_offset(named))).replace(tzinfo=UTC), False, True)
    return _in_zone(local, zone, True)


def _offset(named: str) -> int:
    if named in _OFFSETS:
        return _OFFSETS[named]
    digits = named[1:].replace(":", "")
    return (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if named[0] == "-" else 1)


def _in_zone(local: datetime, zone: ZoneInfo, has_time: bool) -> Moment:
    at = local.replace(tzinfo=zone).astimezone(UTC)
    return Moment(at, at.astimezone(zone).replace(tzinfo=None) != local, has_time)


def order_of(texts: Iterable[str], today: date | None = None) -> str | None:
    """The order of day and month that the dates themselves prove; None when all are ambiguous or they disagree.

    With `today`, dates that lie in the future day first and in the past month first prove month first too.
    """
    day_first = month_first = False
    ambiguous: list[str] = []
    for text in texts:
        found = _NUMERIC.match(_tidy(text)[:60])
        if found:
            ambiguous.append(text)
            day_first |= int(found["first"]) > 12
            month_first |= int(found["second_part"]) > 12
    if day_first != month_first:
        return DAY_FIRST if day_first else MONTH_FIRST
    if today is None or day_first or not ambiguous:
        return None
    return MONTH_FIRST if _ahead(ambiguous, DAY_FIRST, today) and not _ahead(ambiguous, MONTH_FIRST, today) else None


def _ahead(texts: Iterable[str], order: str, today: date) -> bool:
    days = (read_date(text, order) for text in texts)
    return any(day is not None and day > today for day in days)


_UNITS = {
    "d": 86_400, "day": 86_400, "days": 86_400, "tag": 86_400, "tage": 86_400, "jour": 86_400, "jours": 86_400,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "std": 3600, "stunde": 3600, "stunden": 3600,
    "heure": 3600, "heures": 3600, "hora": 3600, "horas": 3600,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60, "minuten": 60, "minuto": 60, "minutos": 60,
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "sek": 1, "sekunde": 1, "sekunden": 1,
    "seconde": 1, "secondes": 1, "seg": 1, "segundo": 1, "segundos": 1,
}  # fmt: skip
_PIECE = re.compile(r"(\d+(?:[.,]\d+)?)\s*([^\W\d_]+)\.?,?\s*(?:and\s+|und\s+|et\s+|y\s+)?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+)\s*days?,?\s*)?(\d{1,3}):([0-5]?\d)(?::([0-5]?\d)(?:\.\d+)?)?$", re.IGNORECASE)
_LONGEST = 31 * 86_400


@lru_cache(maxsize=4096)
def read_duration(text: str, unit: int = 60, two_parts: int = 3600) -> int | None:
    """Seconds of "1h 27m 51s", "01:27:51", "PT1H27M", "3.5 hours" or a bare number; None when it is none.

    `unit`: seconds that a bare number counts in. `two_parts`: seconds of the first part of "3:30".
    """
    tidy = " ".join(text.casefold().split())
    if not tidy or len(tidy) > 60:
        return None
    if re.fullmatch(r"\d{1,7}(?:[.,]\d{1,9})?", tidy):
        return _whole(float(tidy.replace(",", ".")) * unit)
    clock = _CLOCK.match(tidy)
    if clock:
        days, first, second, third = (int(part or 0) for part in clock.groups())
        if clock[4] is None:
            return _whole(days * 86_400 + first * two_parts + second * two_parts // 60)
        return _whole(days * 86_400 + first * 3600 + second * 60 + third)
    if re.fullmatch(r"p(?:\d+d)?(?:t[\dhms.]+)?", tidy) and len(tidy) > 2:
        tidy = tidy.replace("p", "").replace("t", "")
    total, end = 0.0, 0
    while end < len(tidy):
        piece = _PIECE.match(tidy, end)
        if piece is None or piece[2] not in _UNITS:
            return None
        total += float(piece[1].replace(",", ".")) * _UNITS[piece[2]]
        end = piece.end()
    return _whole(total)


def _whole(seconds: float) -> int | None:
    return round(seconds) if seconds <= _LONGEST else None
