"""What became of a campaign, as SQL: from the copies that were asked for to those who came. People are counted once.

A visit counts for the copy that it came from, whoever opened it. Whoever registers through a link counts, also if it
was forwarded to them; who came instead of them, or came to another session that the booking was moved to, came as well.
"""

from typing import Any

from sqlalchemy import Integer, Select, and_, cast, distinct, func, or_, select

from app.messaging.models import OPEN, Campaign, CampaignLink, CampaignRegistration, CampaignVisit, Message
from app.training.booking.models import Booking
from app.training.models import Attendance
from tenants.base import table_of

COUNTS = (
    *("recipients", "waiting", "sent", "delivered", "bounced", "failed", "withdrawn"),
    *("visited", "registered", "attended"),
)


def funnel(tenant: Any, campaign: Any) -> Select[Any]:
    """One row of COUNTS. `sent`: handed over; `delivered`: as far as the provider told; `bounced`: no such mailbox."""
    one, message = table_of(Campaign).alias(), table_of(Message).alias()
    state = message.c.state
    handed_over = or_(state == "sent", state == "delivered", and_(state == "bounced", message.c.sent_at.is_not(None)))
    among_copies: dict[str, Any] = {
        "recipients": None,
        "waiting": or_(*[state == word for word in OPEN]),
        "sent": handed_over,
        **{name: state == name for name in ("delivered", "bounced", "failed", "withdrawn")},
    }
    columns = []
    for name, condition in among_copies.items():
        count = select(cast(func.count(), Integer)).select_from(message)
        count = count.where(message.c.tenant_id == tenant, message.c.campaign_id == one.c.id)
        columns.append((count if condition is None else count.where(condition)).scalar_subquery().label(name))
    columns += [_visited(tenant, one), *_people(tenant, one)]
    return select(*columns).where(one.c.tenant_id == tenant, one.c.id == campaign)


def _visited(tenant: Any, one: Any) -> Any:
    visit, link = table_of(CampaignVisit).alias(), table_of(CampaignLink).alias()
    return (
        select(cast(func.count(distinct(visit.c.link_id)), Integer))
        .select_from(visit.join(link, and_(link.c.tenant_id == tenant, link.c.id == visit.c.link_id)))
        .where(visit.c.tenant_id == tenant, link.c.campaign_id == one.c.id)
        .scalar_subquery()
        .label("visited")
    )


def _people(tenant: Any, one: Any) -> list[Any]:
    came, link = table_of(CampaignRegistration).alias(), table_of(CampaignLink).alias()
    first, second, third = (table_of(Booking).alias() for _ in range(3))
    attendance = table_of(Attendance).alias()
    registered = (
        came.join(link, and_(link.c.tenant_id == tenant, link.c.id == came.c.link_id))
        .join(first, and_(first.c.tenant_id == tenant, first.c.id == came.c.booking_id))
        .outerjoin(second, and_(second.c.tenant_id == tenant, second.c.follows_id == first.c.id))
        .outerjoin(third, and_(third.c.tenant_id == tenant, third.c.follows_id == second.c.id))
    )
    was_there = [
        and_(attendance.c.session_id == booking.c.session_id, attendance.c.learner_id == booking.c.learner_id)
        for booking in (first, second, third)
    ]
    attended = registered.join(attendance, and_(attendance.c.tenant_id == tenant, or_(*was_there)))
    ours = (came.c.tenant_id == tenant, link.c.campaign_id == one.c.id)
    counts = (
        ("registered", select(cast(func.count(distinct(first.c.learner_id)), Integer)).select_from(registered)),
        (
            "attended",
            select(cast(func.count(distinct(attendance.c.learner_id)), Integer))
            .select_from(attended)
            .where(attendance.c.qualifies),
        ),
    )
    return [count.where(*ours).scalar_subquery().label(name) for name, count in counts]
