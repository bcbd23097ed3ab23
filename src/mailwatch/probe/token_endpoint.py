"""The token endpoint of an OAuth provider over HTTP: one POST, and a tokens-or-evidence answer (RFC 6749, 5.1, 5.2, 6).

Connections go through the same resolver and egress policy as probes; no redirects, no proxies from the environment, bounded time
and size.  Only what the endpoint itself says in OAuth's own words can mean that a grant is dead.
"""

import asyncio
import json
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.oauth import OAuthApp
from mailwatch.core.secret import Secret
from mailwatch.probe.capture import Capture
from mailwatch.probe.dial import Dialer
from mailwatch.probe.failures import ImpairedError, ResolveError, TargetDeniedError
from mailwatch.probe.redact import Redactor

_TIMEOUT_SECONDS: Final = 10.0
_MAX_BODY: Final = 64 * 1024
_LIFETIME_SECONDS: Final = 3600.0  #: when the endpoint names none (RFC 6749, 5.1 lets it)
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class TokenReply:
    """New tokens; `refresh_token` is set when the endpoint rotated it."""

    access_token: Secret
    lifetime_seconds: float
    refresh_token: Secret | None


class TokenEndpoint:
    """Asks token endpoints for new tokens.  *allow_cleartext* lets http:// URLs through, for a provider on this machine."""

    def __init__(self, dialer: Dialer, *, allow_cleartext: bool = False, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._dialer = dialer
        self._allow_cleartext = allow_cleartext
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def refresh(self, app: OAuthApp, refresh_token: Secret, provider: str) -> TokenReply | Evidence:
        """New tokens for *refresh_token*, or the evidence of why there are none; raises ImpairedError."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal(), "client_id": app.client_id}
        redactor = Redactor()
        redactor.learn("", refresh_token.reveal())
        if app.client_secret is not None:
            form["client_secret"] = app.client_secret.reveal()
            redactor.learn("", app.client_secret.reveal())
        if app.scopes:
            form["scope"] = " ".join(app.scopes)
        capture = Capture("oauth", provider, redactor)
        try:
            status, retry_after, body = await self._post(app.token_url, form)
        except (aiohttp.ClientError, TimeoutError, OSError, ResolveError, TargetDeniedError) as error:
            return _unreachable(capture, error)
        return _judge(capture, redactor, provider, status, retry_after, body)

    async def close(self) -> None:
        """Close kept connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, url: str, form: dict[str, str]) -> tuple[int, str | None, bytes]:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (self._allow_cleartext and parts.scheme == "http"):
            raise ImpairedError("cleartext_refused")
        headers = {"Accept": "application/json"}
        async with self._client().post(url, data=form, headers=headers, allow_redirects=False) as response:
            body = await _read_some(response)
            return response.status, response.headers.get("Retry-After"), body

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(
                ssl=self._dialer.ssl_context,
                resolver=_JudgingResolver(self._dialer),
                use_dns_cache=False,
                limit=50,
                limit_per_host=8,
                socket_factory=_judging_sockets(self._dialer),
            )
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


class _JudgingResolver(AbstractResolver):
    """aiohttp's resolver seam, filled with the probes' own."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        addresses = await self._dialer.resolver.addresses(host)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
            if family in (socket.AF_UNSPEC, socket.AF_INET6 if ":" in address else socket.AF_INET)
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _judging_sockets(dialer: Dialer) -> Any:
    """A socket factory that judges the very address about to be connected to, literal or resolved."""

    def make(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, target = address
        if not dialer.policy.allows_host(target[0]):
            raise TargetDeniedError
        return socket.socket(family, kind, protocol)

    return make


async def _read_some(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > _MAX_BODY:
            break
    return bytes(body[:_MAX_BODY])


def _judge(
    capture: Capture, redactor: Redactor, provider: str, status: int, retry_after: str | None, body: bytes
) -> TokenReply | Evidence:
    fields = _json_object(body)
    token = fields.get("access_token")
    if status == _OK and isinstance(token, str) and token:
        rotated = fields.get("refresh_token")
        return TokenReply(
            Secret(token), _lifetime(fields.get("expires_in")), Secret(rotated) if isinstance(rotated, str) and rotated else None
        )
    for name in ("access_token", "refresh_token", "id_token"):  # a confused endpoint may send one all the same
        if isinstance(fields.get(name), str):
            redactor.learn("", str(fields[name]))
    error, description = fields.get("error"), fields.get("error_description")
    words = f"HTTP {status} without an access token" if status == _OK and not error else body
    return Evidence(
        capture.protocol,
        Phase.TOKEN,
        redactor.keep(words),
        provider,
        oauth_error=redactor.keep(error, 128) if isinstance(error, str) else None,
        oauth_description=redactor.keep(description) if isinstance(description, str) else None,
        http_status=status,
        retry_after_seconds=_retry_after(retry_after),
    )


def _unreachable(capture: Capture, error: Exception) -> Evidence:
    """The endpoint gave no HTTP answer: the network's own error where there is one below aiohttp's."""
    cause: BaseException | None = error
    while cause is not None and isinstance(cause, aiohttp.ClientError):
        below = cause.__cause__ or getattr(cause, "os_error", None) or getattr(cause, "certificate_error", None)
        if below is None or below is cause:
            break
        cause = below
    if isinstance(cause, ssl.SSLError | OSError | ResolveError | TargetDeniedError) and not isinstance(cause, aiohttp.ClientError):
        found = capture.error(Phase.TOKEN, cause)
        return Evidence(
            found.protocol, Phase.TOKEN, found.response, found.provider, found.exception, found.errno, found.verify_code
        )
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return capture.finding(Phase.TOKEN, "", "TimeoutError")
    return capture.finding(Phase.TOKEN, str(error), f"aiohttp.{type(error).__name__}")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _lifetime(value: object) -> float:
    try:
        seconds = float(value)  # type: ignore[arg-type]  # whatever it is, it converts or raises
    except (TypeError, ValueError):
        return _LIFETIME_SECONDS
    return min(max(seconds, 60.0), 86_400.0)


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
