"""Revoking: one certificate for a reason, or all that a rule names, counted before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from app.training.certificates.models import Certificate
from app.training.errors import TrainingRefusal
from app.training.requirements.finding import row_of, said
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class RevocationRule:
    """Which certificates: of a session, of a version of a course, achieved from one day to another (included)."""

    session_id: UUID | None = None
    course_id: UUID | None = None
    achieved_from: date | None = None
    achieved_until: date | None = None

    def conditions(self) -> Sequence[ColumnElement[bool]]:
        """As conditions on certificates that are not revoked or superseded yet."""
        found: list[ColumnElement[bool]] = []
        if self.session_id is not None:
            found.append(Certificate.session_id == self.session_id)
        if self.course_id is not None:
            found.append(Certificate.course_id == self.course_id)
        if self.achieved_from is not None:
            found.append(Certificate.achieved_on >= self.achieved_from)
        if self.achieved_until is not None:
            found.append(Certificate.achieved_on <= self.achieved_until)
        if not found:
            message = "Say which certificates: of a session, of a course, or of a period."
            raise TrainingRefusal("RULE_EMPTY", message, "rule")
        return [*found, Certificate.state == "issued"]


async def revoke(work: UnitOfWork, certificate_id: UUID, reason: str) -> None:
    """Have a certificate fail verification. Raises TrainingRefusal `NO_SUCH_CERTIFICATE`, `REASON_MISSING`,
    `REVOKED_ALREADY` or `SUPERSEDED`.
    """
    why = said(reason, "REASON_MISSING", "Say why the certificate is revoked.", "reason")
    certificate = await row_of(work, Certificate, certificate_id, "NO_SUCH_CERTIFICATE", "certificate", "id")
    if certificate.state == "revoked":
        raise TrainingRefusal("REVOKED_ALREADY", "The certificate was revoked already. Nothing was changed.", "id")
    if certificate.state == "superseded":
        raise TrainingRefusal("SUPERSEDED", "A newer certificate took its place. Revoke that one.", "id")
    certificate.state, certificate.revoked_at, certificate.revoked_because = "revoked", work.now, why
    after = {"number": certificate.number, "reason": why}
    work.record(Action.CERTIFICATE_REVOKED, "certificate", certificate.id, before={"state": "issued"}, after=after)
    announce(work, EventType.CERTIFICATE_REVOKED, f"Certificate:{certificate.id}")


async def count_matching(work: UnitOfWork, rule: RevocationRule) -> int:
    """How many certificates the rule would revoke. Raises TrainingRefusal `RULE_EMPTY`."""
    counted = select(func.count(Certificate.id)).where(*rule.conditions())
    return int((await work.session.execute(counted)).scalar_one())


async def revoke_matching(work: UnitOfWork, rule: RevocationRule, reason: str, expected: int) -> int:
    """Revoke what the rule names; gives how many. `expected` is the count that the caller has seen.

    Raises TrainingRefusal `RULE_EMPTY`, `REASON_MISSING`, `COUNT_CHANGED` or `NOTHING_TO_REVOKE`.
    """
    why = said(reason, "REASON_MISSING", "Say why the certificates are revoked.", "reason")
    held = select(Certificate.id).where(*rule.conditions()).order_by(Certificate.id).with_for_update()
    found = (await work.session.scalars(held)).all()
    if len(found) != expected:
        message = f"The rule names {len(found)} certificates now, not {expected}. Count again, then confirm."
        raise TrainingRefusal("COUNT_CHANGED", message, "expected")
    if not found:
        raise TrainingRefusal("NOTHING_TO_REVOKE", "The rule names no certificate. Choose another one.", "rule")
    changed = update(Certificate).where(*rule.conditions())
    await work.session.execute(changed.values(state="revoked", revoked_at=work.now, revoked_because=why))
    named = {
        "session": str(rule.session_id or ""),
        "course": str(rule.course_id or ""),
        "from": str(rule.achieved_from or ""),
        "until": str(rule.achieved_until or ""),
        "count": len(found),
        "reason": why,
    }
    work.record(Action.CERTIFICATES_REVOKED, "certificate", None, after=named)
    for identifier in found:
        announce(work, EventType.CERTIFICATE_REVOKED, f"Certificate:{identifier}")
    return len(found)
