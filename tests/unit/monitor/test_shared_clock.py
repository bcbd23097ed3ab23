"""A node whose clock differs from the database's claims nothing."""

import pytest

from fakes.ports import FakeLog
from mailwatch.monitor.shared_clock import MOST_SECONDS, SharedClock
from mailwatch.ports import StoreUnavailableError


class Skewed:
    """A clock that is ahead of the database's by what it is set to."""

    def __init__(self):
        self.seconds, self.told, self.log = 0.0, [], FakeLog()
        self.shared = SharedClock(self.ask, self.log, self.told.append)

    async def ask(self):
        if isinstance(self.seconds, Exception):
            raise self.seconds
        return self.seconds


@pytest.mark.parametrize(
    ("seconds", "agrees"), [(0.0, True), (MOST_SECONDS, True), (-MOST_SECONDS, True), (10.5, False), (-65, False)]
)
async def test_a_clock_agrees_as_long_as_no_lease_can_be_misread(seconds, agrees):
    skewed = Skewed()
    skewed.seconds = seconds
    await skewed.shared.compare()
    assert skewed.shared.agrees is agrees
    assert skewed.told == [seconds]


async def test_it_is_said_once_when_it_begins_and_once_when_it_ends():
    skewed = Skewed()
    for skewed.seconds in (0.0, 65.0, 64.0, 0.5, 0.4):
        await skewed.shared.compare()
    assert skewed.log.levels() == [("error", "clock.differs"), ("info", "clock.agrees")]
    assert skewed.log.named("clock.differs")[0]["seconds"] == 65.0


async def test_while_the_database_is_away_what_was_known_stands():
    skewed = Skewed()
    skewed.seconds = 65.0
    await skewed.shared.compare()
    skewed.seconds = StoreUnavailableError("gone")
    with pytest.raises(StoreUnavailableError):
        await skewed.shared.compare()
    assert not skewed.shared.agrees
