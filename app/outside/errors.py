"""What goes wrong with outside systems: none of these holds an address, a token or what was answered."""


class OutsideUnavailable(Exception):
    """The system does not answer now, or asks to wait: try again after `seconds`."""

    def __init__(self, code: str, seconds: float) -> None:
        super().__init__(code)
        self.code = code
        self.seconds = seconds


class OutsideRefused(Exception):
    """The system does not take what we sent, such as its token: a person has to look."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class OutsideRefusal(Exception):
    """What somebody asks of an outside system cannot be done: a stable code, what to do, the field at fault."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
