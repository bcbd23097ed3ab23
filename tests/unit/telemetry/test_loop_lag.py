"""The longest delay of the last minute."""

import asyncio
import time

import pytest

from mailwatch.telemetry.loop_lag import WINDOW_SECONDS, LoopLag


def test_the_longest_delay_stays_for_a_minute_and_no_longer():
    lag = LoopLag(lambda _: None)
    assert lag.sample(0.0, 0.1) == 0.1
    assert lag.sample(1.0, 3.0) == 3.0
    assert lag.sample(2.0, 0.2) == 3.0
    assert lag.sample(1.0 + WINDOW_SECONDS, 0.0) == 3.0
    assert lag.sample(1.1 + WINDOW_SECONDS, 0.0) == 0.2


def test_a_timer_called_early_is_no_negative_delay():
    assert LoopLag(lambda _: None).sample(0.0, -0.001) == 0.0


def test_memory_is_bounded_by_the_window():
    lag = LoopLag(lambda _: None)
    for second in range(10_000):
        lag.sample(float(second), 1.0 / (second + 1))
    assert len(lag._recent) <= WINDOW_SECONDS + 1


async def test_a_blocked_loop_is_seen():
    told = []
    task = asyncio.create_task(LoopLag(told.append, sample_seconds=0.01).run())
    await asyncio.sleep(0.05)
    time.sleep(0.3)
    while not told or told[-1] < 0.2:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
