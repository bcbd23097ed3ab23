"""Whether this node's clock agrees with the database's, which all nodes share.

A lease is a moment: a node whose clock is ahead would take the mailboxes of others for free while they are being probed, and log in
beside them.  One whose clock differs too much claims nothing until it is put right.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from mailwatch.ports import EventLog

#: Two nodes may then differ by twice as much, which is still less than what a lease has beyond a probe's deadline.
MOST_SECONDS: Final = 10.0


class SharedClock:
    """Compares when asked to; *skew* tells how many seconds this node is ahead (negative: behind), *told* hears each answer."""

    def __init__(
        self, skew: Callable[[], Awaitable[float]], log: EventLog, told: Callable[[float], None] = lambda _seconds: None
    ) -> None:
        self._skew = skew
        self._log = log
        self._told = told
        self.agrees = True

    async def compare(self) -> None:
        """Look now; raises MailwatchError, and then what was known stands."""
        seconds = await self._skew()
        self._told(seconds)
        agreed, self.agrees = self.agrees, abs(seconds) <= MOST_SECONDS
        if agreed and not self.agrees:
            self._log.error("clock.differs", seconds=round(seconds, 1), reason="nothing is probed until it is right")
        elif self.agrees and not agreed:
            self._log.info("clock.agrees", seconds=round(seconds, 1))
