"""The rules of certificates: validity, standing, numbers, codes, names, and what a template needs."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.training.certificates import pdf
from app.training.certificates.models import Certificate, CertificateTemplate
from app.training.certificates.rules import (
    LETTERS,
    Accredited,
    Standing,
    TemplateText,
    applied,
    last_valid_day,
    new_code,
    number_of,
    prefix_of,
    problems_of,
    read_code,
    same_name,
    standing_of,
)

DAY = date(2026, 1, 31)
SOUND = TemplateText("Invented ICB", "Sam Signatory", "Lead", "Guidance only.", "tier")


@pytest.mark.row("A68")
@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, ()),
        ({"issuer_name": " "}, ("ISSUER_MISSING",)),
        ({"disclaimer": ""}, ("DISCLAIMER_MISSING",)),
        ({"expiry_rule": ""}, ("EXPIRY_RULE_MISSING",)),
        ({"expiry_rule": "months"}, ("VALIDITY_MISSING",)),
        ({"expiry_rule": "months", "validity_months": 12}, ()),
        ({"signatory_name": ""}, ("SIGNATORY_MISSING",)),
        ({"colour": "blue"}, ("COLOUR_WRONG",)),
        ({"colour": "#ffeb3b"}, ("COLOUR_TOO_LIGHT",)),
        ({"colour": "#767676"}, ()),
        (
            {"issuer_name": "", "disclaimer": "", "expiry_rule": "x"},
            ("ISSUER_MISSING", "EXPIRY_RULE_MISSING", "DISCLAIMER_MISSING"),
        ),
    ],
)
def test_a_template_says_all_that_it_lacks(change: dict[str, object], codes: tuple[str, ...]) -> None:
    assert tuple(reason.code for reason in problems_of(replace(SOUND, **change))) == codes  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "own", "tier", "last"),
    [
        ("tier", None, None, None),
        ("tier", 99, 1, date(2026, 2, 28)),
        ("months", 13, 1, date(2027, 2, 28)),
        ("never", 1, 1, None),
    ],
)
def test_validity_comes_from_the_tier_or_the_template(
    rule: str, own: int | None, tier: int | None, last: date | None
) -> None:
    assert last_valid_day(rule, own, tier, DAY) == last


def test_a_certificate_counts_on_its_last_day_and_a_revoked_one_never() -> None:
    assert [standing_of("issued", DAY, day) for day in (DAY, date(2026, 2, 1))] == [Standing.VALID, Standing.EXPIRED]
    assert standing_of("issued", None, date.max) is Standing.VALID
    assert standing_of("revoked", DAY, date.max) is Standing.REVOKED
    assert standing_of("superseded", None, DAY) is Standing.SUPERSEDED


@given(st.text(alphabet=LETTERS, min_size=20, max_size=20), st.sampled_from(("", "-", " ", " - ")), st.booleans())
def test_a_code_is_read_however_it_was_typed(signs: str, between: str, small: bool) -> None:
    typed = between.join((signs[:5], signs[5:10], signs[10:15], signs[15:]))
    read = read_code(typed.lower() if small else typed)
    assert read is not None
    assert read.replace("-", "") == signs
    assert read_code(typed.replace("0", "o").replace("1", "l")) == read


@given(st.text())
def test_what_is_no_code_is_none(text: str) -> None:
    read = read_code(text)
    assert read is None or read_code(read) == read


def test_codes_are_random_and_readable_and_numbers_tell_their_tenant() -> None:
    made = {new_code() for _ in range(200)}
    assert len(made) == 200
    assert all(read_code(code) == code for code in made)
    assert read_code(number_of("BLMK", 42)) is None
    assert prefix_of("bedfordshire-luton-and-milton-keynes") == "BLMK"
    assert prefix_of("north") == "NORTH"
    assert number_of("BLMK", 42) == "BLMK-000042"


@pytest.mark.parametrize(
    ("typed", "same"), [("example-carer", True), ("ZOË  example-carer", True), ("Zoë", False), ("", False)]
)
def test_a_number_needs_the_family_name(typed: str, same: bool) -> None:
    assert same_name(typed, "Zoë Example-Carer") is same
    assert not same_name(typed, "")


@pytest.mark.row("A64")
def test_an_accreditation_applies_on_its_first_and_last_day_only() -> None:
    one = Accredited("Body", "R1", None, date(2026, 1, 1), date(2026, 1, 31))
    other = Accredited("Body", "R2", "Level 2", date(2026, 1, 31), None)
    found = {day: [row["reference"] for row in applied((other, one), day)] for day in (date(2025, 12, 31), DAY)}
    assert found == {date(2025, 12, 31): [], DAY: ["R1", "R2"]}
    assert [row["reference"] for row in applied((one, other), date(2026, 2, 1))] == ["R2"]


def _certificate(name: str) -> tuple[Certificate, CertificateTemplate]:
    template = CertificateTemplate(colour="#005eb8", logo_text="Invented")
    certificate = Certificate(
        verification_code="7Q2MX-0A8RT-9ZKPD-44H1W",
        session_id=None,
        accreditation=[{"awarding_body": "Body", "reference": "R1", "level": None}],
        title="Safe handling",
        achieved_on=DAY,
        tier_name=None,
        minutes=90,
        valid_until=None,
        number="BLMK-000042",
        issued_at=datetime(2026, 11, 24, 10, tzinfo=UTC),
        issuer_name="Invented ICB",
        signatory_name="Sam Signatory",
        signatory_role="Lead",
        disclaimer="Guidance only.",
        learner_name=name,
    )
    return certificate, template


@pytest.mark.parametrize(("name", "by_standard"), [("Zoë Example", True), ("王 Example 🙂", False)])
def test_the_pdf_is_tagged_and_the_same_each_time(name: str, by_standard: bool) -> None:
    made = _certificate(name)
    first = pdf.draw(*made, "https://medstead.example", "north")
    assert first == pdf.draw(*made, "https://medstead.example", "north")
    assert all(mark in first for mark in (b"/StructTreeRoot", b"/Lang", b"/Alt")), "tagged, in English, with words"
    assert (b"pdfuaid" in first) is by_standard, "no font here has every letter"
    assert pdf.draw(*made, "https://medstead.example", "south") != first
