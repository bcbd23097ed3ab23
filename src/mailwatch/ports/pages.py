"""What the page and the API read beyond single mailboxes: filtered pages, heartbeats, latencies, audit, bulk jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Protocol

from mailwatch.core.evidence import Line, Phase
from mailwatch.core.incidents.life import Incident
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Protocol as Channel
from mailwatch.core.standing import Transition
from mailwatch.ports import Act, MailboxView, MailwatchError


@dataclass(frozen=True, slots=True)
class PageFilter:
    """Which mailboxes a page shows; empty fields do not restrict.  The same filter drives bulk actions."""

    states: frozenset[State] = frozenset()
    providers: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()
    labels: Mapping[str, str] | None = None
    campaign: str = ""
    text: str = ""  #: part of the address
    ids: frozenset[str] = frozenset()  #: only these mailboxes (at most a few hundred), for a bulk action on a selection


@dataclass(frozen=True, slots=True)
class Page:
    """One page of mailboxes, those that need action first; `next_cursor` None: the last."""

    rows: Sequence[MailboxView]
    next_cursor: str | None


#: The order of a page: what needs a person first.
ORDER: tuple[State, ...] = (
    State.BLOCKED,
    State.RECONNECTING,
    State.VERIFYING,
    State.SUSPECT,
    State.HELD,
    State.PENDING,
    State.INACTIVE,
    State.CONNECTED,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """How long each phase of one probe took, in seconds."""

    at: datetime
    timings_seconds: Mapping[Channel, Mapping[Phase, float]]


@dataclass(frozen=True, slots=True)
class Conversation:
    """The last failed conversation of a mailbox, redacted before it was stored."""

    at: datetime
    lines: Mapping[Channel, tuple[Line, ...]]


@dataclass(frozen=True, slots=True)
class CredentialDates:
    """How old a mailbox's secret is, and how long it is good for."""

    given_at: datetime | None = None  #: when the password was stored, or consent was given
    token_ends_at: datetime | None = None  #: the access token, which mailwatch renews by itself
    consent_ends_at: datetime | None = None  #: the consent, which only its owner can renew; None: no end is known


@dataclass(frozen=True, slots=True)
class EndingConsent:
    """A consent that its owner must renew soon."""

    mailbox_id: str
    address: str
    oauth_app: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what, when, from where, before and after."""

    id: int
    at: datetime
    actor: str
    action: str
    origin: str
    mailbox_id: str | None
    subject: str | None  #: a campaign, a user, a token, a webhook
    state_before: str | None
    state_after: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Mailboxes of one provider away for one cause."""

    provider: str
    state: State
    cause: str
    mailboxes: int
    since_at: datetime  #: the oldest


@dataclass(frozen=True, slots=True)
class Extent:
    """What an incident has taken, as it is now."""

    seen: int  #: mailboxes that were seen failing in it
    states: Mapping[State, int]  #: in which state those are now
    next_at: datetime | None  #: when the next of those that are retried one by one is tried
    campaigns: Sequence[str]  #: ids of campaigns that send through it


@dataclass(frozen=True, slots=True)
class Stretch:
    """One of the equal stretches of time of an incident's course."""

    at: datetime  #: its begin
    failed: int  #: mailboxes that failed in it for the first time
    back: int  #: mailboxes that worked again


@dataclass(frozen=True, slots=True)
class Course:
    """How an incident went."""

    seconds: float  #: how long each stretch is
    stretches: Sequence[Stretch]  #: from the first failure on, quiet ones too
    turns: Sequence[tuple[datetime, str]]  #: (when, type of event) each time it opened, closed or came back, as far as recorded
    closed_by_hand: frozenset[datetime] = frozenset()  #: when a person closed it


class Pages(Protocol):
    """Read-only views, each a few indexed queries: 100,000 mailboxes stay below 200 ms a page."""

    async def page(self, which: PageFilter, cursor: str | None, limit: int) -> Page:
        """In ORDER, and within a state by `since_at`, newest first; raises ValueError for a cursor that is none."""

    async def count(self, which: PageFilter) -> int:
        """How many a filter names: the preview of a bulk action."""

    async def ids(self, which: PageFilter, after: str | None, limit: int) -> Sequence[str]:
        """Their ids in order of id, for a bulk action."""

    async def counters(self, which: PageFilter) -> Mapping[State, int]:
        """Mailboxes by state, with the filter's states left aside."""

    async def facets(self) -> Mapping[str, Mapping[str, int]]:
        """What can be filtered by: `provider` and `cause` with their counts."""

    async def heartbeats(self, mailbox_ids: Sequence[str], now: datetime) -> Mapping[str, tuple[State | None, ...]]:
        """24 cells a mailbox, oldest first: the worst state of each of the last 24 hours; None before it was added."""

    async def campaigns_of(self, mailbox_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Campaign ids by mailbox."""

    async def timeline(self, mailbox_id: str, before: int | None, limit: int) -> Sequence[tuple[int, Transition]]:
        """Transitions, newest first."""

    async def samples(self, mailbox_id: str) -> Sequence[Sample]:
        """Latencies of the last day, at most one an hour, oldest first."""

    async def conversation(self, mailbox_id: str) -> Conversation | None:
        """The last failed conversation."""

    async def credential(self, mailbox_id: str) -> CredentialDates:
        """How old its secret is; no dates of a mailbox that is not there."""

    async def consents_ending(self, now: datetime, before: datetime, limit: int) -> Sequence[EndingConsent]:
        """Consents that end between *now* and *before*, the next first; those of inactive mailboxes are left out."""

    async def audit(self, before: int | None, limit: int, *, mailbox_id: str | None = None) -> Sequence[AuditRow]:
        """Newest first."""

    async def troubles(self, besides: Sequence[Incident] = ()) -> Sequence[Trouble]:
        """What is away now, by provider, state and cause, most first; what belongs to the open incidents *besides* is left out."""

    async def extent(self, incident: Incident, limit: int) -> Extent:
        """What the incident has taken, with at most *limit* campaigns."""

    async def course(self, incident: Incident, now: datetime) -> Course:
        """How it went."""

    async def seen_failing(self, incident: Incident, after: str | None, limit: int) -> Sequence[str]:
        """Ids of mailboxes that were seen failing in it, in order of id; *after* is the last one of the page before."""


@unique
class BulkAction(StrEnum):
    """What can be done to many mailboxes at once."""

    DISCONNECT = "disconnect"
    RECONNECT = "reconnect"
    HOLD = "hold"
    RELEASE = "release"
    PROBE = "probe"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Job:
    """A bulk action under way or done."""

    id: str  #: `job_…`
    action: BulkAction
    arguments: Mapping[str, str]
    actor: str
    origin: str
    created_at: datetime
    total: int
    done: int = 0
    failed: int = 0
    ended_at: datetime | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether it was ended before all mailboxes had their turn."""
        return self.ended_at is not None and self.done < self.total


@dataclass(frozen=True, slots=True)
class JobItem:
    """What became of one mailbox of a job; `error` None and `done_at` None: not yet its turn, or never in a cancelled job."""

    mailbox_id: str
    done_at: datetime | None
    error: str | None


class CountDiffersError(MailwatchError):
    """It would be done to another number of mailboxes or campaigns than was looked at; nothing was done."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What must be known before a job touches one of its mailboxes."""

    is_open: bool  #: nobody has cancelled it
    acted: tuple[str, str] | None = None  #: who did what to the mailbox, beside bulk actions, since the job began
    which: PageFilter | None = None  #: what must still name the mailbox; None: it was meant by its id


class Jobs(Protocol):
    """Bulk actions at rest: they outlive a restart, and each mailbox is done once."""

    async def begin(self, job: Job, which: PageFilter, act: Act, *, expected: int | None = None) -> Job:
        """Store the job with the ids the filter names now; the job with its `total`.

        Raises CountDiffersError when they are not *expected* many.
        """

    async def job(self, job_id: str) -> Job | None:
        """By id."""

    async def unfinished(self) -> Sequence[Job]:
        """Jobs not ended."""

    async def waiting(self, job_id: str, limit: int) -> Sequence[str]:
        """Of the next *limit* mailboxes whose turn has not come, in order, those that wait in no earlier job too."""

    async def turn(self, job: Job, mailbox_id: str) -> Turn:
        """Whether, and on what condition, it is the mailbox's turn in *job* now."""

    async def settle(self, job_id: str, items: Sequence[JobItem]) -> Job:
        """Note results; ends the job when none waits."""

    async def cancel(self, job_id: str, act: Act) -> Job | None:
        """End it before its remaining mailboxes have had their turn; one that has ended stays as it is.  None: no such job."""

    async def items(self, job_id: str, after: str | None, limit: int, *, failed_only: bool = False) -> Sequence[JobItem]:
        """Results by mailbox id."""
