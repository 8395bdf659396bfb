"""The demonstration's files come to their figures when they are read and matched by the rules of the real import."""

import hashlib
import time
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.cli.demo_files import LAST_DAY, TENANT_SLUGS, DemoFiles, write_demo_files
from app.directory.rules import Candidate, KnownLearner, candidate, employer_key, match_employer, match_learner
from app.directory.rules import KnownEmployer as Employer
from app.imports.formats import FORMATS, detect, refuse_unless
from app.imports.formats.base import (
    AttendanceRecord,
    ChampionRecord,
    CompletionRecord,
    Context,
    FeedbackRecord,
    LocationRecord,
    NotCompleted,
    Parsed,
    RawRow,
    Rejected,
)
from app.imports.formats.scales import option_number
from app.training.rules import attended_seconds

TODAY = date(2026, 11, 24)
SEED = 7


class Register:
    """Learners as an import would come to know them, found by the evidence that can decide."""

    def __init__(self) -> None:
        self.learners: dict[UUID, dict[str, set[str]]] = {}
        self.index: dict[str, set[UUID]] = defaultdict(set)
        self.employers: dict[str, Employer] = {}
        self.decisions: Counter[str] = Counter()

    def place(self, who: Candidate) -> UUID | None:
        keys = [key for key in (who.account, who.email, who.employer) if key]
        near = {identifier for key in keys for identifier in self.index[key]}
        known = [
            KnownLearner(
                identifier,
                **{name: frozenset(values) for name, values in self.learners[identifier].items()},
            )
            for identifier in near
        ]
        decision = match_learner(who, known)
        self.decisions[decision.kind] += 1
        if decision.kind == "review":
            return None
        identifier = decision.learner_id or UUID(int=len(self.learners) + 1)
        kept = self.learners.setdefault(
            identifier, {"names": set(), "accounts": set(), "emails": set(), "employers": set()}
        )
        for name, value in (
            ("names", who.name), ("accounts", who.account), ("emails", who.email), ("employers", who.employer),
        ):  # fmt: skip
            if value:
                kept[name].add(value)
                self.index[value].add(identifier)
        return identifier

    def employer(self, name: str | None, location_id: str | None) -> None:
        if not name:
            return
        decision = match_employer(name, location_id, list(self.employers.values()))
        assert decision.kind != "review", (name, decision)
        if decision.kind == "new":
            key = location_id or employer_key(name)
            self.employers[key] = Employer(
                UUID(int=len(self.employers) + 1), frozenset({employer_key(name)}), location_id
            )


def import_all(made: DemoFiles) -> dict[str, Any]:
    """What a correct import comes to, by the rules alone."""
    register = Register()
    told: dict[str, Any] = {"files": {}, "sessions": defaultdict(lambda: defaultdict(list))}
    completions: set[tuple[UUID, str, str, str, datetime]] = set()
    champions: dict[UUID, list[ChampionRecord]] = defaultdict(list)
    answers: dict[str, dict[str, FeedbackRecord]] = defaultdict(dict)
    scales: dict[str, dict[str, str]] = {}
    locations: set[str] = set()
    for file in made.files:
        form = FORMATS[file.format_code]
        assert detect(file.path, file.path.name)[0].format_code == file.format_code
        refuse_unless(file.format_code, file.path, file.path.name)
        facts = form.facts(file.path, file.options, TODAY)
        context = Context(TODAY, file.options, facts)
        kinds: Counter[str] = Counter()
        if file.format_code == "feedback":
            scales[file.options["form_key"]] = {part["text"]: part["scale"] for part in facts["questions"]}
        for raw in form.stage(file.path, file.options):
            parsed = form.parse(raw, context)
            kinds["rejected"] += isinstance(parsed, Rejected)
            kinds["not_completed"] += isinstance(parsed, NotCompleted)
            if isinstance(parsed, LocationRecord):
                locations.add(parsed.location_id)
            elif isinstance(parsed, CompletionRecord):
                register.employer(parsed.employer_name, parsed.cqc_location_id)
                learner = register.place(
                    candidate(
                        source=file.options["source"], account=parsed.account, email=parsed.email,
                        given_name=parsed.given_name, family_name=parsed.family_name, employer=parsed.employer_name,
                    )
                )  # fmt: skip
                assert learner is not None, (raw, parsed)
                course = (parsed.training_provider, parsed.course_title, parsed.course_version)
                completions.add((learner, *course, parsed.completed_at))
            elif isinstance(parsed, AttendanceRecord):
                attend(register, told, file.options, raw, parsed)
            elif isinstance(parsed, ChampionRecord):
                learner = register.place(
                    candidate(
                        email=parsed.email, given_name=parsed.given_name, family_name=parsed.family_name,
                        employer=parsed.location_name,
                    )
                )  # fmt: skip
                assert learner is not None, (raw, parsed)
                champions[learner].append(parsed)
            elif isinstance(parsed, FeedbackRecord):
                answers[file.options["form_key"]][parsed.respondent_key] = parsed
        told["files"][file.path.name] = {"rejected": kinds["rejected"], "not_completed": kinds["not_completed"]}
    trained = {learner: rows for learner, rows in champions.items() if any(row.trained_on for row in rows)}
    return told | {
        "register": register,
        "locations": len(locations),
        "tier_1_completions": len(completions),
        "tier_1_learners": len({learner for learner, *_ in completions}),
        "champions_trained": len(trained),
        "champions_active": sum(
            any(row.trained_on and (row.ended_on is None or row.ended_on > LAST_DAY) for row in rows)
            for rows in trained.values()
        ),
        "usefulness": share(answers, scales, "usefulness"),
        "practice": share(answers, scales, "agreement"),
    }


def attend(
    register: Register, told: dict[str, Any], options: dict[str, Any], raw: RawRow, parsed: AttendanceRecord
) -> None:
    if parsed.role in ("presenter", "organizer"):
        return
    learner = register.place(candidate(email=parsed.email, display_name=parsed.display_name))
    if learner is not None:
        told["sessions"][options["session_key"], options["starts_at"], options["ends_at"]][learner].append(
            (parsed.joined_at, parsed.left_at, parsed.seconds)
        )


def attendances(told: dict[str, Any], *, count_unknown: bool) -> int:
    total = 0
    for (_, starts, ends), people in told["sessions"].items():
        needed = 0.8 * (datetime.fromisoformat(ends) - datetime.fromisoformat(starts)) / timedelta(seconds=1)
        for stays in people.values():
            seconds = attended_seconds(stays)
            total += count_unknown if seconds is None else seconds >= needed
    return total


def share(
    answers: dict[str, dict[str, FeedbackRecord]], scales: dict[str, dict[str, str]], scale: str
) -> dict[str, float]:
    numbers = [
        option_number(scale, said) if said else None
        for key, responses in answers.items()
        for record in responses.values()
        for question, said in record.answers.items()
        if scales[key][question] == scale
    ]
    given = [number for number in numbers if number is not None]
    return {
        "highest": given.count(4),
        "answers": len(given),
        "not_answered": len(numbers) - len(given),
        "percent": round(100 * given.count(4) / len(given), 1),
    }


@pytest.mark.parametrize("tenant", TENANT_SLUGS)
def test_the_files_come_to_their_figures(tmp_path: Path, tenant: str) -> None:
    made = write_demo_files(tmp_path, tenant, seed=SEED)
    told = import_all(made)
    for figure in (
        "locations", "tier_1_completions", "tier_1_learners", "champions_trained", "champions_active", "usefulness",
        "practice", "files",
    ):  # fmt: skip
        assert told[figure] == made.expected[figure], figure
    assert attendances(told, count_unknown=True) == made.expected["webinar_attendances"]
    assert attendances(told, count_unknown=False) == made.expected["webinar_attendances_with_known_duration"]
    assert told["register"].decisions["review"] > 0


@pytest.mark.row("A47")
@pytest.mark.row("A48")
@pytest.mark.row("A49")
@pytest.mark.row("A50")
@pytest.mark.row("A51")
def test_the_figures_are_those_of_the_programme(tmp_path: Path) -> None:
    started = time.perf_counter()
    expected = write_demo_files(tmp_path, "bedfordshire-luton-milton-keynes", seed=SEED).expected
    assert time.perf_counter() - started < 5
    assert expected["tier_1_completions"] == 2446
    assert expected["webinar_attendances"] >= 3500
    assert expected["champions_trained"] == 113
    assert expected["usefulness"]["percent"] == 90.0
    assert expected["practice"]["percent"] == 85.0


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    def digests(folder: str, seed: int) -> dict[str, str]:
        made = write_demo_files(tmp_path / folder, "bedford-borough-council", seed=seed)
        return {file.path.name: hashlib.sha256(file.path.read_bytes()).hexdigest() for file in made.files}

    assert digests("one", 3) == digests("two", 3)
    assert digests("one", 3) != digests("three", 4)


def test_nobody_is_real_and_councils_share_staff_and_places(tmp_path: Path) -> None:
    people: dict[str, set[str]] = {}
    places: dict[str, set[str]] = {}
    for tenant in ("bedfordshire-luton-milton-keynes", "central-bedfordshire-council"):
        people[tenant], places[tenant] = set(), set()
        for file in write_demo_files(tmp_path / tenant, tenant, seed=SEED).files:
            form = FORMATS[file.format_code]
            context = Context(TODAY, file.options, form.facts(file.path, file.options, TODAY))
            parsed: list[Parsed] = [form.parse(raw, context) for raw in form.stage(file.path, file.options)]
            for record in parsed:
                if isinstance(record, CompletionRecord | AttendanceRecord | ChampionRecord) and record.email:
                    people[tenant].add(record.email)
                if isinstance(record, LocationRecord):
                    places[tenant].add(record.location_id)
    assert all(email.endswith(".example") for emails in people.values() for email in emails)
    assert places["central-bedfordshire-council"] < places["bedfordshire-luton-milton-keynes"]
    assert len(people["central-bedfordshire-council"] & people["bedfordshire-luton-milton-keynes"]) > 50
