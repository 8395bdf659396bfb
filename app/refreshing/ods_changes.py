"""Changes of the ODS directory: boards that are new, renamed, closed or succeeded, compared and applied."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.refreshing.holding import Held, note
from app.refreshing.models import ReferenceChange
from app.refreshing.ods import Board, Directory, name_key
from app.refreshing.rules import difference, plain
from tenants.models import Organisation, OrganisationCode, OrganisationSuccession
from tenants.organisations import BEFORE_RECORDS, organisation_id
from tenants.session import UnitOfWork

ENDS = "abolished_on"


async def fetch_boards(held: Held, directory: Directory) -> tuple[dict[str, int], int]:
    """Fetch all boards and keep how they differ. Gives counts of what was left out, and how many boards are known."""
    codes = await directory.codes()
    async with held.work() as work:
        await note(work, held, steps_total=len(codes))
        boards = select(func.count()).select_from(Organisation).where(Organisation.kind == "icb")
        known = (await work.session.scalars(boards)).one()
    left_out = {"no_board": 0, "unchanged": 0}
    done = 0
    async for board in directory.boards(codes):
        done += 1
        async with held.work() as work:
            if board is None:
                left_out["no_board"] += 1
            elif not await _keep(work, held.id, board):
                left_out["unchanged"] += 1
            await note(work, held, steps_done=done)
    return left_out, known


async def _keep(work: UnitOfWork, refresh_id: UUID, board: Board) -> bool:
    """Keep how a board differs; False if it does not."""
    present = await _organisation(work, board.code)
    known = None
    told: dict[str, Any] = dict(board.values)
    if present is not None:
        known = {name: getattr(present, name) for name in told}
        if name_key(board.name) == name_key(present.name):
            told["name"] = present.name
        if present.established_on is not None:
            told["established_on"] = present.established_on  # days before 2022 are those of the partnership
    new = [f"{code} {day}" for code, day in board.predecessors if not await _succeeded(work, board.code, code)]
    if new:
        told["predecessors"] = new
    found = difference(known, told, ENDS)
    if found is None:
        return False
    values = {name: value if isinstance(value, list) else plain(value) for name, value in told.items()}
    row = {
        "refresh_id": refresh_id,
        "key": board.code,
        "kind": found.kind,
        "name": told["name"],
        "before": found.before,
        "after": {name: plain(value) for name, value in found.after.items()},
        "values": values,
    }
    await work.session.execute(insert(ReferenceChange).values(row).on_conflict_do_nothing())
    return True


async def _organisation(work: UnitOfWork, code: str) -> Organisation | None:
    wanted = (
        select(Organisation)
        .join(OrganisationCode, OrganisationCode.organisation_id == Organisation.id)
        .where(OrganisationCode.scheme == "ods", OrganisationCode.code == code)
        .limit(1)
    )
    return (await work.session.scalars(wanted)).first()


async def _succeeded(work: UnitOfWork, successor: str, predecessor: str) -> bool:
    """Whether the succession is known; also where the predecessor never was a board here, so that it cannot be."""
    after, before = await _organisation(work, successor), await _organisation(work, predecessor)
    if before is None:
        return True
    if after is None:
        return False
    wanted = select(OrganisationSuccession.predecessor_id).where(
        OrganisationSuccession.predecessor_id == before.id, OrganisationSuccession.successor_id == after.id
    )
    return (await work.session.scalars(wanted)).first() is not None


async def apply_boards(work: UnitOfWork, refresh_id: UUID, until: datetime) -> int | None:
    """Apply all that is left at once: successions name boards of the same refresh. None: nothing is left."""
    waiting = select(ReferenceChange).where(
        ReferenceChange.refresh_id == refresh_id, ReferenceChange.applied_at.is_(None)
    )
    changes = (await work.session.scalars(waiting.order_by(ReferenceChange.key))).all()
    if not changes:
        return None
    for change in changes:
        await _apply_body(work, change)
    for change in changes:
        for text in change.values.get("predecessors", []):
            code, _, day = text.partition(" ")
            await _apply_succession(work, change.key, code, date.fromisoformat(day))
        change.applied_at = work.now
    await work.session.flush()
    return 0


async def _apply_body(work: UnitOfWork, change: ReferenceChange) -> None:
    started, ended = (_day(change.values.get(name)) for name in ("established_on", "abolished_on"))
    present = await _organisation(work, change.key)
    body = organisation_id("icb", change.key) if present is None else present.id
    if present is None:
        row = {"id": body, "kind": "icb", "name": change.name, "established_on": started, "abolished_on": ended}
        await work.session.execute(insert(Organisation).values(row).on_conflict_do_nothing())
        code = {"organisation_id": body, "scheme": "ods", "code": change.key, "valid_from": started or BEFORE_RECORDS}
        await work.session.execute(
            insert(OrganisationCode).values({**code, "valid_to": ended}).on_conflict_do_nothing()
        )
        return
    named = update(Organisation).where(Organisation.id == body).values(name=change.name, abolished_on=ended)
    await work.session.execute(named.execution_options(synchronize_session=False))
    if ended is not None:
        codes = and_(OrganisationCode.organisation_id == body, OrganisationCode.valid_to.is_(None))
        closed = update(OrganisationCode).where(codes, OrganisationCode.valid_from < ended).values(valid_to=ended)
        await work.session.execute(closed.execution_options(synchronize_session=False))


async def _apply_succession(work: UnitOfWork, successor: str, predecessor: str, day: date) -> None:
    """Note that one took over from another: a split, if the predecessor went to several."""
    after, before = await _organisation(work, successor), await _organisation(work, predecessor)
    if after is None or before is None:
        return
    others = select(OrganisationSuccession.successor_id).where(
        OrganisationSuccession.predecessor_id == before.id, OrganisationSuccession.successor_id != after.id
    )
    kind = "split" if (await work.session.scalars(others)).first() is not None else "merge"
    row = {"predecessor_id": before.id, "successor_id": after.id, "happened_on": day, "kind": kind}
    await work.session.execute(insert(OrganisationSuccession).values(row).on_conflict_do_nothing())
    if kind == "split":
        split = update(OrganisationSuccession).where(OrganisationSuccession.predecessor_id == before.id)
        await work.session.execute(split.values(kind="split").execution_options(synchronize_session=False))


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None
