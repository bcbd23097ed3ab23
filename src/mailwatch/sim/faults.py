"""The closed set of faults a simulated provider can show, where in a session each strikes, and which are active now.

A fault hits a whole provider, one domain, named mailboxes, or a share of either; the share is drawn from a hash of the seed and
the address, so that the same mailboxes are hit in every session and in every run.
"""

import itertools
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from mailwatch.core.mailbox import Protocol


@unique
class Stage(StrEnum):
    """Where in a session a fault strikes."""

    DOOR = "door"  #: before or instead of accepting
    CERTIFICATE = "certificate"
    GREETING = "greeting"
    LOGIN = "login"  #: instead of the answer to the secret
    SESSION = "session"  #: after a login
    SUBMISSION = "submission"  #: MAIL, RCPT, DATA
    TOKEN = "token"  #: at the OAuth token endpoint


@unique
class FaultKind(StrEnum):
    """Everything that can go wrong here."""

    # network
    REFUSE = "refuse"  #: the port answers with a reset
    DROP_ON_ACCEPT = "drop_on_accept"  #: accepted, then closed without a word
    RESET = "reset"  #: accepted, then reset
    BAN = "ban"  #: five refused logins in ten minutes, then silence for everyone (fail2ban's default)
    MUTE = "mute"  #: accepted, TLS made, never a byte more
    DRIP = "drip"  #: the greeting at one byte a second
    ENDLESS = "endless"  #: a greeting line that never ends
    GARBAGE = "garbage"  #: another protocol's greeting
    OVERLOADED = "overloaded"  #: 421, * BYE instead of a greeting
    MAINTENANCE = "maintenance"
    CONNECTION_LIMIT = "connection_limit"  #: said to the login, as large providers do
    OUTAGE = "outage"  #: every door shut, the token endpoint's too, and every session cut
    DROP_AFTER_LOGIN = "drop_after_login"
    # certificates
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_SELF_SIGNED = "certificate_self_signed"
    CERTIFICATE_WRONG_HOST = "certificate_wrong_host"
    # throttles
    LOGIN_THROTTLED = "login_throttled"
    COMMANDS_THROTTLED = "commands_throttled"  #: after the login, with a hint where the provider gives one
    TEMPORARY_AUTH_FAILURE = "temporary_auth_failure"
    LOGIN_DELAY = "login_delay"  #: the answer to a secret comes late (penalty of Dovecot)
    # secrets and accounts
    WRONG_SECRET = "wrong_secret"
    EVERYBODY_REFUSED = "everybody_refused"  #: an over-polled host tells everyone that the password is wrong
    APP_PASSWORD_REQUIRED = "app_password_required"
    BASIC_AUTH_DISABLED = "basic_auth_disabled"
    SMTP_AUTH_DISABLED = "smtp_auth_disabled"  #: for the tenant; IMAP goes on
    IMAP_DISABLED = "imap_disabled"
    WEB_LOGIN_REQUIRED = "web_login_required"
    ACCOUNT_DISABLED = "account_disabled"
    PASSWORD_EXPIRED = "password_expired"
    ACCESS_TOKEN_REFUSED = "access_token_refused"
    # sending
    QUOTA_FULL = "quota_full"
    SENDING_LIMIT = "sending_limit"
    # tokens
    GRANT_REVOKED = "grant_revoked"
    APP_SECRET_EXPIRED = "app_secret_expired"
    TOKEN_ERROR = "token_error"  #: 500
    TOKEN_THROTTLED = "token_throttled"  #: 429 with Retry-After
    TOKEN_HTML = "token_html"  #: 503 and a page for people
    TOKEN_HANG = "token_hang"
    TOKEN_EMPTY = "token_empty"  #: 200 without an access token


_IMAP: Final = frozenset({Protocol.IMAP})
_SMTP: Final = frozenset({Protocol.SMTP})
_BOTH: Final = _IMAP | _SMTP
_K, _S = FaultKind, Stage
_STAGES: Final[Mapping[Stage, frozenset[FaultKind]]] = MappingProxyType(
    {
        _S.DOOR: frozenset({_K.REFUSE, _K.DROP_ON_ACCEPT, _K.RESET, _K.BAN, _K.OUTAGE}),
        _S.CERTIFICATE: frozenset(
            {_K.CERTIFICATE_EXPIRED, _K.CERTIFICATE_UNTRUSTED, _K.CERTIFICATE_SELF_SIGNED, _K.CERTIFICATE_WRONG_HOST}
        ),
        _S.GREETING: frozenset({_K.MUTE, _K.DRIP, _K.ENDLESS, _K.GARBAGE, _K.OVERLOADED, _K.MAINTENANCE}),
        _S.SESSION: frozenset({_K.DROP_AFTER_LOGIN, _K.COMMANDS_THROTTLED}),
        _S.SUBMISSION: frozenset({_K.QUOTA_FULL, _K.SENDING_LIMIT}),
        _S.TOKEN: frozenset(
            {
                _K.GRANT_REVOKED,
                _K.APP_SECRET_EXPIRED,
                _K.TOKEN_ERROR,
                _K.TOKEN_THROTTLED,
                _K.TOKEN_HTML,
                _K.TOKEN_HANG,
                _K.TOKEN_EMPTY,
            }
        ),
    }
)
_STAGE_OF: Final[Mapping[FaultKind, Stage]] = {kind: stage for stage, kinds in _STAGES.items() for kind in kinds}
_ONE_PROTOCOL: Final[Mapping[FaultKind, frozenset[Protocol]]] = {
    _K.SMTP_AUTH_DISABLED: _SMTP,
    _K.QUOTA_FULL: _SMTP,
    _K.SENDING_LIMIT: _SMTP,
    _K.IMAP_DISABLED: _IMAP,
}
#: Refusals of the secret itself: a server counts them against the client's address.
REFUSE_THE_SECRET: Final = frozenset(
    {
        _K.WRONG_SECRET,
        _K.EVERYBODY_REFUSED,
        _K.APP_PASSWORD_REQUIRED,
        _K.BASIC_AUTH_DISABLED,
        _K.SMTP_AUTH_DISABLED,
        _K.IMAP_DISABLED,
        _K.WEB_LOGIN_REQUIRED,
        _K.ACCOUNT_DISABLED,
        _K.PASSWORD_EXPIRED,
        _K.ACCESS_TOKEN_REFUSED,
    }
)
_numbers = itertools.count(1)


def stage_of(kind: FaultKind) -> Stage:
    """Where faults of *kind* strike."""
    return _STAGE_OF.get(kind, Stage.LOGIN)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at one provider."""

    kind: FaultKind
    provider: str
    domain: str | None = None  #: only mailboxes of this domain
    addresses: frozenset[str] = frozenset()  #: only these mailboxes; empty = all
    share: float = 1.0  #: of the mailboxes left, or of the connections where no mailbox is known yet
    protocol: Protocol | None = None  #: only this channel
    seconds: float | None = None  #: the delay, or the time the hint names
    words: str | None = None  #: instead of the provider's usual words
    seed: int = field(default_factory=lambda: next(_numbers))

    @property
    def stage(self) -> Stage:
        """Where it strikes."""
        return stage_of(self.kind)

    def strikes(self, protocol: Protocol | None, address: str | None, chance: float) -> bool:
        """Whether it hits a session over *protocol* of *address*; *chance* (0 to 1) stands in while no address is known.

        Before the login nobody knows whose session it is: a fault of named mailboxes cannot strike there.
        """
        channels = _ONE_PROTOCOL.get(self.kind, _BOTH) if self.protocol is None else frozenset({self.protocol})
        if protocol is not None and protocol not in channels:
            return False
        if address is None:
            return self.domain is None and not self.addresses and chance < self.share
        if self.addresses and address not in self.addresses:
            return False
        if self.domain is not None and not address.endswith(f"@{self.domain}"):
            return False
        return self.share >= 1.0 or self.draw(address) < self.share

    def draw(self, address: str) -> float:
        """A number from 0 to 1 that is always the same for this fault and *address*."""
        return zlib.crc32(f"{self.seed}:{address}".encode()) / 2**32


class ActiveFaults:
    """The faults of one provider that are active now."""

    def __init__(self) -> None:
        self._by_stage: dict[Stage, list[Fault]] = {stage: [] for stage in Stage}

    def add(self, fault: Fault) -> None:
        """From now on *fault* strikes."""
        self._by_stage[fault.stage].append(fault)

    def remove(self, fault: Fault) -> None:
        """*fault* is over; nothing happens when it was not active."""
        if fault in self._by_stage[fault.stage]:
            self._by_stage[fault.stage].remove(fault)

    def clear(self) -> None:
        """All are over."""
        for faults in self._by_stage.values():
            faults.clear()

    def __iter__(self) -> Iterator[Fault]:
        return itertools.chain.from_iterable(self._by_stage.values())

    def at(
        self, stage: Stage, protocol: Protocol | None = None, address: str | None = None, chance: float = 0.0
    ) -> Iterator[Fault]:
        """The faults that strike there, oldest first."""
        return (fault for fault in self._by_stage[stage] if fault.strikes(protocol, address, chance))
