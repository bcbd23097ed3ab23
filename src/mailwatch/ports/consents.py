"""The seams of an OAuth consent: the running flow at rest, and the provider's endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Protocol

from mailwatch.core.mailbox import Mailbox
from mailwatch.core.oauth import OAuthApp
from mailwatch.core.secret import Secret
from mailwatch.ports import Act, MailwatchError


class ConsentError(MailwatchError):
    """The consent cannot be used; the text says what went wrong and what to do, in words fit for the mailbox's owner."""


@unique
class ConsentState(StrEnum):
    """How far a consent has come."""

    WAITING = "waiting"  #: the person is at the provider
    EXCHANGING = "exchanging"  #: the code came back and was taken by somebody: only one may use it
    STORED = "stored"  #: the new consent is stored; the mailbox is being verified
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ConsentSession:
    """One run of the flow: begun for one mailbox, by one browser or terminal, good for ten minutes and one use."""

    id: str  #: `oas_…`, what the API shows
    mailbox_id: str
    app: str
    state: ConsentState
    created_at: datetime
    expires_at: datetime
    actor: str
    error: str | None = None
    user_code: str | None = None  #: device flow: what the person types …
    verification_url: str | None = None  #: … and where


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider gave for a code: `address` is who signed in, as the provider says, None when it does not tell."""

    access_token: Secret
    lifetime_seconds: float
    refresh_token: Secret | None
    scopes: frozenset[str]
    address: str | None
    aliases: frozenset[str] = frozenset()  #: other names that the provider gives the same person
    consent_seconds: float | None = None  #: how long the consent itself lasts, where the provider says


@dataclass(frozen=True, slots=True)
class DeviceStart:
    """RFC 8628, 3.2."""

    device_code: Secret
    user_code: str
    verification_url: str
    interval_seconds: float
    expires_in_seconds: float


class ConsentEndpoints(Protocol):
    """The provider's side of a consent, over HTTP.  Refusals raise ConsentError."""

    def authorize_url(
        self, app: OAuthApp, *, state: str, challenge: str, redirect_uri: str, address: str, choose: bool = False
    ) -> str:
        """Where the person is sent (RFC 6749 4.1.1 with PKCE S256, RFC 7636); raises ConsentError where there is no such place.

        *choose*: the last try ended with a wrong account, so let the provider ask which one.
        """

    async def exchange(self, app: OAuthApp, *, code: Secret, verifier: Secret, redirect_uri: str) -> Tokens:
        """The tokens for a code (RFC 6749 4.1.3)."""

    async def start_device(self, app: OAuthApp) -> DeviceStart:
        """Begin a device flow (RFC 8628); raises ConsentError where the provider has none."""

    async def poll_device(self, app: OAuthApp, start: DeviceStart) -> Tokens | float:
        """The tokens, or how many seconds to wait before asking again."""

    async def revoke(self, app: OAuthApp, refresh_token: Secret) -> bool:
        """Revoke a grant where the provider allows (RFC 7009); whether it did.  Never raises."""


class LoginProof(Protocol):
    """Shows whose token it is where the provider does not tell: by logging in with it."""

    async def refusal(self, mailbox: Mailbox, access_token: Secret) -> str | None:
        """None when *mailbox*'s server lets the token in as its user, else why not, in words for its owner."""


class ConsentSessions(Protocol):
    """Running consents at rest; state and verifier never in clear."""

    async def begin(
        self, session: ConsentSession, *, state_hash: str, browser_hash: str, verifier: Secret, act: Act | None = None
    ) -> None:
        """Keep a new flow, with *act* in the audit log; an older waiting one of the same mailbox is ended."""

    async def take(self, state_hash: str, browser_hash: str, now: datetime) -> tuple[ConsentSession, Secret] | None:
        """The flow and its PKCE verifier, once: afterwards it is EXCHANGING.  None: unknown, used, ended, or another browser's."""

    async def finish(self, session_id: str, state: ConsentState, error: str | None = None, *, act: Act | None = None) -> None:
        """How it went, with *act* in the audit log; *error* names no address but the mailbox's own."""

    async def find(self, session_id: str, now: datetime) -> ConsentSession | None:
        """What the API shows; WAITING past its end reads EXPIRED."""

    async def of_mailbox(self, mailbox_id: str) -> Sequence[ConsentSession]:
        """The flows of a mailbox, newest first."""
