"""Invented care staff of the demonstration. Nobody is real: every address ends in .example."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from app.cli.demo_files.places import Place
from app.directory.names import COMPATIBLE, name_agreement, name_key

_HERE = Path(__file__).parent
_GIVEN = (_HERE / "given_names.txt").read_text(encoding="utf-8").split()
_FAMILY = (_HERE / "family_names.txt").read_text(encoding="utf-8").split()
JOB_ROLES = (
    ("Care worker",) * 10
    + ("Senior care worker",) * 5
    + ("Registered manager", "Deputy manager", "Registered nurse", "Registered nurse", "Support worker", "Team leader")
    + ("Activities worker", "Nursing assistant")
)
_MAILBOXES = ("manager", "office", "nurses", "team")


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff. `shared`: the address is a mailbox of the home."""

    given_name: str
    family_name: str
    email: str
    account: str
    job_role: str
    place: Place
    shared: bool = False

    @property
    def full_name(self) -> str:
        """Given name first."""
        return f"{self.given_name} {self.family_name}"


def domain_of(place: Place) -> str:
    """The mail domain of a place."""
    return (
        "".join(letter for letter in place.name.lower().split(" ")[0] + place.name.lower().split(" ")[1]) + ".example"
    )


def people_of(places: list[Place], count: int, label: str, seed: int) -> list[Person]:
    """Staff spread over the places, with a namesake pair in two homes and a few shared mailboxes.

    Two people of one place never have names that could be one person's: only the intended questions come up.
    """
    random = Random(f"people {label} {seed}")  # noqa: S311 the same files every time
    names = [(given, family) for given in _GIVEN for family in _FAMILY]
    random.shuffle(names)
    working = [place for place in places if not place.dormant and not place.primary_location_id]
    there: dict[str, list[str]] = {place.location_id: [] for place in working}
    people: list[Person] = []
    for given, family in names:
        if len(people) == count:
            break
        place = working[len(people) % len(working)]
        key = name_key(f"{given} {family}")
        if any(name_agreement(key, other) >= COMPATIBLE for other in there[place.location_id]):
            continue
        there[place.location_id].append(key)
        people.append(_person(random, label, len(people), given, family, place))
    namesake = people[5]
    people[6] = Person(
        namesake.given_name,
        namesake.family_name,
        f"{_plain(namesake.given_name)}.{_plain(namesake.family_name)}.2@post.example",
        people[6].account,
        "Care worker",
        people[6].place,
    )
    return people


def _person(random: Random, label: str, number: int, given: str, family: str, place: Place) -> Person:
    shared = number % 60 == 17
    if shared:
        email = f"{random.choice(_MAILBOXES)}@{domain_of(place)}"
    else:
        host = domain_of(place) if random.random() < 0.5 else "post.example"
        email = f"{_plain(given)}.{_plain(family)}@{host}"
    return Person(given, family, email, f"{label}{100_000 + number}", random.choice(JOB_ROLES), place, shared)


def _plain(name: str) -> str:
    return name_key(name).replace(" ", "-")
