"""The secrets a client sends, taken apart: SASL PLAIN, XOAUTH2 and OAUTHBEARER.

RFC 4616 (PLAIN), RFC 7628 (OAUTHBEARER and the error challenge); XOAUTH2 is Google's document of it.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field

from mailwatch.sim.dialects import Dialect

MECHANISMS = ("PLAIN", "XOAUTH2", "OAUTHBEARER")
_SCOPES = {
    Dialect.GOOGLE: "https://mail.google.com/",
    Dialect.MICROSOFT: "https://outlook.office.com/IMAP.AccessAsUser.All",
    Dialect.YAHOO: "mail-w",
    Dialect.HOSTER: "mail",
}


class MalformedSaslError(ValueError):
    """What the client sent is no response of the mechanism."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A user name with a password or an access token."""

    username: str
    secret: str = field(repr=False)
    is_token: bool = False


def decode(line: bytes | str) -> bytes:
    """Base64 as SASL over mail protocols sends it; `=` stands for empty.  Raises MalformedSaslError."""
    try:
        return b"" if line in ("=", b"=") else base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedSaslError("not base64") from error


def parse(mechanism: str, response: bytes) -> Attempt:
    """The attempt in *response*; raises MalformedSaslError."""
    try:
        text = response.decode()
    except UnicodeDecodeError as error:
        raise MalformedSaslError("not UTF-8") from error
    if mechanism == "PLAIN":
        parts = text.split("\0")
        if len(parts) != 3:  # noqa: PLR2004  # authorization identity, user name, password: RFC 4616, 2
            raise MalformedSaslError("PLAIN has three parts")
        return Attempt(parts[1], parts[2])
    fields = dict(part.split("=", 1) for part in text.split("\x01") if "=" in part and not part.startswith("n,"))
    gs2 = dict(part.split("=", 1) for part in text.split("\x01")[0].split(",") if "=" in part)
    username = gs2.get("a") if mechanism == "OAUTHBEARER" else fields.get("user")
    scheme, _, token = fields.get("auth", "").partition(" ")
    if scheme.lower() != "bearer" or not username:
        raise MalformedSaslError("user and bearer token are needed")
    return Attempt(username, token.strip(), is_token=True)


def error_challenge(mechanism: str, dialect: Dialect) -> str:
    """The base64 error the server sends before it refuses a token (RFC 7628, 3.2.2); the client must answer it."""
    if mechanism == "OAUTHBEARER":
        words = {"status": "invalid_token", "schemes": "bearer", "scope": _SCOPES[dialect]}
    else:
        words = {"status": "400" if dialect is Dialect.GOOGLE else "401", "schemes": "Bearer", "scope": _SCOPES[dialect]}
    return base64.b64encode(json.dumps(words, separators=(",", ":")).encode()).decode()
