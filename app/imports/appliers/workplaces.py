"""The employers of a chunk's rows, and the doubts about them."""

from collections.abc import Collection, Mapping
from uuid import UUID

from app.directory.employers import EmployerInFile, PlacedEmployer, place_employers
from app.imports.appliers.base import Outcome
from app.imports.formats.base import RawRow
from tenants.session import UnitOfWork

Workplaces = Mapping[EmployerInFile, PlacedEmployer]

_DOUBT = (
    "The employer's name is close to one that is known. The row was taken under a new employer; "
    "say if both are the same."
)


def workplace(name: str | None, location_id: str | None) -> EmployerInFile | None:
    """The employer that a row names, if it names one."""
    return EmployerInFile(name, location_id) if name or location_id else None


async def place_workplaces(work: UnitOfWork, named: Collection[EmployerInFile | None]) -> Workplaces:
    """Find or make the employers."""
    return await place_employers(work, {item for item in named if item is not None})


def employer_of(places: Workplaces, named: EmployerInFile | None) -> UUID | None:
    """The employer's row."""
    return places[named].id if named else None


def remark_doubt(outcome: Outcome, raw: RawRow, places: Workplaces, named: EmployerInFile | None) -> None:
    """Tell a person when the employer may be a known one under another spelling."""
    if named is None or places[named].decision.kind != "review":
        return
    candidates = [
        {"employer_id": str(identifier), "score": score} for identifier, score in places[named].decision.suggestions
    ]
    outcome.remark(raw, "EMPLOYER_MAYBE_KNOWN", _DOUBT, candidates)
