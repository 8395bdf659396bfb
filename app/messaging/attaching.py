"""Certificates that go along with the letters about them, drawn when they are sent."""

import asyncio
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from app.messaging.composing import Composed, Sender
from app.messaging.letters import Letter
from app.training.certificates.models import Certificate, CertificateTemplate
from app.training.certificates.pdf import draw
from tenants.base import among
from tenants.session import UnitOfWork


async def certificates_of(work: UnitOfWork, composed: Composed, sender: Sender) -> list[Letter]:
    """The letters, those about a certificate with its PDF."""
    if not composed.certificates:
        return composed.letters
    certificates = {
        row.id: row
        for row in await work.session.scalars(
            select(Certificate).where(among(Certificate.id, composed.certificates.values()))
        )
    }
    wanted = {row.template_id for row in certificates.values()}
    templates = {
        row.id: row
        for row in await work.session.scalars(select(CertificateTemplate).where(among(CertificateTemplate.id, wanted)))
    }

    def drawn(subject_id: UUID) -> tuple[str, bytes]:
        certificate = certificates[subject_id]
        pdf = draw(certificate, templates[certificate.template_id], sender.base_url, sender.slug)
        return f"{certificate.number}.pdf", pdf

    letters = []
    for letter in composed.letters:
        subject_id = composed.certificates.get(letter.message_id)
        if subject_id is None:
            letters.append(letter)
        else:
            letters.append(replace(letter, attachments=(await asyncio.to_thread(drawn, subject_id),)))
    return letters
