"""Learning systems: connected, changed, their secrets (two live at most), and who a request comes from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.secrets import Vault, new_secret
from app.training.elearning.checks import iri
from app.training.elearning.errors import Malformed
from app.training.elearning.models import LearningSystem, LearningSystemSecret
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import words
from app.training.requirements.finding import row_of, same_version
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

SHORTEST_DAYS, LONGEST_DAYS = 30, 36_500
_SOURCE = re.compile(r"[a-z][a-z0-9_\-]{1,39}")


@dataclass(frozen=True, slots=True)
class SystemGiven:
    """What is said of a learning system. `keep_days` None: its statements are kept for ever."""

    name: str
    home_page: str = ""
    keep_days: int | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class NewSystem:
    """A system with its first secret, which is shown once."""

    id: UUID
    key_id: str
    secret: str


def _checked(given: SystemGiven) -> tuple[str, str | None]:
    name = words(given.name, "name", "the name of the learning system", 100)
    home_page = given.home_page.strip() or None
    if home_page is not None:
        try:
            iri(home_page, "home_page")
        except Malformed as error:
            message = "Enter the address as the system's statements name it, such as https://lms.example"
            raise TrainingRefusal("INVALID_HOME_PAGE", message, "home_page") from error
    if given.keep_days is not None and not SHORTEST_DAYS <= given.keep_days <= LONGEST_DAYS:
        message = f"Enter days from {SHORTEST_DAYS} to {LONGEST_DAYS:,}, or nothing to keep statements for ever."
        raise TrainingRefusal("INVALID_DAYS", message, "keep_days")
    return name, home_page


async def connect_system(work: UnitOfWork, vault: Vault, source: str, given: SystemGiven) -> NewSystem:
    """Let a learning system send statements. `source` never changes: accounts of learners are kept under it.

    Raises TrainingRefusal `TEXT_MISSING`, `TEXT_TOO_LONG`, `INVALID_SOURCE`, `SOURCE_TAKEN`, `INVALID_HOME_PAGE` or
    `INVALID_DAYS`.
    """
    name, home_page = _checked(given)
    code = source.strip().casefold()
    if not _SOURCE.fullmatch(code):
        message = "Enter 2 to 40 letters, digits, - or _, beginning with a letter, such as elearning."
        raise TrainingRefusal("INVALID_SOURCE", message, "source")
    if (await work.session.scalars(select(LearningSystem.id).where(LearningSystem.source == code))).first():
        message = "Another learning system has this code already. Change that one, or choose another code."
        raise TrainingRefusal("SOURCE_TAKEN", message, "source")
    system = LearningSystem(
        tenant_id=work.tenant_id, id=new_id(), name=name, source=code, home_page=home_page,
        key_id=f"lms-{new_id().hex}", active=True, keep_days=given.keep_days, version=1, created_at=work.now,
    )  # fmt: skip
    work.add(system)
    await work.session.flush()
    work.record(Action.LEARNING_SYSTEM_CONNECTED, "learning_system", system.id, after=_told(system))
    return NewSystem(system.id, system.key_id, await add_secret(work, vault, system.id))


def _told(system: LearningSystem) -> dict[str, object]:
    return {"source": system.source, "active": system.active, "keep_days": system.keep_days}


async def change_system(work: UnitOfWork, system_id: UUID, version: int, given: SystemGiven) -> None:
    """Change what is said of it, or switch it on or off.

    Raises TrainingRefusal `NO_SUCH_SYSTEM`, `CHANGED_MEANWHILE`, and as `connect_system`.
    """
    system = await row_of(work, LearningSystem, system_id, "NO_SUCH_SYSTEM", "learning system")
    same_version(version, system.version, "learning system")
    before = _told(system)
    system.name, system.home_page = _checked(given)
    system.keep_days, system.active = given.keep_days, given.active
    system.version += 1
    work.record(Action.LEARNING_SYSTEM_CHANGED, "learning_system", system.id, before=before, after=_told(system))


async def add_secret(work: UnitOfWork, vault: Vault, system_id: UUID) -> str:
    """A further secret, for rotation. Raises TrainingRefusal `NO_SUCH_SYSTEM` or `TWO_SECRETS_LIVE`."""
    await row_of(work, LearningSystem, system_id, "NO_SUCH_SYSTEM", "learning system")
    live = select(LearningSystemSecret.id).where(
        LearningSystemSecret.learning_system_id == system_id, LearningSystemSecret.revoked_at.is_(None)
    )
    if len((await work.session.scalars(live)).all()) >= 2:
        raise TrainingRefusal("TWO_SECRETS_LIVE", "Two secrets are live already. Revoke one, then add the new one.")
    secret = new_secret()
    row = LearningSystemSecret(
        tenant_id=work.tenant_id,
        id=new_id(),
        learning_system_id=system_id,
        secret_hash=vault.hash(secret),
        hint=secret[-4:],
        created_at=work.now,
        revoked_at=None,
    )
    work.add(row)
    work.record(Action.LEARNING_SYSTEM_SECRET_ADDED, "learning_system_secret", row.id, after={"hint": row.hint})
    return secret


async def revoke_secret(work: UnitOfWork, system_id: UUID, secret_id: UUID) -> None:
    """End a secret at once. Harmless when repeated. Raises TrainingRefusal `NO_SUCH_SECRET`."""
    row = await work.session.get(LearningSystemSecret, (work.tenant_id, secret_id), with_for_update=True)
    if row is None or row.learning_system_id != system_id:
        raise TrainingRefusal("NO_SUCH_SECRET", "There is no such secret. Look at the system's page again.")
    if row.revoked_at is None:
        row.revoked_at = work.now
        work.record(Action.LEARNING_SYSTEM_SECRET_REVOKED, "learning_system_secret", row.id, after={"hint": row.hint})


async def system_of(session: AsyncSession, vault: Vault, key_id: str, secret: str) -> LearningSystem | None:
    """The system of the bound tenant whose key and live secret these are, also one that is switched off."""
    rows: Sequence[tuple[LearningSystem, bytes]] = [
        (system, secret_hash)
        for system, secret_hash in await session.execute(
            select(LearningSystem, LearningSystemSecret.secret_hash)
            .join(
                LearningSystemSecret,
                and_(
                    LearningSystemSecret.tenant_id == LearningSystem.tenant_id,
                    LearningSystemSecret.learning_system_id == LearningSystem.id,
                ),
            )
            .where(LearningSystem.key_id == key_id, LearningSystemSecret.revoked_at.is_(None))
        )
    ]
    if not rows:
        vault.hash(secret)  # as long as a known key would take
    matching = [system for system, secret_hash in rows if vault.matches(secret, secret_hash)]
    return matching[0] if matching else None
