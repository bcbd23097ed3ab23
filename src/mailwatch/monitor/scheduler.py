"""A handful of coarse jobs on APScheduler - never one per mailbox: due moments are rows, not jobs.

Each job runs once at a time; what was missed while it ran is run once, not made up for.  That a run is left out now and then is
nothing on a busy machine; a job that is late again and again is told of, with how often.  An error is logged and counted, and the
job comes again: a scheduler that dies of one bad row would be a monitor that is silently blind.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from mailwatch.ports import EventLog, MailwatchError, StoreUnavailableError

#: A line is written when so many runs of one job have been left out …
SKIPS_TOLD: Final = (5, 50, 500)
#: … within this time, or ten of the job's intervals; then they are counted anew.
SKIPS_SECONDS: Final = 600.0
_LIBRARY: Final = "apscheduler.scheduler"


@dataclass(slots=True)
class _Skips:
    """How many runs of a job were left out since *since*, on the monotonic clock; counted for *window_seconds*."""

    window_seconds: float
    since: float = float("-inf")
    count: int = 0


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

    def __init__(
        self,
        log: EventLog,
        *,
        store_failed: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._store_failed = store_failed
        self._monotonic = monotonic
        self._skips: dict[str, _Skips] = {}
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        )
        self._scheduler.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES)
        logging.getLogger(_LIBRARY).addFilter(_is_no_skip)  # one line for each run left out; `_skipped` counts them instead

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

        self._skips[job.name] = _Skips(max(SKIPS_SECONDS, 10 * job.every_seconds))
        self._scheduler.add_job(
            once, "interval", seconds=job.every_seconds, jitter=job.jitter_seconds or None, id=job.name, name=job.name
        )

    def _skipped(self, event: JobSubmissionEvent) -> None:
        """A run was left out, for the one before has not ended."""
        skips, now = self._skips[event.job_id], self._monotonic()
        if now - skips.since >= skips.window_seconds:
            skips.since, skips.count = now, 0
        skips.count += 1
        if skips.count in SKIPS_TOLD:
            self._log.warning("job.skipped", job=event.job_id, count=skips.count, seconds=round(now - skips.since, 1))

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


def _is_no_skip(record: logging.LogRecord) -> bool:
    """Whether a line of the library says anything but that a run was left out."""
    return not str(record.msg).startswith('Execution of job "%s" skipped')
