"""The directory of a tenant and the platform's registry: which tables can be looked at, by which columns."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from app.console.import_form import format_choices
from app.console.import_words import STATES
from app.console.pages import ConsoleRoute, Endpoint, page, principal_here, render
from app.console.registry import Labels, Registry, RegistryView, bind, primary_key
from app.directory.models import CqcLocation, Employer, Employment, Learner, TenantLocation
from app.identity.permissions import Permission
from app.imports.models import ImportRun
from app.training.models import Completion
from tenants.base import among
from tenants.models import Organisation, OrganisationCode, Tenant

KINDS = {"icb": "ICB", "council": "Council", "stp": "STP"}
SCHEMES = {"ods": "ODS", "ons_gss": "ONS"}


class LocationView(RegistryView, model=CqcLocation):
    """CQC locations that the tenant has to do with."""

    name, name_plural = "Location", "Locations"
    needs, place = Permission.DIRECTORY_READ, "/directory/locations"
    purpose = "CQC locations of your area, or commissioned by you."
    column_list: ClassVar[Sequence[str]] = ["name", "id", "local_authority", "beds", "latest_rating"]
    column_details_list: ClassVar[Sequence[str]] = [
        "name", "id", "provider_id", "ods_code", "address", "postcode", "local_authority", "care_home", "dormant",
        "beds", "service_types", "latest_rating", "rating_published_on", "registered_on", "deregistered_on",
    ]  # fmt: skip
    column_labels: ClassVar[Labels] = {
        "name": "Name",
        "id": "CQC location id",
        "provider_id": "CQC provider id",
        "ods_code": "ODS code",
        "address": "Address",
        "postcode": "Postcode",
        "local_authority": "Local authority",
        "care_home": "Care home",
        "dormant": "Dormant",
        "beds": "Beds",
        "service_types": "Services",
        "latest_rating": "Latest rating",
        "rating_published_on": "Rating published",
        "registered_on": "Registered",
        "deregistered_on": "Deregistered",
    }
    column_default_sort: ClassVar[list[tuple[str, bool]]] = [("name", False), ("id", False)]
    further: ClassVar[Mapping[str, str]] = {"relationship": "Relationship"}

    def list_query(self, request: Request) -> Select[Any]:
        """Locations that the tenant is linked to."""
        return select(CqcLocation).join(TenantLocation, TenantLocation.location_id == CqcLocation.id)

    async def beside(self, session: AsyncSession, ids: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """As `RegistryView.beside`."""
        words = {"in_area": "In the area", "commissioned": "Commissioned", "former": "Former"}
        rows = await session.execute(
            select(TenantLocation.location_id, TenantLocation.relationship).where(
                among(TenantLocation.location_id, ids)
            )
        )
        return {location_id: {"relationship": words[relationship]} for location_id, relationship in rows}


class EmployerView(RegistryView, model=Employer):
    """Employers that files have named."""

    name, name_plural = "Employer", "Employers"
    needs, place = Permission.DIRECTORY_READ, "/directory/employers"
    purpose = "Who employs your learners, as your files name them."
    column_list: ClassVar[Sequence[str]] = ["name", "kind"]
    column_details_list: ClassVar[Sequence[str]] = ["name", "kind", "created_at"]
    column_labels: ClassVar[Labels] = {"name": "Name", "kind": "Kind", "created_at": "Known since"}
    column_default_sort: ClassVar[list[tuple[str, bool]]] = [("name", False), ("id", False)]
    further: ClassVar[Mapping[str, str]] = {"location": "CQC location", "learners": "Learners"}
    words: ClassVar[Mapping[str, Mapping[Any, str]]] = {
        "kind": {
            "care_provider": "Care provider",
            "agency": "Agency",
            "council": "Council",
            "individual": "Individual employer",
        }
    }

    async def beside(self, session: AsyncSession, ids: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """As `RegistryView.beside`."""
        found: dict[Any, dict[str, Any]] = defaultdict(lambda: {"learners": 0})
        locations = await session.execute(
            select(Employer.id, CqcLocation.name)
            .join(
                TenantLocation,
                and_(TenantLocation.tenant_id == Employer.tenant_id, TenantLocation.id == Employer.tenant_location_id),
            )
            .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
            .where(among(Employer.id, ids))
        )
        for employer_id, location in locations:
            found[employer_id]["location"] = location
        learners = await session.execute(
            select(Employment.employer_id, func.count(Employment.learner_id.distinct()))
            .where(among(Employment.employer_id, ids))
            .group_by(Employment.employer_id)
        )
        for employer_id, count in learners:
            found[employer_id]["learners"] = count
        return found


class LearnerView(RegistryView, model=Learner):
    """Learners; those merged into another are not shown."""

    name, name_plural = "Learner", "Learners"
    needs, place = Permission.DIRECTORY_READ, "/directory/learners"
    purpose = "People who learn, where they work and what they last completed."
    column_list: ClassVar[Sequence[str]] = ["display_name"]
    column_details_list: ClassVar[Sequence[str]] = ["display_name", "given_name", "family_name", "created_at"]
    column_labels: ClassVar[Labels] = {
        "display_name": "Name",
        "given_name": "First name",
        "family_name": "Family name",
        "created_at": "Known since",
    }
    column_default_sort: ClassVar[list[tuple[str, bool]]] = [("name_key", False), ("id", False)]
    people: ClassVar[Sequence[str]] = ["display_name", "given_name", "family_name"]
    further: ClassVar[Mapping[str, str]] = {
        "employers": "Employers",
        "completions": "Completions",
        "last": "Last completion",
    }

    def list_query(self, request: Request) -> Select[Any]:
        """Learners as they stand."""
        return select(Learner).where(Learner.merged_into_id.is_(None))

    async def beside(self, session: AsyncSession, ids: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """As `RegistryView.beside`."""
        found: dict[Any, dict[str, Any]] = defaultdict(lambda: {"completions": 0})
        employers = await session.execute(
            select(Employment.learner_id, func.array_agg(Employer.name.distinct()))
            .join(Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id))
            .where(among(Employment.learner_id, ids))
            .group_by(Employment.learner_id)
        )
        for learner_id, names in employers:
            found[learner_id]["employers"] = names
        completions = await session.execute(
            select(Completion.learner_id, func.count(), func.max(Completion.completed_at))
            .where(among(Completion.learner_id, ids))
            .group_by(Completion.learner_id)
        )
        for learner_id, count, last in completions:
            found[learner_id] |= {"completions": count, "last": last}
        return found


class ImportView(RegistryView, model=ImportRun):
    """Imports as they are stored."""

    name, name_plural = "Import", "Imports"
    needs, place = Permission.IMPORTS_READ, "/directory/imports"
    purpose = "Every file that was brought in, as it is stored."
    column_list: ClassVar[Sequence[str]] = ["filename", "format_code", "state", "rows_total", "created_at"]
    column_details_list: ClassVar[Sequence[str]] = [
        "filename", "format_code", "state", "byte_size", "rows_total", "rows_done", "auto_apply", "error_code",
        "created_at", "finished_at",
    ]  # fmt: skip
    column_labels: ClassVar[Labels] = {
        "filename": "File",
        "format_code": "Format",
        "state": "State",
        "byte_size": "Bytes",
        "rows_total": "Rows",
        "rows_done": "Rows done",
        "auto_apply": "Applied at once",
        "error_code": "Error",
        "created_at": "Brought in",
        "finished_at": "Ended",
    }
    column_default_sort: ClassVar[list[tuple[str, bool]]] = [("created_at", True), ("id", True)]
    words: ClassVar[Mapping[str, Mapping[Any, str]]] = {
        "format_code": dict(format_choices()),
        "state": {state: words for state, (words, _) in STATES.items()},
    }


class TenantView(RegistryView, model=Tenant):
    """Tenants of the platform."""

    name, name_plural = "Tenant", "Tenants"
    needs, place = Permission.TENANTS_READ, "/registry/tenants"
    purpose = "Who uses Medstead, and how far each is."
    column_list: ClassVar[Sequence[str]] = ["name", "kind", "status", "created_at"]
    column_details_list: ClassVar[Sequence[str]] = ["name", "slug", "kind", "status", "created_at"]
    column_labels: ClassVar[Labels] = {
        "name": "Name",
        "slug": "Short name",
        "kind": "Kind",
        "status": "Status",
        "created_at": "Since",
    }
    column_default_sort: ClassVar[list[tuple[str, bool]]] = [("name", False), ("id", False)]
    further: ClassVar[Mapping[str, str]] = {"organisation": "Organisation"}
    words: ClassVar[Mapping[str, Mapping[Any, str]]] = {
        "kind": KINDS,
        "status": {"onboarding": "Onboarding", "live": "Live", "suspended": "Suspended", "closed": "Closed"},
    }

    async def beside(self, session: AsyncSession, ids: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """As `RegistryView.beside`."""
        rows = await session.execute(
            select(Tenant.id, Organisation.name)
            .join(Organisation, Organisation.id == Tenant.organisation_id)
            .where(among(Tenant.id, ids))
        )
        return {tenant_id: {"organisation": name} for tenant_id, name in rows}


class OrganisationView(RegistryView, model=Organisation):
    """Organisations, current and historic, with their codes."""

    name, name_plural = "Organisation", "Organisations"
    needs, place = Permission.TENANTS_READ, "/registry/organisations"
    purpose = "ICBs and councils with their ODS and ONS codes, present and past."
    column_list: ClassVar[Sequence[str]] = ["name", "kind", "established_on", "abolished_on"]
    column_details_list: ClassVar[Sequence[str]] = ["name", "kind", "established_on", "abolished_on"]
    column_labels: ClassVar[Labels] = {
        "name": "Name",
        "kind": "Kind",
        "established_on": "Established",
        "abolished_on": "Abolished",
    }
    column_default_sort: ClassVar[list[tuple[str, bool]]] = [("name", False), ("id", False)]
    further: ClassVar[Mapping[str, str]] = {"codes": "Codes"}
    words: ClassVar[Mapping[str, Mapping[Any, str]]] = {"kind": KINDS}

    async def beside(self, session: AsyncSession, ids: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """As `RegistryView.beside`."""
        found: dict[Any, dict[str, list[str]]] = defaultdict(lambda: {"codes": []})
        codes = select(OrganisationCode).where(among(OrganisationCode.organisation_id, ids))
        for row in await session.scalars(codes.order_by(OrganisationCode.scheme, OrganisationCode.valid_from)):
            until = f" (until {row.valid_to:%-d %B %Y})" if row.valid_to else ""
            found[row.organisation_id]["codes"].append(f"{SCHEMES[row.scheme]} {row.code}{until}")
        return found


DIRECTORY = (LocationView, EmployerView, LearnerView, ImportView)
PLATFORM = (TenantView, OrganisationView)

_registry = Registry([*DIRECTORY, *PLATFORM])


async def directory(request: Request) -> Response:
    """What can be looked up in the tenant."""
    return _index(request, "Directory", DIRECTORY)


async def registry(request: Request) -> Response:
    """What can be looked up on the platform."""
    return _index(request, "Registry", PLATFORM)


def _index(request: Request, title: str, views: Sequence[type[RegistryView]]) -> Response:
    principal = principal_here(request)
    return render(request, "registry.jinja", title=title, views=[view for view in views if principal.may(view.needs)])


def _list_of(view: type[RegistryView]) -> Endpoint:
    async def listed(request: Request) -> Response:
        bind(request)
        request.path_params["identity"] = view.identity
        answer: Response = await _registry.list(request)
        return answer

    return _named(listed, f"{view.identity}_list")


def _details_of(view: type[RegistryView]) -> Endpoint:
    async def detailed(request: Request) -> Response:
        bind(request)
        request.path_params.update(identity=view.identity, pk=primary_key(request, view))
        answer: Response = await _registry.details(request)
        return answer

    return _named(detailed, f"{view.identity}_details")


def _named(endpoint: Endpoint, name: str) -> Endpoint:
    # The access log uses the endpoint's name.
    endpoint.__name__ = name.replace("-", "_")
    return endpoint


def _routes(view: type[RegistryView]) -> list[ConsoleRoute]:
    key = "id:uuid" if view.pk_columns[-1].type.python_type is UUID else "id"
    return [
        page(view.place, _list_of(view), needs=view.needs),
        page(f"{view.place}/{{{key}}}", _details_of(view), needs=view.needs),
    ]


ROUTES = [
    page("/directory", directory, needs=Permission.DIRECTORY_READ),
    page("/registry", registry, needs=Permission.TENANTS_READ),
    *(route for view in (*DIRECTORY, *PLATFORM) for route in _routes(view)),
]
