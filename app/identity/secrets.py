"""Keys derived from the master key: encryption of stored secrets, keyed hashes of tokens and client secrets."""

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(master: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA-256)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"medstead {purpose}".encode()).derive(master)


class Vault:
    """Encrypts and hashes with keys of one master key."""

    def __init__(self, master: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(derive(master, "stored secrets")))
        self._hash_key = derive(master, "secret hashes")

    def encrypt(self, value: bytes) -> bytes:
        """Authenticated encryption for a column."""
        return self._fernet.encrypt(value)

    def decrypt(self, value: bytes) -> bytes:
        """The value again. Raises ValueError if it was made with another master key."""
        try:
            return self._fernet.decrypt(value)
        except InvalidToken as error:
            raise ValueError("a stored secret does not belong to this MEDSTEAD_SECRET_KEY") from error

    def hash(self, secret: str) -> bytes:
        """A keyed hash (HMAC-SHA-256): fast to look up, useless without the key."""
        return hmac.new(self._hash_key, secret.encode(), hashlib.sha256).digest()

    def matches(self, secret: str, expected: bytes) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.hash(secret), expected)


def new_secret() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)
