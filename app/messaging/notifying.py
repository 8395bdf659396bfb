"""A tenant's service at GOV.UK Notify: its keys are kept encrypted, and it is tried before it is used."""

import hmac
import re

from app.identity.secrets import Vault, new_secret
from app.messaging.models import MessageSettings
from app.messaging.notify import Notify, Service
from app.messaging.settings import message_settings
from app.training.errors import TrainingRefusal
from tenants.audit import Action
from tenants.clock import Clock
from tenants.session import UnitOfWork

_ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_KEY = re.compile(rf"[\w.-]{{1,100}}-{_ID}-{_ID}")
_TEMPLATE = re.compile(_ID)


async def connect(work: UnitOfWork, vault: Vault, key: str | None, template_id: str) -> str | None:
    """Keep a service's key (None: the kept one) and template. A new key comes with a token for its receipts, to be
    shown once; None where the token stays.

    Raises TrainingRefusal `NO_SENDER`, `BAD_KEY` or `BAD_TEMPLATE_ID`.
    """
    settings = await message_settings(work, lock=True)
    if settings is None:
        raise TrainingRefusal("NO_SENDER", "Say first who the messages come from.", "senderName")
    if key is not None:
        if not _KEY.fullmatch(key.strip()):
            raise TrainingRefusal("BAD_KEY", "Copy the whole key from your service at Notify, with its name.", "key")
        settings.notify_key = vault.encrypt(key.strip().encode())
    elif settings.notify_key is None:
        raise TrainingRefusal("BAD_KEY", "Enter a key of your service at Notify.", "key")
    if not _TEMPLATE.fullmatch(template_id.strip()):
        raise TrainingRefusal("BAD_TEMPLATE_ID", "Copy the template's id from its page at Notify.", "templateId")
    token = new_secret() if key is not None else None
    settings.notify_template_id = template_id.strip()
    if token is not None:
        settings.notify_callback_token = vault.encrypt(token.encode())
    settings.version += 1
    work.record(Action.SENDER_CHANGED, "message_settings", settings.id, after={"notify": "connected"})
    return token


def notify_of(
    settings: MessageSettings, vault: Vault, url: str, clock: Clock, *, always: bool = False
) -> Notify | None:
    """The tenant's service, if it sends by it; `always`: also if it is only kept."""
    if (
        (settings.channel != "notify" and not always)
        or settings.notify_key is None
        or settings.notify_template_id is None
    ):
        return None
    key = vault.decrypt(settings.notify_key).decode()
    return Notify(Service(url, key, settings.notify_template_id), clock)


def is_callback(vault: Vault, settings: MessageSettings, authorization: str) -> bool:
    """Whether a receipt carries the token that we gave."""
    if settings.notify_callback_token is None:
        return False
    expected = "Bearer " + vault.decrypt(settings.notify_callback_token).decode()
    return hmac.compare_digest(authorization.encode(), expected.encode())
