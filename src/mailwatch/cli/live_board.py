"""What the audience of the demo sees: states, counts, who is not well, and the last changes - as values, without drawing.

Transitions make the news; the states are those of the store, so that a transition nobody told of matters to no count and no row.

Many mailboxes that change in the same way at the same provider are told as one line: an outage of a provider is one thing that
happened, not fifty.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import SENDING_STATES, State
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.standing import Transition
from mailwatch.ports import MailboxView

#: Changes of one kind within this long are one line.
TOGETHER: Final = timedelta(seconds=10)
_FEED_KEPT: Final = 200
_RECENT_LINES: Final = 8
#: From here on mailboxes with the same trouble at one provider share a row.
CROWD: Final = 4
WELL: Final = frozenset({State.CONNECTED})
#: Everything a row is shown for; `pending` at the start is no trouble.
UNWELL: Final = frozenset(State) - WELL - {State.PENDING}


@dataclass(slots=True)
class News:
    """One line of the feed: one mailbox, or several that changed alike."""

    at: datetime
    provider: str
    transition: Transition
    addresses: list[str]
    printed: bool = False

    @property
    def kind(self) -> tuple[object, ...]:
        """What makes two changes alike."""
        change = self.transition
        return (self.provider, change.from_state, change.to_state, change.trigger, change.cause)

    @property
    def subject(self) -> str:
        """Who it is about."""
        return self.addresses[0] if len(self.addresses) == 1 else f"{len(self.addresses)} at {self.provider}"

    @property
    def change(self) -> str:
        """From which state to which."""
        return f"{self.transition.from_state} → {self.transition.to_state}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list of mailboxes that are not well."""

    subject: str
    state: State
    since_at: datetime
    cause: Cause | None
    due_at: datetime | None
    mailboxes: int = 1


@dataclass(slots=True)
class _Seat:
    mailbox: Mailbox
    state: State
    since_at: datetime
    cause: Cause | None = None
    due_at: datetime | None = None
    version: int = 0  #: of the standing this shows


@dataclass(slots=True)
class Tally:
    """What was seen since the beginning."""

    disconnections: int = 0
    recoveries: int = 0
    false_alarms: int = 0
    blocked: int = 0
    healed_by_people: int = 0


class Board:
    """Fed with transitions as they happen, and now and then with standings from the store."""

    def __init__(self, mailboxes: Iterable[Mailbox], now: datetime) -> None:
        self._seats = {mailbox.id: _Seat(mailbox, State.PENDING, now) for mailbox in mailboxes}
        self.feed: deque[News] = deque(maxlen=_FEED_KEPT)
        self.tally = Tally()

    def learn(self, mailbox: Mailbox, transition: Transition) -> None:
        """A mailbox changed its state."""
        seat = self._seats.setdefault(mailbox.id, _Seat(mailbox, State.PENDING, transition.at))
        if transition.version >= seat.version:  # else the store has shown a later one already
            seat.state, seat.since_at, seat.version = transition.to_state, transition.at, transition.version
            seat.cause = transition.cause if transition.cause is not None or transition.to_state in WELL else seat.cause
            seat.due_at = None
        self._count(transition)
        if (transition.from_state, transition.to_state) != (State.PENDING, State.CONNECTED):
            self._tell(mailbox, transition)

    def look(self, views: Iterable[MailboxView]) -> list[MailboxView]:
        """Standings as they are in the store: when each is looked at next.  Those are returned whose change was new here."""
        unheard: list[MailboxView] = []
        for view in views:
            seat, standing = self._seats.get(view.mailbox.id), view.standing
            if seat is None or standing.version < seat.version:
                continue
            if standing.version > seat.version:
                seat.state, seat.since_at, seat.version = standing.state, standing.since_at, standing.version
                seat.cause = standing.cause
                unheard.append(view)
            seat.due_at = standing.due_at
            seat.cause = standing.cause or seat.cause
        return unheard

    def _count(self, transition: Transition) -> None:
        frm, to = transition.from_state, transition.to_state
        if frm is State.SUSPECT and to in (State.RECONNECTING, State.BLOCKED):
            self.tally.disconnections += 1
        if to is State.CONNECTED and frm is State.VERIFYING:
            self.tally.recoveries += 1
        if to is State.CONNECTED and frm is State.SUSPECT:
            self.tally.false_alarms += 1
        if to is State.BLOCKED:
            self.tally.blocked += 1
        if frm is State.BLOCKED and to is State.RECONNECTING:
            self.tally.healed_by_people += 1

    def _tell(self, mailbox: Mailbox, transition: Transition) -> None:
        news = News(transition.at, mailbox.provider, transition, [mailbox.address])
        for known in list(self.feed)[-_RECENT_LINES:]:
            if known.kind == news.kind and not known.printed and transition.at - known.at <= TOGETHER:
                known.addresses.append(mailbox.address)
                return
        self.feed.append(news)

    @property
    def total(self) -> int:
        """How many mailboxes there are."""
        return len(self._seats)

    @property
    def unseen(self) -> int:
        """How many were never looked at yet."""
        return sum(seat.state is State.PENDING for seat in self._seats.values())

    @property
    def sending(self) -> int:
        """How many may send now."""
        return sum(seat.state in SENDING_STATES for seat in self._seats.values())

    def counts(self) -> Counter[State]:
        """Mailboxes by state."""
        return Counter(seat.state for seat in self._seats.values())

    def counts_at(self, provider: str) -> Counter[State]:
        """The same, of one provider."""
        return Counter(seat.state for seat in self._seats.values() if seat.mailbox.provider == provider)

    def mailbox(self, mailbox_id: str) -> Mailbox:
        """One of them."""
        return self._seats[mailbox_id].mailbox

    def unwell(self) -> Sequence[Row]:
        """Who is not well, latest first; crowds with the same trouble in one row."""
        groups: dict[tuple[str, State, Cause | None], list[_Seat]] = {}
        for seat in self._seats.values():
            if seat.state in UNWELL:
                groups.setdefault((seat.mailbox.provider, seat.state, seat.cause), []).append(seat)
        rows: list[Row] = []
        for (provider, state, cause), seats in groups.items():
            if len(seats) < CROWD:
                rows += [Row(s.mailbox.address, state, s.since_at, cause, s.due_at) for s in seats]
                continue
            dues = [seat.due_at for seat in seats if seat.due_at is not None]
            since_at = min(seat.since_at for seat in seats)
            rows.append(Row(f"{len(seats)} at {provider}", state, since_at, cause, min(dues, default=None), len(seats)))
        return sorted(rows, key=lambda row: row.since_at, reverse=True)


@dataclass(slots=True)
class Stage:
    """What the view shows beside the board, brought up to date by the demo."""

    url: str = ""
    seconds: float = 0.0
    troubles: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: what is simulated now, by provider
    logins: int = 0
    refused: int = 0
    renewals: int = 0
    campaigns: int = 0
    campaigns_paused: int = 0
    pauses: int = 0  #: how often a campaign was paused, and resumed, since the beginning
    resumptions: int = 0
