"""Courses and topics in the console: one is added, what a course covers is set, a short course is let count."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.identity.permissions import Role
from app.training.mapping.models import Topic
from app.training.models import Tier
from app.training.requirements.models import CourseTopic
from tests.console.visitor import main_text, visitor_as
from tests.support import Installation
from tests.training.requirements.test_programme import people


@pytest.mark.row("A1")
async def test_a_course_and_a_topic_are_added_and_a_short_course_counts(installation: Installation) -> None:
    world = await people(installation)
    lead, reader = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    add = "/console/courses/add"
    installation.clock.move(timedelta(minutes=1))  # a course of the same moment counts as new
    assert add in (await lead.get("/console/courses")).text
    given = {"provider": "Provider", "title": "Insulin", "course_version": "2"}
    for fields, words, field in (
        ({"provider": ""}, "Choose the training provider.", "provider"),
        ({"provider": "+other"}, "Enter the training provider", "training_provider"),
        ({"title": " "}, "Enter the course", "title"),
        ({"title": "long", "course_version": "1"}, "has a course of that title and version already", "title"),
    ):
        refused = await lead.post(add, given | fields)
        assert (refused.status_code, words in refused.text, f'href="#{field}"' in refused.text) == (422, True, True)
        assert f'value="{(given | fields)["course_version"]}"' in refused.text
    course = (await lead.post(add, given)).headers["location"].partition("?")[0]
    assert main_text(await lead.get(course)).startswith("Provider, version 2 Insulin")
    other = await lead.post(add, {"provider": "+other", "training_provider": "New Academy", "title": "Insulin"})
    assert "New Academy" in main_text(await lead.get(other.headers["location"]))

    new = "/console/mapping/topics/add"
    assert "There are no topics yet." in main_text(await lead.get(f"{course}/topics"))
    topic: dict[str, Any] = {
        "code": "Local-1", "title": "Insulin at home", "theme": "Practice", "mandatory_in": "domiciliary"
    }  # fmt: skip
    untitled = await lead.post(new, topic | {"title": ""})
    assert (untitled.status_code, "Enter the title." in untitled.text) == (422, True)
    assert 'value="domiciliary" checked' in untitled.text
    made = (await lead.post(new, topic)).headers["location"]
    assert made.endswith("?done=topic-added")
    assert "Nothing: that is a fault" in main_text(await lead.get(made))
    taken = await lead.post(new, topic)
    assert (taken.status_code, "There is a topic of that code already" in taken.text) == (422, True)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        assert (await work.session.scalars(select(Topic.mandatory_in))).one() == ["domiciliary"]
        work.add(
            CourseTopic(tenant_id=work.tenant_id, id=world.tenant_id, course_id=world.courses["Long"], topic_code="T9")
        )
        await work.session.execute(update(Tier).where(Tier.position == 1).values(minimum_minutes=60))

    topics = f"{course}/topics"
    assert (await lead.post(topics, {"topics": ["LOCAL-1", "NO-SUCH"]})).status_code == 303
    assert "Topics that it covers LOCAL-1: Insulin at home Change" in main_text(await lead.get(course))
    long = f"/console/courses/{world.courses['Long']}"
    assert 'value="T9" checked' in (await lead.get(f"{long}/topics")).text, "a code without a topic is not lost"
    await lead.post(topics)
    assert "meets no requirement of a topic" in main_text(await lead.get(course))

    short = f"/console/courses/{world.courses['Short course']}"
    assert "does not satisfy the tier. Let it count all the same" in main_text(await lead.get(short))
    silent = await lead.post(f"{short}/short", {"reason": " "})
    assert (silent.status_code, "Say why the short course may count." in silent.text) == (422, True)
    assert (await lead.post(f"{short}/short", {"reason": "It is dense"})).status_code == 303
    assert "and counts all the same since 24 November 2026: It is dense" in main_text(await reader.get(short))
    assert "The course may count already" in (await lead.post(f"{short}/short", {"reason": "Twice"})).text
    assert "long enough for its tier" in (await lead.post(f"{long}/short", {"reason": "Why"})).text

    for path in (add, new, topics, f"{short}/short"):
        assert (await reader.get(path)).status_code == 403, path
        assert (await reader.post(path)).status_code == 403, path
    for page in ("/console/courses", "/console/mapping/topics", course):
        seen = (await reader.get(page)).text
        assert not [path for path in (add, new, topics) if path in seen], page
    assert (await lead.get(f"/console/courses/{world.programme}/topics")).status_code == 404
