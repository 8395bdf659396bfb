"""Topics, the guidance that they are drawn from, and loading the base taxonomy into a tenant's own rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.directory.models import SETTINGS
from app.training.errors import TrainingRefusal
from app.training.mapping import base
from app.training.mapping.finding import found, one_of, optional_words, same_version, told, words
from app.training.mapping.models import GuidanceClause, GuidanceDocument, MappingCell, Topic, TopicReference
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

DOCUMENT_KINDS = ("national", "regulation", "local")


@dataclass(frozen=True, slots=True)
class Guidance:
    """A document as somebody gives it."""

    code: str
    title: str
    kind: str
    edition: str = ""
    issued_on: date | None = None
    review_on: date | None = None
    url: str | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic as somebody gives it."""

    code: str
    title: str
    theme: str
    audience: str = ""
    mandatory_in: Sequence[str] = ()
    retired: bool = False


async def load_base_taxonomy(work: UnitOfWork) -> int:
    """Bring the tenant's rows up to the base's present version; gives how many rows were added.

    What the tenant has under a code stays as it is: its own words and choices win, and nothing is taken away.
    """
    documents = {row.code: row for row in await work.session.scalars(select(GuidanceDocument))}
    added = 0
    for item in base.documents():
        if item.code not in documents:
            documents[item.code] = row = GuidanceDocument(
                tenant_id=work.tenant_id,
                id=new_id(),
                code=item.code,
                title=item.title,
                kind=item.kind,
                edition=item.edition,
                url=item.url,
                status="current",
                base_version=base.VERSION,
                version=1,
                created_at=work.now,
            )
            work.add(row)
            added += 1
    await work.session.flush()
    clauses = {(row.document_id, row.number): row.id for row in await work.session.scalars(select(GuidanceClause))}
    for code, number, summary in base.clauses():
        key = (documents[code].id, number)
        if key not in clauses:
            clauses[key] = new_id()
            work.add(
                GuidanceClause(
                    tenant_id=work.tenant_id, id=clauses[key], document_id=key[0], number=number, summary=summary
                )
            )
            added += 1
    topics = {row.code: row for row in await work.session.scalars(select(Topic))}
    fresh = {item.code for item in base.topics()} - topics.keys()
    for topic in base.topics():
        if topic.code in fresh:
            topics[topic.code] = made = Topic(
                tenant_id=work.tenant_id,
                id=new_id(),
                code=topic.code,
                title=topic.title,
                theme=topic.theme,
                audience=topic.audience,
                mandatory_in=list(topic.mandatory_in),
                status="active",
                base_version=base.VERSION,
                version=1,
                created_at=work.now,
            )
            work.add(made)
            added += 1
    await work.session.flush()
    # References are those of new topics, and of topics that the tenant has not brought up to this version yet.
    for topic in base.topics():
        row_ = topics[topic.code]
        if topic.code not in fresh and (row_.base_version is None or row_.base_version >= base.VERSION):
            continue
        row_.base_version = base.VERSION
        for document, number in topic.references:
            added += await _refer(work, row_.id, clauses[documents[document].id, number])
    if added:
        work.record(Action.TAXONOMY_LOADED, "topic", None, after={"version": base.VERSION, "added": added})
    return added


async def _refer(work: UnitOfWork, topic_id: UUID, clause_id: UUID) -> bool:
    known = select(TopicReference.id).where(TopicReference.topic_id == topic_id, TopicReference.clause_id == clause_id)
    if (await work.session.scalars(known)).first() is not None:
        return False
    work.add(TopicReference(tenant_id=work.tenant_id, id=new_id(), topic_id=topic_id, clause_id=clause_id))
    return True


async def save_guidance(
    work: UnitOfWork, given: Guidance, document_id: UUID | None = None, version: int | None = None
) -> UUID:
    """Add a document, or change the one of that id in the version that was read.

    Raises TrainingRefusal `CODE_TAKEN`, `CHANGED_MEANWHILE`, `UNKNOWN_CHOICE`, `INVALID_DATES`, `TEXT_MISSING` or
    `NO_SUCH_GUIDANCE_DOCUMENT`.
    """
    kind = one_of(given.kind, DOCUMENT_KINDS, "kind")
    if kind is None:
        raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose one of {', '.join(DOCUMENT_KINDS)}.", "kind")
    if given.issued_on and given.review_on and given.review_on < given.issued_on:
        raise TrainingRefusal("INVALID_DATES", "The review date is before the date of the document.", "reviewOn")
    code = words(given.code, "code", "a short code", 40)
    same_code = select(GuidanceDocument.id).where(GuidanceDocument.code == code)
    other = (await work.session.scalars(same_code)).first()
    if other is not None and other != document_id:
        raise TrainingRefusal("CODE_TAKEN", "There is a document of that code already. Choose another code.", "code")
    if document_id is None:
        row = GuidanceDocument(tenant_id=work.tenant_id, id=new_id(), version=0, created_at=work.now, base_version=None)
    else:
        row = await found(work, GuidanceDocument, document_id, "guidance document", lock=True)
        same_version(row.version, version or 0, "document")
    row.code, row.title, row.kind = code, words(given.title, "title", "the title"), kind
    row.edition = optional_words(given.edition, "edition", "the edition", 100) or ""
    row.issued_on, row.review_on = given.issued_on, given.review_on
    row.url = optional_words(given.url, "url", "the web address", 1000)
    row.status = "withdrawn" if given.withdrawn else "current"
    row.version += 1
    work.add(row)
    await work.session.flush()
    columns = ("code", "title", "kind", "edition", "issued_on", "review_on", "status")
    work.record(Action.GUIDANCE_SAVED, "guidance_document", row.id, after=told(row, *columns))
    return row.id


async def save_topic(
    work: UnitOfWork, given: NewTopic, topic_id: UUID | None = None, version: int | None = None
) -> UUID:
    """Add a topic, or change the one of that id in the version that was read.

    Raises TrainingRefusal `CODE_TAKEN`, `CHANGED_MEANWHILE`, `UNKNOWN_CHOICE`, `TEXT_MISSING` or `NO_SUCH_TOPIC`.
    """
    for setting in given.mandatory_in:
        one_of(setting, SETTINGS, "mandatoryIn")
    code = words(given.code, "code", "a short code", 40)
    other = (await work.session.scalars(select(Topic.id).where(Topic.code == code))).first()
    if other is not None and other != topic_id:
        raise TrainingRefusal("CODE_TAKEN", "There is a topic of that code already. Choose another code.", "code")
    if topic_id is None:
        row = Topic(tenant_id=work.tenant_id, id=new_id(), version=0, created_at=work.now, base_version=None)
    else:
        row = await found(work, Topic, topic_id, "topic", lock=True)
        same_version(row.version, version or 0, "topic")
    row.code, row.title = code, words(given.title, "title", "the title")
    row.theme = words(given.theme, "theme", "the theme", 100)
    row.audience = optional_words(given.audience, "audience", "whom it is for", 100) or ""
    row.mandatory_in = [setting for setting in SETTINGS if setting in given.mandatory_in]
    row.status = "retired" if given.retired else "active"
    row.version += 1
    work.add(row)
    await work.session.flush()
    columns = ("code", "title", "theme", "mandatory_in", "status")
    work.record(Action.TOPIC_SAVED, "topic", row.id, after=told(row, *columns))
    return row.id


async def add_reference(work: UnitOfWork, topic_id: UUID, document_id: UUID, number: str, summary: str) -> UUID:
    """Draw a topic from a numbered part of a document, which is added if it is new; gives the reference.

    Raises TrainingRefusal `NO_SUCH_TOPIC`, `NO_SUCH_GUIDANCE_DOCUMENT`, `REFERS_ALREADY` or `TEXT_MISSING`.
    """
    await found(work, Topic, topic_id, "topic", "topic", lock=True)
    await found(work, GuidanceDocument, document_id, "guidance document", "document")
    plain = words(number, "number", "the number of the part, or the word whole", 60)
    part = select(GuidanceClause).where(GuidanceClause.document_id == document_id, GuidanceClause.number == plain)
    clause = (await work.session.scalars(part)).first()
    if clause is None:
        clause = GuidanceClause(
            tenant_id=work.tenant_id,
            id=new_id(),
            document_id=document_id,
            number=plain,
            summary=words(summary, "summary", "what the part says, in your own words", 500),
        )
        work.add(clause)
        await work.session.flush()
    if not await _refer(work, topic_id, clause.id):
        raise TrainingRefusal("REFERS_ALREADY", "The topic refers to that part already. Nothing was added.", "number")
    await work.session.flush()
    known = select(TopicReference.id).where(TopicReference.topic_id == topic_id, TopicReference.clause_id == clause.id)
    reference_id = (await work.session.scalars(known)).one()
    after = {"document": str(document_id), "number": plain}
    work.record(Action.TOPIC_REFERENCE_ADDED, "topic", topic_id, after=after)
    return reference_id


async def remove_reference(work: UnitOfWork, reference_id: UUID) -> UUID:
    """Take a reference away; gives its topic. What exercises said of it stays.

    Raises TrainingRefusal `NO_SUCH_TOPIC_REFERENCE`.
    """
    reference = await found(work, TopicReference, reference_id, "topic reference", lock=True)
    used = select(MappingCell.id).where(
        MappingCell.topic_id == reference.topic_id, MappingCell.clause_id == reference.clause_id
    )
    before = {
        "clause": str(reference.clause_id),
        "mapped": (await work.session.scalars(used.limit(1))).first() is not None,
    }
    await work.session.delete(reference)
    work.record(Action.TOPIC_REFERENCE_REMOVED, "topic", reference.topic_id, before=before)
    return reference.topic_id
