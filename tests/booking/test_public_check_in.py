"""Checking in by oneself at the public page: the poster's address, the reference, twice, too early, guessing."""

from datetime import timedelta

from sqlalchemy import select

from app.training.models import Attendance, TrainingSession
from app.training.sessions.details import Places
from tests.booking.support import NEXT_WEEK, book, let_time_pass, make_session, make_staff
from tests.identity.everything import everything
from tests.support import NOW, Installation


async def test_people_check_in_by_themselves(installation: Installation) -> None:
    _, staff = await make_staff(installation, 2)
    session = await make_session(installation, Places(1))
    made = await book(installation, session, staff)
    first, waiting = (row["reference"] for row in made["bookings"])
    context = installation.context(installation.north)
    async with installation.database.session(context) as reads:
        code = (await reads.scalars(select(TrainingSession.check_in_code))).one()
    path = f"/check-in/north/{code}"
    before = await everything(installation)
    shown = await installation.http.get(path)
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert "set-cookie" not in shown.headers
    assert await everything(installation) == before, "looking changes nothing"
    early = await installation.http.post(path, data={"reference": first})
    assert (early.status_code, "an hour before" in early.text) == (422, True)
    await let_time_pass(installation, NEXT_WEEK - NOW + timedelta(minutes=1))
    for words in ("That is all", "nothing was added"):
        done = await installation.http.post(path, data={"reference": f" {first[:4]} {first[4:].lower()}"})
        assert (done.status_code, words in done.text) == (200, True)
    without = await installation.http.post(path, data={"reference": waiting})
    assert (without.status_code, "Speak to a facilitator" in without.text) == (422, True)
    async with installation.database.session(context) as reads:
        (attended,) = (await reads.scalars(select(Attendance))).all()
    assert (attended.learner_id, attended.qualifies, attended.decided_because) == (staff[0], True, "checked_in")
    assert (await installation.http.get(f"/check-in/south/{code}")).status_code == 404, "a code is its tenant's own"
    for _ in range(25):
        last = await installation.http.post(path, data={"reference": "ABCDEFGH"})
    assert (last.status_code, "retry-after" in last.headers) == (429, True), "guessing is slowed down"
