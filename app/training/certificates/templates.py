"""Templates of certificates: a change is a version of its own; what was issued keeps the one it was issued by."""

from uuid import UUID

from sqlalchemy import select

from app.training.certificates.models import CertificateTemplate
from app.training.certificates.rules import TemplateText, problems_of
from app.training.errors import TrainingRefusal
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


async def current_template(work: UnitOfWork) -> CertificateTemplate | None:
    """The version that counts for new certificates."""
    newest = select(CertificateTemplate).order_by(CertificateTemplate.version.desc()).limit(1)
    return (await work.session.scalars(newest)).first()


async def template_here(work: UnitOfWork) -> CertificateTemplate:
    """The same. Raises TrainingRefusal `NO_TEMPLATE`."""
    found = await current_template(work)
    if found is None:
        message = "No certificate template is there yet. Save one with issuer, expiry rule and disclaimer first."
        raise TrainingRefusal("NO_TEMPLATE", message)
    return found


async def save_template(work: UnitOfWork, version: int, text: TemplateText) -> UUID:
    """Keep a new version; `version` is the one that the caller has read, 0 if there was none.

    Raises TrainingRefusal `TEMPLATE_INCOMPLETE` with every reason, or `CHANGED_MEANWHILE`.
    """
    reasons = problems_of(text)
    if reasons:
        message = " ".join(reason.message for reason in reasons)
        raise TrainingRefusal("TEMPLATE_INCOMPLETE", message, _FIELDS[reasons[0].code], reasons)
    before = await current_template(work)
    if version != (0 if before is None else before.version):
        raise TrainingRefusal(
            "CHANGED_MEANWHILE", "Somebody changed the template meanwhile. Read it again first.", "version"
        )
    template = CertificateTemplate(
        tenant_id=work.tenant_id,
        id=new_id(),
        version=version + 1,
        issuer_name=_plain(text.issuer_name),
        signatory_name=_plain(text.signatory_name),
        signatory_role=_plain(text.signatory_role),
        disclaimer=_plain(text.disclaimer),
        expiry_rule=text.expiry_rule,
        validity_months=text.validity_months if text.expiry_rule == "months" else None,
        colour=text.colour.lower(),
        logo_text=_plain(text.logo_text) or _plain(text.issuer_name),
        created_at=work.now,
        created_by=work.context.actor_id,
    )
    work.add(template)
    await work.session.flush()
    after = {"version": template.version, "issuer": template.issuer_name, "expiry_rule": template.expiry_rule}
    work.record(Action.CERTIFICATE_TEMPLATE_SAVED, "certificate_template", template.id, after=after)
    return template.id


def _plain(text: str) -> str:
    return " ".join(text.split())


_FIELDS = {
    "ISSUER_MISSING": "issuerName",
    "EXPIRY_RULE_MISSING": "expiryRule",
    "VALIDITY_MISSING": "validityMonths",
    "DISCLAIMER_MISSING": "disclaimer",
    "SIGNATORY_MISSING": "signatoryName",
    "COLOUR_WRONG": "colour",
    "COLOUR_TOO_LIGHT": "colour",
}
