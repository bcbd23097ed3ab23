"""The seams of the IDLE watch: a session that a probe leaves open, who keeps it, and what the store knows of the watched."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Mailbox


class OpenSession(Protocol):
    """An IMAP session, logged in and with its folder selected, that a wholly healthy probe has left open."""

    async def watch(self, renew_seconds: Callable[[], float]) -> Evidence:
        """Wait in IDLE until the session ends by itself; how it ended.  Asks the server again every *renew_seconds*.

        An exception is a bug.  May be cancelled, and then `leave` or `drop` must follow.
        """

    async def leave(self) -> None:
        """Say goodbye and close, within a second or so; raises nothing."""

    def drop(self) -> None:
        """Close at once, without a word."""


class Keeper(Protocol):
    """Takes over the sessions that probes leave open."""

    def wants(self, mailbox: Mailbox) -> bool:
        """Whether the session of *mailbox* shall be left open if its probe is healthy."""

    async def let_go(self, mailbox_id: str) -> None:
        """End the session that is open for this mailbox, if any: it is about to be probed.  Takes about a second at the most."""

    def keep(self, mailbox: Mailbox, session: OpenSession) -> None:
        """Take *session* over."""


@dataclass(frozen=True, slots=True)
class WatchedStanding:
    """What of a watched mailbox's standing tells whether its session may go on."""

    state: State
    version: int
    generation: int
    last_probe_at: datetime | None
    elsewhere: bool  #: another node is probing it now


@dataclass(frozen=True, slots=True)
class EarlyLook:
    """A mailbox to be looked at sooner than planned, unless something has come between."""

    mailbox_id: str
    version: int  #: of the standing that the session was opened with
    due_at: datetime


class WatchedMailboxes(Protocol):
    """The watched mailboxes at rest."""

    async def standings(self, mailbox_ids: Collection[str]) -> Mapping[str, WatchedStanding]:
        """Those of them that are there; raises StoreUnavailableError."""

    async def advance(self, looks: Sequence[EarlyLook]) -> None:
        """Make due sooner, never later, what is connected, as it was, and not being probed; raises StoreUnavailableError."""


class WatchMeter(Protocol):
    """Where the watch reports what happened; never blocks."""

    def set_watched(self, sessions: int, passed_over: int) -> None:
        """How many sessions are open, and how many mailboxes are not watched because that is the most."""

    def watch_ended(self, cause: Cause) -> None:
        """A session ended by itself."""
