"""Templates of programmes: what a tenant built, as a document without persons, published once and cloned by others."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from app.training.errors import TrainingRefusal
from app.training.mapping import template_rules
from app.training.mapping.finding import found, words
from app.training.mapping.models import ProgrammeOrigin, ProgrammeTemplate
from app.training.mapping.template_sections import SECTIONS, Clone
from app.training.models import Programme
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.models import Tenant
from tenants.session import UnitOfWork

ALL = (*SECTIONS, *template_rules.SECTIONS)
"""The sections of a template, in the order in which they are read into another tenant."""

FORMAT = 1
"""Of the document. A reader takes the sections that it knows and leaves the others."""


async def document_of(work: UnitOfWork, programme_id: UUID) -> dict[str, Any]:
    """What would be published: the sections by name. Raises TrainingRefusal `NO_SUCH_PROGRAMME`."""
    programme = await found(work, Programme, programme_id, "programme")
    return {"format": FORMAT, "sections": {section.name: await section.export(work, programme) for section in ALL}}


async def publish_template(work: UnitOfWork, programme_id: UUID, *, name: str, summary: str) -> UUID:
    """Give a programme to all tenants, as the next version of that name. It is never changed afterwards.

    Raises TrainingRefusal `NO_SUCH_PROGRAMME` or `TEXT_MISSING`.
    """
    plain, about = (
        words(name, "name", "a name for the template", 200),
        words(summary, "summary", "what it is for", 2000),
    )
    document = await document_of(work, programme_id)
    publisher = await work.session.get_one(Tenant, work.tenant_id)
    # Two who publish at once would come to the same number: the second waits for the first here.
    await found(work, Programme, programme_id, "programme", lock=True)
    latest = select(func.max(ProgrammeTemplate.version)).where(
        ProgrammeTemplate.publisher_id == work.tenant_id, ProgrammeTemplate.name == plain
    )
    version = ((await work.session.scalars(latest)).one() or 0) + 1
    template_id = new_id()
    await work.session.execute(
        insert(ProgrammeTemplate).values(
            id=template_id,
            publisher_id=work.tenant_id,
            publisher_name=publisher.name,
            name=plain,
            version=version,
            summary=about,
            document=document,
            published_at=work.now,
        )
    )
    after = {"name": plain, "version": version, "programme": str(programme_id), "counts": counts(document)}
    work.record(Action.TEMPLATE_PUBLISHED, "programme_template", template_id, after=after)
    return template_id


async def clone_template(work: UnitOfWork, template_id: UUID, *, name: str) -> UUID:
    """Build a programme of that name from a template; gives the programme.

    What the tenant has already (a course, a topic of that code) is used, not doubled.
    Raises TrainingRefusal `NO_SUCH_TEMPLATE`, `NAME_TAKEN`, `TEXT_MISSING` or `UNKNOWN_FORMAT`.
    """
    template = await work.session.get(ProgrammeTemplate, template_id)
    if template is None:
        raise TrainingRefusal("NO_SUCH_TEMPLATE", "There is no such template. Choose one from the list.", "id")
    if template.document.get("format") != FORMAT:
        message = "This template was published by a newer release. Update this service, then clone it."
        raise TrainingRefusal("UNKNOWN_FORMAT", message, "id")
    plain = words(name, "name", "a name for the programme", 200)
    if (await work.session.scalars(select(Programme.id).where(Programme.name == plain))).first() is not None:
        raise TrainingRefusal("NAME_TAKEN", "There is a programme of that name already. Choose another name.", "name")
    programme = Programme(
        tenant_id=work.tenant_id,
        id=new_id(),
        name=plain,
        created_at=work.now,
        scope="system",
        status="draft",
        version=1,
        published_without_mapping=False,
    )
    work.add(programme)
    await work.session.flush()
    clone = Clone(programme.id, f"{template.publisher_name}, template version {template.version}")
    sections = template.document["sections"]
    for section in ALL:
        if section.name in sections:
            await section.load(work, clone, sections[section.name])
    work.add(
        ProgrammeOrigin(
            tenant_id=work.tenant_id,
            id=new_id(),
            programme_id=programme.id,
            template_id=template.id,
            template_version=template.version,
            publisher_name=template.publisher_name,
            cloned_at=work.now,
        )
    )
    after = {"template": str(template_id), "version": template.version, "name": plain}
    work.record(Action.TEMPLATE_CLONED, "programme", programme.id, after=after)
    return programme.id


def counts(document: Mapping[str, Any]) -> dict[str, int]:
    """How many entries each section of a document has."""
    return {name: len(entries) for name, entries in document["sections"].items()}
