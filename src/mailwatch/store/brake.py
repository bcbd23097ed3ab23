"""The brake on pausing in bulk: how many campaigns mailwatch itself may pause within the window, over all nodes.

It looks at one mailbox's move after the other, so that it holds back the same whether they come alone or by the hundred.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, exists, func, select, text

from mailwatch.core.campaigns import ITSELF, CampaignPolicy, CampaignState, PauseOrigin, brakes
from mailwatch.core.webhooks import EventType
from mailwatch.store.engine import Attempt
from mailwatch.store.events import Note, stamp
from mailwatch.store.pauses import Because, Book
from mailwatch.store.schema_campaigns import campaigns, pauses

BRAKE_LOCK: Final = 0x6D77_0004
_ACTIVE: Final = select(func.count()).where(campaigns.c.state == CampaignState.ACTIVE.value)
_PAUSED_LATELY: Final = select(func.count()).where(
    campaigns.c.state == CampaignState.PAUSED.value,
    campaigns.c.paused_since_at.between(bindparam("since"), bindparam("until")),
    exists().where(
        pauses.c.campaign_id == campaigns.c.id,
        pauses.c.lifted_at.is_(None),
        pauses.c.in_force,
        pauses.c.origin == PauseOrigin.AUTOMATIC.value,
        pauses.c.actor == ITSELF,
    ),
)


class Brake:
    """Counts as of one transaction; read from the database only when something is about to be paused."""

    def __init__(self, attempt: Attempt, policy: CampaignPolicy, now: datetime) -> None:
        self._attempt = attempt
        self._policy = policy
        self._now = now
        window = timedelta(seconds=policy.brake_window_seconds)
        # other nodes' clocks may be a little ahead; what lies further ahead was paused before the clock was set back
        self._since, self._until = now - window, now + window
        self._stored: tuple[int, int] | None = None
        self._moved = (0, 0)  #: active and lately paused campaigns that this transaction added to those stored
        self._held_back: set[str] = set()
        self._mailboxes: set[str | None] = set()

    async def held_back(self, books: Sequence[Book], because: Because) -> Sequence[Book]:
        """Which of *books* must not be paused by *because* without a person: none, or all that run now."""
        running = [book for book in books if book.would_pause(because)]
        if not running or because.actor != ITSELF:  # a person's own act is a person's
            return ()
        active, lately = await self._counts()
        if not brakes(len(running), lately, active, self._policy):
            return ()
        self._held_back |= {book.campaign.id for book in running}
        self._mailboxes.add(because.mailbox_id)
        return running

    @contextmanager
    def following(self, books: Sequence[Book]) -> Iterator[None]:
        """Keep count of what is done to *books* inside."""
        before = self._tally(books)
        yield
        after = self._tally(books)
        self._moved = (self._moved[0] + after[0] - before[0], self._moved[1] + after[1] - before[1])

    def notes(self) -> Sequence[Note]:
        """The event that tells a person of what was held back."""
        if not self._held_back:
            return ()
        active, lately = self._totals()
        content = {
            "campaigns": len(self._held_back),
            "mailboxes": len(self._mailboxes),
            "active": active,
            "paused_lately": lately,
            "window_seconds": self._policy.brake_window_seconds,
            "at": stamp(self._now),
        }
        return (Note(EventType.CAMPAIGNS_BRAKED, self._now, content),)

    def _tally(self, books: Sequence[Book]) -> tuple[int, int]:
        active = sum(book.campaign.state is CampaignState.ACTIVE for book in books)
        return active, sum(self._is_lately_paused(book) for book in books)

    def _is_lately_paused(self, book: Book) -> bool:
        since_at = book.campaign.paused_since_at
        return since_at is not None and self._since <= since_at <= self._until and book.is_automatic

    async def _counts(self) -> tuple[int, int]:
        if self._stored is None:
            connection = self._attempt.connection
            if connection.dialect.name == "postgresql":
                # two nodes that pause at the same moment see each other's pauses
                await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": BRAKE_LOCK})
            active = (await connection.execute(_ACTIVE)).scalar_one()
            lately = (await connection.execute(_PAUSED_LATELY, {"since": self._since, "until": self._until})).scalar_one()
            self._stored = (active, lately)
        return self._totals()

    def _totals(self) -> tuple[int, int]:
        active, lately = self._stored or (0, 0)
        return active + self._moved[0], lately + self._moved[1]
