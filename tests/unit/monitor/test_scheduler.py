"""Coarse jobs: one run at a time, again after a crash, none after the end."""

import asyncio
from itertools import count

import pytest

from fakes.ports import FakeLog
from mailwatch.monitor.scheduler import SKIPS_SECONDS, SKIPS_TOLD, Job, Scheduler
from mailwatch.ports import MailwatchError, StoreUnavailableError

SOON = 0.01


class Duty:
    """Counts its runs; raises what it is told to; `gate` holds a run open."""

    def __init__(self, *errors):
        self.runs = self.beats = self.running = self.most = 0
        self.errors = list(errors)
        self.gate = asyncio.Event()
        self.gate.set()
        self.changed = asyncio.Condition()

    async def run(self):
        self.runs += 1
        self.running += 1
        self.most = max(self.most, self.running)
        await self._tell()
        try:
            await self.gate.wait()
            if self.errors:
                raise self.errors.pop(0)
        finally:
            self.running -= 1

    def beat(self):
        self.beats += 1

    async def _tell(self):
        async with self.changed:
            self.changed.notify_all()

    async def until(self, runs):
        """Wait for that many runs to have begun."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(lambda: self.runs >= runs), 60)


@pytest.fixture
async def stage():
    log = FakeLog()
    scheduler = Scheduler(log)
    yield scheduler, log
    scheduler.stop()
    await asyncio.sleep(0)


async def test_a_job_runs_again_and_again_and_beats_after_each_success(stage):
    scheduler, log = stage
    duty = Duty()
    scheduler.add(Job("tick", SOON, duty.run, beat=duty.beat))
    scheduler.start()
    await duty.until(3)
    assert duty.beats >= 2
    assert log.events == []


async def test_a_job_may_be_added_while_running(stage):
    scheduler, _ = stage
    scheduler.start()
    duty = Duty()
    scheduler.add(Job("late", SOON, duty.run))
    await duty.until(1)


async def test_a_job_that_crashes_is_reported_and_comes_again(stage):
    scheduler, log = stage
    bug = ZeroDivisionError("bug")
    duty = Duty(bug, bug)
    scheduler.add(Job("tick", SOON, duty.run, beat=duty.beat))
    scheduler.start()
    await duty.until(4)
    assert [fields["exception"] for fields in log.named("job.crashed")] == ["ZeroDivisionError"] * 2
    assert log.named("job.crashed")[0] == {"job": "tick", "exception": "ZeroDivisionError", "exc_info": bug}
    assert 1 <= duty.beats < duty.runs


async def test_a_database_out_of_reach_is_reported_without_a_traceback_and_the_job_comes_again(stage):
    scheduler, log = stage
    duty = Duty(StoreUnavailableError("disk full"))
    scheduler.add(Job("counts", SOON, duty.run))
    scheduler.start()
    await duty.until(2)
    assert log.named("job.store_unavailable") == [{"job": "counts", "error": "disk full"}]


async def test_a_job_never_runs_beside_itself_and_what_was_missed_is_not_made_up_for(stage, caplog):
    scheduler, _ = stage
    slow, other = Duty(), Duty()
    slow.gate.clear()
    scheduler.add(Job("slow", SOON, slow.run))
    scheduler.add(Job("other", SOON, other.run))
    scheduler.start()
    await other.until(8)
    assert slow.runs == 1
    slow.gate.set()
    await slow.until(2)
    assert slow.most == 1
    assert slow.runs <= 3
    assert all(record.levelname in {"INFO", "DEBUG", "WARNING"} for record in caplog.records)


async def hindered(log, monotonic, *, enough):
    """Run a job that does not end beside one that does, until *enough*(runs of the other)."""
    scheduler = Scheduler(log, monotonic=monotonic)
    slow, other = Duty(), Duty()
    slow.gate.clear()
    scheduler.add(Job("slow", SOON, slow.run))
    scheduler.add(Job("other", SOON, other.run))
    scheduler.start()
    async with asyncio.timeout(60):
        while not enough(other.runs):
            await asyncio.sleep(SOON)
    slow.gate.set()
    scheduler.stop()
    await asyncio.sleep(0)


def told(log):
    return [fields for fields in log.named("job.skipped") if fields["job"] == "slow"]


async def test_runs_left_out_again_and_again_are_told_with_their_count_and_the_library_says_nothing(caplog):
    log, clock = FakeLog(), count(step=1.0)
    await hindered(log, lambda: next(clock), enough=lambda _: told(log))
    assert told(log)[0] == {"job": "slow", "count": SKIPS_TOLD[0], "seconds": pytest.approx(5.0, abs=50)}
    assert "skipped" not in caplog.text


async def test_runs_left_out_now_and_then_are_not_told():
    log, clock = FakeLog(), count(step=SKIPS_SECONDS)  # each is the first for long
    await hindered(log, lambda: next(clock), enough=lambda runs: runs > 4 * SKIPS_TOLD[0])
    assert log.named("job.skipped") == []


async def test_after_stop_nothing_runs_and_a_second_stop_does_no_harm(stage):
    scheduler, _ = stage
    duty, witness = Duty(), asyncio.Event()
    scheduler.add(Job("tick", SOON, duty.run))
    scheduler.start()
    await duty.until(1)
    scheduler.stop()
    runs = duty.runs
    asyncio.get_running_loop().call_later(5 * SOON, witness.set)
    await witness.wait()
    assert duty.runs == runs
    scheduler.stop()


async def test_stopping_what_never_started_does_no_harm(stage):
    scheduler, _ = stage
    scheduler.stop()


async def test_a_job_that_cannot_use_the_database_is_counted(no_task_left_behind):
    counted = []
    scheduler = Scheduler(FakeLog(), store_failed=lambda: counted.append(1))

    async def away():
        raise StoreUnavailableError("the database is locked")

    async def odd():
        raise MailwatchError("something else")

    scheduler.add(Job("away", SOON, away))
    scheduler.add(Job("odd", SOON, odd))
    scheduler.start()
    async with asyncio.timeout(60):
        while not counted:
            await asyncio.sleep(0.001)
    scheduler.stop()
    await asyncio.sleep(0)
