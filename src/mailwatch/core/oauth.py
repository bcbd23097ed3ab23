"""OAuth applications and grants, as values, and the pure rules of a consent (RFC 6749, RFC 7636).

Endpoints and scopes are those of Google's and Microsoft's own pages; a custom application names its own.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from mailwatch.core.secret import Secret


@unique
class OAuthKind(StrEnum):
    """Whose token endpoint it is."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"
    CUSTOM = "custom"


@unique
class GrantKind(StrEnum):
    """How mailboxes of an application come to their tokens."""

    CODE = "code"  #: each owner consents; a refresh token is stored (RFC 6749 4.1, RFC 8628)
    CLIENT_CREDENTIALS = "client_credentials"  #: the application logs in for all its mailboxes (RFC 6749 4.4)
    SERVICE_ACCOUNT = "service_account"  #: a signed assertion for each mailbox (RFC 7523)


@unique
class ClientAuth(StrEnum):
    """How a client shows its secret to the endpoints (RFC 6749, 2.3.1)."""

    POST = "post"  #: in the body; Google and Microsoft take both
    BASIC = "basic"  #: in the Authorization header


def _endpoints(google: str | None, microsoft: str | None) -> Mapping[OAuthKind, str]:
    known = {OAuthKind.GOOGLE: google, OAuthKind.MICROSOFT: microsoft}
    return MappingProxyType({kind: url for kind, url in known.items() if url is not None})


TOKEN_URLS: Final = _endpoints(
    "https://oauth2.googleapis.com/token", "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
)
AUTHORIZE_URLS: Final = _endpoints(
    "https://accounts.google.com/o/oauth2/v2/auth", "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize"
)
#: Google's device flow grants few scopes, and none of Gmail's.
DEVICE_URLS: Final = _endpoints(None, "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode")
#: Microsoft revokes nothing on request.
REVOKE_URLS: Final = _endpoints("https://oauth2.googleapis.com/revoke", None)

_GOOGLE_MAIL: Final = ("https://mail.google.com/",)
_MICROSOFT_MAIL: Final = ("https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send")
_MICROSOFT_APP: Final = ("https://outlook.office365.com/.default",)
#: What tells who signed in (OpenID Connect Core 1.0, 5.4), and what makes the consent last.
_SIGN_IN: Final[Mapping[OAuthKind, tuple[str, ...]]] = MappingProxyType(
    {
        OAuthKind.GOOGLE: ("openid", "email"),  # that it lasts is asked for by access_type=offline
        OAuthKind.MICROSOFT: ("openid", "email", "profile", "offline_access"),
        OAuthKind.CUSTOM: (),  # what a server nobody knows would refuse must not be asked of it
    }
)
_NO_MAIL: Final = frozenset({"openid", "email", "profile", "offline_access", "address", "phone"})
_GMAIL: Final = frozenset({"gmail.com", "googlemail.com"})


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """A registered client: one dead secret here disconnects every mailbox of the app."""

    name: str
    kind: OAuthKind
    client_id: str
    client_secret: Secret | None
    token_url: str
    scopes: tuple[str, ...] = ()
    grant: GrantKind = GrantKind.CODE
    authorize_url: str | None = None
    device_url: str | None = None
    revoke_url: str | None = None
    userinfo_url: str | None = None
    client_auth: ClientAuth = ClientAuth.POST
    service_account: Secret | None = None  #: the JSON key of a service account

    @property
    def needs_consent(self) -> bool:
        """Whether each mailbox has a consent of its own; else the application signs in by itself."""
        return self.grant is GrantKind.CODE


@dataclass(frozen=True, slots=True)
class Grant:
    """What a mailbox's consent gave; `epoch` grows with each stored token, so that a late writer can tell it is late."""

    mailbox_id: str
    generation: int
    epoch: int
    refresh_token: Secret
    access_token: Secret | None = None
    expires_at: datetime | None = None
    consent_ends_at: datetime | None = None  #: None: the provider names no end


@dataclass(frozen=True, slots=True)
class ServiceAccountKey:
    """A service account's key, as Google's console hands it out."""

    client_email: str
    private_key: Secret  #: PEM
    key_id: str | None

    @classmethod
    def parse(cls, text: Secret) -> "ServiceAccountKey":
        """The key in a JSON text; raises ValueError, whose words never quote it."""
        try:
            fields = json.loads(text.reveal())
        except (ValueError, RecursionError):
            raise ValueError("not JSON") from None
        if not isinstance(fields, dict):
            raise ValueError("not a JSON object")  # noqa: TRY004  # a fault of the text, like the others
        for name in ("client_email", "private_key"):
            if not isinstance(fields.get(name), str) or not fields[name]:
                raise ValueError(f"no {name} in it")
        if "-----BEGIN" not in fields["private_key"]:
            raise ValueError("private_key is not in PEM form")
        key_id = fields.get("private_key_id")
        return cls(fields["client_email"], Secret(fields["private_key"]), key_id if isinstance(key_id, str) else None)


def mail_scopes(app: OAuthApp) -> tuple[str, ...]:
    """The scopes without which a token opens no mailbox: those configured, else the provider's for IMAP and SMTP."""
    if app.scopes:
        return tuple(scope for scope in app.scopes if scope.lower() not in _NO_MAIL)
    if app.kind is OAuthKind.GOOGLE:
        return _GOOGLE_MAIL
    if app.kind is OAuthKind.MICROSOFT:
        return _MICROSOFT_APP if app.grant is GrantKind.CLIENT_CREDENTIALS else _MICROSOFT_MAIL
    return ()


def consent_scopes(app: OAuthApp) -> tuple[str, ...]:
    """What a person is asked to allow: the mail, and what tells who signed in."""
    return tuple(dict.fromkeys((*_SIGN_IN[app.kind], *(app.scopes or mail_scopes(app)))))


def missing_scopes(app: OAuthApp, granted: Collection[str]) -> tuple[str, ...]:
    """The mail scopes that were not granted; spelling is compared without case, since Microsoft answers in its own."""
    have = {scope.lower().rstrip("/") for scope in granted}
    return tuple(scope for scope in mail_scopes(app) if scope.lower().rstrip("/") not in have)


def same_login(one: str, other: str) -> bool:
    """Whether two names are the same login: without case, and in Gmail's own domains without dots, as Google has it."""
    return _canonical(one) == _canonical(other)


def _canonical(name: str) -> str:
    local, at, domain = name.strip().lower().rpartition("@")
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}{at}{domain}"


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
