"""Loads the reference data of organisations: ICBs of 2022 and 2026, councils, their codes and succession.

Source: the ODS and ONS code lists of July 2022 and April 2026. Re-loading changes nothing.
"""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants.models import Organisation, OrganisationCode, OrganisationSuccession

FOLDER = Path(__file__).resolve().parent / "reference_data"
_NAMESPACE = UUID("5f0c1d1e-6b8a-5c9e-9a55-0d6f4f1b7c11")
BEFORE_RECORDS = date(2000, 1, 1)
NEW_CODES_FROM = date(2026, 4, 1)


def organisation_id(kind: str, key: str) -> UUID:
    """The stable id of an organisation of the reference data; `key` is its ODS code (ICB) or GSS code (council)."""
    return uuid5(_NAMESPACE, f"{kind}:{key}")


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _codes(row: dict[str, str]) -> Iterator[dict[str, object]]:
    start, end = _day(row["established_on"]) or BEFORE_RECORDS, _day(row["abolished_on"])
    identifier = organisation_id(row["kind"], row["key"])
    changed = row["ons_gss_code_from_2026"]
    if row["ods_code"]:
        ods = {"scheme": "ods", "code": row["ods_code"], "valid_from": start, "valid_to": end}
        yield {"organisation_id": identifier, **ods}
    yield {
        "organisation_id": identifier,
        "scheme": "ons_gss",
        "code": row["ons_gss_code"],
        "valid_from": start,
        "valid_to": NEW_CODES_FROM if changed else end,
    }
    if changed:
        yield {
            "organisation_id": identifier,
            "scheme": "ons_gss",
            "code": changed,
            "valid_from": NEW_CODES_FROM,
            "valid_to": end,
        }


async def load(connection: AsyncConnection) -> None:
    """Insert what is missing and correct names; needs the owner role. Commits nothing."""
    rows = list(_rows("organisations.csv"))
    bodies = insert(Organisation).values(
        [
            {
                "id": organisation_id(row["kind"], row["key"]),
                "kind": row["kind"],
                "name": row["name"],
                "established_on": _day(row["established_on"]),
                "abolished_on": _day(row["abolished_on"]),
            }
            for row in rows
        ]
    )
    await connection.execute(
        bodies.on_conflict_do_update(
            index_elements=[Organisation.id],
            set_={"name": bodies.excluded.name, "abolished_on": bodies.excluded.abolished_on},
        )
    )
    codes = [code for row in rows for code in _codes(row)]
    code_insert = insert(OrganisationCode).values(codes)
    await connection.execute(
        code_insert.on_conflict_do_update(
            index_elements=["organisation_id", "scheme", "code", "valid_from"],
            set_={"valid_to": code_insert.excluded.valid_to},
        )
    )
    successions = [
        {
            "predecessor_id": organisation_id("icb", row["predecessor"]),
            "successor_id": organisation_id("icb", row["successor"]),
            "happened_on": date.fromisoformat(row["happened_on"]),
            "kind": row["kind"],
        }
        for row in _rows("successions.csv")
    ]
    await connection.execute(insert(OrganisationSuccession).values(successions).on_conflict_do_nothing())
