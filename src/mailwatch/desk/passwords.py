"""Passwords and other secrets of people: argon2id for what a person thinks up, SHA-256 for what chance made.

Hashing a password costs tens of milliseconds and some memory by intent, so it runs in a thread, a few at a time at the most.
"""

import asyncio
import hashlib
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mailwatch.core.secret import Secret
from mailwatch.ports.people import AccountError

MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 256
#: Of each random secret: 256 bits.
_RANDOM_BYTES: Final = 32
_AT_ONCE: Final = 2


def hashed(text: str) -> str:
    """SHA-256, in hex: enough for a secret of 256 random bits, and quick to look up."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def new_secret(prefix: str = "") -> str:
    """256 random bits, fit for a URL, a header and a cookie."""
    return prefix + secrets.token_urlsafe(_RANDOM_BYTES)


def check_new_password(password: Secret, name: str) -> None:
    """Raises AccountError for a password that is too short, too long, or the user's own name (NIST SP 800-63B, 3.1.1.2)."""
    text = password.reveal()
    if not MIN_PASSWORD <= len(text) <= MAX_PASSWORD:
        raise AccountError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if name.lower() in text.lower() and len(text) < len(name) + MIN_PASSWORD // 2:
        raise AccountError("the password is little more than the name; choose another")
    if len(set(text)) < MIN_PASSWORD // 3:
        raise AccountError("the password repeats itself; choose another")


class Passwords:
    """Hashes and verifies passwords off the event loop (argon2id, RFC 9106's second recommended setting)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: Secret) -> str:
        """The PHC string of *password*."""
        async with self._room:
            return await asyncio.to_thread(self._hasher.hash, password.reveal())

    async def matches(self, password: Secret, expected: str | None) -> bool:
        """Whether *password* is the one of *expected*; None (no such user) takes the same time and is never true."""
        if self._nobody is None:
            self._nobody = await self.hash(Secret(new_secret()))
        async with self._room:
            good = await asyncio.to_thread(self._verify, password.reveal(), expected or self._nobody)
        return good and expected is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        try:
            return self._hasher.check_needs_rehash(stored)
        except InvalidHashError:
            return False

    def _verify(self, password: str, expected: str) -> bool:
        try:
            return self._hasher.verify(expected, password)
        except (VerificationError, InvalidHashError):
            return False
