"""The live stream: every reader sees what happens, and none holds up a probe."""

import asyncio

import pytest

from builders import NOW, a_mailbox
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Transition
from mailwatch.monitor.live import BACKLOG, Live

MAILBOX = a_mailbox()


def row(version):
    return Transition("mb_1", version, NOW, State.CONNECTED, State.SUSPECT, Trigger.PROBE_FAILED)


@pytest.fixture
async def live(no_task_left_behind):
    return Live()


async def reader(live):
    """A reader that listens, and the task of its first look."""
    stream = live.subscribe()
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    return stream, first


async def test_every_reader_sees_everything_in_order(live):
    readers = [await reader(live) for _ in range(3)]
    for version in range(5):
        live.publish(MAILBOX, row(version))
    for stream, first in readers:
        seen = [await first] + [await anext(stream) for _ in range(4)]
        assert [transition.version for _, transition in seen] == list(range(5))
        assert all(mailbox is MAILBOX for mailbox, _ in seen)
        await stream.aclose()


async def test_a_slow_reader_loses_its_oldest_and_nothing_else(live):
    stream, first = await reader(live)
    for version in range(BACKLOG + 250):
        live.publish(MAILBOX, row(version))
    seen = [await first] + [await anext(stream) for _ in range(BACKLOG - 1)]
    assert [transition.version for _, transition in seen] == list(range(250, BACKLOG + 250))
    await stream.aclose()


async def test_a_slow_reader_costs_a_quick_one_nothing(live):
    slow, slow_first = await reader(live)
    quick, first = await reader(live)
    live.publish(MAILBOX, row(0))
    await first
    for version in range(1, 3 * BACKLOG):
        live.publish(MAILBOX, row(version))
        _, transition = await anext(quick)
        assert transition.version == version
    await slow_first
    await slow.aclose()
    await quick.aclose()


async def test_a_reader_that_leaves_is_forgotten_and_leaves_the_others_alone(live):
    leaving, leaving_first = await reader(live)
    staying, first = await reader(live)
    leaving_first.cancel()
    await asyncio.gather(leaving_first, return_exceptions=True)
    await leaving.aclose()
    live.publish(MAILBOX, row(1))
    assert (await first)[1].version == 1
    await staying.aclose()
    assert live._readers == []


async def test_a_reader_hears_nothing_of_what_was_before_it(live):
    live.publish(MAILBOX, row(1))
    stream, first = await reader(live)
    live.publish(MAILBOX, row(2))
    assert (await first)[1].version == 2
    await stream.aclose()


async def test_publishing_to_nobody_does_no_harm(live):
    live.publish(MAILBOX, row(1))
