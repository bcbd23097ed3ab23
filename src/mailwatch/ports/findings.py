"""The seam of what the history shows: figures over a span, for the page's Findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CauseFigure:
    """How often one cause disconnected mailboxes of one provider."""

    cause: str
    provider: str
    disconnections: int
    mailboxes: int


@dataclass(frozen=True, slots=True)
class MailboxFigure:
    """A mailbox that disconnected more than once."""

    mailbox_id: str
    address: str
    provider: str
    disconnections: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """One disconnection of one mailbox; `ended_at` None: it lasts."""

    mailbox_id: str
    address: str
    cause: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of the fleet."""

    at: datetime
    disconnections: int
    reconnections: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What one span of the history shows."""

    since: datetime
    causes: Sequence[CauseFigure]  #: most seen first
    mailboxes: Sequence[MailboxFigure]  #: those that disconnect most first
    outages: Sequence[Outage]  #: longest first
    days: Sequence[Day]  #: oldest first, days without anything included


class Findings(Protocol):
    """Read-only, over the recorded history alone: nothing is estimated."""

    async def figures(self, since: datetime, now: datetime, limit: int) -> Figures:
        """The figures from *since* to *now*, at most *limit* rows of each kind."""
