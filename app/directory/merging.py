"""Two learner records found to be one person, and the way back: every row that changed hands is remembered."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Column, Table, UniqueConstraint, and_, delete, exists, insert, select, update

from app.directory.errors import DirectoryRefusal
from app.directory.models import Learner, LearnerMerge
from app.directory.placement import lock_register
from tenants.audit import Action
from tenants.base import SCHEMA, among, metadata
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

_STAY = frozenset({"learner", "learner_merge"})


def links_to_learners() -> Iterator[tuple[Table, Column[Any]]]:
    """Every tenant-owned column that points to a learner, of this and of later parts of the domain."""
    target = f"{SCHEMA}.learner.id"
    for table in metadata.sorted_tables:
        if table.name in _STAY:
            continue
        for column in table.columns:
            if any(key.target_fullname == target for key in column.foreign_keys):
                yield table, column


async def merge_learners(work: UnitOfWork, kept_id: UUID, merged_id: UUID, reason: str) -> LearnerMerge:
    """Give everything of one learner to another. What both have (the same completion twice) is kept once.

    Raises DirectoryRefusal `SAME_LEARNER`, `NO_SUCH_LEARNER`, `MERGED_ALREADY` or `REASON_MISSING`.
    """
    words = " ".join(reason.split())
    if not words:
        raise DirectoryRefusal("REASON_MISSING", "Say why the two records are one person.")
    if kept_id == merged_id:
        raise DirectoryRefusal("SAME_LEARNER", "That is one record already. Choose two different ones.")
    await lock_register(work)
    kept, merged = await _learner(work, kept_id), await _learner(work, merged_id)
    moved: dict[str, list[str]] = {}
    removed: dict[str, list[dict[str, Any]]] = {}
    for table, column in links_to_learners():
        twice = await _twice(work, table, column, kept_id, merged_id)
        if twice:
            removed[f"{table.name}"] = [_plain(row) for row in twice]
            gone = [row["id"] for row in twice]
            await work.session.execute(
                delete(table).where(table.c.tenant_id == work.tenant_id, among(table.c.id, gone))
            )
        changed = await work.session.execute(
            update(table)
            .where(table.c.tenant_id == work.tenant_id, column == merged_id)
            .values({column.name: kept_id})
            .returning(table.c.id)
        )
        identifiers = sorted(str(identifier) for identifier in changed.scalars())
        if identifiers:
            moved[f"{table.name}.{column.name}"] = identifiers
    merged.merged_into_id = kept.id
    merge = LearnerMerge(
        tenant_id=work.tenant_id,
        id=new_id(),
        kept_learner_id=kept_id,
        merged_learner_id=merged_id,
        reason=words,
        moved={"moved": moved, "removed": removed},
        merged_at=work.now,
        undone_at=None,
    )
    work.add(merge)
    await work.session.flush()
    work.record(
        Action.LEARNERS_MERGED,
        "learner",
        kept_id,
        after={
            "merged": str(merged_id),
            "merge": str(merge.id),
            "moved": {key: len(ids) for key, ids in moved.items()},
        },
    )
    return merge


async def undo_merge(work: UnitOfWork, merge_id: UUID) -> LearnerMerge:
    """Give back what changed hands. What came to the kept learner after the merge stays there.

    Raises DirectoryRefusal `NO_SUCH_MERGE`, `UNDONE_ALREADY` or `MERGED_ONWARDS`.
    """
    await lock_register(work)
    merge = await work.session.get(LearnerMerge, (work.tenant_id, merge_id), with_for_update=True)
    if merge is None:
        raise DirectoryRefusal("NO_SUCH_MERGE", "There is no such merge. Look at the learner's history.")
    if merge.undone_at is not None:
        raise DirectoryRefusal("UNDONE_ALREADY", "The merge was undone already. Nothing was changed.")
    kept = await work.session.get_one(Learner, (work.tenant_id, merge.kept_learner_id))
    if kept.merged_into_id is not None:
        raise DirectoryRefusal("MERGED_ONWARDS", "The kept record was merged into another. Undo that merge first.")
    tables = {table.name: table for table, _ in links_to_learners()}
    for place, identifiers in merge.moved["moved"].items():
        name, _, column = place.partition(".")
        table = tables[name]
        await work.session.execute(
            update(table)
            .where(
                table.c.tenant_id == work.tenant_id,
                among(table.c.id, [UUID(identifier) for identifier in identifiers]),
                table.c[column] == merge.kept_learner_id,
            )
            .values({column: merge.merged_learner_id})
        )
    for name, rows in merge.moved["removed"].items():
        await work.session.execute(insert(tables[name]), [_typed(tables[name], row) for row in rows])
    merged = await work.session.get_one(Learner, (work.tenant_id, merge.merged_learner_id))
    merged.merged_into_id = None
    merge.undone_at = work.now
    work.record(
        Action.LEARNER_MERGE_UNDONE,
        "learner",
        merge.kept_learner_id,
        after={"parted": str(merge.merged_learner_id), "merge": str(merge.id)},
    )
    return merge


async def _learner(work: UnitOfWork, learner_id: UUID) -> Learner:
    learner = await work.session.get(Learner, (work.tenant_id, learner_id), with_for_update=True)
    if learner is None:
        raise DirectoryRefusal("NO_SUCH_LEARNER", "There is no such learner. Choose one from the list.")
    if learner.merged_into_id is not None:
        raise DirectoryRefusal("MERGED_ALREADY", "That record was merged into another already. Choose the kept one.")
    return learner


async def _twice(
    work: UnitOfWork, table: Table, column: Column[Any], kept_id: UUID, merged_id: UUID
) -> list[Mapping[str, Any]]:
    """Rows of the merged learner that would stand beside an equal one of the kept learner."""
    found: dict[UUID, Mapping[str, Any]] = {}
    for constraint in table.constraints:
        if not isinstance(constraint, UniqueConstraint) or column.name not in constraint.columns:
            continue
        others = [other.name for other in constraint.columns if other.name not in ("tenant_id", column.name)]
        equal = table.alias()
        same = and_(*[equal.c[name] == table.c[name] for name in others])
        rows = await work.session.execute(
            select(table).where(
                table.c.tenant_id == work.tenant_id,
                column == merged_id,
                exists().where(equal.c.tenant_id == work.tenant_id, equal.c[column.name] == kept_id, same),
            )
        )
        found |= {row["id"]: dict(row) for row in rows.mappings()}
    return list(found.values())


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    # Names of columns are a kind of text of their own, which the serializer does not take for keys.
    parsed: dict[str, Any] = orjson.loads(orjson.dumps({f"{name}": value for name, value in row.items()}, default=str))
    return parsed


_FROM_TEXT: Mapping[type, Any] = defaultdict(
    lambda: lambda value: value,
    {UUID: UUID, datetime: datetime.fromisoformat, date: date.fromisoformat, Decimal: Decimal},
)


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if value is None else _FROM_TEXT[table.c[name].type.python_type](value)
        for name, value in row.items()
    }
