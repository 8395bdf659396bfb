"""Demonstration files for a tenant: realistic exports with realistic faults, the same for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from app.cli.demo_files.champion_files import write_champions
from app.cli.demo_files.completion_files import completions_of, write_completions
from app.cli.demo_files.directory_files import write_monthly, write_weekly
from app.cli.demo_files.feedback_files import PRACTICE, USEFUL, Feedback, write_feedback
from app.cli.demo_files.people import Person, people_of
from app.cli.demo_files.places import BLMK, GREATER_MANCHESTER, Area, Place, places_of
from app.cli.demo_files.webinar_files import write_webinars

FIRST_DAY = date(2024, 11, 1)
LAST_DAY = date(2026, 10, 31)
"""The period of all figures in `expected`."""


@dataclass(frozen=True, slots=True)
class DemoFile:
    """A file to import, with the options to import it with."""

    path: Path
    format_code: str
    options: dict[str, Any]
    tenant_slug: str


class DemoFiles(NamedTuple):
    """The files in the order of their import, and the figures that a correct import comes to.

    `expected` has: tier_1_completions, tier_1_learners, webinar_attendances (with unknown durations counted, threshold
    80%), webinar_attendances_with_known_duration, champions_trained, champions_active, usefulness and practice (each
    {highest, answers, not_answered, percent}), locations, locations_counted (without dormant and second
    registrations), and files: name → {rejected, not_completed}.
    """

    files: list[DemoFile]
    expected: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Scale:
    """How much of everything a tenant has."""

    area: Area
    council: str | None
    staff: int
    learners: int
    completions: int
    webinars: tuple[int, ...]
    champions: int
    useful: tuple[tuple[int, ...], ...]
    useful_open: int
    practice: tuple[int, ...]
    practice_open: int


_TENANTS = {
    "bedfordshire-luton-milton-keynes": _Scale(
        BLMK, None, 2400, 1500, 2446, (150, 160, 180, 190, 210, 230, 240, 250, 270, 290, 310, 340, 372, 370), 113,
        ((324, 24, 9, 3), (378, 30, 9, 3), (378, 36, 6)), 60, (85, 12, 3), 8,
    ),
    "greater-manchester": _Scale(
        GREATER_MANCHESTER, None, 1100, 640, 884, (60, 75, 80, 95, 110, 120, 140, 150), 61,
        ((160, 30, 8, 2), (190, 25, 5)), 22, (44, 10, 2), 4,
    ),
    "central-bedfordshire-council": _Scale(
        BLMK, "Central Bedfordshire", 0, 180, 236, (35, 40, 52, 60), 18, ((90, 14, 4),), 7, (15, 3), 1,
    ),
    "bedford-borough-council": _Scale(
        BLMK, "Bedford", 0, 150, 187, (28, 33, 45), 14, ((70, 12, 3),), 5, (11, 2, 1), 0,
    ),
}  # fmt: skip

TENANT_SLUGS = tuple(_TENANTS)


def write_demo_files(folder: Path, tenant: str, *, seed: int) -> DemoFiles:
    """Write the tenant's files into `folder`, which is made. Raises KeyError for an unknown tenant."""
    scale = _TENANTS[tenant]
    folder.mkdir(parents=True, exist_ok=True)
    label = "".join(word[0] for word in tenant.split("-"))
    all_places, people = _world(scale, seed)
    places = [place for place in all_places if scale.council in (None, place.council)]
    learners = people[: scale.learners]
    files: list[DemoFile] = []
    outcomes: dict[str, dict[str, int]] = {}

    def add(path: Path, code: str, options: dict[str, Any], rejected: int = 0, not_completed: int = 0) -> None:
        files.append(DemoFile(path, code, options, tenant))
        outcomes[path.name] = {"rejected": rejected, "not_completed": not_completed}

    directory, rejected = _write_directory(folder, tenant, scale.area, places)
    add(directory, "cqc_locations", {"relationship": "in_area"}, rejected)

    completions = completions_of(learners, scale.completions, label, seed)
    for written in write_completions(folder, completions, learners):
        add(written.path, "completions", {"source": "elearning", "tier": 1}, written.rejected, written.not_completed)
    webinars = write_webinars(folder, scale.webinars, people, label, seed, label)
    for webinar in webinars:
        for path in webinar.paths:
            add(path, "teams_attendance", webinar.options)
    champions = write_champions(
        folder, people, scale.champions, label, seed, spreadsheet=tenant != "greater-manchester", last_day=LAST_DAY
    )
    add(champions.path, "champions", {"tier": 3}, champions.rejected)
    useful, practice = _write_feedback(folder, scale, label, seed)
    for feedback in (*useful, practice):
        add(feedback.path, "feedback", feedback.options)
    known = [webinar.attended for webinar in webinars if not webinar.hidden]
    return DemoFiles(
        files,
        {
            "first_day": FIRST_DAY,
            "last_day": LAST_DAY,
            "tier_1_completions": len(completions),
            "tier_1_learners": len({completion.person.account for completion in completions}),
            "webinar_attendances": sum(webinar.attended for webinar in webinars),
            "webinar_attendances_with_known_duration": sum(known),
            "champions_trained": champions.trained,
            "champions_active": champions.active,
            "usefulness": _share(useful),
            "practice": _share([practice]),
            "locations": len(places),
            "locations_counted": sum(not place.dormant and not place.primary_location_id for place in places),
            "files": outcomes,
        },
    )


def _world(scale: _Scale, seed: int) -> tuple[list[Place], list[Person]]:
    """Places and people; a council's are those of its integrated care board, so that both know the same staff."""
    places = places_of(scale.area, seed)
    staff = next(other.staff for other in _TENANTS.values() if other.area is scale.area and other.council is None)
    people = people_of(places, staff, "el" if scale.area is BLMK else "gm", seed)
    return places, [person for person in people if scale.council in (None, person.place.council)]


def _write_directory(folder: Path, tenant: str, area: Area, places: Sequence[Place]) -> tuple[Path, int]:
    """The tenant's CQC file, each in another form, and how many of its rows are faulty."""
    if tenant == "bedford-borough-council":
        return write_weekly(folder / "cqc-directory.csv", area, places), 1
    if tenant == "greater-manchester":
        return write_monthly(folder / "01_October_2026_HSCA_Active_Locations.csv", area, places), 1
    ending = ".xlsx" if tenant.startswith("bedfordshire") else ".ods"
    return write_monthly(folder / f"01_October_2026_HSCA_Active_Locations{ending}", area, places), 0


def _write_feedback(folder: Path, scale: _Scale, label: str, seed: int) -> tuple[list[Feedback], Feedback]:
    useful: list[Feedback] = []
    for number, counts in enumerate(scale.useful, 1):
        left_open = scale.useful_open // len(scale.useful) + (
            scale.useful_open % len(scale.useful) if number == 1 else 0
        )
        useful.append(
            write_feedback(
                folder, f"{label}-webinars-{number}", f"Webinar feedback {number}", 2, USEFUL, counts, left_open,
                sum(counts) * 2, seed, ("csv", "xlsx", "utf-16")[(number - 1) % 3],
            )
        )  # fmt: skip
    practice = write_feedback(
        folder, f"{label}-champions", "Champions' day feedback", 3, PRACTICE, scale.practice, scale.practice_open,
        sum(scale.practice) + scale.practice_open + 5, seed, "csv",
    )  # fmt: skip
    return useful, practice


def _share(feedback: Sequence[Feedback]) -> dict[str, float]:
    highest, answers = sum(part.highest for part in feedback), sum(part.answers for part in feedback)
    return {
        "highest": highest,
        "answers": answers,
        "not_answered": sum(part.not_answered for part in feedback),
        "percent": round(100 * highest / answers, 1),
    }


__all__ = ["FIRST_DAY", "LAST_DAY", "TENANT_SLUGS", "DemoFile", "DemoFiles", "write_demo_files"]
