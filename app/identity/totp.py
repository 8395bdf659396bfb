"""Time-based one-time codes (RFC 6238): six digits, steps of 30 seconds, each step accepted once."""

import hmac
from datetime import datetime

import pyotp

STEP_SECONDS = 30


def new_totp_secret() -> str:
    """160 random bits in base32."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, email: str) -> str:
    """What the QR code for an authenticator app says."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Medstead")


def matching_step(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """The time step that the code belongs to: this one or a neighbour, for clocks differ; never one used before."""
    given = "".join(code.split())
    if not (len(given) == 6 and given.isascii() and given.isdigit()):
        return None
    present = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for step in (present - 1, present, present + 1):
        if (last_step is None or step > last_step) and hmac.compare_digest(totp.generate_otp(step), given):
            return step
    return None
