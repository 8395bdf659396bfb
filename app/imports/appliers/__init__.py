"""How the rows of each format are applied, by the operations of the domains."""

from collections.abc import Mapping

from app.imports.appliers import attendance, champions, completions, feedback, locations
from app.imports.appliers.base import Applier

APPLIERS: Mapping[str, Applier] = {
    "completions": completions.apply,
    "teams_attendance": attendance.apply,
    "feedback": feedback.apply,
    "champions": champions.apply,
    "cqc_locations": locations.apply,
}
