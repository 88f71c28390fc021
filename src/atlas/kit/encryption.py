"""Encryption of credentials that Atlas stores for others."""

from __future__ import annotations

import secrets

from atlas.errors import UnavailableError

# The first byte of stored data, so that a future encryption scheme can be distinguished.
_VERSION = b"\x01"
_NONCE_BYTES = 12


class SecretBox:
    """Encrypts texts with a key derived from `secret`, a text of any length that is hard to guess.

    The cipher is AES-256-GCM with a random nonce; the key is HKDF-SHA256 of the secret. `context` names the owner of a
    text. A text encrypted for one context cannot be decrypted for another, so a row copied to another organization is
    worthless.
    """

    def __init__(self, secret: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        key = HKDF(SHA256(), length=32, salt=None, info=b"atlas stored credentials 1").derive(secret.encode())
        self._cipher = AESGCM(key)

    def encrypt(self, text: str, context: str) -> bytes:
        """Encrypts `text` for storage."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, text.encode(), _VERSION + context.encode())

    def decrypt(self, data: bytes, context: str) -> str:
        """Decrypts a text that was encrypted for `context`.

        Raises UnavailableError for another secret, context or text.
        """
        from cryptography.exceptions import InvalidTag

        version, nonce, sealed = data[:1], data[1 : 1 + _NONCE_BYTES], data[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, sealed, version + context.encode()).decode()
        except (InvalidTag, ValueError):
            raise UnavailableError("Unreadable credentials", "stored key cannot be read; set it again") from None
