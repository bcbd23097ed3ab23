"""The token endpoint of an OAuth provider over HTTP: one POST, and a tokens-or-evidence answer (RFC 6749, 5.1, 5.2, 6).

Requests go through `http`: judged addresses, no redirects, bounded time and size.  Only what the endpoint itself says in OAuth's
own words can mean that a grant is dead.
"""

import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from aiohttp import ClientError
from oauthlib.oauth2 import BackendApplicationClient, WebApplicationClient

from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.oauth import ClientAuth, GrantKind, OAuthApp, mail_scopes
from mailwatch.core.secret import Secret
from mailwatch.ports.delivery import HttpAnswer
from mailwatch.probe.assertion import Signer, body_of
from mailwatch.probe.capture import Capture
from mailwatch.probe.dial import Dialer
from mailwatch.probe.failures import ResolveError, TargetDeniedError
from mailwatch.probe.http import NO_ANSWER, JudgedHttp, root_of
from mailwatch.probe.redact import Redactor

_TIMEOUT_SECONDS: Final = 10.0
_LIFETIME_SECONDS: Final = 3600.0  #: when the endpoint names none (RFC 6749, 5.1 lets it)
_LONGEST_CONSENT_SECONDS: Final = 100 * 365 * 86_400.0
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class TokenReply:
    """New tokens; `refresh_token` is set when the endpoint rotated it."""

    access_token: Secret
    lifetime_seconds: float
    refresh_token: Secret | None
    consent_seconds: float | None = None  #: how long the refresh token lasts, where the endpoint says


class TokenEndpoint:
    """Asks token endpoints for new tokens.  *allow_cleartext* lets http:// URLs through, for a provider on this machine."""

    def __init__(self, dialer: Dialer, *, allow_cleartext: bool = False, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._http = JudgedHttp(dialer, allow_cleartext=allow_cleartext, timeout_seconds=timeout_seconds)
        self._signers: dict[str, Signer] = {}  # by application: reading a key takes longer than signing with it

    async def refresh(self, app: OAuthApp, refresh_token: Secret, provider: str) -> TokenReply | Evidence:
        """New tokens for *refresh_token*, or the evidence of why there are none; raises ImpairedError."""
        body = WebApplicationClient(app.client_id).prepare_refresh_body(
            refresh_token=refresh_token.reveal(), scope=app.scopes or None, client_id=app.client_id
        )
        return await self._ask(app, body, provider, refresh_token)

    async def sign_in(self, app: OAuthApp, username: str, provider: str) -> TokenReply | Evidence:
        """A token that *app* has without anybody's consent: its own (RFC 6749, 4.4), or *username*'s by assertion (RFC 7523).

        Else the evidence of why there is none; raises ImpairedError.
        """
        if app.grant is GrantKind.SERVICE_ACCOUNT:
            signer = self._signers.get(app.name) or self._signers.setdefault(app.name, Signer(app))
            assertion = signer.assertion(username, datetime.now(UTC))
            return await self._ask(app, body_of(assertion), provider, assertion)
        body = BackendApplicationClient(app.client_id).prepare_request_body(scope=mail_scopes(app) or None, include_client_id=True)
        return await self._ask(app, body, provider)

    async def close(self) -> None:
        """Close kept connections."""
        await self._http.close()

    async def _ask(self, app: OAuthApp, body: str, provider: str, *secrets: Secret) -> TokenReply | Evidence:
        redactor = Redactor()
        for secret in (*secrets, app.client_secret):
            if secret is not None:
                redactor.learn("", secret.reveal())
        capture = Capture("oauth", provider, redactor)
        try:
            answer = await post_form(self._http, app, app.token_url, body)
        except NO_ANSWER as error:
            return _unreachable(capture, error)
        return _judge(capture, redactor, provider, answer)


async def post_form(http: JudgedHttp, app: OAuthApp, url: str, body: str) -> HttpAnswer:
    """POST a form with the client's secret in it, or beside it, if it has one (RFC 6749, 2.3.1); raises as `JudgedHttp.fetch`."""
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    if app.client_secret is not None and app.grant is not GrantKind.SERVICE_ACCOUNT:
        if app.client_auth is ClientAuth.BASIC:
            pair = f"{quote_plus(app.client_id)}:{quote_plus(app.client_secret.reveal())}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            body = f"{body}&{urlencode({'client_secret': app.client_secret.reveal()})}"
    return await http.fetch("POST", url, headers=headers, body=body.encode())


def _judge(capture: Capture, redactor: Redactor, provider: str, answer: HttpAnswer) -> TokenReply | Evidence:
    status = answer.status
    fields = json_object(answer.body)
    token = fields.get("access_token")
    if status == _OK and isinstance(token, str) and token:
        rotated = fields.get("refresh_token")
        return TokenReply(
            Secret(token),
            lifetime(fields.get("expires_in")),
            Secret(rotated) if isinstance(rotated, str) and rotated else None,
            consent_lifetime(fields),
        )
    for name in ("access_token", "refresh_token", "id_token"):  # a confused endpoint may send one all the same
        if isinstance(fields.get(name), str):
            redactor.learn("", str(fields[name]))
    error, description = fields.get("error"), fields.get("error_description")
    words = f"HTTP {status} without an access token" if status == _OK and not error else answer.body
    return Evidence(
        capture.protocol,
        Phase.TOKEN,
        redactor.keep(words),
        provider,
        oauth_error=redactor.keep(error, 128) if isinstance(error, str) else None,
        oauth_description=redactor.keep(description) if isinstance(description, str) else None,
        http_status=status,
        retry_after_seconds=_retry_after(answer.headers.get("retry-after")),
    )


def _unreachable(capture: Capture, error: Exception) -> Evidence:
    """The endpoint gave no HTTP answer: the network's own error where there is one below aiohttp's."""
    cause = root_of(error)
    if isinstance(cause, ssl.SSLError | OSError | ResolveError | TargetDeniedError) and not isinstance(cause, ClientError):
        found = capture.error(Phase.TOKEN, cause)
        return Evidence(
            found.protocol, Phase.TOKEN, found.response, found.provider, found.exception, found.errno, found.verify_code
        )
    if isinstance(error, TimeoutError):
        return capture.finding(Phase.TOKEN, "", "TimeoutError")
    return capture.finding(Phase.TOKEN, str(error), f"aiohttp.{type(error).__name__}")


def json_object(body: bytes) -> dict[str, Any]:
    """The object that *body* is in JSON, empty when it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def lifetime(value: object) -> float:
    """`expires_in`, in seconds, within reason."""
    try:
        seconds = float(value)  # type: ignore[arg-type]  # whatever it is, it converts or raises
    except (TypeError, ValueError):
        return _LIFETIME_SECONDS
    return min(max(seconds, 60.0), 86_400.0)


def consent_lifetime(fields: Mapping[str, Any]) -> float | None:
    """How many seconds the refresh token lasts; None where the endpoint names no end.

    No standard has the field: Google sends `refresh_token_expires_in` for a consent of limited time, as does Azure AD B2C; Keycloak
    sends `refresh_expires_in`, with 0 for ever.
    """
    for name in ("refresh_token_expires_in", "refresh_expires_in"):
        try:
            seconds = float(fields.get(name) or 0)
        except (TypeError, ValueError):
            continue
        if 0 < seconds <= _LONGEST_CONSENT_SECONDS:  # not a number is neither
            return seconds
    return None


def _retry_after(value: str | None) -> float | None:
    """Retry-After: seconds or an HTTP date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        if value.strip().isdecimal():
            return float(value)
        wait = parsedate_to_datetime(value) - datetime.now(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return max(wait.total_seconds(), 0.0)
