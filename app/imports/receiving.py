"""Files coming in: spooled to disk, looked at, refused whole or kept in pieces beside the run that will read them."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.imports.errors import ImportRefusal
from app.imports.formats import FORMATS, UnreadableFile, WrongFormat, detect, refuse_unless
from app.imports.models import ImportPart, ImportRun
from app.imports.options import checked_options
from app.training.courses import tier_at
from tenants.audit import Action
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.identifiers import new_id
from tenants.models import TenantSettings
from tenants.outbox import Topic
from tenants.session import Database, UnitOfWork

LARGEST_FILE = 256 * 1024 * 1024
PART_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Incoming:
    """What the sender says of a file. `format_code` None: find out what it is."""

    filename: str
    format_code: str | None
    options: Mapping[str, Any]
    auto_apply: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """The run that reads the file; `already` when the same file with the same options came before."""

    import_id: UUID
    already: bool


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that was looked at: what it is, and the key that makes it come in once."""

    said: Incoming
    format_code: str
    options: dict[str, Any]
    content_key: str
    byte_size: int
    path: Path


async def receive(
    database: Database, context: TenantContext, content: AsyncIterator[bytes], said: Incoming, folder: Path
) -> Received:
    """Take a file in and have it staged. `folder` holds it only while this runs. Raises as `examined`."""
    async with database.session(context) as session:
        saved = await saved_columns(session)
    async with examined(content, said, saved, london_date(database.clock()), folder) as file:
        async with database.unit_of_work(context) as work:
            return await register(work, file)


async def saved_columns(session: AsyncSession) -> Mapping[str, Any]:
    """The bound tenant's column mappings: format → field → heading."""
    saved = (await session.execute(select(TenantSettings.column_mappings))).scalar_one_or_none()
    return saved or {}


@asynccontextmanager
async def examined(
    content: AsyncIterator[bytes], said: Incoming, saved: Mapping[str, Any], today: date, folder: Path
) -> AsyncIterator[Examined]:
    """Spool a file and look at it, before any transaction is opened.

    Raises ImportRefusal: `FILE_TOO_LARGE`, `UNKNOWN_FORMAT`, an option's code, or the code of the format that read it.
    """
    with temporary_file(folder, "incoming-") as file:
        digest, size = await _spool(content, file)
        path = Path(file.name)
        try:
            code, options = await asyncio.to_thread(_look, path, said, today, saved)
        except UnreadableFile as error:
            looks_like = error.looks_like if isinstance(error, WrongFormat) else None
            raise ImportRefusal(error.code, error.message, looks_like=looks_like) from error
        parts = [code.encode(), orjson.dumps(options, option=orjson.OPT_SORT_KEYS), digest]
        yield Examined(said, code, options, hashlib.sha256(b"\0".join(parts)).hexdigest(), size, path)


async def register(work: UnitOfWork, file: Examined) -> Received:
    """Keep the file and have it staged, unless it came before. Raises ImportRefusal `NO_SUCH_TIER`."""
    # One file at a time for a tenant, so that the same one sent twice at once comes in once.
    await work.session.execute(select(TenantSettings.id).with_for_update())
    known = await _known(work, file.content_key)
    if known is not None:
        return Received(known, already=True)
    return Received(await _keep(work, file), already=False)


async def _spool(content: AsyncIterator[bytes], file: IO[bytes]) -> tuple[bytes, int]:
    digest, size = hashlib.sha256(), 0
    async for piece in content:
        size += len(piece)
        if size > LARGEST_FILE:
            raise ImportRefusal(
                "FILE_TOO_LARGE", f"The file is larger than {LARGEST_FILE // 1024**2} MB. Split it and send the parts."
            )
        digest.update(piece)
        await asyncio.to_thread(file.write, piece)
    file.flush()
    return digest.digest(), size


def _look(path: Path, said: Incoming, today: date, saved_columns: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The format and the checked options. Raises UnreadableFile and ImportRefusal."""
    code = said.format_code
    if code is None:
        detections = detect(path, said.filename)
        if not detections:
            raise ImportRefusal(
                "UNKNOWN_FORMAT", "The file resembles nothing that can be imported. Choose its format and try again."
            )
        code = detections[0].format_code
    if code not in FORMATS:
        raise ImportRefusal(
            "UNKNOWN_FORMAT", f"There is no format {code!r:.40}. Use {', '.join(sorted(FORMATS))}.", "format_code"
        )
    given = dict(said.options)
    if "columns" not in given and saved_columns.get(code):
        given["columns"] = saved_columns[code]
    options = checked_options(code, given)
    refuse_unless(code, path, said.filename, options)
    if code == "teams_attendance" and "starts_at" not in options:
        told = FORMATS[code].facts(path, options, today)
        if "started_at" not in told or "ended_at" not in told or told["ended_at"] <= told["started_at"]:
            raise ImportRefusal(
                "SESSION_UNKNOWN",
                "The report does not say when the session began and ended. Give its start and end.",
                "starts_at",
            )
    return code, options


async def _known(work: UnitOfWork, key: str) -> UUID | None:
    live = ImportRun.state.not_in(("failed", "cancelled"))
    return (await work.session.scalars(select(ImportRun.id).where(ImportRun.content_key == key, live))).first()


async def _keep(work: UnitOfWork, file: Examined) -> UUID:
    said, options = file.said, file.options
    if "tier" in options and await tier_at(work, options["tier"]) is None:
        raise ImportRefusal("NO_SUCH_TIER", f"The programme has no tier {options['tier']}. Choose another.", "tier")
    run = ImportRun(
        tenant_id=work.tenant_id,
        id=new_id(),
        format_code=file.format_code,
        filename=Path(said.filename.replace("\0", "")).name[-200:] or "file",
        content_key=file.content_key,
        byte_size=file.byte_size,
        options=options,
        facts={},
        auto_apply=said.auto_apply,
        state="staging",
        rows_total=None,
        rows_staged=0,
        rows_done=0,
        counts={},
        created_by=work.context.actor_id,
        created_at=work.now,
    )
    work.add(run)
    await work.session.flush()
    with file.path.open("rb") as content:
        number = 0
        while piece := content.read(PART_BYTES):
            await work.insert_rows(
                ImportPart, ("id", "import_id", "part_number", "content"), [(new_id(), run.id, number, piece)]
            )
            number += 1
    work.record(
        Action.IMPORT_STARTED,
        "import",
        run.id,
        after={"format": file.format_code, "bytes": file.byte_size, "auto_apply": said.auto_apply},
    )
    work.emit(Topic.IMPORT_STAGE, str(run.id), import_id=run.id)
    return run.id


@contextmanager
def temporary_file(folder: Path, prefix: str) -> Iterator[IO[bytes]]:
    """A file for the content of an import while somebody reads it; gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=prefix) as file:
        yield file
