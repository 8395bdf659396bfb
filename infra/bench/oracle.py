"""The oracle bench: many more generated documents than `./test` has time for, with a seed to repeat them by."""

import secrets
import subprocess
import sys
import time

from rich.console import Console

TEST = "tests/graphql_api/test_oracle.py"


def run(documents: int) -> int:
    """Compare, say the seed and the rate; gives the exit code of the tests."""
    seed = secrets.randbits(32)
    console = Console()
    console.print(f"Comparing {documents:,} documents; the same again: {_command(documents, seed)}")
    started = time.monotonic()
    code = subprocess.run([sys.executable, "-m", *_command(documents, seed).split()], check=False).returncode
    console.print(f"{documents / (time.monotonic() - started):.0f} documents/s, making the rows included")
    return code


def _command(documents: int, seed: int) -> str:
    return f"pytest -q -n 2 {TEST} --documents {documents} --hypothesis-seed {seed}"
