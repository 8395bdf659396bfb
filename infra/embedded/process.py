"""Child processes that die with their parent, free ports, state files and log tails for the embedded servers."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot be used. `code` is stable; the message says what to do next."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code


@dataclass(frozen=True, slots=True)
class Account:
    """A system account that a server runs as: numeric ids and a home folder that it may read."""

    user: int
    group: int
    home: str


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel send `death_signal` when the parent is gone, even after kill -9.

    The kernel watches the thread that started the child, so start children from the main thread.
    It must run after a change of user, which clears the request; `preexec_fn` does. Only Linux knows it; elsewhere
    this does nothing.
    """
    parent = os.getpid()

    def request() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the request was made
            os._exit(1)

    return request


def spawn(
    arguments: list[str],
    *,
    log: Path,
    death_signal: signal.Signals,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    settings: bytes | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in its own session, output appended to `log`; `settings` goes to its standard input."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE if settings is not None else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder or "/",
            env=dict(environment) if environment is not None else None,
            start_new_session=True,  # Ctrl-C is ours to handle: servers stop last
            preexec_fn=die_with_parent(death_signal),
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
        )
    if process.stdin is not None:
        try:
            process.stdin.write(settings or b"")
            process.stdin.close()
        except BrokenPipeError:  # it ended at once; the caller sees that and shows the log
            pass
    return process


def stop(process: subprocess.Popen[bytes], signals: list[tuple[signal.Signals, float]]) -> None:
    """Send each signal and wait its number of seconds, until the process has ended; kill it if none of them helped."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
        process.wait()


def free_port(preferred: int | None = None) -> int:
    """A port on 127.0.0.1 that nobody listens on: `preferred` if that is free."""
    for candidate in (preferred, 0):
        if candidate is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except (OSError, OverflowError):
                continue
            port: int = probe.getsockname()[1]
            return port
    raise EmbeddedServerError("EMBEDDED_NO_PORT", "No port on 127.0.0.1 is free. Close some programs and try again.")


def is_running(process_id: int) -> bool:
    """Whether a process of this id exists and has not ended."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Ask `ready` until it says yes. False when the process ended or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.005)
    return False


def make_folder(folder: Path, mode: int = 0o711) -> Path:
    """Create a folder that other accounts may pass through but not list, unless `mode` says otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)
    return folder


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only this account can read it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        output.write(text)
    temporary.replace(path)


@dataclass(slots=True)
class ServerState:
    """What a server is started with each time: its last port and its password."""

    port: int | None
    password: str

    @classmethod
    def read(cls, path: Path) -> "ServerState | None":
        """The state kept in `path`, or nothing if there is none that can be read."""
        try:
            kept = json.loads(path.read_text())
            return cls(int(kept["port"]), str(kept["password"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Keep the state for the next start."""
        write_private(path, json.dumps({"port": self.port, "password": self.password}))


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, indented for an error message."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        lines = []
    return "\n".join(f"    {line}" for line in lines) or "    (the log is empty)"
