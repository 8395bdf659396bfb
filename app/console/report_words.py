"""Words of reports for people: states, progress, rhythms."""

from app.reporting.models import ReportSnapshot

STATES = {
    "waiting": ("Waiting", "nhsuk-tag--grey"),
    "building": ("Being made", "nhsuk-tag--blue"),
    "ready": ("Ready", "nhsuk-tag--green"),
    "failed": ("Went wrong", "nhsuk-tag--red"),
}
WORKING = ("waiting", "building")
RHYTHMS = {"week": "Every week", "month": "Every month", "quarter": "Every quarter"}
STORY_STATES = {"draft": "Draft", "approved": "Approved", "withdrawn": "Consent withdrawn"}


def progress(snapshot: ReportSnapshot) -> str:
    """How far a report is."""
    if snapshot.state == "waiting":
        return "The report waits for its turn."
    if snapshot.state == "building":
        return f"{snapshot.steps_done} of {snapshot.steps_total} parts are made."
    return STATES[snapshot.state][0]
