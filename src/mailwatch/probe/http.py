"""HTTP towards servers that others name (token endpoints, webhooks): the address connected to is the one that was judged.

Connections go through the same resolver and egress policy as probes, so that no URL can be turned against our own network (SSRF),
not even by a name that resolves differently the second time.  No redirects, no proxies from the environment, no cookies; time and
size are bounded.
"""

import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from mailwatch import __version__
from mailwatch.core.evidence import clean
from mailwatch.ports.delivery import HttpAnswer, HttpError
from mailwatch.probe.dial import Dialer
from mailwatch.probe.failures import ImpairedError, ResolveError, TargetDeniedError
from mailwatch.probe.sockets import OwnSocket

MAX_BODY: Final = 64 * 1024
_TIMEOUT_SECONDS: Final = 10.0
_MAX_WORDS: Final = 200  #: of an error, as it stands in a delivery log
#: What a request that gets no answer may end with; `fetch` raises these, `post` makes one HttpError of them.
NO_ANSWER: Final = (aiohttp.ClientError, TimeoutError, OSError, ResolveError, TargetDeniedError)


class JudgedHttp:
    """An HTTP client behind the egress policy of *dialer*; implements `ports.delivery.HttpPoster`.

    *allow_cleartext* lets http:// URLs through, for servers on this machine.  *connections* and *connections_per_host* bound
    what is open at once; who waits for a free one waits within the time-out.
    """

    def __init__(
        self,
        dialer: Dialer,
        *,
        allow_cleartext: bool = False,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        connections: int = 50,
        connections_per_host: int = 8,
    ) -> None:
        self._dialer = dialer
        self._allow_cleartext = allow_cleartext
        self._timeout_seconds = timeout_seconds
        self._limits = (connections, connections_per_host)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, timeout_seconds: float) -> HttpAnswer:
        """The answer; raises HttpError with words fit for a delivery log."""
        try:
            return await self.fetch("POST", url, headers=headers, body=body, timeout_seconds=timeout_seconds)
        except ImpairedError:
            raise HttpError("http:// is not allowed: what is sent could be read on the way; use https://") from None
        except NO_ANSWER as error:
            raise HttpError(_words(error, timeout_seconds)) from None

    async def fetch(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> HttpAnswer:
        """The answer, whatever its status; raises one of NO_ANSWER as it comes, and ImpairedError for a cleartext URL."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (self._allow_cleartext and parts.scheme == "http"):
            raise ImpairedError("cleartext_refused")
        timeout = aiohttp.ClientTimeout(total=self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        async with self._client().request(
            method, url, headers=headers, data=body, allow_redirects=False, timeout=timeout
        ) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            return HttpAnswer(response.status, found, await _read_some(response))

    async def close(self) -> None:
        """Close kept connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(
                ssl=self._dialer.ssl_context,
                resolver=_JudgingResolver(self._dialer),
                use_dns_cache=False,
                limit=self._limits[0],
                limit_per_host=self._limits[1],
                socket_factory=_judging_sockets(self._dialer),
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                # identity: a small answer is not worth the risk of a large one in disguise
                headers={"User-Agent": f"mailwatch/{__version__}", "Accept-Encoding": "identity"},
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
        return OwnSocket(family, kind, protocol)

    return make


async def _read_some(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > MAX_BODY:
            break
    return bytes(body[:MAX_BODY])


def root_of(error: BaseException) -> BaseException:
    """The network's own error where there is one below aiohttp's, else *error*."""
    cause = error
    while isinstance(cause, aiohttp.ClientError):
        below = cause.__cause__ or getattr(cause, "os_error", None) or getattr(cause, "certificate_error", None)
        if not isinstance(below, BaseException) or below is cause:
            break
        cause = below
    return cause


def _words(error: BaseException, timeout_seconds: float) -> str:
    """Why there is no answer; of an address that the policy forbids no more than that."""
    root = root_of(error)
    if isinstance(root, TargetDeniedError | ResolveError):
        return clean(str(root), _MAX_WORDS)
    if isinstance(root, ssl.SSLError):
        return clean(f"TLS: {getattr(root, 'verify_message', '') or root.reason or root}", _MAX_WORDS)
    if isinstance(root, TimeoutError):
        return f"no answer within {timeout_seconds:g} s"
    if isinstance(root, OSError) and root.strerror:
        return clean(root.strerror, _MAX_WORDS)
    return clean(f"the connection ended without an answer ({type(error).__name__})", _MAX_WORDS)
