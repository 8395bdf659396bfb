"""The command that loads what is known of postcodes: deprivation, rurality and local authority."""

import asyncio
import csv
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.dialects.postgresql import insert

from app.cli.console_output import fail, say
from app.evidence.models import PostcodeArea
from app.settings import load_settings
from tenants.clock import system_clock
from tenants.engine import create_engine

COLUMNS = ("code", "imd_decile", "rurality", "local_authority")
ROWS_AT_ONCE = 2_000


class AreasRefused(Exception):
    """The file cannot be taken; says which line is wrong and what to do."""


def areas_in(path: Path, edition: str, now: datetime) -> list[dict[str, Any]]:
    """Rows of a CSV with the columns code (a postcode or a district), imd_decile, rurality, local_authority.

    Raises AreasRefused for the first line that cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise AreasRefused(f"The first line has to be: {','.join(COLUMNS)}. Correct it and try again.")
        found: dict[str, dict[str, Any]] = {}
        for line, row in enumerate(reader, start=2):
            code, decile = (row["code"] or "").upper().replace(" ", ""), row["imd_decile"] or ""
            if not (code.isascii() and code.isalnum() and 2 <= len(code) <= 7):
                raise AreasRefused(f"Line {line}: {code!r} is no postcode and no district. Correct it and try again.")
            if not (decile.isascii() and decile.isdigit() and 1 <= int(decile) <= 10):
                raise AreasRefused(f"Line {line}: imd_decile is from 1 (most deprived) to 10. Correct it.")
            if row["rurality"] not in ("urban", "rural") or not row["local_authority"]:
                raise AreasRefused(f"Line {line}: rurality is urban or rural, and a local authority is named.")
            found[code] = {
                "code": code,
                "imd_decile": int(decile),
                "rurality": row["rurality"],
                "local_authority": row["local_authority"].strip(),
                "edition": edition,
                "loaded_at": now,
            }
    return list(found.values())


async def load_areas(owner_url: str, path: Path, edition: str, now: datetime) -> int:
    """Add the areas of a file, or correct them; how many. Raises AreasRefused, and then nothing is changed."""
    rows = areas_in(path, edition, now)
    engine = create_engine(owner_url)
    try:
        async with engine.begin() as connection:
            for start in range(0, len(rows), ROWS_AT_ONCE):
                statement = insert(PostcodeArea).values(rows[start : start + ROWS_AT_ONCE])
                new = {name: statement.excluded[name] for name in rows[0] if name != "code"}
                await connection.execute(statement.on_conflict_do_update(index_elements=["code"], set_=new))
    finally:
        await engine.dispose()
    return len(rows)


def postcodes(
    file: Annotated[Path, typer.Argument(help="CSV: code, imd_decile, rurality, local_authority.", exists=True)],
    edition: Annotated[str, typer.Option(help="Which edition it is, such as 2025-11.")],
) -> None:
    """Load what is known of postcodes or postcode districts, for the equity report; needs DATABASE_OWNER_URL."""
    owner = load_settings().database_owner_url
    if not owner:
        fail("Set DATABASE_OWNER_URL to the address of the owner role, then try again.")
    try:
        count = asyncio.run(load_areas(owner, file, edition, system_clock()))
    except AreasRefused as refusal:
        fail(str(refusal))
    say(f"{count} postcode areas are known of edition {edition}.")
