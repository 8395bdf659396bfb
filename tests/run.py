"""What `./test` does: style, types, import contracts and all tests; a part of the tests; or the requirement rows."""

import contextlib
import io
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

ROWS = (
    *(f"A{number}" for number in range(1, 70)),
    *(f"B{number}" for number in range(1, 37)),
    *(f"C{number}" for number in range(1, 8)),
)
"""The requirement rows: the training programme, medicines reviews, and the platform."""

CHECKS = (
    ("style", ("ruff", "check", "--quiet", ".")),
    ("layout", ("ruff", "format", "--check", "--quiet", ".")),
    ("types", ("mypy", ".")),
    ("imports", ("lint-imports",)),
)


class _Collector:
    """Gathers which tests carry which row's marker."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for marker in item.iter_markers("row"):
                self.tests[str(marker.args[0])].add(item.nodeid.partition("[")[0])


def show_rows() -> int:
    """Print each row with the tests that check it, and how many rows are covered."""
    collector = _Collector()
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet):
        code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"], plugins=[collector])
    if code != 0:
        sys.stdout.write(quiet.getvalue())
        return int(code)
    unknown = sorted(collector.tests.keys() - set(ROWS))
    if unknown:
        sys.stdout.write(f"There are no such rows: {', '.join(unknown)}. Correct the markers.\n")
        return 1
    for row in ROWS:
        tests = sorted(collector.tests.get(row, ()))
        sys.stdout.write(f"{row:<4} {tests[0] if tests else '-'}\n")
        for test in tests[1:]:
            sys.stdout.write(f"     {test}\n")
    sys.stdout.write(f"{sum(row in collector.tests for row in ROWS)} of {len(ROWS)} rows are covered by tests.\n")
    return 0


def check_everything() -> int:
    """Run all checks, then all tests in parallel; the first code that is not 0."""
    failed = 0
    programs = Path(sys.executable).parent
    for name, (program, *arguments) in CHECKS:
        started = time.monotonic()
        result = subprocess.run(
            [str(programs / program), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        verdict = "ok" if result.returncode == 0 else "FAILED"
        sys.stdout.write(f"{name:<8} {verdict} ({time.monotonic() - started:.1f} s)\n")
        sys.stdout.flush()
        if result.returncode != 0:
            sys.stdout.write(result.stdout.decode(errors="replace"))
            failed = failed or result.returncode
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", str(processes()), "--dist", "worksteal", "--durations=15"],
        check=False,
    )
    return failed or tests.returncode


def processes() -> int:
    """One more than there are processors: browsers, killed workers and started programs are waited for."""
    return (os.cpu_count() or 2) + 1


def main(arguments: list[str]) -> int:
    """Entry point of `./test`."""
    if arguments == ["--rows"]:
        return show_rows()
    if arguments:
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode
    return check_everything()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
