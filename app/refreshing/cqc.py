"""CQC's register by its API: which locations changed in a span of time, and each of them as our columns have it.

Wire: `GET /changes/location?startTimestamp&endTimestamp&page&perPage` gives ids, `GET /locations/{id}` one location;
the subscription key goes in a header. Names of registered managers are not read.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import structlog

from app.directory.locations import LocationInFile
from app.imports.formats.cqc_columns import primary_setting
from app.imports.formats.values import location_id_of
from app.outside.errors import OutsideRefused, OutsideUnavailable
from app.outside.fetching import WAIT_SECONDS, Fetching

PAGE = 500
MOST_PAGES = 400
AT_ONCE = 8
A_SECOND = 30.0
"""Locations asked for; CQC's users keep below 2,000 a minute."""
SOCIAL_CARE = "Social Care Org"
KNOWN_FIELDS = frozenset(
    {
        "locationId", "providerId", "organisationType", "type", "name", "brandId", "brandName", "onspdCcgCode",
        "onspdCcgName", "odsCcgCode", "odsCcgName", "onspdIcbCode", "onspdIcbName", "odsCode", "uprn",
        "registrationStatus", "registrationDate", "deregistrationDate", "dormancy", "dormancyStartDate",
        "dormancyEndDate", "alsoKnownAs", "website", "postalAddressLine1", "postalAddressLine2",
        "postalAddressTownCity", "postalAddressCounty", "region", "postalCode", "onspdLatitude", "onspdLongitude",
        "careHome", "inspectionDirectorate", "mainPhoneNumber", "constituency", "localAuthority", "numberOfBeds",
        "lastInspection", "lastReport", "contacts", "relationships", "locationTypes", "regulatedActivities",
        "gacServiceTypes", "inspectionCategories", "specialisms", "inspectionAreas", "currentRatings",
        "historicRatings", "reports", "unpublishedReports", "assessment", "providerInspectionAreas", "providerName",
    }
)  # fmt: skip

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Register:
    """Where CQC's API is, and the key to it."""

    fetching: Fetching
    url: str
    key: str

    async def _get(self, path: str, params: Mapping[str, str] | None = None) -> Any | None:
        return await self.fetching.get(f"{self.url}{path}", params, headers={"ocp-apim-subscription-key": self.key})

    async def changed(self, since: datetime, until: datetime) -> list[str]:
        """Ids of locations that changed in the span, each once, as CQC writes them. Raises as Fetching."""
        found: dict[str, None] = {}
        page, pages = 1, 1
        while page <= min(pages, MOST_PAGES):
            params = {
                "startTimestamp": _moment(since),
                "endTimestamp": _moment(until),
                "page": str(page),
                "perPage": str(PAGE),
            }
            answer = await self._get("/changes/location", params)
            if not isinstance(answer, Mapping):
                raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS)
            ids = answer.get("changes")
            found |= {str(one): None for one in ids if isinstance(one, str)} if isinstance(ids, list) else {}
            pages = answer["totalPages"] if isinstance(answer.get("totalPages"), int) else 1
            page += 1
        return list(found)

    async def locations(self, ids: Sequence[str]) -> AsyncIterator[tuple[str, Any | None]]:
        """Each location as CQC tells it, or None for one that is gone; several at once, no faster than is allowed."""
        for start in range(0, len(ids), AT_ONCE):
            batch, began = ids[start : start + AT_ONCE], time.monotonic()
            answers = await asyncio.gather(*[self._location(one) for one in batch])
            for one, answer in zip(batch, answers, strict=True):
                yield one, answer
            await asyncio.sleep(max(0.0, len(batch) / A_SECOND - (time.monotonic() - began)))

    async def provider_name(self, provider_id: str) -> str | None:
        """A provider's name; None for one that is gone."""
        told = await self._get(f"/providers/{quote(provider_id, safe='')}")
        return _text(told, "name") if isinstance(told, Mapping) else None

    async def _location(self, location_id: str) -> Any | None:
        try:
            return await self._get(f"/locations/{quote(location_id, safe='')}")
        except OutsideRefused as refused:
            upper = location_id.upper()
            if refused.code != "STATUS_400" or upper == location_id:
                raise
            return await self._get(f"/locations/{quote(upper, safe='')}")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def location_of(told: Any) -> LocationInFile | None:
    """A location of CQC's API in our columns; None for what is no location, or has no name or id."""
    if not isinstance(told, Mapping):
        return None
    original, name = _text(told, "locationId"), _text(told, "name")
    location_id = location_id_of(original)
    if original is None or location_id is None or name is None:
        return None
    strange = told.keys() - KNOWN_FIELDS
    if strange:
        log.info("cqc tells fields that are not known", fields=sorted(map(str, strange))[:20])
    services = _names(told, "gacServiceTypes")
    rating, rated_on = _rating(told.get("currentRatings"))
    lines = ("postalAddressLine1", "postalAddressLine2", "postalAddressTownCity", "postalAddressCounty")
    address = ", ".join(line for line in (_text(told, field) for field in lines) if line)
    care_home = {"Y": True, "N": False}.get(_text(told, "careHome") or "")
    values: dict[str, Any] = {
        "original_id": original,
        "ods_code": _text(told, "odsCode"),
        "uprn": _text(told, "uprn"),
        "brand_id": _text(told, "brandId"),
        "brand_name": None if _text(told, "brandName") == "-" else _text(told, "brandName"),
        "registered_on": _day(told, "registrationDate"),
        "deregistered_on": _day(told, "deregistrationDate"),
        "dormant": {"Y": True, "N": False}.get(_text(told, "dormancy") or ""),
        "care_home": care_home,
        "beds": _beds(told.get("numberOfBeds")) if care_home else None,
        "location_type": _text(told, "type"),
        "region": _text(told, "region"),
        "local_authority": _text(told, "localAuthority"),
        "icb_code": _text(told, "onspdIcbCode"),
        "icb_name": _text(told, "onspdIcbName"),
        "address": address or None,
        "postcode": _text(told, "postalCode"),
        "latitude": _degrees(told.get("onspdLatitude"), Decimal(90)),
        "longitude": _degrees(told.get("onspdLongitude"), Decimal(180)),
        "telephone": _text(told, "mainPhoneNumber"),
        "web_address": _text(told, "website"),
        "latest_rating": rating,
        "rating_published_on": rated_on,
    }
    if services:
        values |= {"service_types": services, "primary_setting": primary_setting(services)}
    for field, source in (("user_bands", "specialisms"), ("regulated_activities", "regulatedActivities")):
        if names := _names(told, source):
            values[field] = names
    told_values = {field: value for field, value in values.items() if value is not None}
    return LocationInFile(location_id, name, location_id_of(_text(told, "providerId")), None, told_values)


def _text(told: Mapping[str, Any], field: str) -> str | None:
    value = told.get(field)
    return " ".join(value.split())[:500] or None if isinstance(value, str) else None


def _day(told: Mapping[str, Any], field: str) -> date | None:
    try:
        return date.fromisoformat(str(told.get(field) or "")[:10])
    except ValueError:
        return None


def _beds(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9999 else None


def _degrees(value: Any, most: Decimal) -> Decimal | None:
    try:
        degrees = round(Decimal(str(value)), 6)
    except InvalidOperation:
        return None
    return degrees if degrees.is_finite() and abs(degrees) <= most else None


def _names(told: Mapping[str, Any], field: str) -> list[str]:
    items = told.get(field)
    if not isinstance(items, list):
        return []
    return list(dict.fromkeys(name for item in items if isinstance(item, Mapping) if (name := _text(item, "name"))))


def _rating(current: Any) -> tuple[str | None, date | None]:
    overall = current.get("overall") if isinstance(current, Mapping) else None
    if not isinstance(overall, Mapping):
        return None, None
    return _text(overall, "rating"), _day(overall, "reportDate")
