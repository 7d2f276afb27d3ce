"""Sealed secrets, passwords, tokens.

Secrets at rest are AES-256-GCM with the place they belong to as associated data, so that a sealed value
copied into another row does not open there.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Mapping

import argon2
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from inbox.errors import ConfigurationError
from inbox.settings import Settings

_VERSION = b"\x01"


class Seals:
    """Opens and closes what is kept secret at rest."""

    def __init__(self, settings: Settings) -> None:
        self._cipher = AESGCM(settings.key("secrets at rest"))

    def close(self, values: Mapping[str, str], place: str) -> bytes:
        nonce = os.urandom(12)
        return (
            _VERSION + nonce + self._cipher.encrypt(nonce, msgspec.json.encode(dict(values)), place.encode())
        )

    def open(self, sealed: bytes, place: str) -> dict[str, str]:
        """Raises ConfigurationError when it was sealed with another key or for another place."""
        try:
            plain = self._cipher.decrypt(sealed[1:13], sealed[13:], place.encode())
        except InvalidTag:
            raise ConfigurationError(
                "A stored credential cannot be opened: SECRET_KEY is not the one it was sealed with."
            ) from None
        return msgspec.json.decode(plain, type=dict[str, str])


class Passwords:
    """argon2id with the parameters that OWASP gives as its minimum (19 MiB, 2 passes, 1 lane).

    Hashing runs in threads, two at a time: a burst of sign-ins must not take the machine's memory.
    """

    MAX_BYTES = 1024

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._gate = asyncio.Semaphore(2)
        self._dummy = self._hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        async with self._gate:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Takes as long for an unknown person (`hashed` None) as for a known one."""
        if len(password.encode()) > self.MAX_BYTES:
            return False
        async with self._gate:
            return await asyncio.to_thread(self._verify, hashed, password)

    def _verify(self, hashed: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(hashed or self._dummy, password) and hashed is not None
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is stored of a token: it was random, so a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode()).digest()


class Signer:
    """Short signed values that need no row: visitor sessions, file links, CSRF tokens."""

    def __init__(self, settings: Settings, purpose: str) -> None:
        self._key = settings.key(purpose)

    def sign(self, value: str, *, seconds: int) -> str:
        body = f"{int(time.time()) + seconds}.{value}"
        return base64.urlsafe_b64encode(f"{self._mac(body)}.{body}".encode()).rstrip(b"=").decode()

    def verify(self, token: str) -> str | None:
        """The signed value, or None for a token that is forged, damaged or expired."""
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"==").decode()
            mac, body = raw.split(".", 1)
            expires, value = body.split(".", 1)
            fresh = int(expires) >= time.time()
        except ValueError:
            return None
        return value if fresh and hmac.compare_digest(mac.encode(), self._mac(body).encode()) else None

    def fixed(self, value: str) -> str:
        """A signature without an expiry, for values that end with something else (a session)."""
        return self._mac(value)

    def _mac(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()
