"""The certificate as PDF, drawn from its row whenever somebody asks: the same row gives the same bytes."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import segno
import typst

from app.training.certificates.models import Certificate, CertificateTemplate
from tenants.clock import london_date

SOURCE = (Path(__file__).parent / "certificate.typ").read_bytes()


def verify_url(base_url: str, slug: str, code: str) -> str:
    """Where anybody sees whether a certificate counts."""
    return f"{base_url}/verify/{slug}/{code}"


def draw(certificate: Certificate, template: CertificateTemplate, base_url: str, slug: str) -> bytes:
    """The PDF: by PDF/UA-1, or where a name has letters that no font at hand has, tagged all the same."""
    shared = _shared(certificate, template, base_url, slug)
    try:
        return bytes(typst.compile(SOURCE, format="pdf", pdf_standards=["ua-1"], **shared))
    except typst.TypstError:
        return bytes(typst.compile(SOURCE, format="pdf", **shared))


def picture(certificate: Certificate, template: CertificateTemplate, base_url: str, slug: str) -> bytes:
    """The page as PNG."""
    return bytes(typst.compile(SOURCE, format="png", ppi=96.0, **_shared(certificate, template, base_url, slug)))


def _shared(certificate: Certificate, template: CertificateTemplate, base_url: str, slug: str) -> dict[str, Any]:
    data = orjson.dumps(_told(certificate, template, base_url, slug)).decode()
    # Fonts of the machine are left out: another machine has others, and the bytes would differ.
    return {
        "sys_inputs": {"data": data},
        "ignore_system_fonts": True,
        "timestamp": int(certificate.issued_at.timestamp()),
    }


def _told(certificate: Certificate, template: CertificateTemplate, base_url: str, slug: str) -> dict[str, Any]:
    address = verify_url(base_url, slug, certificate.verification_code)
    heading = "Certificate of attendance" if certificate.session_id else "Certificate of completion"
    vouched = [
        ", ".join(part for part in (one["awarding_body"], one["reference"], one["level"]) if part)
        for one in certificate.accreditation
    ]
    lines = [
        ("On", _day(certificate.achieved_on)),
        ("Level", certificate.tier_name),
        ("Learning time", _time(certificate.minutes)),
        ("Accredited by", "; ".join(vouched) or None),
        ("Valid until", _day(certificate.valid_until) if certificate.valid_until else "It does not expire"),
        ("Certificate number", certificate.number),
        ("Issued on", _day(london_date(certificate.issued_at))),
    ]
    return {
        "document_title": f"{heading}: {certificate.title}",
        "heading": heading,
        "learner": certificate.learner_name,
        "verb": "attended" if certificate.session_id else "completed",
        "title": certificate.title,
        "lines": [line for line in lines if line[1] is not None],
        "issuer": certificate.issuer_name,
        "signatory_name": certificate.signatory_name,
        "signatory_role": certificate.signatory_role,
        "disclaimer": certificate.disclaimer,
        "colour": template.colour,
        "logo_text": template.logo_text,
        "code": certificate.verification_code,
        "verify_url": address,
        "verify_short": f"{base_url.partition('://')[2]}/verify/{slug}",
        "qr": _qr(address),
        "qr_words": f"QR code that leads to {address}",
    }


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"


def _time(minutes: int | None) -> str | None:
    if minutes is None:
        return None
    hours, rest = divmod(minutes, 60)
    words = [_many(hours, "hour") if hours else "", _many(rest, "minute") if rest or not hours else ""]
    return " ".join(word for word in words if word)


def _many(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _qr(text: str) -> str:
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="svg", border=2, light="#fff")
    return drawn.getvalue().decode()
