"""Rules of e-learning: what a sound statement is, what it means in any order, and what a course structure says."""

import copy
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.training.elearning import meaning, statements
from app.training.elearning.checks import seconds_of
from app.training.elearning.errors import Malformed
from app.training.elearning.meaning import Activity, Told, told, understand
from app.training.elearning.structure import read_structure
from app.training.errors import TrainingRefusal
from tests.elearning.learning_system import COURSE, HOME, statement, voiding
from tests.support import NOW

AUTHORITY = {"objectType": "Agent", "account": {"homePage": "http://testserver/xapi/north", "name": "lms-1"}}
REGISTRATION = uuid4()


def read(body: Any) -> list[statements.Statement]:
    """The statements of a body."""
    return statements.read(orjson.dumps(body), NOW, AUTHORITY)


def changed(path: str, value: Any) -> dict[str, Any]:
    """A statement with a property set, or left out where the value is an ellipsis."""
    body = statement(registration=REGISTRATION, result={"score": {"scaled": 0.9}})
    at: Any = body
    *way, last = path.split(".")
    for name in way:
        at = at.setdefault(name, {})
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return body


ACCOUNT = {"homePage": HOME, "name": "1"}
WRONG = [
    ("actor", ...),
    ("verb", ...),
    ("object", ...),
    ("actor", {"name": "Nobody"}),
    ("actor", {"account": ACCOUNT, "mbox": "mailto:a@b.example"}),
    ("actor", {"mbox": "a@b.example"}),
    ("actor", {"account": {"name": "1"}}),
    ("actor", {"account": {"homePage": "lms", "name": "1"}}),
    ("actor", {"objectType": "Group"}),
    ("actor", {"objectType": "Robot", "account": ACCOUNT}),
    ("actor", {"mbox_sha1sum": "abc"}),
    ("actor", {"objectType": "Group", "member": [{"name": "Nobody"}]}),
    ("verb", {"id": "completed"}),
    ("verb.display", "done"),
    ("object", {"definition": {}}),
    ("object.id", "course 1"),
    ("object.objectType", "Course"),
    ("object.definition.type", "course"),
    ("object.definition.choices", [{"id": "a"}]),
    ("object", {"objectType": "StatementRef", "id": "1"}),
    ("id", "1"),
    ("id", "not-a-uuid"),
    ("timestamp", "2026-11-23T10:15:30"),
    ("timestamp", "2026-11-23"),
    ("timestamp", "2026-02-30T10:15:30Z"),
    ("timestamp", 5),
    ("timestamp", "0001-01-01T00:00:00+14:00"),
    ("result.score.raw", float("1e400")),
    ("actor.account.name", "x" * 501),
    ("actor.account.homePage", f"{HOME}/{'x' * 1000}"),
    ("object.id", f"{HOME}/{'ü' * 1000}"),
    ("timestamp", "2026-11-23T10:15:30-00:00"),
    ("timestamp", "2030-01-01T00:00:00Z"),
    ("result.score.scaled", 1.01),
    ("result.score.scaled", "1"),
    ("result.score.raw", True),
    ("result.score", {"raw": 11, "max": 10}),
    ("result.success", "yes"),
    ("result.duration", "45 minutes"),
    ("result.duration", "PT"),
    ("result.duration", "P1.5DT2H"),
    ("result.extensions", {"no iri": 1}),
    ("result.grade", 1),
    ("result.success", None),
    ("context.registration", "1"),
    ("context.language", "not a tongue"),
    ("context.contextActivities.parent", [{"id": "x"}]),
    ("context.team", {"account": ACCOUNT}),
    ("extra", 1),
    ("version", "2.0.0"),
    ("context.statement", {"id": str(uuid4())}),
    ("verb.display", {"en-GB": "a\0b"}),
    (
        "attachments",
        [{"usageType": "https://x.example/a", "display": {}, "contentType": "a/b", "length": 1, "sha2": "00"}],
    ),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_what_is_not_as_the_specification_asks_is_refused_with_its_place(path: str, value: Any) -> None:
    with pytest.raises(Malformed) as refused:
        read([statement(), changed(path, value)])
    assert refused.value.message.endswith(".")
    assert refused.value.where.startswith("statements[1]") or refused.value.where == "body"


def test_a_sound_statement_is_completed_and_told_from_another_by_what_it_says() -> None:
    body = changed("context.contextActivities", {"parent": {"id": COURSE}})
    (one,) = read(body)
    assert one.body["context"]["contextActivities"] == {"parent": [{"id": COURSE}]}
    assert (one.body["version"], one.body["authority"]) == ("1.0.3", AUTHORITY)
    assert (str(one.id), one.activity_iri, one.voids_id) == (body["id"], COURSE, None)
    assert one.person is not None
    assert one.person.key == f"account:{HOME} learner-8842"
    same = copy.deepcopy(body)
    same["verb"]["display"] = {"de": "fertig"}
    same["object"]["definition"]["name"] = {"en-GB": "Renamed"}
    same["timestamp"] = body["timestamp"].replace("+00:00", "Z")
    assert read(same)[0].fingerprint == one.fingerprint
    for path, value in (
        ("result.score.scaled", 0.8),
        ("timestamp", "2026-11-20T10:00:00Z"),
        ("actor.account.name", "2"),
    ):
        other = copy.deepcopy(body)
        at: Any = other
        *way, last = path.split(".")
        for name in way:
            at = at[name]
        at[last] = value
        assert read(other)[0].fingerprint != one.fingerprint, path
    bare = {name: body[name] for name in ("actor", "verb", "object")}
    (made,) = read(bare)
    assert made.occurred_at == NOW
    assert made.body["id"] == str(made.id)
    assert read(voiding(body))[0].voids_id == UUID(body["id"])
    group = statement(actor={"objectType": "Group", "member": [{"mbox": "mailto:A@b.example"}]})
    assert read(group)[0].person is None
    inside = {"objectType": "SubStatement"} | {name: body[name] for name in ("actor", "verb", "object")}
    assert read(bare | {"object": inside})[0].activity_iri is None
    for wrong in (
        [body, body],
        [statement() for _ in range(501)],
        bare | {"object": inside | {"object": inside}},
        5,
        [5],
        bare | {"verb": {"id": statements.VOIDED}},
    ):
        with pytest.raises(Malformed):
            read(wrong)
    with pytest.raises(Malformed):
        statements.read(b"{", NOW, AUTHORITY)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P1DT2H", 93_600),
        ("PT45M", 2700),
        ("PT1H0.5S", Decimal("3600.5")),
        ("P2W", 1_209_600),
        ("P1Y", 31_536_000),
        ("P", None),
        ("PT1H30", None),
        ("1H", None),
    ],
)
def test_durations(text: str, seconds: Decimal | None) -> None:
    assert seconds_of(text) == seconds


COURSE_ID, OTHER_ID = uuid4(), uuid4()
AU, PUBLISHED = f"{HOME}/au/1", "https://publisher.example/course"


def rule(move_on: str = "CompletedOrPassed", finishes: str = "move_on") -> dict[str, Activity]:
    """The course, by one rule, and a part of it."""
    return {
        COURSE: Activity(COURSE, "course", COURSE_ID, finishes, move_on),
        AU: Activity(AU, "au", COURSE_ID, "never", "Passed"),
        PUBLISHED: Activity(PUBLISHED, "course", COURSE_ID, finishes, move_on),
    }


def heard(*bodies: dict[str, Any]) -> list[Told]:
    """What statements say."""
    return [found for body in bodies if (found := told(read(body)[0].body, UUID(body["id"]))) is not None]


@pytest.mark.parametrize(
    ("move_on", "verbs", "finished"),
    [
        ("Passed", [meaning.COMPLETED], False),
        ("Passed", [meaning.COMPLETED, meaning.PASSED], True),
        ("Completed", [meaning.PASSED], False),
        ("Completed", [meaning.COMPLETED], True),
        ("CompletedAndPassed", [meaning.PASSED], False),
        ("CompletedAndPassed", [meaning.PASSED, meaning.COMPLETED], True),
        ("CompletedOrPassed", [meaning.PASSED], True),
        ("CompletedOrPassed", [meaning.INITIALIZED, meaning.TERMINATED], False),
        ("NotApplicable", [meaning.INITIALIZED], True),
        ("Passed", [meaning.WAIVED], True),
        ("Passed", [meaning.SATISFIED], True),
        ("CompletedOrPassed", [meaning.LAUNCHED, meaning.FAILED, meaning.ABANDONED], False),
        ("CompletedOrPassed", [meaning.PASSED, meaning.FAILED, meaning.ABANDONED], True),
    ],
)
def test_move_on(move_on: str, verbs: list[str], finished: bool) -> None:
    for registration in (REGISTRATION, None):
        found = understand(heard(*(statement(verb, registration=registration) for verb in verbs)), rule(move_on))
        assert [one.course_id for one in found.finished] == ([COURSE_ID] if finished else [])
        assert set(found.begun) == {COURSE_ID}


def test_what_no_system_should_send_is_understood_without_harm() -> None:
    deep: Any = 1
    for _ in range(120):
        deep = [deep]
    with pytest.raises(Malformed, match="deep"):
        read(statement(result={"extensions": {"https://x.example/a": deep}}))
    with pytest.raises(Malformed):
        statements.read(b"[" * 100_000, NOW, AUTHORITY)
    odd = {"score": {"raw": -1e300, "max": 1}, "duration": "P99999999999Y"}
    (one,) = understand(heard(statement(meaning.PASSED, result=odd)), rule()).finished
    assert (one.minutes, one.score) == (None, None)
    named = statement(actor={"account": {"homePage": HOME, "name": "1"}, "name": "x" * 5000})
    person = read(named)[0].person
    assert person is not None
    assert len(person.name or "") == 200


def test_what_finishes_nothing() -> None:
    failed = statement(meaning.FAILED, result={"completion": True, "success": False, "score": {"scaled": 0.2}})
    left = statement(meaning.TERMINATED, result={"completion": True})
    part = statement(meaning.PASSED, about=AU)
    quiz = statement(meaning.PASSED, about=f"{HOME}/quiz", grouping=COURSE)
    found = understand(heard(failed, left, part, quiz), rule())
    assert (found.finished, set(found.begun)) == ([], {COURSE_ID})
    assert understand(heard(statement(meaning.PASSED)), rule(finishes="satisfied")).finished == []
    assert understand(heard(statement(meaning.PASSED, about=f"{HOME}/unknown")), rule()).begun == {}


def test_a_cmi5_system_names_the_published_course_beside_an_id_of_its_own() -> None:
    whole = statement(about=f"{HOME}/made-up", kind="course", grouping=PUBLISHED, registration=REGISTRATION)
    unit = statement(
        meaning.PASSED, about=f"{HOME}/made-up-too", kind="au", grouping=PUBLISHED, registration=REGISTRATION
    )
    (done,) = understand(heard(whole, unit), rule(finishes="satisfied")).finished
    assert done.rests_on == (UUID(whole["id"]),)
    assert understand(heard(unit), rule()).finished == [], "a unit does not stand for the course"


def test_moment_minutes_and_score_of_what_is_finished() -> None:
    first, later = NOW - timedelta(days=20), NOW - timedelta(days=10)
    done = heard(
        statement(meaning.COMPLETED, at=later, registration=REGISTRATION, result={"duration": "PT50M"}),
        statement(
            meaning.PASSED, at=first, registration=REGISTRATION, result={"score": {"raw": 16, "min": 0, "max": 20}}
        ),
        statement(meaning.TERMINATED, at=later, registration=REGISTRATION, result={"duration": "PT3H"}),
    )
    (one,) = understand(done, rule()).finished
    assert (one.occasion, one.at, one.minutes, one.score) == (str(REGISTRATION), first, 50, Decimal("80.00"))
    assert set(one.rests_on) == {done[0].id, done[1].id}
    (both,) = understand(done, rule("CompletedAndPassed")).finished
    assert both.at == later
    parts = heard(
        statement(registration=REGISTRATION),
        *(
            statement(meaning.TERMINATED, about=AU, registration=REGISTRATION, result={"duration": "P1DT2H"})
            for _ in range(2)
        ),
    )
    assert understand(parts, rule()).finished[0].minutes == 2 * 26 * 60
    again = heard(*(statement(meaning.PASSED, at=NOW - timedelta(days=n, hours=h)) for n in (1, 400) for h in (0, 1)))
    assert len(understand(again, rule()).finished) == 2, "once a day where no registration tells occasions apart"


VERBS = [
    getattr(meaning, name)
    for name in (
        "PASSED",
        "COMPLETED",
        "FAILED",
        "LAUNCHED",
        "INITIALIZED",
        "TERMINATED",
        "SATISFIED",
        "WAIVED",
        "ABANDONED",
    )
]
SAID = st.builds(
    Told,
    id=st.uuids(),
    verb=st.sampled_from(VERBS),
    iri=st.sampled_from([COURSE, AU, PUBLISHED, "https://elsewhere.example"]),
    kind=st.sampled_from(["course", "au"]),
    related=st.lists(st.sampled_from([COURSE, PUBLISHED]), max_size=2).map(tuple),
    cmi5=st.booleans(),
    registration=st.sampled_from([REGISTRATION, None]),
    at=st.integers(0, 100).map(lambda hours: datetime(2026, 10, 24, tzinfo=UTC) + timedelta(hours=hours)),
    success=st.sampled_from([None, True, False]),
    completion=st.sampled_from([None, True]),
    score=st.sampled_from([None, Decimal("0.00"), Decimal("80.00")]),
    seconds=st.sampled_from([None, Decimal(60), Decimal(600)]),
)


@pytest.mark.row("A18")
@given(
    st.lists(SAID, max_size=12, unique_by=lambda one: one.id),
    st.sampled_from(["Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed", "NotApplicable"]),
    st.randoms(use_true_random=False),
)
def test_repeats_and_disorder_mean_the_same(said: list[Told], move_on: str, chance: random.Random) -> None:
    rules = rule(move_on)
    told_badly = [one for one in said for _ in range(chance.randint(1, 3))]
    chance.shuffle(told_badly)
    straight = understand(said, rules)
    badly = understand(told_badly, rules)
    assert (badly.finished, badly.begun) == (straight.finished, straight.begun)
    occasions = [(one.course_id, one.occasion) for one in straight.finished]
    assert len(set(occasions)) == len(occasions)
    for one in straight.finished:
        assert understand([item for item in said if item.id in one.rests_on], rules).finished, "it rests on these"
        fewer = understand([item for item in said if item.id not in one.rests_on], rules).finished
        assert one not in fewer
    if said:
        failed = [Told(uuid4(), meaning.FAILED, COURSE, "au", (), False, None, said[0].at)]
        after = understand([*said, *failed], rules).finished
        if move_on != "NotApplicable":
            assert after == straight.finished, "a failure takes nothing back"


NAMESPACE = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"


def structure(inside: str, namespace: str = NAMESPACE) -> bytes:
    """A course structure."""
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return f'{head}<courseStructure xmlns="{namespace}">{inside}</courseStructure>'.encode()


def titled(kind: str, iri: str, words: Iterable[tuple[str, str]] = (), inside: str = "", **attributes: str) -> str:
    """An element with its titles."""
    texts = "".join(f'<langstring lang="{language}">{text}</langstring>' for language, text in words)
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<{kind} id="{iri}"{more}><title>{texts}</title>{inside}</{kind}>'


WHOLE = titled("course", COURSE, [("de", "Arzneien"), ("en-GB", "  Managing\n medicines ")]) + titled(
    "block", f"{HOME}/block", [("de", "Teil")], titled("au", AU, [("en", "Records")], moveOn="Passed")
)


def test_a_course_structure_is_read() -> None:
    parts = read_structure(structure(WHOLE + titled("au", f"{HOME}/au/2")))
    assert [(part.iri, part.kind, part.title, part.move_on) for part in parts] == [
        (COURSE, "course", "Managing medicines", "CompletedOrPassed"),
        (f"{HOME}/block", "block", "Teil", "CompletedOrPassed"),
        (AU, "au", "Records", "Passed"),
        (f"{HOME}/au/2", "au", f"{HOME}/au/2", "NotApplicable"),
    ]


BOMB = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><courseStructure xmlns="x">&d;</courseStructure>'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"<a>",
        b"<a/>",
        BOMB,
        structure(WHOLE, "https://other.example"),
        structure(titled("course", COURSE)),
        structure(WHOLE + WHOLE),
        structure(WHOLE + titled("au", AU)),
        structure(WHOLE.replace("Passed", "Whenever")),
        structure(WHOLE.replace(AU, "no iri")),
        structure(titled("au", AU)),
        b"<a>" * 100_000,
        structure(" " * 1024 * 1024),
    ],
)
def test_what_is_no_course_structure_is_refused(content: bytes) -> None:
    with pytest.raises(TrainingRefusal) as refused:
        read_structure(content)
    assert (refused.value.code, refused.value.field) == ("STRUCTURE_UNREADABLE", "file")
