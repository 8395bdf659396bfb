"""The demonstration's councils: each one a step further behind than the one before."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from app.directory.models import CqcLocation, TenantLocation
from app.governance import items, partnerships
from app.governance.models import Partnership
from app.governance.partnerships import Agreement
from tenants.clock import london_date
from tenants.session import UnitOfWork

COUNCILS = 4
JOINED = timedelta(days=765)
APART = timedelta(days=10)
STEP = timedelta(days=12)


async def add_partners(work: UnitOfWork) -> UUID | None:
    """The councils with most locations, once; the first of them, or None if they are there already."""
    if (await work.session.scalars(select(Partnership.id).limit(1))).first() is not None:
        return None
    largest = (
        select(CqcLocation.local_authority)
        .join(TenantLocation, TenantLocation.location_id == CqcLocation.id)
        .where(CqcLocation.local_authority.is_not(None))
        .group_by(CqcLocation.local_authority)
        .order_by(func.count().desc(), CqcLocation.local_authority)
        .limit(COUNCILS)
    )
    first = None
    for number, authority in enumerate((await work.session.scalars(largest)).all()):
        council = await items.save_partner(work, f"{authority} (demonstration)", "council")
        await work.session.flush()
        began = london_date(work.now) - JOINED + number * APART
        partnership = await partnerships.invite(work, council, authority or "", began)
        steps = ("agreed", "agreement_signed", "live")[: max(3 - number, 0)]
        for version, step in enumerate(steps, 1):
            agreement = Agreement("Shared drive, agreements (invented)") if step == "agreement_signed" else None
            await partnerships.enter_step(work, partnership, step, began + version * STEP, version, agreement)
        first = first or council
    return first
