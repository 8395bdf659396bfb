"""The review queue through its pages: one entry for a person, what is known of the suggested, and every answer."""

import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.directory.models import Learner
from app.identity.models import Access
from app.identity.permissions import Role
from app.training.models import Attendance
from tests.console.programme import Programme, small_programme
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.imports.support import completion, completions, rows_of, run_of, take
from tests.support import Installation

QUEUE = "/console/imports/review"


async def scene(installation: Installation) -> tuple[Programme, Visitor]:
    """A small programme and its lead."""
    return await small_programme(installation, installation.north), await visitor_as(installation, Role.PROGRAMME_LEAD)


async def states(installation: Installation, made: Programme) -> list[str]:
    """What became of the waiting rows, in the order of the file."""
    return [row.state for row in await rows_of(installation, installation.north, made.attendance, "review")]


async def learner_named(installation: Installation, name: str) -> UUID:
    """The one learner of the north with this name."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return (await session.scalars(select(Learner.id).where(Learner.display_name == name))).one()


async def attended(installation: Installation, learner_id: UUID) -> int:
    """How many attendances a learner has."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return len((await session.scalars(select(Attendance.id).where(Attendance.learner_id == learner_id))).all())


def entry_of(page: Any, name: str) -> str:
    """The id of the entry with this heading."""
    found = re.search(rf'id="entry-([0-9a-f-]+)">{re.escape(name)}<', page.text)
    assert found is not None, main_text(page)
    return found[1]


@pytest.mark.row("A30")
async def test_rows_of_one_person_are_one_entry_and_settled_together(installation: Installation) -> None:
    made, lead = await scene(installation)
    page = await lead.get(QUEUE)
    assert page.text.count('id="entry-') == 2
    assert "Givend (Guest) There is only a name" in main_text(page)
    rows = await rows_of(installation, installation.north, made.attendance, "review")
    assert f"Rows {rows[0].row_number}, {rows[1].row_number} of webinar.csv" in main_text(page)
    known = await learner_named(installation, "Givenb Familyb")
    answer = await lead.post(f"{QUEUE}/{entry_of(page, 'Givend (Guest)')}/answer", {"answer": str(known)})
    assert answer.headers["location"] == f"{QUEUE}?done=row-placed"
    assert await states(installation, made) == ["resolved", "resolved", "open"]
    page = await lead.get(f"/console/imports/{made.attendance}")
    assert "2 rows were placed by a person" in main_text(page)
    run = await run_of(installation, installation.north, made.attendance)
    assert f"Together {run.rows_total}" in main_text(page)


@pytest.mark.parametrize(
    ("answer", "state", "done", "made_new"), [("new", "resolved", "row-new", 1), ("leave", "dismissed", "row-left", 0)]
)
async def test_somebody_new_and_leaving_out(
    installation: Installation, answer: str, state: str, done: str, made_new: int
) -> None:
    made, lead = await scene(installation)
    queue = f"/console/imports/{made.attendance}/review"
    row_id = entry_of(await lead.get(queue), "Givenc")
    sent = await lead.post(f"{QUEUE}/{row_id}/answer", {"answer": answer, "back": str(made.attendance)})
    assert sent.headers["location"] == f"{queue}?done={done}"
    assert await states(installation, made) == ["open", "open", state]
    async with installation.database.session(installation.context(installation.north)) as session:
        found = (await session.scalars(select(Learner.id).where(Learner.display_name == "Givenc"))).all()
    assert len(found) == made_new
    run = await run_of(installation, installation.north, made.attendance)
    assert f"Together {run.rows_total}" in main_text(await lead.get(f"/console/imports/{made.attendance}"))


async def test_the_learner_is_searched_for_without_a_name_in_any_address(installation: Installation) -> None:
    made, lead = await scene(installation)
    row_id = entry_of(await lead.get(QUEUE), "Givenc")
    nobody = await lead.post(f"{QUEUE}/{row_id}/search", {"search": "Zzz"})
    assert "Nobody of that name was found" in main_text(nobody)
    empty = await lead.post(f"{QUEUE}/{row_id}/search", {"search": " "})
    assert (empty.status_code, 'href="#search"' in empty.text) == (422, True)
    found = await lead.post(f"{QUEUE}/{row_id}/search", {"search": "famil GIVENC"})
    assert "1 learner found Givenc Familyc Rose Lodge 2. Last completion 16 September 2026" in main_text(found)
    known = await learner_named(installation, "Givenc Familyc")
    assert f'value="{known}"' in found.text
    assert await states(installation, made) == ["open"] * 3, "searching changes nothing"
    await lead.post(f"{QUEUE}/{row_id}/answer", {"answer": str(known)})
    assert await attended(installation, known) == 1
    async with installation.database.session(installation.context(installation.north)) as session:
        routes = set(await session.scalars(select(Access.route)))
    assert {"review_queue", "review_search", "review_answer"} <= routes


async def test_suggestions_come_with_what_is_known_of_each(installation: Installation) -> None:
    _, lead = await scene(installation)
    # Another account under the address of a learner, with another name.
    other = completion(2).replace("u2,Givenc,Familyc", "u77,Quinn,Otherwise")
    await take(installation, installation.north, completions([other]), "completions", {"tier": 1}, filename="more.csv")
    page = await lead.get(QUEUE)
    row_id = entry_of(page, "Quinn Otherwise")
    card = page.text.partition(f'aria-labelledby="entry-{row_id}"')[2].partition("</section>")[0]
    assert "The address belongs to a learner of another name" in card
    assert "This is Givenc Familyc" in card
    assert "Rose Lodge 2. Last completion 16 September 2026." in " ".join(card.split())
    assert re.search(r"agreement \d+%", card)


async def test_an_answer_that_came_too_late_changes_nothing_and_says_so(installation: Installation) -> None:
    made, lead = await scene(installation)
    row_id = entry_of(await lead.get(QUEUE), "Givenc")
    await lead.post(f"{QUEUE}/{row_id}/answer", {"answer": "leave"})
    late = await lead.post(f"{QUEUE}/{row_id}/answer", {"answer": "new"})
    assert late.status_code == 422
    assert "Somebody has answered this row already" in main_text(late)
    assert await states(installation, made) == ["open", "open", "dismissed"]
    assert (await lead.get(f"{QUEUE}/{row_id}")).status_code == 404


@pytest.mark.parametrize("answer", ["", "nonsense", "01a2135f-8f88-7000-ba95-6b04545ec1ba"])
async def test_an_answer_that_is_none_changes_nothing(installation: Installation, answer: str) -> None:
    made, lead = await scene(installation)
    row_id = entry_of(await lead.get(QUEUE), "Givenc")
    refused = await lead.post(f"{QUEUE}/{row_id}/answer", {"answer": answer})
    assert refused.status_code == 422
    assert "There is a problem" in main_text(refused)
    assert await states(installation, made) == ["open"] * 3
    assert (await lead.post(f"{QUEUE}/{row_id}/answer", {"answer": "new"})).status_code == 303


async def test_who_may_not_see_people_sees_that_rows_wait_and_no_more(installation: Installation) -> None:
    made, lead = await scene(installation)
    analyst = await visitor_as(installation, Role.ANALYST)
    row_id = entry_of(await lead.get(QUEUE), "Givenc")
    page = await analyst.get(QUEUE)
    assert page.text.count('id="entry-') == 2
    assert "Giv" not in main_text(page)
    assert "<form" not in page.text.partition("<main")[2]
    assert (await analyst.post(f"{QUEUE}/{row_id}/search", {"search": "Givenc"})).status_code == 403
    assert (await analyst.post(f"{QUEUE}/{row_id}/answer", {"answer": "leave"})).status_code == 403
    assert await states(installation, made) == ["open"] * 3


async def test_the_queue_goes_on_page_by_page(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.console.review_pages.PAGE", 1)
    _, lead = await scene(installation)
    first = await lead.get(QUEUE)
    onward = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert onward is not None
    second = await lead.get(onward[1])
    assert [entry_of(first, "Givend (Guest)"), entry_of(second, "Givenc")]
    assert 'rel="next"' not in second.text
