"""Rules of registrations: any order and any repetition of tellings come to the same; whose an address is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.outside.registrations import (
    Buyer,
    Registration,
    Wanted,
    Who,
    moment,
    newest,
    own_addresses,
    same_person,
    wants,
)

DAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
WHO = st.builds(
    Who,
    given_name=st.sampled_from(["Ada", "Ben"]),
    family_name=st.just("Example"),
    email=st.sampled_from([None, "ada@example.org", "ben@example.org"]),
)
TELLINGS = st.lists(
    st.builds(
        Registration,
        st.just("1"),
        st.integers(0, 3).map(lambda hours: DAY + timedelta(hours=hours)),
        st.sampled_from(["registered", "waiting", "cancelled"]),
        WHO,
        st.sampled_from([None, DAY]),
    ),
    min_size=1,
    max_size=6,
)


@given(TELLINGS, st.data())
def test_the_order_of_tellings_and_their_repetition_are_no_matter(
    told: list[Registration], data: st.DataObject
) -> None:
    end = reduce(newest, told)
    shuffled = data.draw(st.permutations(told + told[: len(told) // 2 + 1]))
    assert reduce(newest, shuffled) == end
    assert end.changed_at == max(one.changed_at for one in told), "an older change never undoes a newer one"
    for one, other in pairwise(told):
        assert newest(one, other) == newest(other, one)
        assert newest(one, newest(one, other)) == newest(one, other)


def test_what_a_registration_asks_for() -> None:
    live = Registration("1", DAY, "registered", Who("Ada", "Example"))
    assert wants(live, gone=False) == Wanted(place=True, present=False)
    assert wants(live, gone=True) == Wanted(place=False, present=False)
    assert wants(replace(live, state="waiting"), gone=False) == Wanted(place=False, present=False)
    assert wants(replace(live, state="cancelled"), gone=False) == Wanted(place=False, present=False)
    assert wants(replace(live, checked_in_at=DAY), gone=False) == Wanted(place=True, present=True)
    refunded = replace(live, state="cancelled", checked_in_at=DAY)
    assert wants(refunded, gone=False) == Wanted(place=False, present=True), "who was seen was there"


def test_the_address_of_who_ordered_names_nobody_else() -> None:
    manager = Buyer("Mia Manager", "mia@home.example")
    group = [Who("Ada", "Example", email="mia@home.example"), Who("Ben", "Example", email=" MIA@home.example ")]
    assert [who.email for who in own_addresses(group, manager)] == [None, None]
    own = [Who("Ada", "Example", email="ada@example.org"), Who("Ben", "Example", email="mia@home.example")]
    assert [who.email for who in own_addresses(own, manager)] == ["ada@example.org", None]
    herself = [Who("Mia", "Manager", email="mia@home.example")]
    assert [who.email for who in own_addresses(herself, manager)] == ["mia@home.example"]
    shared = [Who("Ada", "Example", email="home@home.example"), Who("Ben", "Example", email="home@home.example")]
    assert [who.email for who in own_addresses(shared, manager)] == [None, None]


def test_another_name_is_another_person() -> None:
    assert same_person("elizabeth jones", Who("Liz", "Jones"))
    assert not same_person("ada example", Who("Ben", "Other"))
    assert same_person("ada example", Who(email="ada@example.org")), "no name says nothing against it"


def test_moments_of_both_systems() -> None:
    assert moment("2018-11-02T22:36:48Z") == datetime(2018, 11, 2, 22, 36, 48, tzinfo=UTC)
    assert moment("2023-03-07T22:04:17") == datetime(2023, 3, 7, 22, 4, 17, tzinfo=UTC)
    assert moment("2021-03-16T18:59:52.2782182Z") == datetime(2021, 3, 16, 18, 59, 52, 278218, tzinfo=UTC)
    assert moment("2021-03-16T19:59:52.5+01:00") == datetime(2021, 3, 16, 18, 59, 52, tzinfo=UTC)
    assert [moment(odd) for odd in (None, "", "soon", 5, "2021-13-01T00:00:00Z")] == [None] * 5
