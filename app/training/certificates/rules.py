"""Rules of certificates: how long they are valid, how they stand, their numbers and codes, what a template needs."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.training.errors import Reason
from app.training.requirements.rules import add_months

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of verification codes (Crockford's base 32): no letter looks like a digit."""
GROUPS, GROUP = 4, 5
_READ_AS = str.maketrans("OIL", "011")
LONGEST_VALIDITY = 240
SIGNS_OF_A_PREFIX = 6
DEFAULT_COLOUR = "#005eb8"


class Standing(StrEnum):
    """How a certificate stands on a day."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class TemplateText:
    """What a template shall say; `expiry_rule` is one of `models.EXPIRY_RULES`."""

    issuer_name: str
    signatory_name: str
    signatory_role: str
    disclaimer: str
    expiry_rule: str
    validity_months: int | None = None
    colour: str = DEFAULT_COLOUR
    logo_text: str = ""


@dataclass(frozen=True, slots=True)
class Accredited:
    """An accreditation of a course from its first to its last day (None: it goes on)."""

    awarding_body: str
    reference: str
    level: str | None
    valid_from: date
    valid_to: date | None


def problems_of(text: TemplateText) -> tuple[Reason, ...]:
    """Everything that a template lacks before certificates can be issued by it."""
    found = []
    if not text.issuer_name.strip():
        found.append(Reason("ISSUER_MISSING", "Say who issues the certificates."))
    if text.expiry_rule not in ("tier", "months", "never"):
        found.append(Reason("EXPIRY_RULE_MISSING", "Say how long a certificate is valid."))
    if text.expiry_rule == "months" and not 1 <= (text.validity_months or 0) <= LONGEST_VALIDITY:
        found.append(Reason("VALIDITY_MISSING", f"Say for how many months, from 1 to {LONGEST_VALIDITY}."))
    if not text.disclaimer.strip():
        found.append(Reason("DISCLAIMER_MISSING", "Write the disclaimer, such as that this is guidance only."))
    if not text.signatory_name.strip() or not text.signatory_role.strip():
        found.append(Reason("SIGNATORY_MISSING", "Say who signs, and in which role."))
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text.colour):
        found.append(Reason("COLOUR_WRONG", "Write the colour as # and six digits or letters, such as #005eb8."))
    elif _luminance(text.colour) > MOST_LUMINANCE:
        found.append(Reason("COLOUR_TOO_LIGHT", "Choose a darker colour, so that white words on it can be read."))
    return tuple(found)


MOST_LUMINANCE = (1.0 + 0.05) / 4.5 - 0.05
"""The lightest on which white has the contrast of 4.5 to 1 that WCAG asks for."""


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def last_valid_day(rule: str, template_months: int | None, tier_months: int | None, achieved_on: date) -> date | None:
    """The last day on which a certificate is valid; None: it does not end."""
    months = {"tier": tier_months, "months": template_months}.get(rule)
    return None if months is None else add_months(achieved_on, months)


def standing_of(state: str, valid_until: date | None, today: date) -> Standing:
    """How a certificate stands today. A revoked one stays revoked after its last day."""
    if state != "issued":
        return Standing(state)
    return Standing.EXPIRED if valid_until is not None and valid_until < today else Standing.VALID


def applied(accreditations: Iterable[Accredited], day: date) -> list[dict[str, str | None]]:
    """Those that applied on the day, as a certificate keeps them."""
    of_the_day = [one for one in accreditations if one.valid_from <= day <= (one.valid_to or date.max)]
    ordered = sorted(of_the_day, key=lambda one: (one.awarding_body, one.reference))
    return [{"awarding_body": one.awarding_body, "reference": one.reference, "level": one.level} for one in ordered]


def prefix_of(slug: str) -> str:
    """What a tenant's certificate numbers begin with: initials of its slug's words, or the first letters of one."""
    words = [word for word in slug.split("-") if word not in ("and", "of", "the")]
    short = "".join(word[0] for word in words) if len(words) > 1 else slug
    return short[:SIGNS_OF_A_PREFIX].upper()


def number_of(prefix: str, serial: int) -> str:
    """A certificate's number, such as BLMK-000042."""
    return f"{prefix}-{serial:06d}"


def new_code() -> str:
    """A verification code of 100 random bits in groups, such as 7Q2MX-0A8RT-…."""
    signs = "".join(secrets.choice(LETTERS) for _ in range(GROUPS * GROUP))
    return "-".join(signs[at : at + GROUP] for at in range(0, len(signs), GROUP))


def read_code(text: str) -> str | None:
    """The code that somebody typed, in any case and with or without hyphens; None if it cannot be one."""
    signs = re.sub(r"[\s\-–]", "", text).upper().translate(_READ_AS)
    if len(signs) != GROUPS * GROUP or not set(signs) <= set(LETTERS):
        return None
    return "-".join(signs[at : at + GROUP] for at in range(0, len(signs), GROUP))


def same_name(typed: str, certified: str) -> bool:
    """Whether the family name, or the whole name, was typed as it was certified, whatever the case."""
    said, words = " ".join(typed.split()).casefold(), certified.split()
    return bool(said) and said in (" ".join(words).casefold(), words[-1].casefold() if words else "")
