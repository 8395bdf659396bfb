"""Rules of signing in, without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.errors import IdentityRefusal
from app.identity.rules import (
    ABSOLUTE,
    GRACE,
    IDLE,
    LONGEST_WAIT,
    ROTATE_AFTER,
    SEEN_EVERY,
    Fate,
    Stage,
    check_password,
    fate,
    normalise_email,
    stage_after_password,
    wait_after,
)
from app.identity.totp import STEP_SECONDS, matching_step, new_totp_secret

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_addresses_are_looked_up_in_one_form() -> None:
    assert normalise_email("  Sam.Field@Example.ORG ") == "sam.field@example.org"


@pytest.mark.parametrize("text", ["", "sam", "sam@", "sam@example", "a b@example.org", "<sam@example.org>", "a" * 255])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(IdentityRefusal) as refused:
        normalise_email(text)
    assert refused.value.code == "INVALID_EMAIL"


@pytest.mark.parametrize(
    "password", ["elevenchars", "aaaaaaaaaaaaaaaa", "x" * 201, "sam.field for ever", "medstead is my service"]
)
def test_weak_passwords_are_refused(password: str) -> None:
    check_password("walnut ladder thirteen", "sam.field@example.org")
    with pytest.raises(IdentityRefusal) as refused:
        check_password(password, "sam.field@example.org")
    assert refused.value.code == "WEAK_PASSWORD"


def test_the_wait_doubles_after_five_failures_up_to_an_hour() -> None:
    seconds = [int(wait_after(failures).total_seconds()) for failures in range(1, 15)]
    assert seconds == [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


@given(st.integers(min_value=0, max_value=10**9))
def test_the_wait_never_shrinks_and_never_passes_its_limit(failures: int) -> None:
    assert timedelta() <= wait_after(failures) <= wait_after(failures + 1) <= LONGEST_WAIT


def test_a_second_factor_is_asked_of_all_who_have_one_and_of_those_who_must() -> None:
    def stage(enrolled: bool, platform: bool, production: bool, required: bool) -> Stage:
        return stage_after_password(enrolled=enrolled, platform=platform, production=production, required=required)

    assert stage(True, False, False, False) is Stage.SECOND_FACTOR
    assert stage(False, False, False, True) is Stage.ENROLMENT
    assert stage(False, False, True, False) is Stage.SIGNED_IN
    assert stage(False, True, True, False) is Stage.ENROLMENT
    assert stage(False, True, False, False) is Stage.SIGNED_IN


@pytest.mark.parametrize(
    ("current", "rotated", "seen", "expires_in", "expected"),
    [
        (True, timedelta(0), timedelta(0), ABSOLUTE, Fate.KEEP),
        (True, timedelta(0), SEEN_EVERY, ABSOLUTE, Fate.NOTE),
        (True, ROTATE_AFTER, timedelta(0), ABSOLUTE, Fate.ROTATE),
        (True, ROTATE_AFTER, IDLE, ABSOLUTE, Fate.OVER),
        (True, timedelta(0), timedelta(0), timedelta(0), Fate.OVER),
        (False, GRACE, timedelta(0), ABSOLUTE, Fate.KEEP),
        (False, GRACE + timedelta(seconds=1), timedelta(0), ABSOLUTE, Fate.STOLEN),
    ],
)
def test_what_becomes_of_a_session(
    current: bool, rotated: timedelta, seen: timedelta, expires_in: timedelta, expected: Fate
) -> None:
    def judge(ended: bool) -> Fate:
        return fate(
            current=current,
            stage=Stage.SIGNED_IN,
            rotated_at=NOON - rotated,
            seen_at=NOON - seen,
            expires_at=NOON + expires_in,
            ended=ended,
            now=NOON,
        )

    assert judge(ended=False) is expected
    assert judge(ended=True) is Fate.OVER


def test_codes_of_the_neighbouring_steps_count_but_never_one_used_before() -> None:
    import pyotp

    secret = new_totp_secret()
    step = int(NOON.timestamp()) // STEP_SECONDS
    codes = {offset: pyotp.TOTP(secret).generate_otp(step + offset) for offset in (-2, -1, 0, 1, 2)}
    assert [matching_step(secret, codes[offset], NOON, None) for offset in (-1, 0, 1)] == [step - 1, step, step + 1]
    assert matching_step(secret, f"{codes[0][:3]} {codes[0][3:]}", NOON, None) == step
    assert matching_step(secret, codes[0], NOON, step) is None
    assert matching_step(secret, codes[-2], NOON, None) in {None, step - 1, step, step + 1} - {step - 2}
    assert matching_step(secret, "12345", NOON, None) is None
    assert matching_step(secret, "١٢٣٤٥٦", NOON, None) is None
