"""Mutations of certificates: the template, issuing, reissuing, revoking, the key that signs badges."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.training.certificates import issuing, keys, revoking, templates
from app.training.certificates.issuing import Wanted
from app.training.certificates.revoking import RevocationRule
from app.training.certificates.rules import DEFAULT_COLOUR, TemplateText
from app.training.errors import TrainingRefusal
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.nominations import training_refusal
from medstead_graphql.mutations.payload import Handler, Payload, RefusalReason, UserError, command, row_id, success
from medstead_graphql.types.certificates import Certificate, CertificateRun, CertificateTemplate, ExpiryRule
from tenants.session import UnitOfWork

WRITE = "training:write"


@strawberry.type(description="Why a certificate cannot be issued or revoked as asked, or a template not saved.")
class CertificateRefused(UserError):
    """A refusal about certificates."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The template's new version.")
class CertificateTemplateSaved:
    """Success of saving a template."""

    template: CertificateTemplate


@strawberry.type(description="The certificates are being issued. Ask for the run again to see its progress.")
class CertificatesRequested:
    """Success of asking for certificates."""

    run: CertificateRun


@strawberry.type(description="The certificate as it stands now.")
class CertificateChanged:
    """Success of reissuing or revoking."""

    certificate: Certificate


@strawberry.type(description="The certificates that the rule named are revoked.")
class CertificatesRevoked:
    """Success of revoking by a rule."""

    count: int


@strawberry.type(description="Badges are signed by a new key from now on. The old one stays published.")
class IssuerKeyRotated:
    """Success of rotating the key."""

    key_id: str = strawberry.field(description="The `kid` of the new key.")


TemplateResult = Annotated[CertificateTemplateSaved | CertificateRefused, strawberry.union("CertificateTemplateResult")]
RunResult = Annotated[CertificatesRequested | CertificateRefused, strawberry.union("CertificateRunResult")]
CertificateResult = Annotated[CertificateChanged | CertificateRefused, strawberry.union("CertificateResult")]
RevocationResult = Annotated[CertificatesRevoked | CertificateRefused, strawberry.union("CertificateRevocationResult")]
KeyResult = Annotated[IssuerKeyRotated | CertificateRefused, strawberry.union("IssuerKeyResult")]


@strawberry.input(description="A new version of the template. `version` is the one that you read; 0 for the first.")
class CertificateTemplateInput:
    """A template to be."""

    version: int
    issuer_name: str
    signatory_name: str
    signatory_role: str
    disclaimer: str
    expiry_rule: ExpiryRule
    validity_months: int | None = strawberry.field(default=None, description="With the expiry rule MONTHS.")
    colour: str = strawberry.field(default=DEFAULT_COLOUR, description="#rrggbb, dark enough for white words on it.")
    logo_text: str = strawberry.field(default="", description="Left out: the issuer's name.")


@strawberry.input(description="Certificates for a session, or for a course completed from one day to another.")
class IssueCertificatesInput:
    """Certificates to be."""

    session_id: strawberry.ID | None = None
    course_id: strawberry.ID | None = None
    completed_from: date | None = None
    completed_until: date | None = strawberry.field(default=None, description="Included.")


@strawberry.input(description="Which certificate, and why.")
class CertificateReasonInput:
    """A certificate and a reason."""

    id: strawberry.ID
    reason: str


@strawberry.input(
    description="Which certificates to revoke; all that is given must hold. Count them first by the same filter on "
    "`certificates` with the state ISSUED."
)
class RevokeCertificatesInput:
    """A rule, a reason, and the count that was seen."""

    reason: str
    expected: int = strawberry.field(description="How many you counted; another number refuses.")
    session_id: strawberry.ID | None = None
    course_id: strawberry.ID | None = strawberry.field(default=None, description="A version of a course is a course.")
    achieved_from: date | None = None
    achieved_until: date | None = strawberry.field(default=None, description="Included.")


def _typed(change: Callable[[UnitOfWork, Caller, dict[str, Any]], Awaitable[Payload]]) -> Handler:
    async def handler(work: UnitOfWork, caller: Caller, arguments: dict[str, Any]) -> Payload:
        try:
            return await change(work, caller, arguments.get("input", arguments))
        except TrainingRefusal as error:
            return training_refusal("CertificateRefused", error)

    return handler


def _id_or_none(text: object, type_name: str) -> UUID | None:
    return None if text is None else row_id(text, type_name, TrainingRefusal)


async def _save(work: UnitOfWork, _: Caller, given: dict[str, Any]) -> Payload:
    text = TemplateText(
        issuer_name=given["issuerName"],
        signatory_name=given["signatoryName"],
        signatory_role=given["signatoryRole"],
        disclaimer=given["disclaimer"],
        expiry_rule=str(getattr(given["expiryRule"], "value", given["expiryRule"])),
        validity_months=given.get("validityMonths"),
        colour=given.get("colour") or DEFAULT_COLOUR,
        logo_text=given.get("logoText") or "",
    )
    return success(
        "CertificateTemplateSaved", {"template": await templates.save_template(work, given["version"], text)}
    )


async def _issue(work: UnitOfWork, _: Caller, given: dict[str, Any]) -> Payload:
    wanted = Wanted(
        _id_or_none(given.get("sessionId"), "Session"),
        _id_or_none(given.get("courseId"), "Course"),
        given.get("completedFrom"),
        given.get("completedUntil"),
    )
    return success("CertificatesRequested", {"run": await issuing.request_certificates(work, wanted)})


async def _reissue(work: UnitOfWork, caller: Caller, given: dict[str, Any]) -> Payload:
    certificate_id = row_id(given["id"], "Certificate", TrainingRefusal)
    made = await issuing.reissue(work, certificate_id, given["reason"], caller.vault)
    return success("CertificateChanged", {"certificate": made})


async def _revoke(work: UnitOfWork, _: Caller, given: dict[str, Any]) -> Payload:
    certificate_id = row_id(given["id"], "Certificate", TrainingRefusal)
    await revoking.revoke(work, certificate_id, given["reason"])
    return success("CertificateChanged", {"certificate": certificate_id})


async def _revoke_many(work: UnitOfWork, _: Caller, given: dict[str, Any]) -> Payload:
    rule = RevocationRule(
        _id_or_none(given.get("sessionId"), "Session"),
        _id_or_none(given.get("courseId"), "Course"),
        given.get("achievedFrom"),
        given.get("achievedUntil"),
    )
    count = await revoking.revoke_matching(work, rule, given["reason"], given["expected"])
    return success("CertificatesRevoked", {}, {"count": count})


async def _rotate(work: UnitOfWork, caller: Caller, _: dict[str, Any]) -> Payload:
    return success("IssuerKeyRotated", {}, {"keyId": str(await keys.rotate_key(work, caller.vault))})


@strawberry.type
class CertificateMutations:
    """Mutations of certificates."""

    save_certificate_template: TemplateResult | None = command(
        _typed(_save),
        WRITE,
        {"input": CertificateTemplateInput},
        description="Save a new version of the template. It needs an issuer, an expiry rule and a disclaimer.",
    )
    issue_certificates: RunResult | None = command(
        _typed(_issue),
        WRITE,
        {"input": IssueCertificatesInput},
        description="Have everybody certified who attended or completed and has no certificate for it yet.",
    )
    reissue_certificate: CertificateResult | None = command(
        _typed(_reissue),
        WRITE,
        {"input": CertificateReasonInput},
        description="Issue a certificate anew, such as after a change of name. Answers with the new one.",
    )
    revoke_certificate: CertificateResult | None = command(
        _typed(_revoke), WRITE, {"input": CertificateReasonInput}, description="Have a certificate fail verification."
    )
    revoke_certificates: RevocationResult | None = command(
        _typed(_revoke_many),
        WRITE,
        {"input": RevokeCertificatesInput},
        description="Revoke all certificates of a session, a course or a period at once.",
    )
    rotate_issuer_key: KeyResult | None = command(
        _typed(_rotate), WRITE, {}, description="Sign badges by a new key from now on."
    )
