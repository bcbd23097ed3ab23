"""SASL: which mechanism, and the bytes it sends (RFC 4422).

One mechanism is chosen, from what the server offers and what suits the secret; after a refusal there is no second one, since each
try may count against the account.
"""

import base64
import binascii
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from mailwatch.core.evidence import clean
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.secret import Secret
from mailwatch.probe.failures import ImpairedError

PLAIN, LOGIN, XOAUTH2, OAUTHBEARER = "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"
_BY_KIND: Final = {AuthKind.PASSWORD: (PLAIN, LOGIN), AuthKind.OAUTH: (XOAUTH2, OAUTHBEARER)}
#: What ends each mechanism's exchange once the server has sent an error challenge (RFC 7628, 3.2.3; RFC 4422, 3.5).
_LAST_ANSWER: Final = {XOAUTH2: b"", OAUTHBEARER: b"AQ==", PLAIN: b"*", LOGIN: b"*"}


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, with what."""

    username: str
    secret: Secret
    kind: AuthKind


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """What a mechanism sends, base64 encoded: *answers* in turn, then *last* if the server still asks.  Holds a secret: no repr."""

    mechanism: str
    answers: tuple[bytes, ...]
    last: bytes


def choose(kind: AuthKind, offered: Collection[str]) -> str | None:
    """The mechanism for a secret of *kind* among the *offered* ones (upper case), or None when none suits."""
    return next((mechanism for mechanism in _BY_KIND[kind] if mechanism in offered), None)


def exchange(mechanism: str, login: Login) -> Exchange:
    """What *mechanism* sends for *login*; raises ImpairedError for a user name or secret that cannot be sent unharmed."""
    text = login.secret.reveal()
    if mechanism == PLAIN:  # RFC 4616
        _refuse(login, "\0")
        answers: tuple[str, ...] = (f"\0{login.username}\0{text}",)
    elif mechanism == LOGIN:  # draft-murchison-sasl-login
        _refuse(login, "\0")
        answers = (login.username, text)
    elif mechanism == XOAUTH2:
        _refuse(login, "\0\1")
        answers = (f"user={login.username}\1auth=Bearer {text}\1\1",)
    else:  # RFC 7628, 3.1; `=` and `,` of the name are written out (RFC 5801, 4)
        _refuse(login, "\0\1")
        name = login.username.replace("=", "=3D").replace(",", "=2C")
        answers = (f"n,a={name},\1auth=Bearer {text}\1\1",)
    return Exchange(mechanism, tuple(base64.b64encode(answer.encode()) for answer in answers), _LAST_ANSWER[mechanism])


def challenge_text(encoded: bytes | str) -> str:
    """An error challenge, decoded: compact JSON where it is JSON (RFC 7628, 3.2.2), else cleaned text."""
    try:
        raw = base64.b64decode(encoded, validate=False)
    except (binascii.Error, ValueError):
        return clean(encoded)
    try:
        return clean(json.dumps(json.loads(raw), ensure_ascii=False, separators=(",", ":")))
    except (ValueError, RecursionError):
        return clean(raw)


def _refuse(login: Login, forbidden: str) -> None:
    """These would end a field early and put the rest of it elsewhere."""
    if any(mark in login.username or mark in login.secret.reveal() for mark in forbidden):
        raise ImpairedError("secret_unsendable")
