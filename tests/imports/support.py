"""What tests of imports share: files in the shape of real exports, and the whole way of a file in one call."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.imports.applying import apply_import
from app.imports.models import ImportRow, ImportRun
from app.imports.receiving import Incoming, Received, receive
from app.imports.staging import stage_import
from tenants.session import UnitOfWork
from tests.support import Installation

COMPLETIONS = (
    "Course,Username,First name,Surname,Email,Organisation,Completed,Status,Time spent,Grade,Training provider"
)
TEAMS = "Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tParticipant ID (UPN)\tRole"
SESSION: Mapping[str, Any] = {
    "session_key": "prn-webinar",
    "session_title": "When required medicines",
    "starts_at": "2026-07-22T14:00:00+01:00",
    "ends_at": "2026-07-22T15:30:00+01:00",
    "tier": 2,
}


def completion(
    number: int, course: str = "Safe handling", *, provider: str = "PrescQIPP", day: str = "16/09/2026"
) -> str:
    """A sound row about learner `number`."""
    return (
        f"{course},u{number},Given{_letters(number)},Family{_letters(number)},learner{number}@care.example,"
        f"Rose Lodge {number % 7},{day} 10:00,Completed,3h 10m,85,{provider}"
    )


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def completions(rows: Sequence[str]) -> bytes:
    """A file of completions."""
    return "\n".join([COMPLETIONS, *rows, ""]).encode()


def report(rows: Sequence[Sequence[str]]) -> bytes:
    """A Teams report: name, joined, left, duration, e-mail, role; times on 22 July 2026."""
    lines = ["1. Summary", "Meeting title\tWhen required medicines", "", "2. Participants", TEAMS]
    for name, joined, left, duration, address, role in rows:
        lines.append(f"{name}\t22/07/2026, {joined}\t22/07/2026, {left}\t{duration}\t{address}\t{address}\t{role}")
    return "\n".join([*lines, ""]).encode("utf-16")


async def no_lease(_: UnitOfWork) -> None:
    """Nobody else works here, so there is no lease to renew."""


async def send(
    installation: Installation,
    tenant_id: UUID,
    content: bytes,
    format_code: str | None = "completions",
    options: Mapping[str, Any] | None = None,
    *,
    filename: str = "file.csv",
    auto_apply: bool = True,
) -> Received:
    """Take a file in, and no more."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 4096):
            yield content[start : start + 4096]

    said = Incoming(filename, format_code, options or {}, auto_apply)
    folder = installation.services.settings.data_dir / "uploads"
    return await receive(installation.database, installation.context(tenant_id), pieces(), said, folder)


async def work_off(installation: Installation, tenant_id: UUID, import_id: UUID) -> ImportRun:
    """Do what the worker would do with an import."""
    context, folder = installation.context(tenant_id), installation.services.settings.data_dir / "uploads"
    await stage_import(installation.database, context, import_id, folder, no_lease)
    await apply_import(installation.database, context, import_id, no_lease)
    return await run_of(installation, tenant_id, import_id)


async def take(
    installation: Installation,
    tenant_id: UUID,
    content: bytes,
    format_code: str = "completions",
    options: Mapping[str, Any] | None = None,
    **others: Any,
) -> ImportRun:
    """The whole way of a file."""
    received = await send(installation, tenant_id, content, format_code, options, **others)
    return await work_off(installation, tenant_id, received.import_id)


async def run_of(installation: Installation, tenant_id: UUID, import_id: UUID) -> ImportRun:
    """The run as it stands."""
    async with installation.database.session(installation.context(tenant_id)) as session:
        return await session.get_one(ImportRun, (tenant_id, import_id))


async def rows_of(installation: Installation, tenant_id: UUID, import_id: UUID, kind: str) -> Sequence[ImportRow]:
    """Rows that were kept for people, in the order of the file."""
    async with installation.database.session(installation.context(tenant_id)) as session:
        found = select(ImportRow).where(ImportRow.import_id == import_id, ImportRow.kind == kind)
        return (await session.scalars(found.order_by(ImportRow.row_number, ImportRow.id))).all()


def results(run: ImportRun) -> dict[str, int]:
    """What became of the rows."""
    counts: dict[str, int] = run.counts.get("result", {})
    return counts
