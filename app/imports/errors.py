"""Refusals of imports, each with a stable code."""


class ImportRefusal(Exception):
    """A refusal with a code and a sentence that says what to do next. `field` names the option at fault."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
