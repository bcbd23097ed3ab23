"""Notices when the wall clock jumps, by holding it against the monotonic one.

Due moments are wall time, since they must outlive the process; a clock that is set back would leave every mailbox unwatched until
it has caught up, and a scheduler asleep.  Whoever is told puts both right.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from mailwatch.ports import Clock, EventLog, MailwatchError

#: Steps of time synchronisation are far smaller; a daylight-saving change is none, since moments are UTC.
JUMP_SECONDS: Final = 30.0


class ClockWatch:
    """Looks every second; tells *jumped* how far the wall clock went ahead (seconds; negative: back), *alive* that it looked."""

    def __init__(
        self,
        clock: Clock,
        log: EventLog,
        jumped: Callable[[float], Awaitable[None]],
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._alive = alive
        self._clock = clock
        self._log = log
        self._jumped = jumped
        self._seen: tuple[datetime, float] = (clock.now(), clock.monotonic())

    async def look(self) -> None:
        """Compare the two clocks since the last look.

        A machine that was suspended shows as a jump ahead, for the monotonic clock stood still: what fell due meanwhile is due.
        """
        self._alive()
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        jump = (wall - self._seen[0]).total_seconds() - (monotonic - self._seen[1])
        self._seen = (wall, monotonic)
        if abs(jump) < JUMP_SECONDS:
            return
        self._log.warning("clock.jumped", seconds=round(jump))
        try:
            await self._jumped(jump)
        except MailwatchError as error:
            self._log.error("clock.not_put_right", error=str(error))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            await self.look()
