"""Runs mailwatch with one bug built in, a few seconds after it started: `python broken_daemon.py BUG run --config …`."""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import uvloop

from mailwatch.cli import main
from mailwatch.monitor.scheduler import Scheduler

AFTER_SECONDS = 3.0
BLOCKED_SECONDS = 6.0


def loop_blocks():
    """A callback keeps the event loop."""
    make = uvloop.new_event_loop

    def made():
        loop = make()
        loop.call_later(AFTER_SECONDS, time.sleep, BLOCKED_SECONDS)
        return loop

    uvloop.new_event_loop = made


def scheduler_dies():
    """The scheduler runs no more jobs; everything else goes on."""
    start = Scheduler.start

    def started(self):
        start(self)
        asyncio.get_running_loop().call_later(AFTER_SECONDS, self.stop)

    Scheduler.start = started


def threads_are_taken():
    """Every thread of the default pool is busy, and more work waits for one."""
    make = uvloop.new_event_loop

    def made():
        loop = make()
        pool = ThreadPoolExecutor(4)
        loop.set_default_executor(pool)
        loop.call_later(AFTER_SECONDS, lambda: [pool.submit(time.sleep, 2 * BLOCKED_SECONDS) for _ in range(4)])
        return loop

    uvloop.new_event_loop = made


if __name__ == "__main__":
    {bug.__name__: bug for bug in (loop_blocks, scheduler_dies, threads_are_taken)}[sys.argv.pop(1)]()
    sys.exit(main())
