"""The servers and secrets of one machine: embedded ones by default, one's own by DATABASE_URL and REDIS_URL."""

import asyncio
import base64
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from app.cli.console_output import fail
from infra.embedded import start_postgres, start_valkey
from infra.embedded.postgres import remove_postgres_data
from infra.embedded.process import free_port, write_private
from tenants.provision import DatabaseUrls, RolePasswords, prepare_database

DATABASE = "medstead"


@dataclass(frozen=True)
class Machine:
    """What the processes of this machine need to know."""

    data_dir: Path
    database: DatabaseUrls
    redis_url: str
    secret_key: str
    port: int
    smtp_port: int
    mailbox_port: int

    @property
    def base_url(self) -> str:
        """Where the API and the console answer."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def mailbox_url(self) -> str:
        """Where the demonstration's mailbox can be read."""
        return f"http://127.0.0.1:{self.mailbox_port}/"

    def environment(self) -> Mapping[str, str]:
        """The environment of a child process."""
        return {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "MEDSTEAD_ENVIRONMENT": "development",
            "DATABASE_URL": self.database.app,
            "DATABASE_OWNER_URL": self.database.owner,
            "DATABASE_BENCHMARK_URL": self.database.benchmark,
            "REDIS_URL": self.redis_url,
            "MEDSTEAD_SECRET_KEY": self.secret_key,
            "MEDSTEAD_BASE_URL": self.base_url,
            "MEDSTEAD_DATA_DIR": str(self.data_dir),
            "MEDSTEAD_SMTP_PORT": str(self.smtp_port),
            "MEDSTEAD_MAILBOX_URL": self.mailbox_url,
            "MEDSTEAD_WEBHOOK_ALLOW_LOOPBACK": "true",
        }


@contextmanager
def only_one(data_dir: Path, port_file: str = "run.lock") -> Iterator[None]:
    """Hold the folder for this process; a second one is told who holds it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / port_file).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            fail(f"Medstead runs from this folder already ({holder}). Use that one, or stop it with Ctrl-C first.")
        lock.seek(0)
        lock.truncate()
        lock.write(f"process {os.getpid()}")
        lock.flush()
        yield


def forget_everything(data_dir: Path) -> None:
    """Remove all local data but the lock that is held."""
    remove_postgres_data(data_dir)
    for path in data_dir.iterdir():
        if path.name == "run.lock":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def start_machine(stack: ExitStack, data_dir: Path, port: int | None) -> Machine:
    """Start or find the servers, make roles and database, read or make the secrets. Ends with the stack."""
    kept = _secrets(data_dir / "secrets.json")
    given = os.environ.get("DATABASE_URL")
    owner_given = os.environ.get("DATABASE_OWNER_URL")
    if given and owner_given:
        database = DatabaseUrls(given, owner_given, os.environ.get("DATABASE_BENCHMARK_URL", ""))
    else:
        passwords = RolePasswords(kept["owner"], kept["runtime"], kept["benchmark"])
        if given:
            name = urlsplit(given).path.lstrip("/") or DATABASE
            administrator, name = given, DATABASE if name == "postgres" else name
        else:
            administrator, name = stack.enter_context(start_postgres(data_dir)).superuser_url, DATABASE
        database = asyncio.run(prepare_database(administrator, name, passwords))
    redis_url = os.environ.get("REDIS_URL") or stack.enter_context(start_valkey(data_dir)).url
    return Machine(
        data_dir, database, redis_url, kept["key"], _port(port), smtp_port=free_port(1025), mailbox_port=free_port(8025)
    )


def _port(asked: int | None) -> int:
    if asked is None:
        return free_port(8000)
    if free_port(asked) != asked:
        fail(f"Port {asked} is taken. Name another with --port, or leave it out to have a free one chosen.")
    return asked


def _secrets(file: Path) -> dict[str, str]:
    """The secrets of this machine, made on the first start."""
    try:
        kept: dict[str, str] = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        kept = {name: secrets.token_urlsafe(24) for name in ("owner", "runtime", "benchmark")}
        kept["key"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        write_private(file, orjson.dumps(kept).decode())
    return kept
