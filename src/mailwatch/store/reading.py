"""The reading half of the store: one mailbox, pages of them, their history, counts.  `reads` holds the statements."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.standing import Transition
from mailwatch.ports import MailboxFilter, MailboxView
from mailwatch.store import reads
from mailwatch.store.engine import Attempt, Database

_ADDRESSES_AT_ONCE: Final = 1000


class Reading:
    """What people, gauges and the monitor read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id_or_address: str) -> MailboxView:
        """One mailbox; raises MailboxNotFoundError."""

        async def work(attempt: Attempt) -> MailboxView:
            return await reads.find(attempt, id_or_address)

        return await self._database.read(work)

    async def ids_of(self, names: Sequence[str]) -> Sequence[str]:
        """The ids of mailboxes named by id or address, each once; raises MailboxNotFoundError with the first that is missing."""

        async def work(attempt: Attempt) -> Sequence[str]:
            return await reads.ids_of(attempt, names)

        return await self._database.read(work)

    async def list(self, which: MailboxFilter) -> Sequence[MailboxView]:
        """A page of mailboxes, by id."""

        async def work(attempt: Attempt) -> Sequence[MailboxView]:
            return await reads.page(attempt, which)

        return await self._database.read(work)

    async def history(self, mailbox_id: str | None = None, *, after: int = 0, limit: int = 500) -> Sequence[tuple[int, Transition]]:
        """Transitions with their row numbers, oldest first."""

        async def work(attempt: Attempt) -> Sequence[tuple[int, Transition]]:
            return await reads.history(attempt, mailbox_id, after=after, limit=limit)

        return await self._database.read(work)

    async def told(
        self, since: datetime, until: datetime, *, after: int = 0, limit: int = 1000
    ) -> Sequence[tuple[int, Mailbox, Transition]]:
        """Transitions from *since* to before *until*, with row numbers and mailboxes, oldest first."""

        async def work(attempt: Attempt) -> Sequence[tuple[int, Mailbox, Transition]]:
            return await reads.told(attempt, since=since, until=until, after=after, limit=limit)

        return await self._database.read(work)

    async def taken(self, addresses: Sequence[str]) -> frozenset[str]:
        """Which of *addresses* are there already, lower case."""
        found: set[str] = set()
        for start in range(0, len(addresses), _ADDRESSES_AT_ONCE):
            some = addresses[start : start + _ADDRESSES_AT_ONCE]

            async def work(attempt: Attempt, some: Sequence[str] = some) -> frozenset[str]:
                return await reads.taken(attempt, some)

            found |= await self._database.read(work)
        return frozenset(found)

    async def counts(self) -> Mapping[tuple[str, State], int]:
        """Mailboxes by provider and state."""
        return await self._database.read(reads.counts)

    async def watched_by_gate(self, more_than: int) -> Mapping[str, int]:
        """How many mailboxes are looked at once an interval, by gate; only of gates with more than so many."""

        async def work(attempt: Attempt) -> Mapping[str, int]:
            return await reads.watched_by_gate(attempt, more_than)

        return await self._database.read(work)

    async def due_count(self, now: datetime, *, excluding: Collection[str] = ()) -> tuple[int, datetime | None]:
        """How many are due and not leased, and the oldest due moment; the gates in *excluding* are left out."""

        async def work(attempt: Attempt) -> tuple[int, datetime | None]:
            return await reads.due_count(attempt, now, excluding)

        return await self._database.read(work)
