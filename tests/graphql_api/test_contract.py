"""The gate: what the contract may lose, shown on made-up contracts and then asked of ours."""

from datetime import date
from pathlib import Path

import pytest
from graphql import build_schema

from medstead_graphql.compiler.declare import column, deprecated
from medstead_graphql.contract import compare, deprecations, unworded
from medstead_graphql.schema import schema
from tenants.clock import london_date, system_clock

FOLDER = Path(__file__).resolve().parents[2] / "graphql"
TODAY = date(2026, 11, 24)
PAST = '@deprecated(reason: "Use name. Removed after 2026-11-23.")'
NOW = '@deprecated(reason: "Use name. Removed after 2026-11-24.")'
FUTURE = '@deprecated(reason: "Use name. Removed after 2027-06-30.")'
VAGUE = '@deprecated(reason: "No longer supported")'
ROOT = "type Query { a: A } "


def forbidden(released: str, present: str) -> tuple[str, ...]:
    """What the gate says of two contracts that share the root type."""
    return compare(ROOT + released, ROOT + present, TODAY).forbidden


@pytest.mark.parametrize(
    ("released", "present", "allowed"),
    [
        ("type A { name: Int }", "type A { name: Int more: Int }", True),
        ("type A { name: Int old: Int }", "type A { name: Int }", False),
        (f"type A {{ name: Int old: Int {PAST} }}", "type A { name: Int }", True),
        (f"type A {{ name: Int old: Int {NOW} }}", "type A { name: Int }", False),
        (f"type A {{ name: Int old: Int {FUTURE} }}", "type A { name: Int }", False),
        (f"type A {{ name: Int old: Int {VAGUE} }}", "type A { name: Int }", False),
        ("type A { name: Int }", "type A { name: String }", False),
        (f"type A {{ name: Int {PAST} }}", "type A { name: String }", True),
        ("type A { name: Int! }", "type A { name: Int }", False),
        ("type A { name: Int }", "type A { name: Int! }", True),
        ("type A { name(x: Int): Int }", "type A { name(x: Int!): Int }", False),
        (f"type A {{ name(x: Int {PAST}): Int }}", "type A { name(x: Int!): Int }", True),
        ("type A { name(x: Int): Int }", "type A { name: Int }", False),
        (f"type A {{ name(x: Int {PAST}): Int }}", "type A { name: Int }", True),
        (f"type A {{ name(x: Int {FUTURE}): Int }}", "type A { name: Int }", False),
        ("type A { name: Int }", "type A { name(x: Int!): Int }", False),
        ("type A { b: B } enum B { X Y }", "type A { b: B } enum B { X }", False),
        (f"type A {{ b: B }} enum B {{ X Y {PAST} }}", "type A { b: B } enum B { X }", True),
        (f"type A {{ b: B }} enum B {{ X Y {FUTURE} }}", "type A { b: B } enum B { X }", False),
        ("type A { f(i: I): Int } input I { x: Int y: Int }", "type A { f(i: I): Int } input I { x: Int }", False),
        (
            f"type A {{ f(i: I): Int }} input I {{ x: Int y: Int {PAST} }}",
            "type A { f(i: I): Int } input I { x: Int }",
            True,
        ),
        ("type A { f(i: I): Int } input I { x: Int }", "type A { f(i: I): Int } input I { x: Int y: Int! }", False),
        (f"type A {{ name: Int b: B {PAST} }} type B {{ x: Int }}", "type A { name: Int }", True),
        (f"type A {{ name: Int b: B {FUTURE} }} type B {{ x: Int }}", "type A { name: Int }", False),
        ("type A { name: Int b: B } type B { x: Int }", "type A { name: Int b: Int }", False),
        ("type A { u: U } union U = A | B type B { x: Int }", "type A { u: U } union U = A", False),
        ("type A {n: N} interface N {x: A} type B implements N {x: A}", "type A {n: N} interface N {x: A}", False),
        ("type A { name: Int } scalar S", "type A { name: Int }", True),
    ],
)  # fmt: skip
def test_the_gate_on_made_up_contracts(released: str, present: str, allowed: bool) -> None:
    found = forbidden(released, present)
    assert (found == ()) == allowed, found


def test_the_gate_says_what_to_do() -> None:
    (undeprecated,) = forbidden("type A { name: Int old: Int }", "type A { name: Int }")
    assert undeprecated.startswith("Field A.old was removed. ")
    assert "deprecate it, release that" in undeprecated
    (early,) = forbidden(f"type A {{ name: Int old: Int {FUTURE} }}", "type A { name: Int }")
    assert "until 2027-06-30" in early


def test_what_may_surprise_callers_is_told() -> None:
    found = compare(ROOT + "type A { b: B } enum B { X }", ROOT + "type A { b: B } enum B { X Y }", TODAY)
    assert found.forbidden == ()
    assert found.dangerous == ("Enum value B.Y was added.",)


def test_reasons_name_a_replacement_and_a_day() -> None:
    fields = f'a: Int {PAST} b: Int {VAGUE} c: Int @deprecated(reason: "Use x. Removed after 2027-02-30.")'
    made = build_schema(ROOT + f"type A {{ {fields} d(x: Int {FUTURE}): Int }}")
    assert set(deprecations(made)) == {"A.a", "A.b", "A.c", "A.d(x:)"}
    assert unworded(made) == ["A.b", "A.c"]


def test_a_field_is_deprecated_in_one_word() -> None:
    reason = deprecated("Learner.displayName", "2027-06-30")
    assert column(deprecated=reason).deprecation_reason == "Use Learner.displayName. Removed after 2027-06-30."
    with pytest.raises(ValueError, match="day"):
        deprecated("Learner.displayName", "2027-06-31")


def test_our_contract_breaks_nothing_that_was_released(capsys: pytest.CaptureFixture[str]) -> None:
    released = (FOLDER / "released.graphql").read_text(encoding="utf-8")
    found = compare(released, (FOLDER / "schema.graphql").read_text(encoding="utf-8"), london_date(system_clock()))
    with capsys.disabled():
        for sentence in found.dangerous:
            print(f"\ncontract: {sentence}")
    assert found.forbidden == (), "\n".join(found.forbidden)


def test_every_deprecation_of_ours_is_worded() -> None:
    assert unworded(schema._schema) == []
