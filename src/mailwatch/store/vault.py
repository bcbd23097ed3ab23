"""Secrets at rest: AES-256-GCM, `mw1.<key id>.<nonce>.<ciphertext>`, and never a clear-text fallback.

What is sealed is bound to its place by the associated data `mw1|table|owner|field|key id`: a value moved to another mailbox, field
or table does not open (NIST SP 800-38D, section 4).  Nonces are 96 random bits; at 2^32 values a key the chance of a repeat stays
below 2^-32 (section 8.3), far above what one key seals between two rotations.
"""

import base64
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mailwatch.core.secret import Secret
from mailwatch.ports import SecretUnreadableError
from mailwatch.store.keyring import KeyRing

__all__ = ["KeyRing", "SealedCredential", "Vault", "key_of"]

_FORMAT: Final = "mw1"
_NONCE_BYTES: Final = 12
_CANARY: Final = "mailwatch canary"
_PARTS: Final = 4
#: For one and the same key that no ring holds …
REREAD_SECONDS: Final = 30.0
#: … and for any: rotations may follow each other, but neither database nor file makes us read the ring at every probe.
REREAD_AT_ONCE_SECONDS: Final = 0.25
_MOST_MISSED: Final = 1000


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


class Vault:
    """Seals and opens with the keys of one ring.

    *reread* fetches the ring anew when a secret turns up under a key that this one does not hold, and before sealing when
    *changed_at* - cheap, asked each time - gives another value than before: so a running daemon follows a rotation without a
    restart.  It blocks, and is asked at most once in `REREAD_SECONDS` for one key.
    """

    def __init__(
        self,
        keyring: KeyRing,
        reread: Callable[[], KeyRing] | None = None,
        changed_at: Callable[[], object] | None = None,
    ) -> None:
        self._wrong: set[str] = set()
        self._reread = reread
        self._changed_at = changed_at
        self._read_as_of: object = None
        self._failed_at = self._reread_at = -REREAD_SECONDS
        self._missed: dict[str, float] = {}  # when the ring was read in vain for a key
        self._take(keyring)

    @classmethod
    def closed(cls) -> "Vault":
        """A vault without keys, for what looks at everything but secrets."""
        return cls(KeyRing("", MappingProxyType({})))

    def _take(self, keyring: KeyRing) -> None:
        self._ring = keyring
        self._ciphers = {kid: AESGCM(key) for kid, key in keyring.keys.items()}

    @property
    def active(self) -> str:
        """The id of the key that seals."""
        return self._ring.active

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys of the ring."""
        return tuple(self._ciphers)

    @property
    def usable_ids(self) -> tuple[str, ...]:
        """Of these, those that are not known to be another installation's."""
        return tuple(kid for kid in self._ciphers if kid not in self._wrong)

    def seal(self, table: str, owner: str, field_name: str, secret: Secret) -> str:
        """*secret* for that one place, under the key that is active now (`key_of` tells it)."""
        self.follow()
        return self._seal(self.active, table, owner, field_name, secret.reveal())

    def open(self, table: str, owner: str, field_name: str, sealed: str) -> Secret:
        """What `seal` sealed for that place; raises SecretUnreadableError naming owner and key id."""
        kid, nonce, ciphertext = self._split(owner, sealed)
        cipher = self._cipher(kid)
        if cipher is None:
            raise SecretUnreadableError(f"the {field_name} of {owner} is sealed with key {kid}, which the key ring does not hold")
        try:
            clear = cipher.decrypt(nonce, ciphertext, _bound(table, owner, field_name, kid))
        except (InvalidTag, ValueError):
            why = (
                "the key ring holds another key under this id"
                if kid in self._wrong
                else "the row is damaged or was moved here; store the secret anew with `mailwatch mailbox set-secret`"
            )
            raise SecretUnreadableError(f"the {field_name} of {owner}, sealed with key {kid}, cannot be opened: {why}") from None
        return Secret(clear.decode("utf-8"))

    def follow(self) -> None:
        """Take up the ring of a rotation, if there was one: what is sealed with a key that goes would be lost with it."""
        if self._reread is None or self._changed_at is None:
            return
        now = time.monotonic()
        # a ring that cannot be read changes nothing here; the database refuses what is sealed with a key that is out of use
        with suppress(Exception):
            as_of = self._changed_at()
            if as_of == self._read_as_of or now - self._failed_at < REREAD_AT_ONCE_SECONDS:
                return
            self._failed_at = now  # until it has been read
            self._take(self._reread())
            self._read_as_of, self._failed_at = as_of, -REREAD_SECONDS

    def canary(self, kid: str) -> str:
        """A known text sealed with key *kid*, to be stored beside what it seals."""
        return self._seal(kid, "keys", kid, "canary", _CANARY)

    def opens_canary(self, kid: str, canary: str) -> bool:
        """Whether the ring's key *kid* is the one that sealed *canary*; a wrong one is remembered, to be named in errors."""
        try:
            right = self.open("keys", kid, "canary", canary).reveal() == _CANARY
        except SecretUnreadableError:
            right = False
        if not right:
            self._wrong.add(kid)
        return right

    def _cipher(self, kid: str) -> AESGCM | None:
        if kid not in self._ciphers and self._reread is not None and self._may_reread(kid):
            self._reread_at = self._missed[kid] = time.monotonic()
            # an unreadable ring changes nothing: what can be opened with the present one still is
            with suppress(Exception):
                self._take(self._reread())
        return self._ciphers.get(kid)

    def _may_reread(self, kid: str) -> bool:
        now = time.monotonic()
        if len(self._missed) > _MOST_MISSED:
            self._missed.clear()
        asked_at = self._missed.get(kid, -REREAD_SECONDS)
        return now - self._reread_at >= REREAD_AT_ONCE_SECONDS and now - asked_at >= REREAD_SECONDS

    def _seal(self, kid: str, table: str, owner: str, field_name: str, clear: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        if kid not in self._ciphers:
            raise SecretUnreadableError(f"a secret of {owner} cannot be sealed: the key ring was not opened")
        # a lone surrogate cannot be UTF-8: refused here, where the caller can still be told
        ciphertext = self._ciphers[kid].encrypt(nonce, clear.encode("utf-8"), _bound(table, owner, field_name, kid))
        return f"{_FORMAT}.{kid}.{_encode(nonce)}.{_encode(ciphertext)}"

    @staticmethod
    def _split(owner: str, sealed: str) -> tuple[str, bytes, bytes]:
        parts = sealed.split(".")
        try:
            form, kid, nonce, ciphertext = parts[0], parts[1], _decode(parts[2]), _decode(parts[3])
        except (ValueError, IndexError):
            form = kid = ""
            nonce = ciphertext = b""
        if form != _FORMAT or len(parts) != _PARTS:
            raise SecretUnreadableError(
                f"a secret of {owner} is not in the form mailwatch stores; store it anew with `mailwatch mailbox set-secret`"
            )
        return kid, nonce, ciphertext


def key_of(sealed: str) -> str:
    """The id of the key that sealed what `Vault.seal` returned."""
    return sealed.split(".")[1]


def _bound(table: str, owner: str, field_name: str, kid: str) -> bytes:
    return f"{_FORMAT}|{table}|{owner}|{field_name}|{kid}".encode()


@dataclass(frozen=True, slots=True)
class SealedCredential:
    """The stored password of one mailbox, opened only when asked for (ports.Credential)."""

    mailbox_id: str
    generation: int
    _sealed: str = field(repr=False)
    _vault: Vault = field(repr=False, compare=False)

    def password(self) -> Secret:
        """The password; raises SecretUnreadableError."""
        return self._vault.open("secrets", self.mailbox_id, "password", self._sealed)
