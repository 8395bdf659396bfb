"""The application in a process of its own that kills itself beside a remembered mutation's commit."""

import os
import signal
from enum import StrEnum
from typing import Any

import uvicorn
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from app.main import create_app
from app.settings import Settings
from tenants.clock import SettableClock
from tenants.session import BoundSession
from tests.support import NOW

_MARK = "an answer was kept"


class Kill(StrEnum):
    """Where the process kills itself, as kill -9 would."""

    BEFORE_COMMIT = "before the commit"
    AFTER_COMMIT = "after the commit"


def serve(settings: dict[str, Any], port: int, kill: Kill) -> None:
    """Serve until the first mutation with a key."""

    def executed(state: ORMExecuteState) -> None:
        if state.is_update and "idempotency_record" in str(state.statement):
            state.session.info[_MARK] = True

    def die(session: Session) -> None:
        if session.info.get(_MARK):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(BoundSession, "do_orm_execute", executed)
    event.listen(BoundSession, "before_commit" if kill is Kill.BEFORE_COMMIT else "after_commit", die)
    app = create_app(Settings.model_validate(settings), SettableClock(NOW))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
