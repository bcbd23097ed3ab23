"""Who signed in: the names in an ID token or a userinfo answer, and the proof by a login where neither tells.

An ID token that came straight from the token endpoint over TLS needs no check of its signature (OpenID Connect Core 1.0, 3.1.3.7).
"""

import base64
import binascii
import json
from typing import Any, Final

from mailwatch.core import mailbox as m
from mailwatch.core.classify import diagnose
from mailwatch.core.oauth import OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.ports import Assignment, Clock
from mailwatch.probe.dial import Dialer
from mailwatch.probe.failures import ImpairedError
from mailwatch.probe.prober import NetworkProber

_PROOF_SECONDS: Final = 30.0
#: The claims that name a login, the surest first.  Only Microsoft's `preferred_username` is given by the directory; elsewhere
#: people may choose it themselves.
_CLAIMS: Final = {
    OAuthKind.GOOGLE: ("email",),
    OAuthKind.MICROSOFT: ("preferred_username", "email", "upn"),
    OAuthKind.CUSTOM: ("email", "sub"),
}


def login_names(app: OAuthApp, told: object) -> tuple[str, ...]:
    """The names of whom *told* (an ID token, or the object of a userinfo answer) speaks of; none when it tells nothing usable."""
    claims = told if isinstance(told, dict) else _claims(app, told)
    names = []
    for name in _CLAIMS[app.kind]:
        value = claims.get(name)
        unverified = name == "email" and claims.get("email_verified") in (False, "false")
        if isinstance(value, str) and value and value.isprintable() and not unverified:
            names.append(value)
    # `sub` alone may be a number without meaning: then it is better to see whom the mail server lets in
    return tuple(names) if any(m.is_address(name) for name in names) else ()


def _claims(app: OAuthApp, id_token: object) -> dict[str, Any]:
    """The claims of an ID token meant for *app*; empty when it is none."""
    parts = id_token.split(".") if isinstance(id_token, str) else []
    if len(parts) != 3:  # noqa: PLR2004  # header, claims, signature (RFC 7519, 3)
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    if not isinstance(claims, dict):
        return {}
    audience = claims.get("aud")
    return claims if app.client_id in (audience if isinstance(audience, list) else [audience]) else {}


class _OneToken:
    """A source that has just one token, and no other when that is refused."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    async def access_token(self, mailbox: m.Mailbox, *, force: bool = False, refused: Secret | None = None) -> Secret:
        del mailbox
        if force or refused is not None:
            raise ImpairedError("token_not_renewable")
        return self._token


class ProofByLogin:
    """ports.consents.LoginProof: shows a token to the mailbox's own server, as the mailbox's user."""

    def __init__(self, dialer: Dialer, clock: Clock, *, ehlo_name: str = "mailwatch", allow_cleartext: bool = False) -> None:
        self._dialer = dialer
        self._clock = clock
        self._options: dict[str, Any] = {"ehlo_name": ehlo_name, "allow_cleartext": allow_cleartext, "conversation": False}

    async def refusal(self, mailbox: m.Mailbox, access_token: Secret) -> str | None:
        """None when *mailbox*'s server lets the token in as its user, else why not, in words for its owner."""
        prober = NetworkProber(self._dialer, _OneToken(access_token), self._clock, **self._options)
        report = await prober.probe(Assignment(mailbox, 1, None, m.Depth.LOGIN, _PROOF_SECONDS))
        if any(channel.logged_in for channel in report.channels):
            return None
        for channel in report.channels:
            if channel.evidence is not None:
                return f"{diagnose(channel.evidence).cause}: {channel.evidence.response}"
        return "its mail server could not be asked just now"
