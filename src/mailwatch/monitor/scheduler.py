"""A handful of coarse jobs on APScheduler - never one per mailbox: due moments are rows, not jobs.

Each job runs once at a time; what was missed while it ran is run once, not made up for.  An error is logged and counted, and the
job comes again: a scheduler that dies of one bad row would be a monitor that is silently blind.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from mailwatch.ports import EventLog, MailwatchError, StoreUnavailableError


@dataclass(frozen=True, slots=True)
class Job:
    """A coarse duty."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[Any]]
    jitter_seconds: float = 0.0
    beat: Callable[[], None] = lambda: None  #: told after each run that succeeded: the watchdog's sign of progress


class Scheduler:
    """Runs jobs until stopped.  *store_failed* is told when one could not use the database."""

    def __init__(self, log: EventLog, *, store_failed: Callable[[], None] = lambda: None) -> None:
        self._log = log
        self._store_failed = store_failed
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        )

    def add(self, job: Job) -> None:
        """Run *job* from now on (or from `start`)."""

        async def once() -> None:
            try:
                await job.run()
            except MailwatchError as error:
                if isinstance(error, StoreUnavailableError):
                    self._store_failed()
                self._log.error("job.store_unavailable", job=job.name, error=str(error))
            except Exception as error:  # noqa: BLE001  # see the module's head
                self._log.error("job.crashed", job=job.name, exception=type(error).__name__, exc_info=error)
            else:
                job.beat()

        self._scheduler.add_job(
            once, "interval", seconds=job.every_seconds, jitter=job.jitter_seconds or None, id=job.name, name=job.name
        )

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._scheduler.start()

    def rouse(self) -> None:
        """Run every job now and go on from there: their next runs are wall time, and that has jumped."""
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=now)

    def stop(self) -> None:
        """Start no further run.  APScheduler cancels runs in flight and awaits nothing, so drain your own work first."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
