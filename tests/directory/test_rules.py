"""Who is who: names, addresses, shared mailboxes, and that a name alone never decides."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory.rules import (
    Candidate,
    KnownEmployer,
    KnownLearner,
    account_key,
    candidate,
    employer_key,
    full_name_key,
    is_shared_mailbox,
    match_employer,
    match_learner,
    name_agreement,
    name_key,
    normalise_email,
)

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)


def learner(
    identifier: UUID, name: str, email: str | None = None, employer: str | None = None, account: str | None = None
) -> KnownLearner:
    return KnownLearner(
        identifier,
        frozenset({name_key(name)}),
        frozenset({account_key("elearning", account)} if account else ()),
        frozenset({email} if email else ()),
        frozenset({employer_key(employer)} if employer else ()),
    )


def someone(name: str, email: str | None = None, employer: str | None = None, account: str | None = None) -> Candidate:
    return candidate(source="elearning", account=account, email=email, display_name=name, employer=employer)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Dr. Zoë Ozols", "zoe ozols"),
        ("OZOLS, Zoë", "zoe ozols"),
        ("Zoë  Ozols (Guest)", "zoe ozols"),
        ("Mrs Anne-Marie O'Neil", "anne marie oneil"),
        ("O’Neil, Anne Marie", "anne marie oneil"),
        ("Ann Example RN", "ann example"),
        ("Łucja Żak", "lucja zak"),
        ("+44 7700 ***", ""),
        ("", ""),
        (",", ""),
    ],
)
def test_name_keys(text: str, key: str) -> None:
    assert name_key(text) == key


def test_names_in_two_parts_have_the_key_of_the_whole() -> None:
    assert full_name_key("Zoë", "Ozols") == name_key("Ozols, Zoë") == "zoe ozols"
    assert full_name_key(None, "Ozols") == "ozols"


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("ann example", "ann example", 1, 1),
        ("example ann", "ann example", 0.9, 1),
        ("ann mary example", "ann example", 0.9, 1),
        ("liz example", "elizabeth example", 0.7, 0.89),
        ("a example", "ann example", 0.7, 0.89),
        ("ann exampel", "ann example", 0.7, 0.89),
        ("ann example", "ann smith-example".replace("-", " "), 0.7, 0.99),
        ("ann example", "ann other", 0, 0),
        ("ann example", "bea example", 0, 0),
        ("ann", "ann", 1, 1),
        ("ann", "ann example", 0, 0),
        ("", "", 0, 0),
    ],
)
def test_how_names_agree(one: str, other: str, least: float, most: float) -> None:
    assert least <= name_agreement(one, other) <= most


def test_addresses() -> None:
    assert normalise_email(" Ann.Example@Care.Example ") == "ann.example@care.example"
    assert normalise_email("mailto:ann@care.example") == "ann@care.example"
    assert normalise_email("ann@care.example, bea@care.example") is None
    assert normalise_email("ann at care") is None


@pytest.mark.parametrize(
    ("email", "shared"),
    [
        ("manager@roselodge.example", True),
        ("roselodge.manager@care.example", True),
        ("rose-lodge_nurses@care.example", True),
        ("info@care.example", True),
        ("nurse2@care.example", True),
        ("deputy.manager@care.example", True),
        ("office+training@care.example", True),
        ("ann.example@care.example", False),
        ("a.carey@care.example", False),
        ("homer@care.example", False),
    ],
)
def test_shared_mailboxes(email: str, shared: bool) -> None:
    assert is_shared_mailbox(email) is shared


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rose Lodge Ltd", "The Rose Lodge Limited"),
        ("St. Mary's & Ivy House", "Saint Marys and Ivy House"),
        ("ROSE-LODGE", "rose lodge"),
        ("Café Care C.I.C.", "Cafe Care CIC"),
    ],
)
def test_spellings_of_one_employer(one: str, other: str) -> None:
    if "C.I.C." in one:
        one = one.replace("C.I.C.", "CIC")
    assert employer_key(one) == employer_key(other)


KNOWN = [
    learner(ONE, "Ann Example", "ann@care.example", "Rose Lodge", "ann1"),
    learner(TWO, "Bea Invented", "manager@ivy.example", "Ivy House"),
    learner(THREE, "Ann Example", "other.ann@care.example", "Ivy House", "ann2"),
]


@pytest.mark.parametrize(
    ("who", "kind", "whom", "reason"),
    [
        (someone("Quite Other", account="ann1"), "matched", ONE, "SAME_ACCOUNT"),
        (someone("Ann Example", "ANN@care.example"), "matched", ONE, "SAME_EMAIL_AND_NAME"),
        (someone("Example, Annie", "ann@care.example"), "review", None, "SAME_EMAIL_OTHER_NAME"),
        (someone("", "ann@care.example"), "matched", ONE, "SAME_EMAIL"),
        (someone("Cy Else", "ann@care.example"), "review", None, "SAME_EMAIL_OTHER_NAME"),
        (someone("Cy Else", "manager@ivy.example", "Ivy House"), "new", None, "NOBODY_KNOWN"),
        (
            someone("Bea Invented", "manager@ivy.example", "Ivy House"), "matched", TWO,
            "SHARED_MAILBOX_NAME_AND_EMPLOYER",
        ),
        (someone("Bea Invented", "manager@ivy.example"), "review", None, "SHARED_MAILBOX"),
        (someone("", "manager@ivy.example"), "review", None, "SHARED_MAILBOX"),
        (someone("Ann Example"), "review", None, "NAME_ONLY"),
        (someone("Nobody Known"), "review", None, "NAME_ONLY"),
        (someone("+44 7700 ***"), "review", None, "NO_NAME"),
        (someone("Ann Example", employer="Rose Lodge"), "review", None, "SAME_NAME_AND_EMPLOYER"),
        (someone("Ann Example", employer="Third Place"), "new", None, "NOBODY_KNOWN"),
        (someone("Ann Example", "third.ann@care.example"), "new", None, "NOBODY_KNOWN"),
        (someone("Ann Example", account="ann3", employer="Third Place"), "new", None, "NOBODY_KNOWN"),
        (someone("Dee New", "dee@care.example", "Rose Lodge"), "new", None, "NOBODY_KNOWN"),
    ],
)  # fmt: skip
def test_matching_learners(who: Candidate, kind: str, whom: UUID | None, reason: str) -> None:
    decision = match_learner(who, KNOWN)
    assert (decision.kind, decision.learner_id, decision.reasons) == (kind, whom, (reason,))


def test_a_nickname_lowers_the_score_and_does_not_stop_the_match() -> None:
    known = [learner(ONE, "Elizabeth Example", "liz@care.example")]
    full = match_learner(someone("Elizabeth Example", "liz@care.example"), known)
    short = match_learner(someone("Liz Example", "liz@care.example"), known)
    assert (full.kind, short.kind) == ("matched", "matched")
    assert short.score < full.score


def test_an_address_that_several_people_hold_is_a_shared_mailbox() -> None:
    known = [learner(ONE, "Ann Example", "house@care.example"), learner(TWO, "Bea Invented", "house@care.example")]
    assert match_learner(someone("Cy Else", "house@care.example"), known).kind == "new"
    assert match_learner(someone("Ann Example", "house@care.example"), known).kind == "review"


def test_the_account_of_another_system_says_nothing() -> None:
    elsewhere = candidate(source="other", account="ann1", display_name="Ann Example", employer="Third Place")
    assert match_learner(elsewhere, KNOWN).kind == "new"


def test_two_who_match_are_a_question_with_both_as_suggestions() -> None:
    known = [learner(ONE, "Ann Example", account="x"), learner(TWO, "Ann Example", account="x")]
    decision = match_learner(someone("Ann Example", account="x"), known)
    assert decision.kind == "review"
    assert [identifier for identifier, _ in decision.suggestions] == [ONE, TWO]
    assert "SEVERAL_MATCH" in decision.reasons


words = st.sampled_from(["ann", "liz", "elizabeth", "bea", "example", "exampel", "smith", "a", "van", ""])
names = st.lists(words, max_size=3).map(lambda parts: " ".join(part for part in parts if part))
emails = st.sampled_from([None, "ann@care.example", "liz@care.example", "manager@ivy.example"])
employers = st.sampled_from(["", "rose lodge", "ivy house"])
accounts = st.sampled_from([None, "elearning:1", "elearning:2"])
candidates = st.builds(Candidate, account=accounts, email=emails, name=names, employer=employers)
known_learners = st.lists(
    st.builds(
        lambda name, email, employer, account: (name, email, employer, account), names, emails, employers, accounts
    ),
    max_size=6,
).map(
    lambda made: [
        KnownLearner(
            UUID(int=number),
            frozenset({name} - {""}),
            frozenset({account} - {None}),
            frozenset({email} - {None}),
            frozenset({employer} - {""}),
        )
        for number, (name, email, employer, account) in enumerate(made, 1)
    ]
)


@given(candidates, known_learners, st.randoms())
def test_decisions_do_not_depend_on_the_order(who: Candidate, known: list[KnownLearner], random: Any) -> None:
    decision = match_learner(who, known)
    assert decision == match_learner(who, known)
    shuffled = list(known)
    random.shuffle(shuffled)
    assert match_learner(who, shuffled) == decision
    assert 0 <= decision.score <= 1
    assert (decision.learner_id is not None) == (decision.kind == "matched")


@given(names, employers, known_learners)
def test_a_name_never_decides_even_with_the_employer(name: str, employer: str, known: list[KnownLearner]) -> None:
    assert match_learner(Candidate(name=name, employer=employer), known).kind != "matched"


@given(names, names)
def test_agreement_is_symmetric(one: str, other: str) -> None:
    assert name_agreement(one, other) == name_agreement(other, one)
    assert not one or name_agreement(one, one) == 1


@given(st.text(max_size=60))
def test_any_text_has_keys(text: str) -> None:
    key = name_key(text)
    assert key == " ".join(key.split())
    employer_key(text)
    normalise_email(text)
    is_shared_mailbox(text)


EMPLOYERS = [
    KnownEmployer(ONE, frozenset({employer_key("Rose Lodge Ltd"), employer_key("Rose Lodge Nursing")}), "1-900000001"),
    KnownEmployer(TWO, frozenset({employer_key("Ivy House")}), None),
    KnownEmployer(THREE, frozenset({employer_key("Hill View Unit 1")}), None),
]


@pytest.mark.parametrize(
    ("name", "location_id", "kind", "whom", "reason"),
    [
        ("Something else", "1-900000001", "matched", ONE, "SAME_LOCATION"),
        ("The Rose Lodge Limited", None, "matched", ONE, "SAME_NAME"),
        ("Rose Lodge", "1-900000099", "new", None, "NOBODY_KNOWN"),
        ("Ivy House", "1-900000002", "matched", TWO, "SAME_NAME"),
        ("Ivey House Ltd", None, "review", None, "CLOSE_SPELLING"),
        ("Rose Lodge Care Home", None, "review", None, "CLOSE_SPELLING"),
        ("Hill View Unit 2", None, "new", None, "NOBODY_KNOWN"),
        ("Quite Other", None, "new", None, "NOBODY_KNOWN"),
        (None, None, "new", None, "NOBODY_KNOWN"),
    ],
)
def test_matching_employers(
    name: str | None, location_id: str | None, kind: str, whom: UUID | None, reason: str
) -> None:
    decision = match_employer(name, location_id, EMPLOYERS)
    assert (decision.kind, decision.employer_id, decision.reasons) == (kind, whom, (reason,))
    assert match_employer(name, location_id, EMPLOYERS[::-1]) == decision
    if kind == "review":
        assert decision.suggestions[0][0] in (ONE, TWO)


def test_two_employers_of_one_name_are_a_question() -> None:
    known = [KnownEmployer(ONE, frozenset({"rose lodge"})), KnownEmployer(TWO, frozenset({"rose lodge"}))]
    decision = match_employer("Rose Lodge", None, known)
    assert (decision.kind, decision.reasons) == ("review", ("SEVERAL_OF_THIS_NAME",))
