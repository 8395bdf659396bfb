"""Invented care locations of the demonstration, in real places, with columns like those of the CQC file."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

NURSING = "Care home service with nursing"
RESIDENTIAL = "Care home service without nursing"
DOMICILIARY = "Domiciliary care service"
SUPPORTED = "Supported living service"
EXTRA = "Extra Care housing services"
SHARED = "Shared Lives"

OLDER = "Older People"
DEMENTIA = "Dementia"
DISABILITY = "Learning disabilities or autistic spectrum disorder"
YOUNGER = "Younger Adults"
MENTAL = "Mental Health"
PHYSICAL = "Physical Disability"

PERSONAL_CARE = "Personal care"
ACCOMMODATION = "Accommodation for persons who require nursing or personal care"
TREATMENT = "Treatment of disease, disorder or injury"


@dataclass(frozen=True, slots=True)
class Area:
    """A tenant's area: its integrated care board as the CQC file names it, and councils with towns and postcodes."""

    icb_code: str
    icb_name: str
    region: str
    nhs_region: str
    councils: tuple[tuple[str, str, str, float, float], ...]
    """Council, town, postcode district, latitude, longitude."""
    first_number: int
    locations: int


@dataclass(frozen=True, slots=True)
class Place:
    """A location as the CQC file has it."""

    location_id: str
    name: str
    provider_id: str
    provider_name: str
    brand: str
    council: str
    town: str
    postcode: str
    street: str
    latitude: float
    longitude: float
    uprn: str
    services: tuple[str, ...]
    bands: tuple[str, ...]
    beds: int
    registered_on: date
    rating: str
    rated_on: date | None
    dormant: bool = False
    dual_registered: bool = False
    primary_location_id: str = ""


BLMK = Area(
    "E54000024",
    "NHS Bedfordshire, Luton and Milton Keynes Integrated Care Board",
    "East",
    "East of England",
    (
        ("Bedford", "Bedford", "MK40", 52.1356, -0.4685),
        ("Central Bedfordshire", "Dunstable", "LU6", 51.8859, -0.5210),
        ("Luton", "Luton", "LU1", 51.8787, -0.4200),
        ("Milton Keynes", "Milton Keynes", "MK9", 52.0406, -0.7594),
    ),
    900_000_001,
    160,
)
GREATER_MANCHESTER = Area(
    "E54000057",
    "NHS Greater Manchester Integrated Care Board",
    "North West",
    "North West",
    (
        ("Bolton", "Bolton", "BL1", 53.5769, -2.4282),
        ("Bury", "Bury", "BL9", 53.5933, -2.2966),
        ("Manchester", "Manchester", "M4", 53.4839, -2.2364),
        ("Oldham", "Oldham", "OL1", 53.5409, -2.1114),
        ("Rochdale", "Rochdale", "OL16", 53.6097, -2.1561),
        ("Salford", "Salford", "M5", 53.4875, -2.2901),
        ("Stockport", "Stockport", "SK1", 53.4106, -2.1575),
        ("Tameside", "Ashton-under-Lyne", "OL6", 53.4897, -2.0952),
        ("Trafford", "Stretford", "M32", 53.4466, -2.3086),
        ("Wigan", "Wigan", "WN1", 53.5448, -2.6318),
    ),
    900_500_001,
    120,
)

_FIRST = (
    "Amber", "Birch", "Cedar", "Damson", "Elder", "Foxglove", "Gorse", "Harebell", "Iris", "Juniper", "Kestrel",
    "Larch", "Mallow", "Nightingale", "Orchid", "Primrose", "Quince", "Rowan", "Saffron", "Teasel",
)  # fmt: skip
_SECOND = ("Brook", "Field", "Gate", "Hill", "Mead", "Pool", "Stone", "Wood")
_KINDS = ("House", "Lodge", "Court", "Grange")
_STREETS = ("Invented Lane", "Sample Road", "Example Street", "Model Avenue", "Pattern Close", "Fable Way")
_RATINGS = ("Good",) * 14 + ("Outstanding",) * 2 + ("Requires improvement",) * 4 + ("Inadequate", "")


def places_of(area: Area, seed: int) -> list[Place]:
    """The area's locations: every kind of service, one dual registration, one dormant, one registered anew."""
    random = Random(f"places {area.icb_code} {seed}")  # noqa: S311 the same files every time
    names = [f"{first} {second}" for first in _FIRST for second in _SECOND]
    random.shuffle(names)
    places = [_place(area, random, number, name) for number, name in enumerate(names[: area.locations - 2])]
    places[3] = _changed(places[3], dormant=True)
    # Two providers registered for one building: beds count once.
    dual = places[0]
    places[0] = _changed(dual, dual_registered=True)
    places.append(
        _changed(
            dual,
            location_id=f"1-{area.first_number + area.locations - 2}",
            provider_id=f"1-{area.first_number - 100_000 + 998}",
            provider_name="Second Registered Partner Ltd",
            name=f"{dual.name} (Second Registration)",
            dual_registered=True,
            primary_location_id=dual.location_id,
        )
    )
    # A home that was sold: a new location id in the same building.
    sold = places[1]
    places.append(
        _changed(
            sold,
            location_id=f"1-{area.first_number + area.locations - 1}",
            provider_id=f"1-{area.first_number - 100_000 + 999}",
            provider_name="New Owner Care Limited",
            name=f"New {sold.name}",
            registered_on=date(2026, 3, 2),
            rating="",
            rated_on=None,
        )
    )
    return places


def _changed(place: Place, **changes: object) -> Place:
    values = {name: getattr(place, name) for name in Place.__dataclass_fields__}
    return Place(**(values | changes))


def _place(area: Area, random: Random, number: int, name: str) -> Place:
    council, town, district, latitude, longitude = area.councils[number % len(area.councils)]
    services, bands, beds, suffix = _kind(random, number)
    group = number % 50
    rating = random.choice(_RATINGS)
    return Place(
        location_id=f"1-{area.first_number + number}",
        name=f"{name} {suffix}",
        provider_id=f"1-{area.first_number - 100_000 + group}",
        provider_name=f"{_FIRST[group % 20]} and {_SECOND[group % 8]} Care Group {group} Limited",
        brand=f"BRAND {_FIRST[group % 20]} Care" if group < 8 else "-",
        council=council,
        town=town,
        postcode=f"{district} {random.randint(1, 9)}{random.choice('ABDEFGHJLN')}{random.choice('PQRSTUWXYZ')}",
        street=f"{random.randint(1, 180)} {random.choice(_STREETS)}",
        latitude=round(latitude + random.uniform(-0.05, 0.05), 6),
        longitude=round(longitude + random.uniform(-0.05, 0.05), 6),
        uprn=str(100_080_000_000 + area.first_number % 1_000_000 + number),
        services=services,
        bands=bands,
        beds=beds,
        registered_on=date(2010, 10, 1) + timedelta(days=random.randint(0, 4500)),
        rating=rating,
        rated_on=date(2020, 1, 6) + timedelta(days=random.randint(0, 2300)) if rating else None,
    )


def _kind(random: Random, number: int) -> tuple[tuple[str, ...], tuple[str, ...], int, str]:
    share = number % 20
    if share < 6:
        return (
            (NURSING, RESIDENTIAL),
            (OLDER, DEMENTIA),
            random.randint(30, 90),
            f"{random.choice(_KINDS)} Nursing Home",
        )
    if share < 12:
        return (RESIDENTIAL,), (OLDER, DEMENTIA), random.randint(18, 60), random.choice(_KINDS)
    if share < 15:
        return (RESIDENTIAL,), (DISABILITY, YOUNGER), random.randint(4, 12), random.choice(_KINDS)
    if share < 18:
        return (DOMICILIARY,), (OLDER, PHYSICAL, YOUNGER), 0, "Home Care"
    if share == 18:
        return (SUPPORTED, DOMICILIARY), (DISABILITY, MENTAL), 0, "Supported Living"
    return (EXTRA, DOMICILIARY) if number % 40 == 19 else (SHARED,), (OLDER, DISABILITY), 0, "Community Support"


def activities_of(place: Place) -> tuple[str, ...]:
    """The regulated activities that go with the services."""
    if NURSING in place.services:
        return ACCOMMODATION, TREATMENT
    return (ACCOMMODATION,) if place.beds else (PERSONAL_CARE,)
