"""Group commit: urgent results that come while a transaction is being written share the next one.

Each waits until its own result is durable, so nothing is acknowledged early; but an outage that makes a thousand transitions in a
second costs tens of transactions, not a thousand.  One alone is written at once and waits for nobody.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from mailwatch.core.standing import Decision
from mailwatch.ports import Claim, MailwatchError, Recorded

#: A claim, what was decided, and who waits for it.
_Entry = tuple[Claim, Decision, "asyncio.Future[Recorded]"]
Urgent = tuple[Claim, Decision]
MOST: Final = 100


class GroupCommit:
    """Writes urgent results in the order they came, as many at once as there are."""

    def __init__(self, write: Callable[[Sequence[Urgent]], Awaitable[Sequence[Recorded]]]) -> None:
        self._write = write
        self._waiting: deque[_Entry] = deque()
        self._task: asyncio.Task[None] | None = None

    async def put(self, claim: Claim, decision: Decision) -> Recorded:
        """Returns when it is durable; raises what the writing of it raised.

        A caller that is cancelled leaves its result behind: it is written all the same, for it is true.
        """
        done: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()
        self._waiting.append((claim, decision, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="store-group")
        return await done

    async def close(self) -> None:
        """Wait until all that came is written or has failed; whoever waits may give up, and the writing goes on."""
        while self._task is not None:
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                await self._write_all(batch)
        finally:
            self._task = None

    async def _write_all(self, batch: Sequence[_Entry]) -> None:
        try:
            results = await self._write([(claim, decision) for claim, decision, _ in batch])
        except Exception as error:  # noqa: BLE001  # told to those who wait; it is theirs to judge
            if len(batch) == 1 or isinstance(error, MailwatchError):  # the database is away: it is so for each of them
                for *_, done in batch:
                    _fail(done, error)
                return
            for entry in batch:  # one that the database refuses must not fail the others
                await self._write_all([entry])
            return
        for (*_, done), result in zip(batch, results, strict=True):
            if not done.done():
                done.set_result(result)


def _fail(done: "asyncio.Future[Recorded]", error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
