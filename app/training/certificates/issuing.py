"""Issuing: for a whole session or course by a worker, chunk by chunk; and anew for one that was issued before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, and_, exists, func, select

from app.directory.models import Learner
from app.identity.secrets import Vault
from app.training.certificates.keys import ensure_key
from app.training.certificates.models import Certificate, CertificateRegister, CertificateRun, CertificateTemplate
from app.training.certificates.rules import Accredited, applied, last_valid_day, new_code, number_of, prefix_of
from app.training.certificates.templates import template_here
from app.training.errors import TrainingRefusal
from app.training.mapping.models import CourseAccreditation
from app.training.models import Attendance, Completion, Course, Tier, TrainingSession
from app.training.requirements.evidence import london_day
from app.training.requirements.finding import row_of, said
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import among, table_of
from tenants.identifiers import new_id
from tenants.models import Tenant
from tenants.outbox import Topic
from tenants.session import UnitOfWork

CHUNK = 50
"""Certificates that are issued in one transaction."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What certificates are asked for: a session's, or a course's, completed from one day to another (included)."""

    session_id: UUID | None = None
    course_id: UUID | None = None
    completed_from: date | None = None
    completed_until: date | None = None


@dataclass(frozen=True, slots=True)
class _Subject:
    """The session or course, as the certificates tell of it."""

    session_id: UUID | None
    course_id: UUID | None
    title: str
    tier: Tier | None
    minutes: int | None
    accreditations: Sequence[Accredited] = ()


async def request_certificates(work: UnitOfWork, wanted: Wanted) -> UUID:
    """Have certificates issued by a worker to everybody who has none for it yet; gives the run.

    Raises TrainingRefusal `NOTHING_NAMED`, `NO_SUCH_SESSION`, `NO_SUCH_COURSE`, `SESSION_NOT_OVER`,
    `SESSION_CANCELLED`, `NO_TEMPLATE`, `NOBODY_TO_CERTIFY` or `RUNNING_ALREADY`.
    """
    if (wanted.session_id is None) == (wanted.course_id is None):
        raise TrainingRefusal("NOTHING_NAMED", "Name either a session or a course.", "sessionId")
    template = await template_here(work)
    if wanted.session_id is not None:
        session = await row_of(work, TrainingSession, wanted.session_id, "NO_SUCH_SESSION", "session", "sessionId")
        if session.state == "cancelled":
            raise TrainingRefusal("SESSION_CANCELLED", "The session was cancelled. Choose another one.", "sessionId")
        if session.ends_at > work.now:
            message = "The session is not over. Issue certificates when attendance is known."
            raise TrainingRefusal("SESSION_NOT_OVER", message, "sessionId")
    else:
        assert wanted.course_id is not None
        await row_of(work, Course, wanted.course_id, "NO_SUCH_COURSE", "course", "courseId")
    busy = select(CertificateRun.id).where(
        CertificateRun.state != "finished",
        CertificateRun.session_id.is_not_distinct_from(wanted.session_id),
        CertificateRun.course_id.is_not_distinct_from(wanted.course_id),
    )
    if (await work.session.scalars(busy)).first() is not None:
        raise TrainingRefusal("RUNNING_ALREADY", "Certificates for it are being issued already. Wait for them.")
    candidates = _candidates(work, wanted, ()).subquery()
    count = (await work.session.execute(select(func.count()).select_from(candidates))).scalar_one()
    if not count:
        message = "Everybody who qualifies has a certificate already. Look at the attendance if somebody is missing."
        raise TrainingRefusal("NOBODY_TO_CERTIFY", message)
    run = CertificateRun(
        tenant_id=work.tenant_id,
        id=new_id(),
        session_id=wanted.session_id,
        course_id=wanted.course_id,
        completed_from=wanted.completed_from,
        completed_until=wanted.completed_until,
        template_id=template.id,
        state="waiting",
        wanted=count,
        done=0,
        failed=0,
        failures=[],
        requested_at=work.now,
        requested_by=work.context.actor_id,
        finished_at=None,
    )
    work.add(run)
    await work.session.flush()
    named = {"session": str(wanted.session_id or ""), "course": str(wanted.course_id or ""), "wanted": count}
    work.record(Action.CERTIFICATES_REQUESTED, "certificate_run", run.id, after=named)
    work.emit(Topic.CERTIFICATES_ISSUE, str(run.id), run_id=run.id)
    return run.id


def _candidates(work: UnitOfWork, wanted: Wanted, left_out: Sequence[str]) -> Select[Any]:
    """learner_id, name and day of those who qualify and were never certified for it, by name."""
    certificate, learner = table_of(Certificate).alias(), table_of(Learner).alias()
    tenant = work.tenant_id
    source: Any
    if wanted.session_id is not None:
        source, session = table_of(Attendance).alias(), table_of(TrainingSession).alias()
        day = london_day(session.c.ends_at)
        statement = select(source.c.learner_id, learner.c.display_name, day.label("day")).where(
            source.c.session_id == wanted.session_id,
            source.c.qualifies,
            session.c.tenant_id == tenant,
            session.c.id == source.c.session_id,
        )
        same = certificate.c.session_id == wanted.session_id
    else:
        source = table_of(Completion).alias()
        day = london_day(source.c.completed_at)
        statement = select(source.c.learner_id, learner.c.display_name, day.label("day")).distinct()
        statement = statement.where(source.c.course_id == wanted.course_id)
        if wanted.completed_from is not None:
            statement = statement.where(day >= wanted.completed_from)
        if wanted.completed_until is not None:
            statement = statement.where(day <= wanted.completed_until)
        same = and_(certificate.c.course_id == wanted.course_id, certificate.c.achieved_on == day)
    statement = statement.add_columns(learner.c.name_key).where(
        source.c.tenant_id == tenant,
        learner.c.tenant_id == tenant,
        learner.c.id == source.c.learner_id,
        ~exists().where(certificate.c.tenant_id == tenant, certificate.c.learner_id == source.c.learner_id, same),
    )
    if left_out:
        statement = statement.where(~among(source.c.learner_id, [UUID(one) for one in left_out]))
    return statement.order_by(learner.c.name_key, source.c.learner_id, day)


async def issue_chunk(work: UnitOfWork, run_id: UUID, vault: Vault, size: int = CHUNK) -> bool:
    """Issue the next certificates of a run; False when the run has ended. Whoever comes twice finds nothing to do."""
    run = await work.session.get(CertificateRun, (work.tenant_id, run_id), with_for_update=True, populate_existing=True)
    if run is None or run.state == "finished":
        return False
    wanted = Wanted(run.session_id, run.course_id, run.completed_from, run.completed_until)
    left_out = [failure["learner"] for failure in run.failures]
    rows = (await work.session.execute(_candidates(work, wanted, left_out).limit(size))).all()
    if not rows:
        run.state, run.finished_at = "finished", work.now
        run.wanted = run.done + run.failed
        return False
    run.state = "running"
    named = [row for row in rows if row.display_name.strip()]
    nameless = {row.learner_id for row in rows if not row.display_name.strip()}
    run.failures = [*run.failures, *({"learner": str(one), "code": "NAME_MISSING"} for one in sorted(nameless))]
    template = await work.session.get_one(CertificateTemplate, (work.tenant_id, run.template_id))
    subject = await _subject(work, run.session_id, run.course_id)
    serial, prefix = await _serials(work, len(named))
    await ensure_key(work, vault)
    for row in named:
        key = f"session:{run.session_id}" if run.session_id else f"course:{run.course_id}:{row.day}"
        made = _certificate(work, template, subject, row.learner_id, row.display_name, row.day, serial, prefix)
        made |= {"run_id": run.id, "issue_key": f"{key}:{row.learner_id}"}
        _write(work, made, Action.CERTIFICATE_ISSUED)
        serial += 1
    run.done += len(named)
    run.failed += len(nameless)
    run.wanted = max(run.wanted, run.done + run.failed)
    return True


async def reissue(work: UnitOfWork, certificate_id: UUID, reason: str, vault: Vault) -> UUID:
    """A new certificate in place of an old one, by the present name, title and template; the old one says so.

    A revoked one stays revoked. Raises TrainingRefusal `NO_SUCH_CERTIFICATE`, `REASON_MISSING`, `REISSUED_ALREADY`,
    `NAME_MISSING` or `NO_TEMPLATE`.
    """
    why = said(reason, "REASON_MISSING", "Say why the certificate is issued anew.", "reason")
    old = await row_of(work, Certificate, certificate_id, "NO_SUCH_CERTIFICATE", "certificate", "id")
    follower = select(Certificate.id).where(Certificate.follows_id == old.id)
    if old.state == "superseded" or (await work.session.scalars(follower)).first() is not None:
        raise TrainingRefusal("REISSUED_ALREADY", "It was issued anew already. Reissue the newest one.", "id")
    template = await template_here(work)
    learner = await work.session.get_one(Learner, (work.tenant_id, old.learner_id))
    if not learner.display_name.strip():
        raise TrainingRefusal("NAME_MISSING", "The learner has no name. Import it first.", "id")
    subject = await _subject(work, old.session_id, old.course_id)
    serial, prefix = await _serials(work, 1)
    await ensure_key(work, vault)
    name = learner.display_name
    made = _certificate(work, template, subject, old.learner_id, name, old.achieved_on, serial, prefix)
    made |= {"follows_id": old.id, "issue_key": f"follows:{old.id}", "reissued_because": why}
    if old.state == "issued":
        old.state = "superseded"
    await work.session.flush()
    _write(work, made, Action.CERTIFICATE_REISSUED)
    return UUID(str(made["id"]))


async def _subject(work: UnitOfWork, session_id: UUID | None, course_id: UUID | None) -> _Subject:
    if session_id is not None:
        session = await work.session.get_one(TrainingSession, (work.tenant_id, session_id))
        tier = await _tier(work, session.tier_id)
        minutes = int((session.ends_at - session.starts_at).total_seconds() // 60)
        return _Subject(session_id, None, session.title, tier, minutes)
    assert course_id is not None
    course = await work.session.get_one(Course, (work.tenant_id, course_id))
    rows = await work.session.scalars(select(CourseAccreditation).where(CourseAccreditation.course_id == course_id))
    accreditations = [
        Accredited(row.awarding_body, row.reference, row.level, row.valid_from, row.valid_to) for row in rows
    ]
    tier = await _tier(work, course.tier_id)
    return _Subject(None, course_id, course.title, tier, course.duration_minutes, accreditations)


async def _tier(work: UnitOfWork, tier_id: UUID | None) -> Tier | None:
    return None if tier_id is None else await work.session.get_one(Tier, (work.tenant_id, tier_id))


async def _serials(work: UnitOfWork, count: int) -> tuple[int, str]:
    """The first of so many serials, and the prefix of numbers; the register stays locked until the work ends."""
    key = (work.tenant_id, work.tenant_id)
    start = [(work.tenant_id, 1)]
    await work.insert_rows(CertificateRegister, ("id", "next_serial"), start, on_conflict="ON CONFLICT DO NOTHING")
    register = await work.session.get_one(CertificateRegister, key, with_for_update=True, populate_existing=True)
    first, register.next_serial = register.next_serial, register.next_serial + count
    slug = (await work.session.scalars(select(Tenant.slug).where(Tenant.id == work.tenant_id))).one()
    return first, prefix_of(slug)


def _certificate(
    work: UnitOfWork,
    template: CertificateTemplate,
    subject: _Subject,
    learner_id: UUID,
    name: str,
    day: date,
    serial: int,
    prefix: str,
) -> dict[str, Any]:
    months = None if subject.tier is None else subject.tier.validity_months
    return {
        "id": new_id(),
        "learner_id": learner_id,
        "session_id": subject.session_id,
        "course_id": subject.course_id,
        "run_id": None,
        "template_id": template.id,
        "follows_id": None,
        "serial": serial,
        "number": number_of(prefix, serial),
        "verification_code": new_code(),
        "issue_key": "",
        "state": "issued",
        "learner_name": " ".join(name.split()),
        "title": subject.title,
        "tier_name": None if subject.tier is None else subject.tier.name,
        "minutes": subject.minutes,
        "achieved_on": day,
        "valid_until": last_valid_day(template.expiry_rule, template.validity_months, months, day),
        "issuer_name": template.issuer_name,
        "signatory_name": template.signatory_name,
        "signatory_role": template.signatory_role,
        "disclaimer": template.disclaimer,
        "accreditation": orjson.dumps(applied(subject.accreditations, day)).decode(),
        "issued_at": work.now,
        "issued_by": work.context.actor_id,
        "reissued_because": None,
        "revoked_at": None,
        "revoked_because": None,
    }


def _write(work: UnitOfWork, made: dict[str, Any], action: Action) -> None:
    work.insert_later(Certificate, **made)
    after = {"number": made["number"], "learner": str(made["learner_id"]), "follows": str(made["follows_id"] or "")}
    work.record(action, "certificate", made["id"], after=after)
    announce(work, EventType.CERTIFICATE_ISSUED, f"Certificate:{made['id']}")
