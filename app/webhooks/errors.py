"""Refusals of webhooks, each with a stable code."""


class WebhookRefusal(Exception):
    """A refusal with a code, a sentence that says what to do next, and the input field at fault, if it is one."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
