"""The seams of the program, as Protocols: the shortest way to see what talks to what.

`monitor` knows only these and `core`; `daemon` plugs the adapters (`probe`, `store`, `telemetry`) in.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from typing import Any, Protocol

from mailwatch.core import mailbox as m
from mailwatch.core.egress import Matter, Opinion
from mailwatch.core.evidence import Report
from mailwatch.core.lifecycle import State
from mailwatch.core.oauth import Grant
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Decision, Standing, Transition


class MailwatchError(Exception):
    """A fault of mailwatch's own surroundings; the text names the place and the cure."""


class StoreUnavailableError(MailwatchError):
    """The database cannot be used now (locked, full, unreachable): try again; never a mailbox's failure."""


class SchemaError(MailwatchError):
    """The database's schema is newer than this program, missing, or damaged."""


class SecretUnreadableError(MailwatchError):
    """A stored secret cannot be decrypted: wrong key, missing key id, or a damaged or moved row."""


class KeyRetiredError(SecretUnreadableError):
    """Nothing may be sealed with this node's key any more: a rotation that the node has not followed took it out of use."""


class ConsentMissingError(SecretUnreadableError):
    """Nobody has given consent for this OAuth mailbox yet."""


class MailboxNotFoundError(MailwatchError):
    """No such mailbox."""


class MailboxExistsError(MailwatchError):
    """A mailbox with this address is there already."""


class Clock(Protocol):
    """The time.  Wall time for what people read, monotonic time for how long things take."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never backwards."""


class Credential(Protocol):
    """The sealed secrets of one mailbox; opened only for the moment of the login."""

    @property
    def generation(self) -> int:
        """Which generation of the credential this is."""

    def password(self) -> Secret:
        """The password; raises SecretUnreadableError."""


class Grants(Protocol):
    """OAuth grants at rest, with single flight over all nodes."""

    async def load(self, mailbox_id: str) -> Grant:
        """The grant as stored now; raises MailboxNotFoundError, SecretUnreadableError."""

    async def begin_refresh(self, mailbox_id: str, *, epoch: int, lease_seconds: float) -> str | None:
        """A lease to refresh the grant if it is still at *epoch* and nobody else is at it, else None."""

    async def finish_refresh(
        self,
        mailbox_id: str,
        lease: str,
        *,
        access_token: Secret,
        expires_at: datetime,
        refresh_token: Secret | None,
        consent_ends_at: datetime | None = None,
    ) -> Grant:
        """Store the new tokens (durable before this returns) and give the lease back; generation stays, epoch grows.

        *consent_ends_at* None: the provider said nothing of it this time, what is known stays.
        """

    async def abandon_refresh(self, mailbox_id: str, lease: str) -> None:
        """Give the lease back without a result."""


@dataclass(slots=True)
class Sent:
    """What has left for a mailbox's servers: a probe that is cut short before any secret did cannot have been refused."""

    secret: bool = False  #: set just before the first byte of a login goes out, and never taken back


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one probe is to do."""

    mailbox: m.Mailbox
    generation: int
    credential: Credential | None
    depth: m.Depth
    timeout_seconds: float
    first: m.Protocol = m.Protocol.IMAP  #: the channel to look at first: a refused secret there spares the other
    withheld_reason: str | None = None  #: why no login may be sent, when `depth` is reach
    refusals_left: int = 1  #: logins that may yet be refused before this probe must stop
    sent: Sent = field(default_factory=Sent, compare=False)  #: the prober's mark, for whoever may have to cut the probe short


class Prober(Protocol):
    """Looks at one mailbox over the network."""

    async def probe(self, assignment: Assignment) -> Report:
        """The report; ends within the assignment's time-out + 1 s.  Remote failures are in it; an exception is a bug."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A due mailbox, ours to probe until the lease ends."""

    mailbox: m.Mailbox
    standing: Standing
    credential: Credential | None
    lease: str
    lease_until_at: datetime
    credential_age_seconds: int | None = None


@unique
class Recorded(StrEnum):
    """What became of a decision."""

    STORED = "stored"
    FENCED = "fenced"  #: the lease was lost, or the mailbox changed meanwhile: the result was dropped


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something to a mailbox, for the audit log."""

    actor: str  #: `cli:root`, `token:…`, `mailwatch`
    action: str
    origin: str = "local"
    subject: str | None = None  #: the bulk action it is part of


@dataclass(frozen=True, slots=True)
class NewMailbox:
    """A mailbox to add, with its secret."""

    mailbox: m.Mailbox
    secret: Secret | None  #: password, or refresh token for OAuth


@dataclass(frozen=True, slots=True)
class MailboxFilter:
    """Which mailboxes; empty fields do not restrict."""

    states: frozenset[State] = frozenset()
    providers: frozenset[str] = frozenset()
    text: str = ""  #: part of the address
    after: str | None = None  #: keyset cursor: mailbox id
    limit: int = 100


@dataclass(frozen=True, slots=True)
class MailboxView:
    """A mailbox beside its standing."""

    mailbox: m.Mailbox
    standing: Standing


class Store(Protocol):
    """Everything that must outlive the process."""

    async def open(self) -> None:
        """Connect and check the schema; raises SchemaError, StoreUnavailableError."""

    async def close(self) -> None:
        """Flush what is written behind, and disconnect."""

    # the path of a probe
    async def claim_due(
        self,
        now: datetime,
        limit: int,
        lease_seconds: float,
        *,
        excluding: Collection[str] = (),
        room: Callable[[str], int] | None = None,
    ) -> Sequence[Claim]:
        """Up to *limit* mailboxes due at *now*, oldest first, leased to this node; none whose gate is in *excluding*.

        *room* (pure, cheap) tells how many of a gate may be taken in this batch at the most: candidates beyond it are passed
        over and others, of gates with room, are looked for behind them, so that a crowd at one gate starves nobody.

        A lease that had ended without a result is counted as a lost login of that mailbox before it is claimed anew.
        """

    async def record(self, claim: Claim, decision: Decision) -> Recorded:
        """Carry *decision* out.  Urgent ones are durable when this returns; others are written behind."""

    async def keep_details(self, claim: Claim, report: Report) -> None:
        """Keep for the page how long the phases took, once an hour, and the last failed conversation.  Written behind."""

    async def postpone(self, claim: Claim, due_at: datetime) -> None:
        """Give the lease back without a result that counts: the mailbox is due again at *due_at*."""

    async def rescue(self, now: datetime, *, steady: datetime, patient: datetime, lease: datetime) -> int:
        """Make due what nobody would ever look at again, and end leases no node can hold; how many mailboxes that were.

        *steady* is the latest moment a mailbox in a steady state may wait for, *patient* one that is reconnecting or blocked,
        *lease* the latest end of a lease.  It finds nothing but after a fault: a clock set back, a damaged row, a bug.
        """

    async def flush(self) -> None:
        """Write out everything written behind."""

    async def refusals_since(self, since: datetime) -> Mapping[str, Sequence[datetime]]:
        """Refused or lost logins by host, over all nodes."""

    # what people do
    async def add(self, mailboxes: Sequence[NewMailbox], act: Act, *, first_due_at: Callable[[int], datetime]) -> Sequence[str]:
        """Add all or none; the ids.  *first_due_at* spreads the first look (called with the index). Raises MailboxExistsError."""

    async def change(self, mailbox_id: str, decide: Callable[[Standing], Decision], act: Act) -> Decision:
        """Apply a pure decision to the standing as it is now, with an audit row, in one transaction."""

    async def set_secret(self, mailbox_id: str, secret: Secret, decide: Callable[[Standing], Decision], act: Act) -> Decision:
        """Store a new secret as a new generation and apply *decide* to the standing of that generation.

        The secret that is stored already is no new generation: its refused logins stay counted, and a mailbox that is blocked for
        them stays so when it is a password.
        """

    async def remove(self, mailbox_id: str, act: Act, *, version: int | None = None, scrub: bool = True) -> None:
        """Delete the mailbox and all of its data, for good; the audit log keeps the id only.

        Raises campaigns.StaleError when *version* is no longer its standing's.  Without *scrub*, call `scrub` after the last.
        """

    async def scrub(self) -> None:
        """Leave nothing of deleted rows in the database's files."""

    async def shares_login(self, mailbox: m.Mailbox, oauth_apps: Collection[str]) -> bool:
        """Whether another mailbox of these applications may log in as the same account as *mailbox* (removed or not)."""

    # what people read
    async def find(self, id_or_address: str) -> MailboxView:
        """One mailbox; raises MailboxNotFoundError."""

    async def ids_of(self, names: Sequence[str]) -> Sequence[str]:
        """The ids of mailboxes named by id or address, each once; raises MailboxNotFoundError with the first that is missing."""

    async def list(self, which: MailboxFilter) -> Sequence[MailboxView]:
        """A page of mailboxes, by id."""

    async def history(self, mailbox_id: str | None = None, *, after: int = 0, limit: int = 500) -> Sequence[tuple[int, Transition]]:
        """Transitions with their row numbers, oldest first."""

    async def counts(self) -> Mapping[tuple[str, State], int]:
        """Mailboxes by provider and state."""

    async def due_count(self, now: datetime, *, excluding: Collection[str] = ()) -> tuple[int, datetime | None]:
        """How many are due and not leased, and the oldest due moment; the gates in *excluding* are left out."""

    async def prune(self, before: datetime) -> int:
        """Delete history and audit older than *before*; how many rows went."""


class Meter(Protocol):
    """Where the worker reports what happened; never blocks."""

    def probed(self, claim: Claim, report: Report, decision: Decision) -> None:
        """A probe was decided and recorded."""

    def moved(self, provider: str, decision: Decision) -> None:
        """A decision that no probe led to was recorded: its transitions count."""

    def fenced(self) -> None:
        """A result came too late and was dropped."""


class Canary(Protocol):
    """Asks a few unrelated, well-kept places of the internet whether they can be reached."""

    async def answers(self) -> bool:
        """Whether at least one of them answered; ends within a few seconds."""

    async def examine(self, matter: Matter) -> Opinion:
        """What a close look says of *matter*, which a connection alone does not show; ends within a few seconds."""


class EventLog(Protocol):
    """Structured log: an event name in past tense and allow-listed fields."""

    def info(self, event: str, **fields: Any) -> None:
        """Something happened as it should."""

    def warning(self, event: str, **fields: Any) -> None:
        """Something a person may want to look at."""

    def error(self, event: str, **fields: Any) -> None:
        """Something is broken in mailwatch or its surroundings."""


class LiveStream(Protocol):
    """Transitions as they happen, for the demo's view and the page; a slow reader loses the oldest, never blocks a probe."""

    def publish(self, mailbox: m.Mailbox, transition: Transition) -> None:
        """Tell every reader."""

    def subscribe(self) -> AsyncIterator[tuple[m.Mailbox, Transition]]:
        """The transitions from now on."""
