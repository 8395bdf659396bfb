"""CQC's API and the ODS directory, as far as they are used: pages of changes, records, lists by Limit and Offset."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.outside.doubles import Faulty, serving

KEY = "subscription-key-of-a-test"


def a_location(location_id: str, name: str, **others: Any) -> dict[str, Any]:
    """A care home as CQC tells it, with a registered manager that nobody asked for."""
    return {
        "locationId": location_id, "providerId": "1-900", "organisationType": "Location", "type": "Social Care Org",
        "name": name, "brandId": "", "brandName": "-", "registrationStatus": "Registered",
        "registrationDate": "2020-10-01", "dormancy": "N", "careHome": "Y", "numberOfBeds": 30,
        "localAuthority": "Luton", "region": "East", "postalAddressLine1": "1 Invented Road",
        "postalAddressTownCity": "Luton", "postalCode": "LU1 1AA", "onspdIcbCode": "QHG",
        "onspdIcbName": "NHS Bedfordshire, Luton and Milton Keynes ICB", "onspdLatitude": 51.8787,
        "onspdLongitude": -0.4200,
        "gacServiceTypes": [{"name": "Care home service without nursing", "description": "Care home"}],
        "specialisms": [{"name": "Dementia"}],
        "regulatedActivities": [
            {"name": "Accommodation for persons who require nursing or personal care", "code": "RA2",
             "contacts": [{"personGivenName": "Invented", "personFamilyName": "Manager"}]}
        ],
        "relationships": [], "currentRatings": {"overall": {"rating": "Good", "reportDate": "2025-02-03"}},
        "assessment": [], "aNewField": {"of": "tomorrow"},
    } | others  # fmt: skip


@dataclass
class Register(Faulty):
    """CQC: what has changed, and what there is. Ids in `capitals` are found in upper case alone."""

    there: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    providers: dict[str, str] = field(default_factory=dict)
    capitals: set[str] = field(default_factory=set)
    page_size: int = 2

    async def _refused(self, request: Request) -> Response | None:
        fault = await self.fault_of(request)
        if fault is not None:
            return fault
        if "medstead" not in request.headers.get("user-agent", "").lower():
            return JSONResponse({"message": "Forbidden"}, status_code=403)
        if request.headers.get("ocp-apim-subscription-key") != KEY:
            return JSONResponse({"statusCode": 401, "message": "Access denied due to invalid key."}, status_code=401)
        return None

    async def changes(self, request: Request) -> Response:
        """GET /changes/location."""
        refused = await self._refused(request)
        if refused is not None:
            return refused
        page = int(request.query_params["page"])
        assert request.query_params["startTimestamp"] < request.query_params["endTimestamp"]
        shown = self.changed[(page - 1) * self.page_size : page * self.page_size]
        pages = -(-len(self.changed) // self.page_size)
        return JSONResponse({"total": len(self.changed), "page": page, "totalPages": pages, "changes": shown})

    async def location(self, request: Request) -> Response:
        """GET /locations/{id}."""
        refused = await self._refused(request)
        if refused is not None:
            return refused
        location_id = request.path_params["location_id"]
        if location_id.upper() in self.capitals and location_id != location_id.upper():
            return JSONResponse({"statusCode": 400, "message": "Invalid id"}, status_code=400)
        found = self.there.get(location_id)
        return JSONResponse(found) if found else JSONResponse({"message": "No Locations found"}, status_code=404)

    async def provider(self, request: Request) -> Response:
        """GET /providers/{id}."""
        name = self.providers.get(request.path_params["provider_id"])
        found = {"providerId": request.path_params["provider_id"], "name": name}
        return JSONResponse(found) if name else JSONResponse({"message": "No Providers found"}, status_code=404)


def a_board(code: str, name: str, start: str, end: str | None = None, **others: Any) -> dict[str, Any]:
    """A board as ODS tells it: a partnership by its primary role, a board by another."""
    span = {"Type": "Legal", "Start": start} | ({"End": end} if end else {})
    return {
        "Name": name, "OrgId": {"root": "2.16.840.1.113883.2.1.3.2.4.18.48", "extension": code},
        "Date": [{"Type": "Operational", "Start": "2020-04-01"} | ({"End": end} if end else {}), span],
        "Status": "Inactive" if end else "Active", "LastChangeDate": "2026-11-20", "orgRecordClass": "RC1",
        "Roles": {"Role": [
            {"id": "RO261", "uniqueRoleId": 1, "primaryRole": True, "Date": [span], "Status": "Active"},
            {"id": "RO318", "uniqueRoleId": 2, "Date": [span], "Status": "Active"},
        ]},
    } | others  # fmt: skip


def after(*codes: str, on: str) -> dict[str, Any]:
    """That boards went before, as ODS tells it."""
    successions = [
        {
            "uniqueSuccId": number,
            "Date": [{"Type": "Legal", "Start": on}],
            "Type": "Predecessor",
            "Target": {"OrgId": {"extension": code}, "PrimaryRoleId": {"id": "RO261"}},
        }
        for number, code in enumerate(codes)
    ]
    return {"Succs": {"Succ": successions}}


@dataclass
class Directory(Faulty):
    """ODS: organisations by their codes."""

    there: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def listed(self, request: Request) -> Response:
        """GET /organisations."""
        fault = await self.fault_of(request)
        if fault is not None:
            return fault
        if request.query_params.get("Offset") == "0" or request.query_params.get("PrimaryRoleId") != "RO261":
            return JSONResponse({"errorCode": 406, "errorText": "Not acceptable"}, status_code=406)
        offset, limit = int(request.query_params.get("Offset", 0)), int(request.query_params["Limit"])
        codes = sorted(self.there)[offset : offset + limit]
        return JSONResponse({"Organisations": [{"OrgId": code, "Name": self.there[code]["Name"]} for code in codes]})

    async def one(self, request: Request) -> Response:
        """GET /organisations/{code}."""
        found = self.there.get(request.path_params["code"])
        return JSONResponse({"Organisation": found} if found else {"errorCode": 404}, status_code=200 if found else 404)


@asynccontextmanager
async def register() -> AsyncIterator[Register]:
    """CQC for the time of the block."""
    double = Register()
    routes = [
        Route("/changes/location", double.changes),
        Route("/locations/{location_id}", double.location),
        Route("/providers/{provider_id}", double.provider),
    ]
    async with serving(routes) as url:
        double.url = url
        yield double


@asynccontextmanager
async def directory() -> AsyncIterator[Directory]:
    """ODS for the time of the block."""
    double = Directory()
    routes = [Route("/organisations", double.listed), Route("/organisations/{code}", double.one)]
    async with serving(routes) as url:
        double.url = url
        yield double
