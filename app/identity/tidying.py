"""What identity throws away: traces of signing in and of API clients that are of no use any more."""

from datetime import timedelta

from sqlalchemy import delete, or_

from app.identity.models import FieldUsage, IdempotencyRecord, LoginSession, SignInAttempt
from tenants.clock import london_date
from tenants.session import UnitOfWork

KEPT = timedelta(days=30)
"""How long what has ended is kept, for somebody who looks into an incident."""
USAGE_KEPT = timedelta(days=400)
"""How long counts of fields are kept: somewhat more than a year, because some work is done once a year."""


async def forget_old_sign_ins(work: UnitOfWork) -> int:
    """Delete what ended so long ago; how many rows went. Needs a platform context."""
    before = work.now - KEPT
    sessions = delete(LoginSession).where(or_(LoginSession.expires_at < before, LoginSession.ended_at < before))
    attempts = delete(SignInAttempt).where(SignInAttempt.expires_at < before)
    gone = (await work.session.scalars(sessions.returning(LoginSession.id))).all()
    return len([*gone, *(await work.session.scalars(attempts.returning(SignInAttempt.id))).all()])


async def forget_old_traces_of_clients(work: UnitOfWork) -> None:
    """Delete a tenant's answers that are not to be remembered any more, and counts of fields from long ago."""
    await work.session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.expires_at <= work.now))
    await work.session.execute(delete(FieldUsage).where(FieldUsage.day < london_date(work.now) - USAGE_KEPT))
