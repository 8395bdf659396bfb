"""Words of outside systems for people."""

from app.outside.looking import CANCELLED, NO_SUCH_EVENT
from app.outside.teams.attendance import NO_RECORDS, NO_REPORTS

_ERRORS = {
    "TIMEOUT": "It took too long to answer. It is tried again by itself.",
    "NO_CONNECTION": "It could not be reached. It is tried again by itself.",
    "BAD_ANSWER": "Its answer could not be read. It is tried again by itself.",
    "LIST_WITHOUT_END": "A list of it had no end. Tell your administrator.",
    "ANSWER_TOO_LARGE": "Its answer was too large. Tell your administrator.",
    "REDIRECTED": "It sent us to another address, where we do not go. Tell your administrator.",
    "FOREIGN_LINK": "It pointed to an address that is not its own, where we do not go. Tell your administrator.",
    "BAD_SECRET": "It does not take the secret any more, which may have ended. Make a new one and connect again.",
    "SECRETS_LOST": "What was kept to sign in with cannot be read any more. Enter it again below.",
    "NO_DIRECTORY": "There is no such directory. Look at its id and connect again.",
    "STATUS_401": "It does not take the token any more. Make a new one and connect again.",
    "STATUS_403": "It does not let us read this. Look at the permissions of the account or the application.",
    "STATUS_429": "It asked us to wait, for we asked too often. It is tried again by itself.",
}
NOTES = {
    NO_SUCH_EVENT: "The event is not there any more. Bookings stay as they are: cancel the session here if it is off.",
    CANCELLED: "The event was cancelled there. Cancel the session here too, if it is off.",
    NO_REPORTS: "There is no attendance report yet. If there is none tomorrow, bring the file in under Imports.",
    NO_RECORDS: "Teams does not say who was there: its policy or the application’s permissions do not allow it. "
    "Ask your Microsoft administrator, or check people in here.",
}
STATES = {"registered": "Registered", "waiting": "Waits there", "cancelled": "Cancelled"}


def error_words(code: str | None) -> str | None:
    """What went wrong, and what to do."""
    if code is None or code in _ERRORS:
        return _ERRORS.get(code or "")
    if code.startswith("STATUS_5"):
        return "It has a fault of its own. It is tried again by itself."
    return "It refused what we asked. Connect again, and tell your administrator if that does not help."
