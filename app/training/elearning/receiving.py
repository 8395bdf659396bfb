"""Statements coming in: all of a request or none, each once, and read back as they were kept."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.training.elearning.errors import Conflict, Malformed, NotYours
from app.training.elearning.models import XapiStatement
from app.training.elearning.statements import Statement
from tenants.base import among
from tenants.outbox import Topic
from tenants.session import UnitOfWork


async def keep(work: UnitOfWork, system_id: UUID, statements: Sequence[Statement]) -> int:
    """Keep those that are new, and have their meaning taken in by a worker; how many were new.

    Raises Conflict where an id is taken by another content, NotYours where a statement voids another system's, and
    Malformed where one voids a voiding statement.
    """
    await _check_voiding(work, system_id, statements)
    rows = sorted(statements, key=lambda statement: statement.id)
    ids = [item.id for item in rows]
    before = set(await work.session.scalars(select(XapiStatement.id).where(among(XapiStatement.id, ids))))
    await work.insert_rows(
        XapiStatement,
        (
            "id", "learning_system_id", "body", "fingerprint", "account_key", "activity_iri", "voids_id", "occurred_at",
            "stored_at",
        ),
        (
            (
                item.id, system_id, orjson.dumps(item.body).decode(), item.fingerprint,
                item.person.key if item.person else None, item.activity_iri, item.voids_id, item.occurred_at, work.now,
            )
            for item in rows
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )  # fmt: skip
    kept = {
        row.id: row
        for row in await work.session.execute(
            select(XapiStatement.id, XapiStatement.learning_system_id, XapiStatement.fingerprint).where(
                among(XapiStatement.id, ids)
            )
        )
    }
    for item in rows:
        row = kept[item.id]
        if row.learning_system_id != system_id or row.fingerprint != item.fingerprint:
            raise Conflict(str(item.id))
    new = len(rows) - len(before)
    if new:
        work.emit(Topic.STATEMENTS_DERIVE, f"received:{work.context.request_id}")
    return new


async def _check_voiding(work: UnitOfWork, system_id: UUID, statements: Sequence[Statement]) -> None:
    targets = {item.voids_id for item in statements if item.voids_id is not None}
    if not targets:
        return
    voiding = {item.id for item in statements if item.voids_id is not None}
    rows = await work.session.execute(
        select(XapiStatement.id, XapiStatement.learning_system_id, XapiStatement.voids_id).where(
            among(XapiStatement.id, targets)
        )
    )
    for statement_id, owner_id, voids_id in rows:
        if owner_id != system_id:
            raise NotYours(str(statement_id))
        if voids_id is not None:
            voiding.add(statement_id)
    if targets & voiding:
        raise Malformed("object.id", "A voiding statement cannot be voided. Send what it took back once more.")


def is_voided() -> ColumnElement[bool]:
    """Whether a statement was taken back by one of its own system; a voiding statement never is."""
    voiding = aliased(XapiStatement)
    return and_(
        XapiStatement.voids_id.is_(None),
        exists().where(
            voiding.tenant_id == XapiStatement.tenant_id,
            voiding.voids_id == XapiStatement.id,
            voiding.learning_system_id == XapiStatement.learning_system_id,
        ),
    )


async def kept_statement(
    session: AsyncSession, system_id: UUID, statement_id: UUID, *, voided: bool
) -> dict[str, Any] | None:
    """The statement as it is given back, or None: it is voided or not, as asked, and the system's own."""
    found = select(XapiStatement.body).where(
        XapiStatement.id == statement_id,
        XapiStatement.learning_system_id == system_id,
        is_voided() if voided else ~is_voided(),
    )
    return (await session.scalars(found)).one_or_none()
