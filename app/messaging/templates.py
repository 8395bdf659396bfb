"""Templates: kept in versions, checked before they are used, and a first set that every tenant begins with."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.messaging.models import MESSAGE_CLASSES, MessageTemplate
from app.messaging.placeholders import faults
from app.messaging.rules import OF_ITS_OWN_TEXT, Occasion
from app.training.errors import TrainingRefusal
from app.training.requirements.finding import said
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

LONGEST_SUBJECT, LONGEST_BODY = 150, 20_000


@dataclass(frozen=True, slots=True)
class TemplateGiven:
    """A template as somebody wrote it. `code` names it among all versions."""

    code: str
    occasion: str
    message_class: str
    subject: str
    body: str


def check_text(occasion: Occasion, subject: str, body: str) -> None:
    """Raises TrainingRefusal `SUBJECT_MISSING`, `BODY_MISSING`, `TOO_LONG` or `PLACEHOLDERS`."""
    said(subject, "SUBJECT_MISSING", "Write a subject.", "subject")
    said(body, "BODY_MISSING", "Write the text of the message.", "body")
    for field, text, longest in (("subject", subject, LONGEST_SUBJECT), ("body", body, LONGEST_BODY)):
        if len(text) > longest:
            raise TrainingRefusal("TOO_LONG", f"Write at most {longest:,} characters.", field)
    for field, message in faults(occasion, subject, body):
        raise TrainingRefusal("PLACEHOLDERS", message, field)


async def save_template(work: UnitOfWork, given: TemplateGiven) -> UUID:
    """The next version of a template, ready to be sent once it was checked; messages sent before keep theirs.

    Raises TrainingRefusal `CODE_MISSING`, `UNKNOWN_OCCASION`, `OTHER_OCCASION`, `UNKNOWN_CLASS` and others.
    """
    code = said(given.code, "CODE_MISSING", "Give the template a short name, such as reminder-day.", "code")[:60]
    if given.occasion not in set(Occasion) - OF_ITS_OWN_TEXT:
        raise TrainingRefusal("UNKNOWN_OCCASION", "Choose what the message is about.", "occasion")
    if given.message_class not in MESSAGE_CLASSES:
        raise TrainingRefusal("UNKNOWN_CLASS", f"Choose among {', '.join(MESSAGE_CLASSES)}.", "messageClass")
    occasion = Occasion(given.occasion)
    check_text(occasion, given.subject, given.body)
    known = select(MessageTemplate).where(MessageTemplate.code == code).order_by(MessageTemplate.version.desc())
    latest = (await work.session.scalars(known.limit(1).with_for_update())).first()
    if latest is not None and latest.occasion != given.occasion:
        raise TrainingRefusal("OTHER_OCCASION", "That name belongs to a template for something else.", "code")
    template = MessageTemplate(
        tenant_id=work.tenant_id,
        id=new_id(),
        code=code,
        version=1 if latest is None else latest.version + 1,
        occasion=occasion.value,
        message_class=given.message_class,
        subject=" ".join(given.subject.split()),
        body=given.body.replace("\r\n", "\n").strip(),
        state="ready",
        created_by=work.context.actor_id,
        created_at=work.now,
    )
    work.add(template)
    await work.session.flush()
    after = {"code": code, "version": template.version, "occasion": occasion.value}
    work.record(Action.MESSAGE_TEMPLATE_SAVED, "message_template", template.id, after=after)
    return template.id


async def retire_template(work: UnitOfWork, code: str) -> None:
    """Send nothing by this template any more. Raises TrainingRefusal `NO_SUCH_TEMPLATE`."""
    ready = select(MessageTemplate).where(MessageTemplate.code == code, MessageTemplate.state == "ready")
    found = (await work.session.scalars(ready)).all()
    if not found:
        raise TrainingRefusal("NO_SUCH_TEMPLATE", "There is no such template in use. Choose one from the list.", "code")
    for template in found:
        template.state = "retired"
    work.record(Action.MESSAGE_TEMPLATE_RETIRED, "message_template", found[-1].id, after={"code": code})


async def template_for(work: UnitOfWork, occasion: Occasion, code: str | None = None) -> MessageTemplate | None:
    """What is sent on an occasion, by its name or else the newest of all; None: nothing is sent."""
    ready = select(MessageTemplate).where(
        MessageTemplate.occasion == occasion.value,
        MessageTemplate.state == "ready",
        *([] if code is None else [MessageTemplate.code == code]),
    )
    newest = ready.order_by(MessageTemplate.created_at.desc(), MessageTemplate.version.desc()).limit(1)
    return (await work.session.scalars(newest)).first()


async def add_first_templates(work: UnitOfWork) -> int:
    """The first set, for occasions that the tenant has no template for; how many were added."""
    present = set(await work.session.scalars(select(MessageTemplate.occasion).group_by(MessageTemplate.occasion)))
    added = [given for given in FIRST if given.occasion not in present]
    for given in added:
        await save_template(work, given)
    return len(added)


def _first(code: str, occasion: Occasion, message_class: str, subject: str, body: str) -> TemplateGiven:
    return TemplateGiven(code, occasion.value, message_class, subject, body)


_DETAILS = "**When:** ((when))\n\n**Where:** ((where))\n\n**Your reference:** ((reference))"

FIRST = (
    _first(
        "booking-confirmed", Occasion.BOOKING_CONFIRMED, "service", "Your place: ((session)), ((when))",
        f"Dear ((first_name)),\n\nyou have a place at **((session))**.\n\n{_DETAILS}\n\n"
        "If you cannot come, tell us soon, so that somebody else can have your place.",
    ),
    _first(
        "booking-offered", Occasion.BOOKING_OFFERED, "service", "A place is free: ((session))",
        "Dear ((first_name)),\n\na place came free at **((session))** on ((when)). It is kept for you until "
        "**((answer_by))**. Tell us by then whether you take it; after that it goes to whoever waits next.",
    ),
    _first(
        "booking-moved", Occasion.BOOKING_ASKED_AGAIN, "service", "New time: ((session))",
        f"Dear ((first_name)),\n\n**((session))** was moved.\n\n{_DETAILS}\n\nYour place is kept. Tell us whether "
        "you can come at the new time.",
    ),
    _first(
        "booking-ended", Occasion.BOOKING_ENDED, "service", "No longer booked: ((session))",
        "Dear ((first_name)),\n\nyour booking for **((session))** on ((when)) has ended: ((reason)).\n\n"
        "You can book another session whenever you like.",
    ),
    _first(
        "session-changed", Occasion.SESSION_CHANGED, "service", "Changed: ((session))",
        f"Dear ((first_name)),\n\nsomething changed about **((session))**. This is how it stands now.\n\n{_DETAILS}",
    ),
    _first(
        "reminder", Occasion.REMINDER, "programme", "Reminder: ((session)), ((when))",
        f"Dear ((first_name)),\n\nwe look forward to seeing you at **((session))**.\n\n{_DETAILS}",
    ),
    _first(
        "after-attended", Occasion.AFTER_ATTENDED, "programme", "Thank you for coming to ((session))",
        "Dear ((first_name)),\n\nthank you for coming to **((session))**. Tell us what helped you and what we could "
        "do better: just answer this message.",
    ),
    _first(
        "after-absent", Occasion.AFTER_ABSENT, "programme", "We missed you at ((session))",
        "Dear ((first_name)),\n\nwe had kept a place for you at **((session))**, but did not see you there. "
        "If you still want to learn about it, book another date.",
    ),
    _first(
        "certificate", Occasion.CERTIFICATE_ISSUED, "service", "Your certificate: ((achievement))",
        "Dear ((first_name)),\n\nhere is your certificate for **((achievement))**, number ((certificate_number)). "
        "Anybody can check it: ((certificate_link))",
    ),
    _first(
        "report-ready", Occasion.REPORT_READY, "service", "((report)), ((period))",
        "Dear ((first_name)),\n\n**((report))** for ((period)) is ready. Sign in to read it or to take it away: "
        "((report_link))",
    ),
    _first(
        "nudge-dormant", Occasion.NUDGE_DORMANT, "programme", "Your medicines training",
        "Dear ((first_name)),\n\nit is a while since you learned with us. ((organisation)) offers free medicines "
        "training for everybody in adult social care: see what is new.",
    ),
    _first(
        "nudge-no-show", Occasion.NUDGE_NO_SHOW, "programme", "Another date for ((session))?",
        "Dear ((first_name)),\n\nyou were booked for **((session))** and have no new date yet. Would you like one?",
    ),
    _first(
        "nudge-next-tier", Occasion.NUDGE_NEXT_TIER, "programme", "Your next step in medicines training",
        "Dear ((first_name)),\n\nyou have completed the foundation. The next tier is open to you: book a webinar.",
    ),
)  # fmt: skip
"""What a tenant begins with. Each can be replaced by a version of its own."""
