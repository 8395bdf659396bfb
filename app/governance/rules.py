"""Pure rules of governance: what an item needs, when something is late, which cells may be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.training.errors import TrainingRefusal

CLOSED = ("done", "withdrawn")


def check_item(kind: str, session_id: UUID | None, due_on: date | None) -> None:
    """An action of a forum names the forum and its due day; nothing else belongs to a forum.

    Raises TrainingRefusal `SESSION_MISSING`, `DUE_DAY_MISSING` or `NO_FORUM_ACTION`.
    """
    if kind == "forum_action":
        if session_id is None:
            raise TrainingRefusal("SESSION_MISSING", "Choose the forum that asked for the action.", "session")
        if due_on is None:
            raise TrainingRefusal("DUE_DAY_MISSING", "Enter the day by which the action is to be done.", "dueOn")
    elif session_id is not None:
        raise TrainingRefusal("NO_FORUM_ACTION", "Only an action of a forum names a session. Leave it out.", "session")


def exactly_one(named: Mapping[str, object | None], message: str) -> str:
    """The name of the one thing that was given. Raises TrainingRefusal `NAME_ONE` with the message."""
    given = [name for name, value in named.items() if value is not None]
    if len(given) != 1:
        raise TrainingRefusal("NAME_ONE", message, next(iter(named)))
    return given[0]


@dataclass(frozen=True, slots=True)
class Cell:
    """People of one group: how many need it, and how many of those have it."""

    dimension: str
    group: str
    needing: int
    having: int


@dataclass(frozen=True, slots=True)
class ToldCell:
    """A cell as it may be shown: None where that would tell of few people."""

    dimension: str
    group: str
    needing: int | None
    having: int | None
    percent: float | None

    @property
    def suppressed(self) -> bool:
        """Whether it is hidden."""
        return self.needing is None


def may_be_told(cell: Cell, smallest: int) -> bool:
    """Whether neither those who have it nor those who lack it, nor the group, are few but somebody."""
    lacking = cell.needing - cell.having
    return all(count == 0 or count >= smallest for count in (cell.needing, cell.having, lacking))


def suppress(cells: Sequence[Cell], smallest: int) -> list[ToldCell]:
    """Cells of one dimension, whose total may be known, as they may be shown.

    Small ones are hidden. So that the total less the shown ones does not give a hidden one away, at least two are
    hidden, and `smallest` people or more who have it, and as many who lack it, are among them: the next smallest are
    hidden as well. Empty groups are shown as 0, for they tell of nobody.
    """
    hidden = {index for index, cell in enumerate(cells) if not may_be_told(cell, smallest)}
    rest = sorted(
        (index for index, cell in enumerate(cells) if index not in hidden and cell.needing > 0),
        key=lambda index: (cells[index].needing, cells[index].group),
    )
    while hidden and rest and not _protected([cells[index] for index in hidden], cells, smallest):
        hidden.add(rest.pop(0))
    return [_told(cell, hidden=index in hidden) for index, cell in enumerate(cells)]


def total_may_be_told(cells: Sequence[Cell], smallest: int) -> bool:
    """Whether the total of a dimension may stand beside its cells: nothing is hidden, or enough to protect it."""
    told = suppress(cells, smallest)
    hidden = [cell for cell, shown in zip(cells, told, strict=True) if shown.suppressed]
    return not hidden or _protected(hidden, cells, smallest)


def _protected(hidden: Sequence[Cell], cells: Sequence[Cell], smallest: int) -> bool:
    """Whether the sum of what is hidden tells of no few people. Where the whole total is 0, each cell is 0 anyway."""
    sums = [(sum(kind(cell) for cell in hidden), sum(kind(cell) for cell in cells)) for kind in (_having, _lacking)]
    return len(hidden) > 1 and all(total == 0 or count >= smallest for count, total in sums)


def _having(cell: Cell) -> int:
    return cell.having


def _lacking(cell: Cell) -> int:
    return cell.needing - cell.having


def _told(cell: Cell, *, hidden: bool) -> ToldCell:
    if hidden:
        return ToldCell(cell.dimension, cell.group, None, None, None)
    percent = round(100 * cell.having / cell.needing, 1) if cell.needing else None
    return ToldCell(cell.dimension, cell.group, cell.needing, cell.having, percent)


def overdue(due_on: date | None, status: str, today: date) -> bool:
    """Whether something that is not closed should have been done before today."""
    return due_on is not None and due_on < today and status not in (*CLOSED, "completed")


@dataclass(frozen=True, slots=True)
class Steps:
    """The days of a partnership's steps; None: not yet."""

    invited_on: date
    agreed_on: date | None = None
    agreement_signed_on: date | None = None
    agreement_until: date | None = None
    live_on: date | None = None
    ended_on: date | None = None


STAGES = ("invited", "agreed", "agreement_signed", "live", "ended")


def stage_of(steps: Steps, today: date) -> str:
    """The furthest step that has come by `today`; one of STAGES."""
    if steps.ended_on is not None and steps.ended_on <= today:
        return "ended"
    days = {"live": steps.live_on, "agreement_signed": steps.agreement_signed_on, "agreed": steps.agreed_on}
    return next((stage for stage, day in days.items() if day is not None and day <= today), "invited")


def names_are_shared(steps: Steps, today: date) -> bool:
    """Whether the council may see names of people today: a signed agreement is in force, and nothing has ended."""
    signed = steps.agreement_signed_on is not None and steps.agreement_signed_on <= today
    expired = steps.agreement_until is not None and steps.agreement_until < today
    ended = steps.ended_on is not None and steps.ended_on <= today
    return signed and not expired and not ended
