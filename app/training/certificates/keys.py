"""Keys that sign a tenant's badges: one signs, all stay published, so that a badge can be verified for ever."""

from typing import Any
from uuid import UUID

import orjson
from joserfc.jwk import OKPKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.secrets import Vault
from app.training.certificates.models import IssuerKey
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

ALGORITHM = "EdDSA"


async def ensure_key(work: UnitOfWork, vault: Vault) -> UUID:
    """The key that signs; made if there is none. Call it while the tenant's register is locked."""
    current = (await work.session.scalars(select(IssuerKey.id).where(IssuerKey.retired_at.is_(None)))).first()
    return current or _make(work, vault)


async def rotate_key(work: UnitOfWork, vault: Vault) -> UUID:
    """Sign with a new key from now on. What the old one signed stays valid, for it stays published."""
    present = select(IssuerKey).where(IssuerKey.retired_at.is_(None)).with_for_update()
    current = (await work.session.scalars(present)).first()
    if current is not None:
        current.retired_at = work.now
        await work.session.flush()
    made = _make(work, vault)
    await work.session.flush()
    return made


def _make(work: UnitOfWork, vault: Vault) -> UUID:
    identifier = new_id()
    key = OKPKey.generate_key("Ed25519", {"kid": str(identifier), "use": "sig", "alg": ALGORITHM})
    work.add(
        IssuerKey(
            tenant_id=work.tenant_id,
            id=identifier,
            public_jwk=dict(key.as_dict(private=False)),
            private_key=vault.encrypt(orjson.dumps(key.as_dict(private=True))),
            created_at=work.now,
            retired_at=None,
        )
    )
    work.record(Action.ISSUER_KEY_MADE, "issuer_key", identifier)
    return identifier


async def published_keys(session: AsyncSession) -> dict[str, Any]:
    """The tenant's public keys as a JWKS, the newest first."""
    rows = await session.scalars(select(IssuerKey.public_jwk).order_by(IssuerKey.created_at.desc(), IssuerKey.id))
    return {"keys": list(rows)}


async def signing_key(session: AsyncSession, vault: Vault) -> OKPKey | None:
    """The key that signs now; None while nothing was issued."""
    sealed = (await session.scalars(select(IssuerKey.private_key).where(IssuerKey.retired_at.is_(None)))).first()
    return None if sealed is None else OKPKey.import_key(orjson.loads(vault.decrypt(sealed)))
