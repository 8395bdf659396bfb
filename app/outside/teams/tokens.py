"""Access tokens for Graph by client credentials: kept in the process until shortly before their end."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from app.outside.errors import OutsideRefused, OutsideUnavailable
from app.outside.fetching import WAIT_SECONDS, Fetching

EARLY_SECONDS = 120.0
"""Before a token's end, when another is fetched."""
_TAKEN_BACK = ("STATUS_400", "STATUS_401", "STATUS_403")


@dataclass(frozen=True, slots=True)
class Application:
    """An application registered in a directory of Microsoft Entra. `login_url`: where tokens are given."""

    login_url: str
    directory_id: str
    client_id: str
    client_secret: str
    scope: str

    @property
    def key(self) -> str:
        """The same for the same application with the same secret; tells neither."""
        parts = (self.login_url, self.directory_id, self.client_id, self.client_secret, self.scope)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


async def token_of(fetching: Fetching, application: Application, *, anew: bool = False) -> str:
    """A token that lasts for a while. Raises OutsideRefused `BAD_SECRET` or OutsideUnavailable."""
    token, until = fetching.tokens.get(application.key, ("", 0.0))
    if token and not anew and time.monotonic() < until:
        return token
    try:
        answer = await fetching.post_form(
            f"{application.login_url.rstrip('/')}/{application.directory_id}/oauth2/v2.0/token",
            {
                "grant_type": "client_credentials",
                "client_id": application.client_id,
                "client_secret": application.client_secret,
                "scope": application.scope,
            },
        )
    except OutsideRefused as refused:
        fetching.tokens.pop(application.key, None)
        if refused.code in _TAKEN_BACK:
            raise OutsideRefused("BAD_SECRET") from None
        raise
    if answer is None:
        raise OutsideRefused("NO_DIRECTORY")
    given, lasts = (answer.get("access_token"), answer.get("expires_in")) if isinstance(answer, Mapping) else ("", 0)
    if not isinstance(given, str) or not given:
        raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS)
    seconds = float(lasts) if isinstance(lasts, int | float) else 0.0
    fetching.tokens[application.key] = (given, time.monotonic() + max(seconds - EARLY_SECONDS, 0.0))
    return given
