"""Certificates as Open Badges 3.0: the credential, its signature as a JWT, the issuer's profile, the revocation list.

A badge names nobody: its subject is a hash of the learner's name with a salt of its own, which proves the name to
whoever knows it. The certificate's code is not in it either.
"""

import hashlib
import warnings
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.training.certificates.keys import ALGORITHM
from app.training.certificates.models import Certificate
from tenants.clock import LONDON

CREDENTIALS = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


def issuer_address(base_url: str, slug: str) -> str:
    """Where a tenant's profile stands for ever; its keys and revocations stand below."""
    return f"{base_url}/issuers/{slug}"


def profile(base_url: str, slug: str, name: str) -> dict[str, Any]:
    """The issuer's profile, with the addresses of its keys and of what it revoked."""
    address = issuer_address(base_url, slug)
    return {
        "@context": [CREDENTIALS, OPEN_BADGES],
        "id": address,
        "type": ["Profile"],
        "name": name,
        "url": f"{base_url}/verify/{slug}",
        "jwks_uri": f"{address}/jwks.json",
        "revocationList": f"{address}/revocations.json",
    }


def credential(certificate: Certificate, base_url: str, slug: str) -> dict[str, Any]:
    """The certificate as an OpenBadgeCredential."""
    address, salt = issuer_address(base_url, slug), certificate.id.hex
    subject = certificate.session_id or certificate.course_id
    verb = "attended the session" if certificate.session_id else "completed the course"
    claims: dict[str, Any] = {
        "@context": [CREDENTIALS, OPEN_BADGES],
        "id": f"urn:uuid:{certificate.id}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": certificate.title,
        "issuer": {"id": address, "type": ["Profile"], "name": certificate.issuer_name},
        "validFrom": _moment(certificate.issued_at),
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": True,
                    "identityType": "name",
                    "identityHash": identity_hash(certificate.learner_name, salt),
                    "salt": salt,
                }
            ],
            "activityEndDate": _moment(_ends(certificate.achieved_on)),
            "achievement": {
                "id": f"{address}#{'session' if certificate.session_id else 'course'}-{subject}",
                "type": ["Achievement"],
                "name": certificate.title,
                "description": certificate.disclaimer,
                "criteria": {"narrative": f"The learner {verb} “{certificate.title}”, as its records show."},
            },
        },
        "credentialStatus": {
            "id": f"{address}/revocations.json",
            "type": "1EdTechRevocationList",
        },
    }
    if certificate.valid_until is not None:
        claims["validUntil"] = _moment(_ends(certificate.valid_until))
    if certificate.accreditation:
        claims["credentialSubject"]["achievement"]["otherIdentifier"] = [
            {"type": "IdentifierEntry", "identifier": one["reference"], "identifierType": "ext:accreditation"}
            for one in certificate.accreditation
        ]
    return claims


def identity_hash(name: str, salt: str) -> str:
    """The hash of a name with its salt, as Open Badges writes it."""
    return f"sha256${hashlib.sha256((name + salt).encode()).hexdigest()}"


def signed(certificate: Certificate, base_url: str, slug: str, key: OKPKey) -> str:
    """The credential as a JWT by Ed25519; `kid` is the address of the keys with the key's id behind it."""
    claims = credential(certificate, base_url, slug)
    kid = f"{issuer_address(base_url, slug)}/jwks.json#{key.kid}"
    registered: dict[str, Any] = {
        "iss": claims["issuer"]["id"],
        "jti": claims["id"],
        "nbf": int(certificate.issued_at.timestamp()),
        "sub": claims["id"],
    }
    if certificate.valid_until is not None:
        registered["exp"] = int(_ends(certificate.valid_until).timestamp())
    header = {"alg": ALGORITHM, "kid": kid, "typ": "JWT"}
    with warnings.catch_warnings():
        # RFC 9864 gives the algorithm a second name, which verifiers of badges do not know yet.
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode(header, claims | registered, key, algorithms=[ALGORITHM])


async def revocations(session: AsyncSession, base_url: str, slug: str) -> dict[str, Any]:
    """The list of revoked and replaced credentials: their ids and nothing else."""
    rows = await session.execute(
        select(Certificate.id, Certificate.state).where(Certificate.state != "issued").order_by(Certificate.serial)
    )
    address = issuer_address(base_url, slug)
    return {
        "id": f"{address}/revocations.json",
        "issuer": address,
        "revokedCredential": _listed((row.id, row.state) for row in rows),
    }


def _listed(rows: Iterable[tuple[UUID, str]]) -> list[dict[str, Any]]:
    words = {"revoked": "Revoked by the issuer", "superseded": "Replaced by a newer credential"}
    return [
        {"id": f"urn:uuid:{identifier}", "revoked": True, "revocationReason": words[state]}
        for identifier, state in rows
    ]


def _ends(day: date) -> datetime:
    """The last second of a day in England."""
    return datetime.combine(day + timedelta(days=1), time(), LONDON) - timedelta(seconds=1)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
