"""What commands say: plain sentences on the terminal, errors on standard error."""

from typing import NoReturn

import typer
from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """A sentence for the person at the terminal."""
    out.print(text, markup=False, soft_wrap=True)


def fail(text: str) -> NoReturn:
    """A sentence that says what to do, and exit code 1."""
    err.print(text, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1)
