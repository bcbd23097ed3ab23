"""The OAuth endpoints of a simulated provider, HTTP/1.1: tokens for codes and refresh tokens (RFC 6749, 4.1.3 and 6) and revocation
(RFC 7009) over TLS, the consent page in clear.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from mailwatch.sim import consent_page
from mailwatch.sim.dialects import Dialect
from mailwatch.sim.faults import Fault, FaultKind, Stage
from mailwatch.sim.provider import Provider
from mailwatch.sim.wire import PeerGoneError, Wire

_MAX_BODY: Final = 65_536
_STATUS: Final = {
    200: "OK",
    303: "See Other",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_TRACE: Final = "Trace ID: 6f1c0000-0000-0000-0000-000000000000\r\nTimestamp: 2026-01-15 10:21:33Z"
_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head><body><h2>Our services aren't available right now</h2>"
    "<p>We're working to restore all services as soon as possible. Please check back soon.</p></body></html>"
)
_REVOKED: Final[Mapping[Dialect, str]] = {
    Dialect.GOOGLE: "Token has been expired or revoked.",
    Dialect.MICROSOFT: "AADSTS700082: The refresh token has expired due to inactivity. The token was issued on"
    " 2025-09-01T08:00:00.0000000Z and was inactive for 90.00:00:00.\r\n" + _TRACE,
    Dialect.YAHOO: "The refresh token is invalid or has been revoked",
    Dialect.HOSTER: "Token is not active",
}
_SECRET_EXPIRED: Final[Mapping[Dialect, str]] = {
    Dialect.GOOGLE: "The provided client secret is invalid.",
    Dialect.MICROSOFT: "AADSTS7000222: The provided client secret keys for app 'a1b2c3d4-0000-0000-0000-000000000000' are expired."
    " Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret.\r\n" + _TRACE,
    Dialect.YAHOO: "Client authentication failed",
    Dialect.HOSTER: "Invalid client or Invalid client credentials",
}
Answer = tuple[int, Any, Mapping[str, str]]


class OAuthSession:
    """One HTTP connection; requests follow each other on it."""

    def __init__(self, provider: Provider, wire: Wire) -> None:
        self._provider = provider
        self._wire = wire

    def say_bye(self, _words: str) -> None:
        """HTTP has no farewell."""
        self._wire.close()

    async def run(self) -> None:
        """Answer until the client leaves; raises PeerGoneError at the end."""
        while True:
            request = (await self._wire.line()).decode("latin-1").split()
            headers = await self._headers()
            length = int(headers.get("content-length", "0")) if headers.get("content-length", "0").isdigit() else 0
            if length > _MAX_BODY:
                self._answer(413, {"error": "invalid_request"}, {})
                raise PeerGoneError
            body = await self._wire.exactly(length)
            await self._reply(request, headers, body)
            if headers.get("connection", "").lower() == "close":
                raise PeerGoneError

    async def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while line := (await self._wire.line()).decode("latin-1"):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return headers

    async def _reply(self, request: list[str], headers: Mapping[str, str], body: bytes) -> None:
        method, target = (*request, "", "")[:2]
        parts = urlsplit(target)
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        if parts.path == consent_page.PATH and not self._wire.encrypted:
            self._answer(*self._consent(method, dict(parse_qsl(parts.query)), form))
        elif parts.path not in {"/token", "/revoke"} or not self._wire.encrypted:
            self._answer(404, {"error": "not_found"}, {})
        elif method != "POST":
            self._answer(405, {"error": "invalid_request"}, {"Allow": "POST"})
        else:
            self._answer(*await (self._grant(form, headers) if parts.path == "/token" else self._revoke(form, headers)))

    def _consent(self, method: str, query: Mapping[str, str], form: Mapping[str, str]) -> Answer:
        provider, asked = self._provider, form if method == "POST" else query
        words = consent_page.fault(provider, asked)
        if words is not None:
            return 400, f"<!doctype html><title>400</title><p>{words}</p>", {}
        if method != "POST":
            return 200, consent_page.page(provider, asked), {}
        target = consent_page.decided(provider, form)
        if target is None:
            return 200, consent_page.page(provider, form, "There is no such account here."), {}
        return 303, "", {"Location": target}

    async def _revoke(self, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        provider = self._provider
        if _client(form, headers) != (provider.client_id, provider.client_secret):
            return _invalid_client(provider.spec.dialect)
        owner = provider.tokens.owner_of_grant(form.get("token", ""))
        if owner is not None:
            provider.tokens.revoke(owner)
        return 200, {}, {}  # an unknown token is as good as revoked (RFC 7009, 2.2)

    async def _grant(self, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        provider, dialect = self._provider, self._provider.spec.dialect
        token = form.get("refresh_token", "")
        owner = provider.tokens.owner_of_grant(token)
        for fault in provider.faults.at(Stage.TOKEN, address=owner or "nobody"):
            return await self._fail(fault)
        if _client(form, headers) != (provider.client_id, provider.client_secret):
            return _invalid_client(dialect)
        if form.get("grant_type") == "authorization_code":
            return self._exchange(form)
        if form.get("grant_type") != "refresh_token":
            return 400, {"error": "unsupported_grant_type"}, {}
        provider.ledger.refreshes[owner or "unknown"] += 1
        issued = provider.tokens.refresh(token)
        if issued is None:
            return _invalid_grant(dialect)
        answer = {"access_token": issued.access_token, "token_type": "Bearer", "expires_in": issued.expires_in_seconds}
        if issued.refresh_token is not None:
            answer["refresh_token"] = issued.refresh_token
        return 200, answer, {}

    def _exchange(self, form: Mapping[str, str]) -> Answer:
        provider = self._provider
        found = provider.tokens.redeem(
            form.get("code", ""), verifier=form.get("code_verifier", ""), redirect_uri=form.get("redirect_uri", "")
        )
        if found is None:
            return 400, {"error": "invalid_grant", "error_description": "Bad Request"}, {}
        issued, scope = found
        answer = {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": issued.expires_in_seconds,
            "refresh_token": issued.refresh_token,
            "scope": scope,
            "id_token": _id_token(provider.client_id, issued.address),
        }
        return 200, answer, {}

    async def _fail(self, fault: Fault) -> Answer:
        dialect = self._provider.spec.dialect
        if fault.kind is FaultKind.TOKEN_HANG:
            await self._wire.silence()
            raise PeerGoneError
        answers: dict[FaultKind, Answer] = {
            FaultKind.GRANT_REVOKED: _invalid_grant(dialect),
            FaultKind.APP_SECRET_EXPIRED: _invalid_client(dialect),
            FaultKind.TOKEN_ERROR: (500, {"error": "internal_failure"}, {}),
            FaultKind.TOKEN_THROTTLED: (
                429,
                {"error": "too_many_requests", "error_description": "Too many requests."},
                {"Retry-After": str(round(fault.seconds or 30))},
            ),
            FaultKind.TOKEN_EMPTY: (200, {"token_type": "Bearer"}, {}),
        }
        return answers.get(fault.kind, (503, _PAGE, {}))

    def _answer(self, status: int, content: Any, headers: Mapping[str, str]) -> None:
        is_page = isinstance(content, str)
        body = (content if is_page else json.dumps(content)).encode()
        lines = [
            f"HTTP/1.1 {status} {_STATUS[status]}",
            f"Content-Type: {'text/html' if is_page else 'application/json'}",
            f"Content-Length: {len(body)}",
            "Cache-Control: no-store",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self._wire.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def _invalid_grant(dialect: Dialect) -> Answer:
    return 400, {"error": "invalid_grant", "error_description": _REVOKED[dialect]}, {}


def _invalid_client(dialect: Dialect) -> Answer:
    return 401, {"error": "invalid_client", "error_description": _SECRET_EXPIRED[dialect]}, {}


def _id_token(client_id: str, address: str) -> str:
    """Who signed in (OpenID Connect Core 1.0, 2); unsigned, as nobody checks what comes over TLS from the token endpoint itself."""
    parts = ({"alg": "none"}, {"aud": client_id, "sub": address, "email": address, "email_verified": True})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def _client(form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """Id and secret of the client, from the body or from HTTP Basic (RFC 6749, 2.3.1)."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return name, secret
    return form.get("client_id", ""), form.get("client_secret", "")
