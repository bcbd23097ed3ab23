"""The OAuth grants of one simulated provider: refresh tokens that rotate or stay, access tokens that expire.

The rules are RFC 6749's (section 6); what a reused refresh token does is the provider's choice (RFC 9700, 4.14.2).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mailwatch.core.oauth import challenge_of

_CODE_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Issued:
    """What the token endpoint hands out."""

    address: str
    access_token: str = field(repr=False)
    expires_in_seconds: int
    refresh_token: str | None = field(repr=False, default=None)  #: set when the provider rotates


@dataclass(frozen=True, slots=True)
class Code:
    """A click on Allow, good for one exchange."""

    address: str
    challenge: str
    redirect_uri: str
    scope: str
    ends: float


class TokenBook:
    """Who has consented, and which tokens are good now."""

    def __init__(
        self, clock: Callable[[], float], rng: random.Random, *, prefix: str, lifetime_seconds: float, rotates: bool
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._prefix = prefix
        self.lifetime_seconds = lifetime_seconds
        self.rotates = rotates
        self.reuse_revokes = False  #: a refresh token used twice kills the whole grant
        self._refresh: dict[str, str] = {}  # refresh token -> address
        self._spent: set[str] = set()
        self._access: dict[str, tuple[str, float]] = {}  # access token -> address, end
        self._current: dict[str, str] = {}  # address -> access token handed out last
        self._codes: dict[str, Code] = {}

    def _token(self, prefix: str) -> str:
        return prefix + self._rng.randbytes(30).hex()

    def consent(self, address: str) -> str:
        """The owner of *address* agrees: a new refresh token."""
        token = self._token("1//0")
        self._refresh[token] = address
        return token

    def code(self, address: str, *, challenge: str, redirect_uri: str, scope: str) -> str:
        """The owner of *address* agrees in a browser: a code to be exchanged."""
        token = self._token("4/0")
        self._codes[token] = Code(address, challenge, redirect_uri, scope, self._clock() + _CODE_SECONDS)
        return token

    def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> tuple[Issued, str] | None:
        """First tokens and scope for *code*, once, to who has its PKCE verifier (RFC 7636, 4.6); None otherwise."""
        known = self._codes.pop(code, None)
        if known is None or self._clock() >= known.ends or known.redirect_uri != redirect_uri or not verifier.isascii():
            return None
        if challenge_of(verifier) != known.challenge:
            return None
        refresh_token = self.consent(known.address)
        first = self.refresh(refresh_token)
        assert first is not None
        return Issued(
            first.address, first.access_token, first.expires_in_seconds, first.refresh_token or refresh_token
        ), known.scope

    def revoke(self, address: str) -> None:
        """The consent of *address* is taken back: its tokens are dead."""
        for token in [token for token, owner in self._refresh.items() if owner == address]:
            del self._refresh[token]
        self.expire(address)

    def expire(self, address: str) -> None:
        """Its access token is no longer good; the consent stays."""
        current = self._current.pop(address, None)
        if current is not None:
            self._access.pop(current, None)

    def refresh(self, refresh_token: str) -> Issued | None:
        """A new access token, or None when the grant is dead."""
        address = self._refresh.get(refresh_token)
        if address is None:
            return None
        if refresh_token in self._spent and self.reuse_revokes:
            self.revoke(address)
            return None
        access = self._token(self._prefix)
        self.expire(address)  # one at a time keeps the book small; providers let the old one run out
        self._access[access] = (address, self._clock() + self.lifetime_seconds)
        self._current[address] = access
        rotated = self.consent(address) if self.rotates else None
        if rotated is not None:
            self._spent.add(refresh_token)
        return Issued(address, access, max(1, int(self.lifetime_seconds)), rotated)

    def owner_of_grant(self, refresh_token: str) -> str | None:
        """Whose refresh token it is."""
        return self._refresh.get(refresh_token)

    def owner_of_access(self, access_token: str) -> str | None:
        """Whose access token it is, None when it is unknown or has expired."""
        address, ends = self._access.get(access_token, (None, 0.0))
        return address if self._clock() < ends else None
