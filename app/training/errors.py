"""Refusals of training, each with a stable code."""


class TrainingRefusal(Exception):
    """A refusal with a code, a sentence that says what to do next, and the input field at fault."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
