"""Write-behind: results that change nothing urgent wait briefly for company, and are written in one transaction.

A transaction of its own costs more than the probe it records; 200 together cost next to nothing.  What waits is bounded: when the
database is away, `put` waits too, and so the probing slows down instead of memory growing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final

from mailwatch.ports import MailwatchError
from mailwatch.store.record import Waiting

BOUND: Final = 10_000
_RETRY_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)


class WriteBehind:
    """A bounded queue in front of batched writes; order is kept."""

    def __init__(self, write: Callable[[Sequence[Waiting]], Awaitable[None]], *, rows: int, seconds: float) -> None:
        self._write = write
        self._rows = rows
        self._seconds = seconds
        self._queue: deque[Waiting] = deque()
        self._something = asyncio.Event()
        self._full_batch = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0  #: rows the database refused for what is in them; their leases lapse
        self.on_write_seconds: Callable[[float], None] | None = None
        self.on_dropped: Callable[[str, BaseException], None] | None = None  #: mailbox id, and why

    @property
    def pending(self) -> int:
        """How many rows wait."""
        return len(self._queue)

    def holds(self, mailbox_id: str) -> bool:
        """Whether a row of this mailbox waits."""
        return any(item.mailbox_id == mailbox_id for item in self._queue)

    def forget(self, mailbox_id: str) -> None:
        """Drop what waits for a mailbox that is about to be removed."""
        kept = [item for item in self._queue if item.mailbox_id != mailbox_id]
        self._queue.clear()
        self._queue.extend(kept)

    def start(self) -> None:
        """Begin writing in the background."""
        self._task = asyncio.create_task(self._run(), name="store-writer")

    async def put(self, item: Waiting) -> None:
        """Let *item* wait for its batch; waits itself only while the queue is full."""
        while len(self._queue) >= BOUND:
            self._room.clear()
            await self._room.wait()
        self._queue.append(item)
        self._something.set()
        if len(self._queue) >= self._rows:
            self._full_batch.set()

    async def flush(self) -> None:
        """Write out what waits; raises StoreUnavailableError, and then it still waits."""
        while self._queue:
            await self._write_one_batch()

    async def close(self) -> None:
        """Stop the background task and write out what waits; raises StoreUnavailableError."""
        if self._task is not None:
            async with self._writing:  # never in the middle of a batch
                self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self.flush()

    async def _run(self) -> None:
        failed = 0
        while True:
            await self._something.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._full_batch.wait()
            try:
                await self._write_one_batch()
                failed = 0
            except MailwatchError:
                # it keeps waiting; the daemon sees `pending` grow and its own writes fail
                await asyncio.sleep(_RETRY_SECONDS[min(failed, len(_RETRY_SECONDS) - 1)])
                failed += 1

    async def _write_one_batch(self) -> None:
        async with self._writing:
            batch = list(islice(self._queue, self._rows))
            if batch:
                await self._timed(batch)
                for item in batch:
                    if self._queue and self._queue[0] is item:  # not one that was forgotten while it was being written
                        self._queue.popleft()
            self._signal()

    def _signal(self) -> None:
        if not self._queue:
            self._something.clear()
        if len(self._queue) < self._rows:
            self._full_batch.clear()
        if len(self._queue) < BOUND:
            self._room.set()

    async def _timed(self, batch: Sequence[Waiting]) -> None:
        started = time.perf_counter()
        try:
            await self._write(batch)
        except MailwatchError:
            raise
        except Exception as error:  # noqa: BLE001  # one row the database refuses must not hold up all others for ever
            await self._one_by_one(batch, error)
        if self.on_write_seconds is not None:
            self.on_write_seconds(time.perf_counter() - started)

    async def _one_by_one(self, batch: Sequence[Waiting], error: BaseException) -> None:
        if len(batch) == 1:
            self._drop(batch[0], error)
            return
        for item in batch:
            try:
                await self._write([item])
            except MailwatchError:
                raise
            except Exception as fault:  # noqa: BLE001  # as above: this is the row
                self._drop(item, fault)

    def _drop(self, item: Waiting, error: BaseException) -> None:
        self.dropped += 1
        if self.on_dropped is not None:
            self.on_dropped(item.mailbox_id, error)
