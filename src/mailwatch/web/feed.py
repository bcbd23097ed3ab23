"""The stream of events for any number of readers from one poll of the database.

The poller runs while somebody reads.  A reader first gets what it missed from the database, then what the poller hands out; one
that does not keep up is cut, and comes back with the id of the last event it saw.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final

from mailwatch.ports import EventLog, MailwatchError
from mailwatch.ports.delivery import Event, Outbox

#: Between two looks: what happens meanwhile goes out together, at most two messages a second.
POLL_SECONDS: Final = 0.5
PING_SECONDS: Final = 15.0
MOST_READERS: Final = 200
#: Of one caller, so that none takes the places of all others.
MOST_OF_ONE: Final = 50
#: Batches that may wait for a reader before it is cut.
_MOST_WAITING: Final = 64
_PAGE: Final = 500
Batch = Sequence[Event]


class TooManyReadersError(Exception):
    """As many as may read already do."""


class _Reader:
    """One reader's waiting batches; `cut` once it is too slow, or the feed ends."""

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.waiting: deque[Batch] = deque()
        self.changed = asyncio.Event()
        self.cut = False

    def offer(self, batch: Batch) -> None:
        """Hand it a batch, or cut it."""
        if len(self.waiting) >= _MOST_WAITING:
            self.end()
        else:
            self.waiting.append(batch)
            self.changed.set()

    def end(self) -> None:
        """Nothing more comes."""
        self.cut = True
        self.changed.set()

    async def next(self) -> Batch | None:
        """The next batch; None when nothing came for PING_SECONDS."""
        if not self.waiting:
            self.changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), PING_SECONDS)
        return self.waiting.popleft() if self.waiting else None


class Feed:
    """Reads the outbox once for everybody."""

    def __init__(self, outbox: Outbox, log: EventLog) -> None:
        self._outbox = outbox
        self._log = log
        self._readers: set[_Reader] = set()
        self._mark = -1
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    @property
    def readers(self) -> int:
        """How many read now."""
        return len(self._readers)

    @property
    def mark(self) -> int:
        """The id of the newest event handed out."""
        return self._mark

    def close(self) -> None:
        """End every stream: the daemon stops."""
        self._closed = True
        for reader in self._readers:
            reader.end()

    async def oldest(self) -> int | None:
        """The id of the oldest event that is kept; None when there is none."""
        found = await self._outbox.events(0, 1)
        return found[0].id if found else None

    async def newest(self) -> int:
        """The id of the newest event; 0 when there is none."""
        return await self._outbox.newest()

    async def read(self, after: int | None, caller: str = "") -> AsyncGenerator[Batch | None]:
        """Events with ids above *after* (None: from now on), as they happen; None when there was nothing for a while.

        An empty batch comes first.  Ends when the reader is too slow.  Raises TooManyReadersError, StoreUnavailableError.
        """
        if len(self._readers) >= MOST_READERS or sum(each.caller == caller for each in self._readers) >= MOST_OF_ONE:
            raise TooManyReadersError
        reader = _Reader(caller)
        await self._start()
        self._readers.add(reader)
        until = self._mark  # in one step with the line above: what is newer comes by the poller, and only by it
        try:
            yield ()
            async for batch in self._missed(after, until):
                yield batch
            while not reader.cut and not self._closed:
                yield await reader.next()
        finally:
            self._readers.discard(reader)
            if not self._readers:
                await self._stop()

    async def _missed(self, after: int | None, until: int) -> AsyncIterator[Batch]:
        """What lies between *after* and the poller's mark; what is behind that, the poller hands out."""
        while after is not None and after < until:
            found = [event for event in await self._outbox.events(after, _PAGE) if event.id <= until]
            if not found:
                return
            yield found
            after = found[-1].id

    async def _start(self) -> None:
        async with self._starting:
            if self._task is None:
                self._mark = await self._outbox.newest()
                self._task = asyncio.create_task(self._poll(), name="event feed")

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _poll(self) -> None:
        told = False
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._look()
                told = False
            except MailwatchError as error:  # readers wait; their pings go on
                if not told:
                    self._log.warning("feed.waiting", error=str(error))
                told = True
            except Exception as error:  # noqa: BLE001  # a poll that ended would leave every reader with pings alone
                if not told:
                    self._log.error("feed.crashed", exception=type(error).__name__, exc_info=error)
                told = True

    async def _look(self) -> None:
        """Hand out what is new; row numbers become visible in their order, so that nothing comes late behind the mark."""
        batch = await self._outbox.events(self._mark, _PAGE)
        if batch:
            self._mark = batch[-1].id
            for reader in list(self._readers):
                reader.offer(batch)
