"""What is wrong with statements that a learning system sent: each sentence says where, and what to do."""


class Malformed(Exception):
    """A statement is not as xAPI asks; `where` is the path of the property."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where, self.message = where, message


class Conflict(Exception):
    """Another statement with this id is kept already."""


class NotYours(Exception):
    """The statement belongs to another learning system."""
