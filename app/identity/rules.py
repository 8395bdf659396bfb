"""Rules of signing in: addresses, passwords, waiting after failures, stages, and what becomes of a session's token."""

import re
from datetime import datetime, timedelta
from enum import StrEnum

from app.identity.errors import IdentityRefusal

FREE_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
LOCK_RULE = (
    "After five wrong attempts in a row a login waits half a minute, and twice as long after each further one, "
    "at most an hour. Attempts during the wait do not count."
)
"""The only place where a person reads of the wait: the answer to a locked login is that of a wrong password."""

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
UNFINISHED = timedelta(minutes=10)
"""How long a session may live: without use, at all, and before the second factor."""

ROTATE_AFTER = timedelta(minutes=10)
GRACE = timedelta(seconds=10)
"""A token older than ROTATE_AFTER is replaced; requests that were under way with it are served for GRACE."""

SEEN_EVERY = timedelta(minutes=1)
INVITATION_LIFETIME = timedelta(days=7)
ATTEMPT_LIFETIME = timedelta(minutes=10)

_EMAIL = re.compile(r"[^\s@<>\"(),;:\\]+@[^\s@<>\"(),;:\\.]+(?:\.[^\s@<>\"(),;:\\.]+)+")


class Stage(StrEnum):
    """How far a sign-in has come."""

    SECOND_FACTOR = "second_factor"
    ENROLMENT = "enrolment"
    SIGNED_IN = "signed_in"


class Fate(StrEnum):
    """What becomes of a session whose token a browser has shown."""

    OVER = "over"
    STOLEN = "stolen"
    KEEP = "keep"
    NOTE = "note"
    ROTATE = "rotate"


def normalise_email(text: str) -> str:
    """The address as it is stored and looked up. Raises IdentityRefusal `INVALID_EMAIL`."""
    email = text.strip().lower()
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise IdentityRefusal("INVALID_EMAIL", "Enter an e-mail address in the form name@example.org.")
    return email


def check_name(text: str) -> str:
    """A person's or an application's name without idle spaces. Raises IdentityRefusal `NAME_MISSING`."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= 200:
        raise IdentityRefusal("NAME_MISSING", "Enter a name of at most 200 characters.")
    return name


def check_password(password: str, email: str) -> None:
    """Length counts, not kinds of characters (NCSC). Raises IdentityRefusal `WEAK_PASSWORD`."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise IdentityRefusal(
            "WEAK_PASSWORD",
            f"Choose a password of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; three random words are good.",
        )
    lowered = password.lower()
    if len(set(lowered)) < 5 or email.partition("@")[0] in lowered or "medstead" in lowered:
        raise IdentityRefusal(
            "WEAK_PASSWORD", "Choose a password that does not hold your name or the service's, nor one sign repeated."
        )


def wait_after(failures: int) -> timedelta:
    """How long a login waits after this many failures in a row (see LOCK_RULE)."""
    if failures < FREE_ATTEMPTS:
        return timedelta()
    # Beyond ten doublings the longest wait is reached; a large shift would only make a large number.
    return min(FIRST_WAIT * (1 << min(failures - FREE_ATTEMPTS, 10)), LONGEST_WAIT)


def stage_after_password(*, enrolled: bool, platform: bool, production: bool, required: bool) -> Stage:
    """What a right password leads to. Platform roles in production need a second factor whatever the setting says."""
    if enrolled:
        return Stage.SECOND_FACTOR
    return Stage.ENROLMENT if required or (platform and production) else Stage.SIGNED_IN


def fate(
    *,
    current: bool,
    stage: Stage,
    rotated_at: datetime,
    seen_at: datetime,
    expires_at: datetime,
    ended: bool,
    now: datetime,
) -> Fate:
    """What to do with a session; `current` tells whether the token shown is the newest.

    An old token after its grace means that two parties hold the session: it ends for both.
    """
    if ended or now >= expires_at or now - seen_at >= IDLE:
        return Fate.OVER
    if not current:
        return Fate.KEEP if now - rotated_at <= GRACE else Fate.STOLEN
    if stage is Stage.SIGNED_IN and now - rotated_at >= ROTATE_AFTER:
        return Fate.ROTATE
    return Fate.NOTE if now - seen_at >= SEEN_EVERY else Fate.KEEP
