"""OAuth applications and grants, as values (RFC 6749)."""

from collections.abc import Mapping
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


TOKEN_URLS: Final[Mapping[OAuthKind, str]] = MappingProxyType(
    {
        OAuthKind.GOOGLE: "https://oauth2.googleapis.com/token",
        OAuthKind.MICROSOFT: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
    }
)


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """A registered client: one dead secret here disconnects every mailbox of the app."""

    name: str
    kind: OAuthKind
    client_id: str
    client_secret: Secret | None
    token_url: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a mailbox's consent gave; `epoch` grows with each stored token, so that a late writer can tell it is late."""

    mailbox_id: str
    generation: int
    epoch: int
    refresh_token: Secret
    access_token: Secret | None = None
    expires_at: datetime | None = None
