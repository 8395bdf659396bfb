"""Employers as files name them: found by CQC location or by name, made when they are new."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from app.directory.models import CqcLocation, Employer, EmployerName, TenantLocation
from app.directory.names import employer_core, employer_key
from app.directory.rules import EmployerDecision, KnownEmployer, match_employer
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class EmployerInFile:
    """An employer as a row names it: a name, a CQC location id, or both."""

    name: str | None
    location_id: str | None


@dataclass(frozen=True, slots=True)
class PlacedEmployer:
    """The employer's row and how it was found. A doubtful one is kept apart; `decision` suggests which it may be."""

    id: UUID
    decision: EmployerDecision


async def place_employers(work: UnitOfWork, wanted: Collection[EmployerInFile]) -> dict[EmployerInFile, PlacedEmployer]:
    """Find or make an employer for each; new spellings of known ones are remembered."""
    locations = {item.location_id.upper() for item in wanted if item.location_id}
    keys = {employer_key(item.name) for item in wanted if item.name}
    known = await _known(work, keys, locations)
    linked = await _linked_locations(work, locations)
    everyone: _Blocks | None = None
    placed: dict[EmployerInFile, PlacedEmployer] = {}
    made: list[tuple[UUID, str, UUID | None]] = []
    spellings: list[tuple[UUID, str, str]] = []
    for item in sorted(wanted, key=lambda item: (item.location_id or "~", item.name or "")):
        key = employer_key(item.name or "")
        decision = match_employer(item.name, item.location_id, known.near(key, item.location_id))
        if decision.kind == "new" and key and not item.location_id:
            if everyone is None:
                everyone = _Blocks(await _known(work, None, set()))
            decision = match_employer(item.name, None, everyone.near(key))
        employer_id = decision.employer_id
        if employer_id is None:
            employer_id = new_id()
            tenant_location, published = linked.get((item.location_id or "").upper(), (None, None))
            made.append((employer_id, item.name or published or item.location_id or "", tenant_location))
            known.add(employer_id, item.location_id if tenant_location else None)
        if key and known.learn(employer_id, key):
            spellings.append((employer_id, item.name or "", key))
            if everyone is not None:
                everyone.add(known.employer(employer_id))
        placed[item] = PlacedEmployer(employer_id, decision)
    await work.insert_rows(
        Employer,
        ("id", "name", "kind", "tenant_location_id", "created_at"),
        ((employer_id, name, "care_provider", location, work.now) for employer_id, name, location in made),
    )
    await work.insert_rows(
        EmployerName,
        ("id", "employer_id", "name", "key"),
        ((new_id(), *spelling) for spelling in spellings),
        on_conflict="ON CONFLICT DO NOTHING",
    )
    return placed


class _Known:
    """Employers by id, with the ways to find them."""

    def __init__(self) -> None:
        self.keys: dict[UUID, set[str]] = {}
        self.locations: dict[UUID, str | None] = {}
        self._by_key: dict[str, set[UUID]] = defaultdict(set)
        self._by_location: dict[str, set[UUID]] = defaultdict(set)

    def add(self, employer_id: UUID, location_id: str | None, keys: Iterable[str] = ()) -> None:
        self.keys[employer_id] = set(keys)
        self.locations[employer_id] = location_id
        if location_id:
            self._by_location[location_id.upper()].add(employer_id)
        for key in keys:
            self._by_key[key].add(employer_id)

    def learn(self, employer_id: UUID, key: str) -> bool:
        """Remember a spelling; False if it was known."""
        if key in self.keys.setdefault(employer_id, set()):
            return False
        self.keys[employer_id].add(key)
        self._by_key[key].add(employer_id)
        return True

    def employer(self, employer_id: UUID) -> KnownEmployer:
        return KnownEmployer(employer_id, frozenset(self.keys[employer_id]), self.locations.get(employer_id))

    def near(self, key: str, location_id: str | None) -> list[KnownEmployer]:
        found = self._by_key.get(key, set()) | self._by_location.get((location_id or "").upper(), set())
        return [self.employer(employer_id) for employer_id in sorted(found)]


class _Blocks:
    """Employers in blocks by the beginnings of their own words: only those can be close spellings of each other."""

    def __init__(self, known: _Known) -> None:
        self._blocks: dict[str, dict[UUID, KnownEmployer]] = defaultdict(dict)
        for employer_id in known.keys:
            self.add(known.employer(employer_id))

    def add(self, employer: KnownEmployer) -> None:
        for key in employer.keys:
            for beginning in _beginnings(key):
                self._blocks[beginning][employer.id] = employer

    def near(self, key: str) -> list[KnownEmployer]:
        found: dict[UUID, KnownEmployer] = {}
        for beginning in _beginnings(key):
            found |= self._blocks.get(beginning, {})
        return list(found.values())


def _beginnings(key: str) -> set[str]:
    return {word[:3] for word in employer_core(key).split()}


async def _known(work: UnitOfWork, keys: set[str] | None, locations: set[str]) -> _Known:
    """Employers of these keys or locations; with `keys` None, all."""
    statement = (
        select(Employer.id, TenantLocation.location_id, func.array_agg(EmployerName.key))
        .outerjoin(
            TenantLocation,
            and_(TenantLocation.tenant_id == Employer.tenant_id, TenantLocation.id == Employer.tenant_location_id),
        )
        .outerjoin(
            EmployerName, and_(EmployerName.tenant_id == Employer.tenant_id, EmployerName.employer_id == Employer.id)
        )
        .group_by(Employer.id, TenantLocation.location_id)
    )
    if keys is not None:
        named = select(EmployerName.employer_id).where(among(EmployerName.key, keys))
        statement = statement.where(or_(Employer.id.in_(named), among(TenantLocation.location_id, locations)))
    known = _Known()
    for employer_id, location_id, found in await work.session.execute(statement):
        known.add(employer_id, location_id, {key for key in found if key})
    return known


async def _linked_locations(work: UnitOfWork, locations: set[str]) -> dict[str, tuple[UUID, str]]:
    """CQC location id → the tenant's own location and the published name."""
    rows = await work.session.execute(
        select(TenantLocation.location_id, TenantLocation.id, CqcLocation.name)
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .where(among(TenantLocation.location_id, locations))
    )
    return {location_id: (identifier, name) for location_id, identifier, name in rows}
