"""The outermost layer: who the peer really is, whether it asked for this very host, and the headers of every answer.

- X-Forwarded-* is believed from the trusted proxies alone.
- A Host header that is neither loopback, an IP address, nor one of our names is refused (421): a name that its owner points at
  this machine (DNS rebinding) is of the page's own origin to a browser.
- Unsafe requests that a browser makes for another site are refused by Fetch Metadata, with Origin as the older sign; a request
  with a bearer token is none that a browser makes by itself.
- A bug becomes a 500 without a word of its inside.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailwatch.ports import EventLog
from mailwatch.web.problems import Problem, from_error
from mailwatch.web.surface import WebSettings

#: Without `form-action` of an identity provider: a page that sends there by a form sets its own.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),  # for browsers that do not know frame-ancestors
)
_HSTS: Final = "max-age=31536000"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: Asked by load balancers under any name; they tell nothing.
ALWAYS_OPEN: Final = frozenset({"/-/healthy", "/livez", "/-/ready", "/readyz"})
_COOKIES: Final = ("mailwatch=", "__Host-mailwatch=")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Perimeter:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, *, settings: WebSettings, log: EventLog | None = None) -> None:
        self._app = app
        self._log = log
        self._trusted = [ipaddress.ip_network(proxy, strict=False) for proxy in settings.trusted_proxies]
        self._external = urlsplit(settings.external_url) if settings.external_url else None
        self._names = {name.lower() for name in settings.host_names} | {"localhost"}
        if self._external is not None and self._external.hostname:
            self._names.add(self._external.hostname.lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return  # no WebSocket is spoken here; the server answers that by itself
        scope = self._as_asked(scope)
        sender = _Sender(send, tls=scope["scheme"] == "https")
        problem = self._refused(scope)
        if problem is None:
            try:
                await self._app(scope, receive, sender)
            except Exception as error:  # noqa: BLE001  # whatever it is: no answer may show it, and the loop goes on
                problem = self._broken(scope, error)
        if problem is not None and not sender.started:
            await problem.response(scope["path"])(scope, receive, sender)

    def _broken(self, scope: Scope, error: Exception) -> Problem:
        problem = from_error(error)
        if problem is None:
            problem = Problem("internal")
            if self._log is not None:
                self._log.error("request.failed", method=scope["method"], path=scope["path"], exc_info=error)
        return problem

    # --- who asks, and for what ---

    def _as_asked(self, scope: Scope) -> Scope:
        """The scope with peer, scheme and host as the client meant them."""
        headers = Headers(scope=scope)
        host, scheme, client, root = headers.get("host", ""), scope["scheme"], scope.get("client"), scope.get("root_path", "")
        peer = client[0] if client else ""
        forwarded = self._is_trusted(peer)
        if forwarded:
            client = (self._first_untrusted(headers.getlist("x-forwarded-for"), peer), 0)
            scheme = headers.get("x-forwarded-proto", scheme).rpartition(",")[2].strip().lower()
            host = headers.get("x-forwarded-host", host).rpartition(",")[2].strip()
            scheme = scheme if scheme in _DEFAULT_PORTS else scope["scheme"]
        if self._external is not None and _same_place(host, self._external):
            scheme, root = self._external.scheme, self._external.path.rstrip("/")
        raw = [(name, value) for name, value in scope["headers"] if name != b"host"]
        if host:
            raw.append((b"host", host.encode("latin-1", "replace")))
        return {
            **scope,
            "client": client,
            "scheme": scheme,
            "root_path": root,
            "headers": raw,
            "mailwatch.forwarded": forwarded and "x-forwarded-for" in headers,
        }

    def _is_trusted(self, address: str) -> bool:
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self._trusted)

    def _first_untrusted(self, lists: Iterable[str], peer: str) -> str:
        """The last address in X-Forwarded-For that no proxy of ours has: what stands before it, anybody can write."""
        named = [address.strip() for each in lists for address in each.split(",") if address.strip()]
        for address in reversed(named):
            try:
                ipaddress.ip_address(address)
            except ValueError:
                return peer
            if not self._is_trusted(address):
                return address
            peer = address
        return peer

    # --- what is refused ---

    def _refused(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host and scope["path"] not in ALWAYS_OPEN and not self._is_ours(host):
            return Problem("misdirected", "set [web] external_url or host_names to the name this is asked by")
        if "/api/" not in scope["path"] and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            return Problem("malformed", "a URL holds no NUL")  # PostgreSQL knows no such text; the API says so by field
        if scope["method"] in _SAFE or headers.get("authorization", "").lower().startswith("bearer "):
            return None
        if self._is_cross_site(headers, scope["scheme"], host):
            return Problem("cross_site")
        return None

    def _is_ours(self, host: str) -> bool:
        name = _hostname(host)
        if name is None:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True

    def _is_cross_site(self, headers: Headers, scheme: str, host: str) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site not in ("same-origin", "none")
        origin = headers.get("origin")
        if origin is None:  # no browser of today; but a signed-in browser's cookie asks for a sign
            return any(name in headers.get("cookie", "") for name in _COOKIES)
        return not _same_place(host, urlsplit(origin), scheme)


def _hostname(host: str) -> str | None:
    """The name in a Host header, lower case; None when it has no such form."""
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018  # raises for a port that is none
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.hostname.lower() if parts.hostname else None


def _same_place(host: str, place: SplitResult, scheme: str | None = None) -> bool:
    """Whether a Host header names the host and port of a URL; with *scheme*, its scheme is that too."""
    try:
        asked = urlsplit(f"//{host}")
        default = _DEFAULT_PORTS.get(place.scheme)
        same = (asked.hostname, asked.port or default) == (place.hostname, place.port or default)
    except ValueError:
        return False
    return same and place.hostname is not None and (scheme is None or scheme == place.scheme)


class _Sender:
    """Adds the headers of every answer, where the answer has none of its own."""

    def __init__(self, send: Send, *, tls: bool) -> None:
        self._send = send
        self._tls = tls
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS:
                headers.setdefault(name, value)
            if self._tls:
                headers.setdefault("strict-transport-security", _HSTS)
        await self._send(message)
