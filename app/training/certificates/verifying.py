"""What anybody may know of a certificate who holds its code: whether it counts, whose, for what, when, by whom."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.training.certificates.models import Certificate
from app.training.certificates.rules import Standing, read_code, same_name, standing_of


@dataclass(frozen=True, slots=True)
class Verified:
    """All that verification tells."""

    standing: Standing
    learner_name: str
    title: str
    achieved_on: date
    valid_until: date | None
    issuer_name: str


def told(certificate: Certificate, today: date) -> Verified:
    """What verification tells of a certificate on a day."""
    return Verified(
        standing_of(certificate.state, certificate.valid_until, today),
        certificate.learner_name,
        certificate.title,
        certificate.achieved_on,
        certificate.valid_until,
        certificate.issuer_name,
    )


async def certificate_by_code(session: AsyncSession, typed: str) -> Certificate | None:
    """The certificate with that code, however it was typed; None for unknown and for malformed ones alike."""
    code = read_code(typed)
    if code is None:
        return None
    found = select(Certificate).where(Certificate.verification_code == code)
    return (await session.scalars(found)).first()


async def certificate_by_number(session: AsyncSession, number: str, name: str) -> Certificate | None:
    """The certificate with that number if the name on it was typed too: numbers can be guessed, codes cannot."""
    plain = "".join(number.split()).upper()
    certificate = (await session.scalars(select(Certificate).where(Certificate.number == plain))).first()
    return certificate if certificate is not None and same_name(name, certificate.learner_name) else None
