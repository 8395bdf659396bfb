"""Connecting a tenant to outside systems: tried before it counts, secrets encrypted, failures told in codes."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import structlog
from sqlalchemy import select, update

from app.identity.secrets import Vault, new_secret
from app.outside.adapters import KINDS, Kind
from app.outside.errors import OutsideRefusal, OutsideRefused, OutsideUnavailable
from app.outside.fetching import Fetching
from app.outside.models import OutsideConnection
from app.outside.systems import System
from app.settings import Settings
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

log = structlog.get_logger()

LONGEST_VALUE = 2_000
HOOK = "hook"
"""The part of the address for notices that nobody can guess, among a connection's secrets."""
SECRET_REFUSED = ("BAD_SECRET", "STATUS_400", "STATUS_401", "STATUS_403")
TRIED_FOR = timedelta(minutes=55)
"""So long one job goes on trying; then the next look, an hour later, has its turn."""


@dataclass(frozen=True, slots=True)
class Office:
    """What talking to outside systems needs. `work` begins a unit of work of the tenant; `renew` holds a job."""

    work: Callable[[], AbstractAsyncContextManager[UnitOfWork]]
    renew: Callable[[UnitOfWork], Awaitable[None]]
    fetching: Fetching
    settings: Settings
    vault: Vault

    @property
    def folder(self) -> Path:
        """Where a file is kept while it comes in."""
        return self.settings.data_dir / "uploads"


async def connection_of(work: UnitOfWork, system: str, *, lock: bool = False) -> OutsideConnection | None:
    """The tenant's connection to a system, on or off."""
    found = select(OutsideConnection).where(OutsideConnection.system == system)
    return (await work.session.scalars(found.with_for_update() if lock else found)).one_or_none()


def kind_of(system: str) -> Kind:
    """The adapter of a system. Raises OutsideRefusal `NO_SUCH_SYSTEM`."""
    if system not in KINDS:
        raise OutsideRefusal("NO_SUCH_SYSTEM", "There is no such outside system. Choose one from the list.")
    return KINDS[system]


def secrets_of(connection: OutsideConnection, vault: Vault) -> dict[str, str]:
    """The secrets of a connection; none of one that is off, nor where the master key has been changed since."""
    if connection.secrets is None:
        return {}
    try:
        found: dict[str, str] = orjson.loads(vault.decrypt(connection.secrets))
    except ValueError:
        log.warning("secrets of an outside system belong to another master key", connection_id=str(connection.id))
        return {}
    return found


def values_of(office: Office, connection: OutsideConnection) -> dict[str, str]:
    """What an account is opened with. Raises OutsideRefused `SECRETS_LOST`."""
    secrets = secrets_of(connection, office.vault)
    if not secrets:
        raise OutsideRefused("SECRETS_LOST")
    return {**connection.settings, **secrets}


def system_of(office: Office, connection: OutsideConnection) -> System:
    """The account that a connection leads to. Raises OutsideRefused `SECRETS_LOST`."""
    return kind_of(connection.system).open(office.fetching, office.settings, values_of(office, connection))


async def connect(office: Office, system: str, given: Mapping[str, str]) -> None:
    """Try an account and keep it; secrets left empty stay as they are.

    Raises OutsideRefusal `NO_SUCH_SYSTEM`, `VALUE_MISSING`, `VALUE_TOO_LONG`, `NOT_TAKEN`, `NO_ANSWER`, or the
    adapter's own; and OutsideRefused where it is not the secret that is wrong.
    """
    kind = kind_of(system)
    async with office.work() as work:
        connection = await connection_of(work, system)
        kept = {} if connection is None else {**connection.settings, **secrets_of(connection, office.vault)}
    values = _values(kind, given, kept)
    try:
        found = await kind.open(office.fetching, office.settings, values).check()
    except OutsideRefused as refused:
        if refused.code not in SECRET_REFUSED:
            raise
        raise OutsideRefusal("NOT_TAKEN", kind.not_taken, kind.secret_field) from refused
    except OutsideUnavailable as unavailable:
        raise OutsideRefusal("NO_ANSWER", f"{kind.name} did not answer. Try again in a moment.") from unavailable
    async with office.work() as work:
        await _keep(work, office.vault, kind, {**values, **found})


def _values(kind: Kind, given: Mapping[str, str], kept: Mapping[str, Any]) -> dict[str, str]:
    values: dict[str, str] = {}
    for field in kind.fields:
        value = given.get(field.name, "").strip()
        if len(value) > LONGEST_VALUE:
            raise OutsideRefusal("VALUE_TOO_LONG", f"Enter at most {LONGEST_VALUE:,} characters.", field.name)
        if not value and field.secret:
            value = str(kept.get(field.name) or "")
        if not value and not field.optional:
            raise OutsideRefusal("VALUE_MISSING", f"Enter this: {field.label}.", field.name)
        values[field.name] = value
    return values


async def _keep(work: UnitOfWork, vault: Vault, kind: Kind, values: Mapping[str, str]) -> None:
    connection = await connection_of(work, kind.code, lock=True)
    if connection is None:
        connection = OutsideConnection(
            tenant_id=work.tenant_id,
            id=new_id(),
            system=kind.code,
            settings={},
            secrets=None,
            state="off",
            version=0,
            created_at=work.now,
        )
        work.add(connection)
    secret_names = {field.name for field in kind.fields if field.secret}
    hidden = {name: value for name, value in values.items() if name in secret_names}
    if kind.has_notices:
        hidden[HOOK] = secrets_of(connection, vault).get(HOOK) or new_secret()
    connection.settings = {name: value for name, value in values.items() if name not in secret_names}
    connection.secrets = vault.encrypt(orjson.dumps(hidden))
    connection.state, connection.tried_at, connection.succeeded_at = "on", work.now, work.now
    connection.failing_since = connection.wait_until = connection.error_code = None
    connection.version += 1
    await work.session.flush()
    work.record(Action.OUTSIDE_CONNECTED, "outside_connection", connection.id, after={"system": kind.code})


async def disconnect(work: UnitOfWork, system: str) -> None:
    """Forget the secrets and ask nothing more; what came stays. Raises OutsideRefusal `NOT_CONNECTED`."""
    connection = await connection_of(work, system, lock=True)
    if connection is None or connection.state == "off":
        raise OutsideRefusal("NOT_CONNECTED", "This system is not connected. Connect it first.")
    connection.state, connection.secrets = "off", None
    connection.failing_since = connection.wait_until = connection.error_code = None
    connection.version += 1
    work.record(Action.OUTSIDE_DISCONNECTED, "outside_connection", connection.id, after={"system": system})


async def note_success(work: UnitOfWork, connection: OutsideConnection) -> None:
    """The system was asked and answered. Another job may have been told to wait meanwhile: that stays."""
    await _note(work, connection, succeeded_at=work.now, failing_since=None, error_code=None)


async def note_failure(
    work: UnitOfWork, connection: OutsideConnection, error: OutsideUnavailable | OutsideRefused
) -> float | None:
    """Note why the system could not be asked; the seconds after which the same job should try again, if it should.

    The longer it has failed, the longer it is left alone, and never less than it asks for. `connection` is as it was
    asked by: of one that has been changed since, nothing is noted.
    """
    kept = await work.session.get(OutsideConnection, (work.tenant_id, connection.id), populate_existing=True)
    if kept is None or kept.version != connection.version:
        return None
    since = kept.failing_since or work.now
    seconds, wait_until = None, None
    if isinstance(error, OutsideUnavailable):
        seconds = max(error.seconds, (work.now - since).total_seconds() / 2)
        if work.now - since + timedelta(seconds=seconds) > TRIED_FOR:
            seconds = None
        wait_until = work.now + timedelta(seconds=seconds or error.seconds)
    await _note(work, connection, failing_since=since, wait_until=wait_until, error_code=error.code)
    return seconds


async def _note(work: UnitOfWork, connection: OutsideConnection, **values: Any) -> None:
    await work.session.execute(
        update(OutsideConnection)
        .where(OutsideConnection.id == connection.id, OutsideConnection.version == connection.version)
        .values(tried_at=work.now, **values)
        .execution_options(synchronize_session="fetch")
    )
