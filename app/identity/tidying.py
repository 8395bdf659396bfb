"""What identity throws away: traces of signing in that are of no use any more."""

from datetime import timedelta

from sqlalchemy import delete, or_

from app.identity.models import LoginSession, SignInAttempt
from tenants.session import UnitOfWork

KEPT = timedelta(days=30)
"""How long what has ended is kept, for somebody who looks into an incident."""


async def forget_old_sign_ins(work: UnitOfWork) -> int:
    """Delete what ended so long ago; how many rows went. Needs a platform context."""
    before = work.now - KEPT
    sessions = delete(LoginSession).where(or_(LoginSession.expires_at < before, LoginSession.ended_at < before))
    attempts = delete(SignInAttempt).where(SignInAttempt.expires_at < before)
    gone = (await work.session.scalars(sessions.returning(LoginSession.id))).all()
    return len([*gone, *(await work.session.scalars(attempts.returning(SignInAttempt.id))).all()])
