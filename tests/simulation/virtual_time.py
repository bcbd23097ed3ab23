"""An event loop whose clock jumps: when nothing is ready, the time of the next timer is now.  Days pass in seconds."""

import asyncio
import selectors
from datetime import UTC, datetime, timedelta

START_AT = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: the time-out it is given is added to the virtual time instead."""

    elapsed = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout:
            self.elapsed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """`loop.time()` is virtual; everything built on it (sleep, timeout, call_later) follows."""

    def __init__(self):
        self.jumping = _JumpingSelector()
        super().__init__(self.jumping)

    def time(self):
        return self.jumping.elapsed


class VirtualClock:
    """Implements ports.Clock on a VirtualLoop; `skew` moves the wall clock alone."""

    def __init__(self, loop):
        self._loop = loop
        self.skew = timedelta(0)

    def now(self):
        return START_AT + timedelta(seconds=self._loop.time()) + self.skew

    def monotonic(self):
        return self._loop.time()


def run_virtually(main):
    """Run the coroutine function *main(clock)* in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main(VirtualClock(runner.get_loop())))
