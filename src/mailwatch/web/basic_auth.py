"""Basic auth (RFC 7617) against bcrypt hashes, as exporters have it.

A bcrypt of cost 10 takes some 50 ms and more: what was found right or wrong is remembered for a while, under a key of this process,
so that scrapes cost nothing and the memory is of no use to anybody who reads it.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

_BCRYPT: Final = re.compile(r"\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
#: bcrypt looks at no more bytes; longer ones the library refuses.
_MOST_BYTES: Final = 72
_REMEMBERED: Final = 100
#: Nobody's hash, of cost 10: an unknown name takes as long as a wrong password.
_NOBODY: Final = "$2b$10$" + "." * 53


def is_bcrypt(text: str) -> bool:
    """Whether *text* has the form of a bcrypt hash."""
    return _BCRYPT.fullmatch(text) is not None


class BasicAuth:
    """Judges Authorization headers; *users* are names with their hashes."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = dict(users)
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, bool] = OrderedDict()

    def remembered(self, header: str | None) -> bool | None:
        """The verdict on *header* when it costs nothing; None: `allows` must find out."""
        pair = _pair(header)
        return False if pair is None else self._known.get(self._mark(*pair))

    def allows(self, header: str | None) -> bool:
        """Whether *header* names a user and the password; blocks for a bcrypt, so call it in a thread."""
        import bcrypt  # noqa: PLC0415  # who has no such users does not pay for it

        pair = _pair(header)
        if pair is None:
            return False
        mark = self._mark(*pair)
        known = self._known.get(mark)
        if known is not None:
            return known
        name, password = pair
        hashed = self._users.get(name, _NOBODY)
        right = len(password) <= _MOST_BYTES and bcrypt.checkpw(password, hashed.encode())
        verdict = right and name in self._users
        self._known[mark] = verdict
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return verdict

    def _mark(self, name: str, password: bytes) -> bytes:
        return hmac.new(self._key, name.encode() + b"\0" + password, hashlib.sha256).digest()


def _pair(header: str | None) -> tuple[str, bytes] | None:
    """User and password of an Authorization header."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, ValueError):
        return None
