"""Refusals of imports, each with a stable code."""


class ImportRefusal(Exception):
    """A refusal with a code and a sentence that says what to do next. `field` names the option at fault.

    `looks_like` is the code of the format that a refused file seems to have, where it is a known one.
    """

    def __init__(self, code: str, message: str, field: str = "", *, looks_like: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.looks_like = looks_like
