"""Refusals of training, each with a stable code."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Reason:
    """One of the reasons for a refusal: a stable code, what would help, and the rule and the learner it is about."""

    code: str
    message: str
    rule_id: UUID | None = None
    learner_id: UUID | None = None


class TrainingRefusal(Exception):
    """A refusal with a code, a sentence that says what to do next, the input field at fault, and every reason."""

    def __init__(self, code: str, message: str, field: str = "", reasons: Sequence[Reason] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.reasons = tuple(reasons)
