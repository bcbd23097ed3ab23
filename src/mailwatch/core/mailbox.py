"""The monitored login: what to probe, and where.

A *mailbox* is the login; IMAP's other "mailbox" is always called a folder.  Endpoints are written as URLs (RFC 8314's
implicit TLS is `imaps`/`smtps`): `imaps://host:993`, `imap+starttls://host:143`, `imap://host:143`, `smtps://host:465`,
`smtp+starttls://host:587`, `smtp://host:25`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit


@unique
class Protocol(StrEnum):
    """A channel of a mailbox."""

    IMAP = "imap"
    SMTP = "smtp"


@unique
class TlsMode(StrEnum):
    """How a connection is secured (RFC 8314)."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


@unique
class AuthKind(StrEnum):
    """What kind of secret logs in."""

    PASSWORD = "password"
    OAUTH = "oauth"


@unique
class Depth(StrEnum):
    """How far a probe goes."""

    REACH = "reach"  #: connect, TLS, greeting, capabilities; no secret leaves
    LOGIN = "login"  #: IMAP login and SELECT, SMTP AUTH
    SUBMIT = "submit"  #: also MAIL FROM, RCPT TO, RSET; never DATA


class EndpointError(ValueError):
    """The URL of an endpoint cannot be used; the text says why and what would be right."""


_SCHEMES: Final[Mapping[str, tuple[Protocol, TlsMode, int]]] = MappingProxyType(
    {
        "imaps": (Protocol.IMAP, TlsMode.IMPLICIT, 993),
        "imap+starttls": (Protocol.IMAP, TlsMode.STARTTLS, 143),
        "imap": (Protocol.IMAP, TlsMode.NONE, 143),
        "smtps": (Protocol.SMTP, TlsMode.IMPLICIT, 465),
        "smtp+starttls": (Protocol.SMTP, TlsMode.STARTTLS, 587),
        "smtp": (Protocol.SMTP, TlsMode.NONE, 25),
    }
)
_SPELLING: Final = {(protocol, mode): scheme for scheme, (protocol, mode, _) in _SCHEMES.items()}
_MAX_HOST: Final = 253  # RFC 1035, 2.3.4
_MAX_ADDRESS: Final = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
_HOST: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?|[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?")
_ADDRESS: Final = re.compile(r"[^\s@\x00-\x1f\x7f<>\"(),:;\[\]\\]{1,64}@[^\s@\x00-\x1f\x7f<>\"(),:;\\]{1,255}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens: protocol, host, port, TLS mode."""

    protocol: Protocol
    host: str
    port: int
    tls_mode: TlsMode

    @classmethod
    def parse(cls, url: str, protocol: Protocol | None = None) -> "Endpoint":
        """The endpoint that *url* names; raises EndpointError with the cure."""
        try:
            parts = urlsplit(url.strip())
        except ValueError as error:  # brackets that do not match, characters that change under normalisation
            raise EndpointError(f"{url!r}: this is no URL; write such as imaps://mail.example.org:993") from error
        allowed = [scheme for scheme, kind in _SCHEMES.items() if protocol in (None, kind[0])]
        known = _SCHEMES.get(parts.scheme.lower())
        if known is None or parts.scheme.lower() not in allowed:
            raise EndpointError(f"{url!r}: the scheme must be one of {', '.join(allowed)}, such as {allowed[0]}://mail.example.org")
        if parts.username is not None or parts.password is not None:
            raise EndpointError("an endpoint URL holds no user name or password; give them apart")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise EndpointError(f"{url!r}: nothing may follow the host and port")
        try:
            port = parts.port
        except ValueError as error:
            raise EndpointError(f"{url!r}: the port must be a number from 1 to 65535") from error
        host = (parts.hostname or "").rstrip(".")
        try:
            host = host if host.isascii() else host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise EndpointError(f"{url!r}: {parts.hostname!r} is no host name") from error
        if port == 0 or len(host) > _MAX_HOST or not _HOST.fullmatch(host):
            raise EndpointError(
                f"{url!r}: a host name or IP address is needed, such as {parts.scheme}://mail.example.org:{known[2]}"
            )
        return cls(known[0], host, port or known[2], known[1])

    @property
    def url(self) -> str:
        """The URL that names this endpoint."""
        return f"{_SPELLING[self.protocol, self.tls_mode]}://{self.authority}"

    @property
    def authority(self) -> str:
        """host:port, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One monitored login; its secret is never here."""

    id: str  #: opaque, `mb_…`
    address: str
    username: str
    auth: AuthKind
    imap: Endpoint | None
    smtp: Endpoint | None
    provider: str  #: a name of the known table or of the configuration, else `other`
    created_at: datetime
    oauth_app: str | None = None
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    campaigns: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The part of the address behind the @, lower case."""
        return self.address.rpartition("@")[2].lower()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The channels this mailbox has, IMAP first."""
        return tuple(endpoint for endpoint in (self.imap, self.smtp) if endpoint is not None)


def is_address(text: str) -> bool:
    """Whether *text* has the shape of an e-mail address (RFC 5321 limits; no check that it exists)."""
    return len(text) <= _MAX_ADDRESS and _ADDRESS.fullmatch(text) is not None
