"""The wall clock held against the monotonic one."""

from datetime import UTC, datetime, timedelta

import pytest

from mailwatch.monitor.clock_watch import ClockWatch
from mailwatch.ports import StoreUnavailableError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class TwoClocks:
    """A wall clock and a monotonic one, each set by hand."""

    def __init__(self):
        self.wall, self.steady = NOON, 1000.0

    def now(self):
        return self.wall

    def monotonic(self):
        return self.steady

    def go(self, wall, steady):
        self.wall += timedelta(seconds=wall)
        self.steady += steady


class Heard:
    """A log that remembers its events."""

    def __init__(self):
        self.events = []

    def info(self, event, **fields):
        self.events.append((event, fields))

    warning = error = info


async def looked(*steps, fault=None):
    """The jumps told after *steps* of (wall seconds, monotonic seconds), and the log."""
    clocks, log, jumps = TwoClocks(), Heard(), []

    async def jumped(seconds):
        jumps.append(round(seconds))
        if fault is not None:
            raise fault

    watch = ClockWatch(clocks, log, jumped)
    for wall, steady in steps:
        clocks.go(wall, steady)
        await watch.look()
    return jumps, log.events


async def test_clocks_that_go_together_tell_nothing():
    assert await looked((1, 1), (1, 1.01), (60, 60)) == ([], [])


async def test_small_steps_of_time_synchronisation_are_no_jump():
    assert (await looked((20, 1), (-20, 1)))[0] == []


@pytest.mark.parametrize(("wall", "told"), [(-86_399, -86_400), (86_401, 86_400)])
async def test_a_day_back_or_ahead_is_told_once(wall, told):
    jumps, events = await looked((1, 1), (wall, 1), (1, 1))
    assert jumps == [told]
    assert events == [("clock.jumped", {"seconds": told})]


async def test_a_suspended_machine_shows_as_a_jump_ahead():
    assert (await looked((7200, 0.5)))[0] == [7200]


async def test_a_database_that_is_away_does_not_end_the_watch():
    jumps, events = await looked((-86_400, 1), (1, 1), (-86_400, 1), fault=StoreUnavailableError("locked"))
    assert len(jumps) == 2
    assert [event for event, _ in events] == ["clock.jumped", "clock.not_put_right"] * 2
