"""How long the event loop makes others wait: a timer that notes how late it is called."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

SAMPLE_SECONDS: Final = 0.5
WINDOW_SECONDS: Final = 60.0


class LoopLag:
    """Tells the longest delay of the last minute, so that a stall between two scrapes is still seen."""

    def __init__(self, tell: Callable[[float], None], *, sample_seconds: float = SAMPLE_SECONDS) -> None:
        self._tell = tell
        self._sample_seconds = sample_seconds
        self._recent: deque[tuple[float, float]] = deque()

    def sample(self, now: float, late_seconds: float) -> float:
        """Take a delay seen at *now* (monotonic seconds) in; the longest of the window, which never grows for a smaller one."""
        late_seconds = max(0.0, late_seconds)
        # Only delays that no later one exceeds can still become the longest.
        while self._recent and self._recent[-1][1] <= late_seconds:
            self._recent.pop()
        self._recent.append((now, late_seconds))
        while self._recent[0][0] < now - WINDOW_SECONDS:
            self._recent.popleft()
        return self._recent[0][1]

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._sample_seconds
            await asyncio.sleep(self._sample_seconds)
            now = loop.time()
            self._tell(self.sample(now, now - due))
