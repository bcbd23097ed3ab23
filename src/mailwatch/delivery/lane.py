"""One receiver's lane: so many tries at a time, and a rest while it fails, so that it takes nothing from the others."""

import asyncio
import math
from typing import Final

from mailwatch.core.redelivery import LONGEST_REST_SECONDS, rest_seconds

#: Tries of one receiver at the same time.
CONCURRENT: Final = 4
#: That it fails is told once until it recovers, and for one that fails now and then no more often than this.
TELL_SECONDS: Final = 60.0


class Lane:
    """What is under way to one receiver.  Times are monotonic seconds."""

    def __init__(self) -> None:
        self.waiting = 0  #: claimed, under way or waiting for a place
        self.places = asyncio.Semaphore(CONCURRENT)
        self._failures = 0
        self._rests_until = 0.0
        self._told_at = -math.inf
        self._told = False

    def takes_more(self, now: float) -> bool:
        """Whether more may be claimed for it."""
        return self.waiting < CONCURRENT and now >= self._rests_until

    def wake(self) -> None:
        """A person wants it tried now: its rest is over; where it fails again, it rests on as before."""
        self._rests_until = 0.0

    def succeeded(self) -> bool:
        """It answered as it should; whether a person was told that it fails, and should hear of this too."""
        was_told, self._told = self._told, False
        self._failures, self._rests_until = 0, 0.0
        return was_told

    def failed(self, now: float, hint_seconds: float | None = None) -> bool:
        """It did not, and may have asked for a pause; whether a person should hear of it."""
        self._failures += 1
        asked = min(hint_seconds or 0.0, LONGEST_REST_SECONDS)
        self._rests_until = now + max(rest_seconds(self._failures), asked)
        if self._told or now - self._told_at < TELL_SECONDS:
            return False
        self._told, self._told_at = True, now
        return True
