"""What a probe brings back: per channel either health or evidence, with the server's own words kept verbatim.

A remote failure is a value here, never an exception.  Secrets are cut out at the edge (`probe.capture`), before anything of this
module is built; text from servers is cleaned there too (`clean`): 512 characters, nothing that cannot be printed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from mailwatch.core.mailbox import Protocol


@unique
class Phase(StrEnum):
    """The step of a session in which something happened."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    STARTTLS = "starttls"
    AUTH = "auth"
    SELECT = "select"
    IDLE = "idle"
    SUBMIT = "submit"
    QUIT = "quit"
    TOKEN = "token"


#: Phases before a secret is sent: what fails here can be looked at again without spending a login.
BEFORE_LOGIN: Final = frozenset({Phase.RESOLVE, Phase.CONNECT, Phase.TLS, Phase.GREETING, Phase.STARTTLS})

MAX_TEXT: Final = 512
# C0 and C1 controls, DEL, zero width and bidi controls, line separators, BOM, surrogates, noncharacters: all that could break a log
# line, a label, a page or a terminal.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_LINE_BREAKS: Final = re.compile(r"[\r\n\t]+")


def clean(text: str | bytes, limit: int = MAX_TEXT) -> str:
    """Text of a server, made safe to store, print and render: at most *limit* characters, U+FFFD for what cannot be shown."""
    if isinstance(text, bytes):
        text = text[: 4 * limit + 64].decode("utf-8", "replace")
    text = _LINE_BREAKS.sub(" ", text[: 4 * limit + 64]).strip()
    return _UNPRINTABLE.sub("\ufffd", text)[:limit]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words and facts of one failure, as the peer or the network stack gave them.

    `response` is the whole reply, cleaned and redacted; for SMTP its lines are joined by a blank, for IMAP the tagged or
    untagged line without the tag.  `exception` is the class of the library's or operating system's error (its text is in
    `response` when there is one); exceptions often have empty texts, so class and phase are evidence too.
    """

    protocol: str  #: imap, smtp, oauth or network
    phase: Phase | None
    response: str = ""
    provider: str = "other"
    exception: str | None = None  #: dotted class name, such as ssl.SSLCertVerificationError
    errno: int | None = None
    verify_code: int | None = None  #: X509_V_ERR_* of OpenSSL, for certificate failures
    code: int | None = None  #: SMTP reply code (RFC 5321, 4.2)
    enhanced: str | None = None  #: SMTP enhanced status code (RFC 3463)
    status: str | None = None  #: IMAP OK, NO, BAD, BYE, PREAUTH (RFC 9051, 7.1)
    response_code: str | None = None  #: IMAP response code, upper case, without brackets (RFC 5530)
    challenge: str | None = None  #: SASL error challenge, decoded (RFC 7628, 3.2.2)
    oauth_error: str | None = None  #: `error` of a token endpoint (RFC 6749, 5.2)
    oauth_description: str | None = None
    http_status: int | None = None
    retry_after_seconds: float | None = None  #: Retry-After of HTTP; hints in words are found by the classifier
    session_worked: bool = False  #: the session had already done useful work when it ended
    command: str | None = None  #: what an SMTP server answered while a message was handed in: mail, rcpt or data


@unique
class Outcome(StrEnum):
    """How one channel of a probe ended."""

    HEALTHY = "healthy"
    FAILED = "failed"
    WITHHELD = "withheld"  #: reached, but no login was sent (budget, or the other channel's secret was refused)
    IMPAIRED = "impaired"  #: mailwatch's own fault: says nothing about the mailbox


@dataclass(frozen=True, slots=True)
class Certificate:
    """The peer's certificate, for expiry warnings."""

    endpoint: str  #: host:port
    not_after_at: datetime
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the redacted conversation; `sent` is ours, else the server's."""

    sent: bool
    text: str


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """What one channel (IMAP or SMTP) of a mailbox showed."""

    protocol: Protocol
    outcome: Outcome
    phase: Phase | None = None  #: the last phase reached
    evidence: Evidence | None = None  #: set when the outcome is FAILED
    timings_seconds: Mapping[Phase, float] = field(default_factory=lambda: MappingProxyType({}))
    conversation: tuple[Line, ...] = ()
    certificate: Certificate | None = None
    logged_in: bool = False  #: the secret was accepted
    rejected_logins: int = 0  #: logins of this channel refused by the server for their secret
    withheld_reason: str | None = None  #: budget | other_channel | blocked | host
    withheld_until_at: datetime | None = None
    impairment: str | None = None  #: named fault of our own: ca_store_empty, out_of_descriptors, secret_unreadable, …
    nearby: bool | None = None  #: whether the server's address is none of the public internet; None: not known
    looked_up: bool | None = None  #: whether name servers were asked for its address in this very probe; None: not known


@dataclass(frozen=True, slots=True)
class Report:
    """What one probe of a mailbox brought back."""

    started_at: datetime
    finished_at: datetime
    generation: int  #: the credential generation the probe was made with
    channels: tuple[ChannelReport, ...]

    @property
    def impairment(self) -> str | None:
        """The first fault of mailwatch's own, if any."""
        return next((channel.impairment for channel in self.channels if channel.impairment), None)

    @property
    def rejected_logins(self) -> int:
        """Logins refused for their secret, over both channels."""
        return sum(channel.rejected_logins for channel in self.channels)
