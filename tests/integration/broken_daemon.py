"""Runs mailwatch with one bug built in, which shows when SIGUSR2 says so: `python broken_daemon.py BUG run --config …`."""

import asyncio
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import uvloop

from mailwatch.cli import main
from mailwatch.monitor.scheduler import Scheduler

BLOCKED_SECONDS = 6.0


def loop_blocks():
    """A callback keeps the event loop."""
    make = uvloop.new_event_loop

    def made():
        loop = make()
        loop.add_signal_handler(signal.SIGUSR2, time.sleep, BLOCKED_SECONDS)
        return loop

    uvloop.new_event_loop = made


def scheduler_dies():
    """The scheduler runs no more jobs; everything else goes on."""
    start = Scheduler.start

    def started(self):
        start(self)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, self.stop)

    Scheduler.start = started


def threads_are_taken():
    """Every thread of the default pool is busy, and more work waits for one; until the signal comes again."""
    make = uvloop.new_event_loop
    again = threading.Event()

    def made():
        loop = make()
        pool = ThreadPoolExecutor(4)
        loop.set_default_executor(pool)

        def told():
            for _ in range(4):
                pool.submit(again.wait)
            loop.add_signal_handler(signal.SIGUSR2, again.set)

        loop.add_signal_handler(signal.SIGUSR2, told)
        return loop

    uvloop.new_event_loop = made


if __name__ == "__main__":
    {bug.__name__: bug for bug in (loop_blocks, scheduler_dies, threads_are_taken)}[sys.argv.pop(1)]()
    sys.exit(main())
