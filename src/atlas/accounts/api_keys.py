"""API keys and secrets: generated, hashed and compared."""

from __future__ import annotations

import hashlib
import hmac
import secrets

PREFIX = "atlas_live_sk_"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_RANDOM_LENGTH = 32
_LOOKUP_LENGTH = 8


def generate_key() -> str:
    """Generates a key: the prefix and 32 random characters (165 bits)."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))


def lookup_prefix(key: str) -> str | None:
    """Returns the part of `key` that may be stored and shown, or None for a text without the form of a key."""
    if not key.startswith(PREFIX) or len(key) != len(PREFIX) + _RANDOM_LENGTH:
        return None
    return key[: len(PREFIX) + _LOOKUP_LENGTH]


def hash_key(key: str) -> bytes:
    """Computes the SHA-256 of a key. A fast hash is right: 165 random bits cannot be guessed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def same_hash(left: bytes, right: bytes) -> bool:
    """Compares two hashes in constant time."""
    return hmac.compare_digest(left, right)


def hash_secret(secret: str) -> bytes:
    """Computes the scrypt hash of a tag's secret, which a person may have chosen: salt (16 bytes), then the hash."""
    salt = secrets.token_bytes(16)
    return salt + _scrypt(secret, salt)


def check_secret(secret: str, stored: bytes) -> bool:
    """Checks a secret against its stored hash, in constant time."""
    return hmac.compare_digest(_scrypt(secret, stored[:16]), stored[16:])


def _scrypt(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode("utf-8", "surrogatepass"), salt=salt, n=2**14, r=8, p=1)
