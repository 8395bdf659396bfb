"""The start bench: `./run` in a fresh copy of the checkout, cold and then warm, until the API answers."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 600


def run() -> None:
    """Measure and print."""
    table = Table("Start", "API answers, s", "demonstration ready, s", "stopped, s")
    with tempfile.TemporaryDirectory(prefix="medstead-start-") as folder:
        checkout = Path(folder) / "a fresh copy"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)
        for name in ("cold", "warm"):
            answers, ready, stopped = _start(checkout)
            table.add_row(name, f"{answers:.1f}", f"{ready:.1f}", f"{stopped:.1f}")
        shutil.rmtree(checkout)
    Console().print(table)


def _start(checkout: Path) -> tuple[float, float, float]:
    started = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    process = subprocess.Popen(
        ["./run", "--reset"] if not (checkout / ".data").exists() else ["./run"],
        cwd=checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    answers = ready = 0.0
    for line in process.stdout:
        now = time.monotonic() - started
        if now > PATIENCE_SECONDS:
            break
        if re.search(r"answers after", line):
            answers = now
        if re.search(r"demonstration is ready", line):
            ready = now
            break
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    process.wait()
    if not ready:
        raise RuntimeError("Medstead did not start. Run ./run and look at its lines.")
    return answers, ready, time.monotonic() - asked
