"""Refusals of the directory, each with a stable code."""


class DirectoryRefusal(Exception):
    """A refusal with a code and a sentence that says what to do next."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
