"""Certificates: runs with their progress, search, one certificate with its PDF, revoking many; and the template."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, day, key, may_write, number, problem
from app.identity.permissions import Permission
from app.training.certificates import issuing, pdf, revoking
from app.training.certificates.issuing import Wanted
from app.training.certificates.models import Certificate, CertificateRun, CertificateTemplate
from app.training.certificates.revoking import RevocationRule
from app.training.certificates.rules import DEFAULT_COLOUR, Standing, TemplateText, standing_of
from app.training.certificates.templates import save_template
from app.training.errors import TrainingRefusal
from app.training.models import Course, TrainingSession
from tenants.clock import london_date
from tenants.models import Tenant

SHOWN, RUNS_SHOWN, CHOICES = 100, 20, 200
STANDINGS = {
    Standing.VALID: ("Valid", "nhsuk-tag--green"),
    Standing.EXPIRED: ("Expired", "nhsuk-tag--orange"),
    Standing.REVOKED: ("Revoked", "nhsuk-tag--red"),
    Standing.SUPERSEDED: ("Replaced", "nhsuk-tag--grey"),
}
RUN_STATES = {"waiting": "Waiting", "running": "Being issued", "finished": "Finished"}
EXPIRY = {
    "tier": "As long as the tier says",
    "months": "For a number of months",
    "never": "For ever",
}
TEMPLATE_FIELDS = (
    "issuer_name", "signatory_name", "signatory_role", "disclaimer", "expiry_rule", "validity_months", "colour",
    "logo_text",
)  # fmt: skip
RULE_FIELDS = ("session_id", "course_id", "achieved_from", "achieved_until", "reason")


def _standing(request: Request, certificate: Certificate) -> tuple[str, str]:
    today = london_date(services_of(request).clock())
    return STANDINGS[standing_of(certificate.state, certificate.valid_until, today)]


async def _found(request: Request, most: int) -> Table:
    """Certificates by what is searched: a number, a name or a title; the latest first."""
    asked, principal = " ".join(request.query_params.get("q", "").split()), principal_here(request)
    sees = principal.may(Permission.PEOPLE_READ)
    statement = select(Certificate).order_by(Certificate.issued_at.desc(), Certificate.id.desc()).limit(most)
    if asked:
        columns = [Certificate.title, *((Certificate.number, Certificate.learner_name) if sees else ())]
        statement = statement.where(or_(*(column.icontains(asked, autoescape=True) for column in columns)))
    async with tenant_reads(request) as session:
        rows = (await session.scalars(statement)).all()
    return Table(
        "Certificates, the latest first",
        ("Number", "Learner", "For", "Achieved", "Valid until", "State"),
        [
            (
                Link(row.number, f"/console/certificates/{row.id}") if sees else "–",
                words.learner_name(principal, row.learner_name, row.learner_id),
                row.title,
                row.achieved_on,
                row.valid_until or "Does not end",
                _standing(request, row)[0],
            )
            for row in rows
        ],
        "/console/certificates/all.csv",
        nothing="There are no such certificates.",
    )


async def _runs(request: Request, most: int) -> Table:
    statement = (
        select(CertificateRun, TrainingSession.title, Course.title.label("course"))
        .outerjoin(
            TrainingSession,
            and_(
                TrainingSession.tenant_id == CertificateRun.tenant_id, TrainingSession.id == CertificateRun.session_id
            ),
        )
        .outerjoin(Course, and_(Course.tenant_id == CertificateRun.tenant_id, Course.id == CertificateRun.course_id))
        .order_by(CertificateRun.requested_at.desc(), CertificateRun.id.desc())
        .limit(most)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(statement)).all()
    return Table(
        "What is being issued, the latest first",
        ("For", "Asked on", "State", "Issued", "Of", "Failed"),
        [
            (session_title or course, run.requested_at, RUN_STATES[run.state], run.done, run.wanted, run.failed)
            for run, session_title, course in rows
        ],
        "/console/certificates/runs.csv",
        numeric=(3, 4, 5),
        nothing="Nothing has been issued yet.",
    )


async def _choices(request: Request) -> dict[str, Any]:
    now = services_of(request).clock()
    async with tenant_reads(request) as session:
        sessions = await session.scalars(
            select(TrainingSession)
            .where(TrainingSession.ends_at <= now, TrainingSession.state != "cancelled")
            .order_by(TrainingSession.starts_at.desc(), TrainingSession.id)
            .limit(CHOICES)
        )
        courses = await session.scalars(
            select(Course).where(Course.status == "active").order_by(Course.title_key, Course.id).limit(CHOICES)
        )
        return {
            "sessions": [(row.id, f"{row.title}, {london_date(row.starts_at):%-d %B %Y}") for row in sessions],
            "courses": [(row.id, f"{row.title} (version {row.version})") for row in courses],
        }


async def certificates(request: Request) -> Response:
    """Runs, the search, and the form that asks for certificates."""
    return await _overview(request, 200, [], {})


async def _overview(request: Request, status: int, problems: list[Problem], values: dict[str, str]) -> Response:
    async with tenant_reads(request) as session:
        template = (await session.scalars(select(CertificateTemplate.id).limit(1))).first()
    return render(
        request,
        "certificates.jinja",
        status=status,
        problems=problems,
        values=values,
        asked=request.query_params.get("q", ""),
        runs=await _runs(request, RUNS_SHOWN),
        found=await _found(request, SHOWN),
        most=SHOWN,
        has_template=template is not None,
        writes=may_write(request),
        **await _choices(request),
    )


async def certificates_file(request: Request) -> Response:
    """The certificates that were searched, as a file."""
    return csv_of("certificates.csv", await _found(request, 100_000))


async def certificate_runs_file(request: Request) -> Response:
    """Runs as a file."""
    return csv_of("certificate-runs.csv", await _runs(request, 100_000))


async def certificates_issue(request: Request) -> Response:
    """Ask for certificates for a session or a course."""
    form = await form_of(request)
    fields = ("session_id", "course_id", "completed_from", "completed_until")
    try:
        wanted = Wanted(
            key(form, "session_id"), key(form, "course_id"), day(form, "completed_from"), day(form, "completed_until")
        )
        async with tenant_work(request) as work:
            await issuing.request_certificates(work, wanted)
    except TrainingRefusal as refusal:
        return await _overview(request, 422, [problem(refusal, fields)], _typed(form, fields))
    except Invalid as invalid:
        return await _overview(request, 422, [invalid.problem], _typed(form, fields))
    return redirect("/console/certificates", done="certificates-asked")


def _typed(form: Form, fields: Sequence[str]) -> dict[str, str]:
    return {name: form.text(name) for name in fields}


async def certificate_template(request: Request) -> Response:
    """The template, and the form for its next version."""
    if request.method != "POST":
        return await _template_page(request, 200, [], None)
    form = await form_of(request)
    try:
        text = TemplateText(
            issuer_name=form.text("issuer_name"),
            signatory_name=form.text("signatory_name"),
            signatory_role=form.text("signatory_role"),
            disclaimer=form.text("disclaimer"),
            expiry_rule=form.text("expiry_rule"),
            validity_months=number(form, "validity_months"),
            colour=form.text("colour").strip() or DEFAULT_COLOUR,
            logo_text=form.text("logo_text"),
        )
        async with tenant_work(request) as work:
            await save_template(work, number(form, "version") or 0, text)
    except TrainingRefusal as refusal:
        problems = [
            problem(TrainingRefusal(reason.code, reason.message, field), TEMPLATE_FIELDS)
            for reason in refusal.reasons
            for field in [_FIELDS.get(reason.code, "")]
        ]
        shown = problems or [problem(refusal, TEMPLATE_FIELDS)]
        return await _template_page(request, 422, shown, _typed(form, TEMPLATE_FIELDS))
    except Invalid as invalid:
        return await _template_page(request, 422, [invalid.problem], _typed(form, TEMPLATE_FIELDS))
    return redirect("/console/certificates", done="certificate-template-saved")


_FIELDS = {
    "ISSUER_MISSING": "issuerName",
    "EXPIRY_RULE_MISSING": "expiryRule",
    "VALIDITY_MISSING": "validityMonths",
    "DISCLAIMER_MISSING": "disclaimer",
    "SIGNATORY_MISSING": "signatoryName",
    "COLOUR_WRONG": "colour",
    "COLOUR_TOO_LIGHT": "colour",
}


async def _template_page(
    request: Request, status: int, problems: list[Problem], values: dict[str, str] | None
) -> Response:
    newest = select(CertificateTemplate).order_by(CertificateTemplate.version.desc()).limit(1)
    async with tenant_reads(request) as session:
        template = (await session.scalars(newest)).first()
    present = {name: str(getattr(template, name) or "") for name in TEMPLATE_FIELDS} if template else {}
    return render(
        request,
        "certificate_template.jinja",
        status=status,
        problems=problems,
        values=values or present or {"colour": DEFAULT_COLOUR, "expiry_rule": "tier"},
        version=0 if template is None else template.version,
        expiry=EXPIRY,
    )


async def certificate(request: Request) -> Response:
    """One certificate: what it says, how it stands, what came before and after."""
    return await _page(request, 200, [], {})


async def _row(request: Request) -> Certificate:
    principal, row_id = principal_here(request), request.path_params["certificate_id"]
    async with tenant_reads(request) as session:
        row = await session.get(Certificate, (principal.tenant_id, row_id))
    if row is None:
        raise HTTPException(404)
    return row


async def _slug(request: Request) -> str:
    async with tenant_reads(request) as session:
        tenant_id = principal_here(request).tenant_id
        return (await session.scalars(select(Tenant.slug).where(Tenant.id == tenant_id))).one()


async def _page(request: Request, status: int, problems: list[Problem], values: dict[str, str]) -> Response:
    row = await _row(request)
    async with tenant_reads(request) as session:
        newer = (await session.scalars(select(Certificate.id).where(Certificate.follows_id == row.id))).first()
    word, colour = _standing(request, row)
    return render(
        request,
        "certificate.jinja",
        status=status,
        problems=problems,
        values=values,
        row=row,
        word=word,
        colour=colour,
        newer=newer,
        verify=f"/verify/{await _slug(request)}/{row.verification_code}",
        writes=may_write(request),
    )


async def certificate_pdf(request: Request) -> Response:
    """The certificate as PDF, drawn now from what was kept."""
    row = await _row(request)
    async with tenant_reads(request) as session:
        template = await session.get_one(CertificateTemplate, (row.tenant_id, row.template_id))
    drawn = pdf.draw(row, template, services_of(request).settings.base_url, await _slug(request))
    headers = {"content-disposition": f'inline; filename="{row.number}.pdf"'}
    return Response(drawn, media_type="application/pdf", headers=headers)


async def certificate_reissue(request: Request) -> Response:
    """Issue it anew."""
    form, made = await form_of(request), None
    row = await _row(request)
    try:
        async with tenant_work(request) as work:
            made = await issuing.reissue(work, row.id, form.text("why_anew"), services_of(request).vault)
    except TrainingRefusal as refusal:
        field = "why_anew" if refusal.code == "REASON_MISSING" else ""
        return await _page(request, 422, [Problem(field, refusal.message)], {"why_anew": form.text("why_anew")})
    return redirect(f"/console/certificates/{made}", done="certificate-reissued")


async def certificate_revoke(request: Request) -> Response:
    """Have it fail verification."""
    form = await form_of(request)
    row = await _row(request)
    try:
        async with tenant_work(request) as work:
            await revoking.revoke(work, row.id, form.text("reason"))
    except TrainingRefusal as refusal:
        return await _page(request, 422, [problem(refusal, ("reason",))], {"reason": form.text("reason")})
    return redirect(f"/console/certificates/{row.id}", done="certificate-revoked")


async def certificates_revoke(request: Request) -> Response:
    """Revoke all that a rule names: first counted, then confirmed with the count that was seen."""
    if request.method != "POST":
        return await _rule_page(request, 200, [], {}, None)
    form = await form_of(request)
    values = _typed(form, RULE_FIELDS)
    try:
        rule = RevocationRule(
            key(form, "session_id"), key(form, "course_id"), day(form, "achieved_from"), day(form, "achieved_until")
        )
        expected = number(form, "expected")
        async with tenant_work(request) as work:
            if expected is None:
                return await _rule_page(request, 200, [], values, await revoking.count_matching(work, rule))
            await revoking.revoke_matching(work, rule, form.text("reason"), expected)
    except TrainingRefusal as refusal:
        seen = number(form, "expected") if refusal.code == "REASON_MISSING" else None
        return await _rule_page(request, 422, [problem(refusal, RULE_FIELDS)], values, seen)
    except Invalid as invalid:
        return await _rule_page(request, 422, [invalid.problem], values, None)
    return redirect("/console/certificates", done="certificates-revoked")


async def _rule_page(
    request: Request, status: int, problems: list[Problem], values: dict[str, str], count: int | None
) -> Response:
    choices = await _choices(request)
    return render(
        request, "certificates_revoke.jinja", status=status, problems=problems, values=values, count=count, **choices
    )


async def learners_certificates(request: Request, learner_id: UUID) -> list[list[object]]:
    """A learner's certificates for their own page, the latest first."""
    sees = principal_here(request).may(Permission.PEOPLE_READ)
    statement = select(Certificate).where(Certificate.learner_id == learner_id)
    async with tenant_reads(request) as session:
        rows = (await session.scalars(statement.order_by(Certificate.achieved_on.desc(), Certificate.id.desc()))).all()
    return [
        [
            {"text": row.number, "href": f"/console/certificates/{row.id}"} if sees else None,
            row.title,
            row.achieved_on,
            row.valid_until or "Does not end",
            _standing(request, row)[0],
        ]
        for row in rows
    ]


_READ, _WRITE, _PEOPLE = Permission.TRAINING_READ, Permission.TRAINING_WRITE, Permission.PEOPLE_READ
_ONE = "/certificates/{certificate_id:uuid}"

ROUTES = [
    page("/certificates", certificates, needs=_READ),
    page("/certificates/all.csv", certificates_file, needs=_READ),
    page("/certificates/runs.csv", certificate_runs_file, needs=_READ),
    page("/certificates/issue", certificates_issue, needs=_WRITE, methods=("POST",)),
    page("/certificates/template", certificate_template, needs=_WRITE, methods=("GET", "POST")),
    page("/certificates/revoke", certificates_revoke, needs=_WRITE, methods=("GET", "POST")),
    page(_ONE, certificate, needs=_READ, also=_PEOPLE),
    page(f"{_ONE}/certificate.pdf", certificate_pdf, needs=_READ, also=_PEOPLE),
    page(f"{_ONE}/reissue", certificate_reissue, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/revoke", certificate_revoke, needs=_WRITE, methods=("POST",)),
]
