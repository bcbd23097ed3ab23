"""The key ring: which keys seal secrets at rest, as the JSON text `{"active": ID, "keys": {ID: base64 of 32 bytes}}`.

Rotation adds a key and makes it the active one; older keys stay until nothing is sealed with them any more.
"""

import base64
import binascii
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mailwatch.ports import SecretUnreadableError

KEY_BYTES: Final = 32  # AES-256
_CURE: Final = "restore it from its copy; for a new installation: `mailwatch key generate --out FILE`"
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class KeyRingError(SecretUnreadableError):
    """The text of the key ring cannot be used; the message says why, and never shows it."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id, and which of them seals what is written now."""

    active: str
    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def generate(cls) -> "KeyRing":
        """A ring of one new key."""
        kid = _new_id()
        return cls(kid, MappingProxyType({kid: secrets.token_bytes(KEY_BYTES)}))

    @classmethod
    def read(cls, text: str) -> "KeyRing":
        """The ring of a key ring file's *text*; raises KeyRingError."""
        try:
            stored = json.loads(text)
        except ValueError:
            raise KeyRingError(f"the key ring is not JSON; {_CURE}") from None
        if not isinstance(stored, dict) or not isinstance(stored.get("keys"), dict) or not isinstance(stored.get("active"), str):
            raise KeyRingError(f'the key ring must be {{"active": ID, "keys": {{ID: base64}}}}; {_CURE}')
        keys = {kid: _key(kid, encoded) for kid, encoded in stored["keys"].items()}
        if stored["active"] not in keys:
            raise KeyRingError(f"the key ring's active key {stored['active'][:32]!r} is not among its keys; {_CURE}")
        return cls(stored["active"], MappingProxyType(keys))

    def text(self) -> str:
        """The key ring file's text: holds the keys themselves."""
        keys = {kid: base64.b64encode(key).decode("ascii") for kid, key in self.keys.items()}
        return json.dumps({"active": self.active, "keys": keys}, indent=2) + "\n"

    def with_new_key(self) -> "KeyRing":
        """The ring with one more key, which is the active one."""
        kid = _new_id()
        return KeyRing(kid, MappingProxyType({**self.keys, kid: secrets.token_bytes(KEY_BYTES)}))

    def only_active(self) -> "KeyRing":
        """The ring without the older keys."""
        return KeyRing(self.active, MappingProxyType({self.active: self.keys[self.active]}))


def watched(path: Path) -> Callable[[], object]:
    """What differs when the ring file at *path* was written or replaced; asking costs microseconds, and raises OSError."""

    def look() -> object:
        found = os.stat(path)  # noqa: PTH116  # asked before each sealing: no Path in between
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size

    return look


def _new_id() -> str:
    return f"k{secrets.token_hex(4)}"


def _key(kid: str, encoded: object) -> bytes:
    if not _KEY_ID.fullmatch(kid):
        raise KeyRingError("a key id of the key ring has other characters than letters, digits, - and _, or more than 32")
    try:
        key = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyRingError(f"key {kid} of the key ring is not the base64 of {KEY_BYTES} bytes")
    return key
