"""The second opinion on our own uplink: one answer is enough, silence is none, and it ends in time."""

import asyncio
import contextlib
import socket

import pytest

from mailwatch.probe import Resolver
from mailwatch.probe.canary import TcpCanary


@contextlib.asynccontextmanager
async def listening():
    """A port that accepts."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield "127.0.0.1", server.sockets[0].getsockname()[1]


@contextlib.contextmanager
def silent():
    """A port that takes no more connections and refuses none: its queue is full."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()


@pytest.fixture
def resolver():
    return Resolver([])


async def test_one_place_that_answers_is_enough(resolver, free_port, no_task_left_behind):
    async with listening() as open_place:
        canary = TcpCanary([("127.0.0.1", free_port()), ("no.such.host.invalid", 443), open_place], resolver)
        assert await canary.answers()


async def test_places_that_refuse_or_cannot_be_found_do_not_answer(resolver, free_port, no_task_left_behind):
    assert not await TcpCanary([("127.0.0.1", free_port()), ("no.such.host.invalid", 443)], resolver).answers()


async def test_silence_is_no_answer_and_is_not_waited_for(resolver, no_task_left_behind):
    with silent() as place:
        canary = TcpCanary([place], resolver, timeout_seconds=0.2)
        async with asyncio.timeout(10):
            assert not await canary.answers()


async def test_a_quick_answer_does_not_wait_for_a_slow_one(resolver, no_task_left_behind):
    async with listening() as open_place:
        with silent() as place:
            canary = TcpCanary([place, open_place], resolver, timeout_seconds=3600.0)
            async with asyncio.timeout(10):
                assert await canary.answers()


async def test_being_cancelled_leaves_nothing_behind(resolver, no_task_left_behind):
    with silent() as place:
        asking = asyncio.create_task(TcpCanary([place], resolver, timeout_seconds=3600.0).answers())
        await asyncio.sleep(0.02)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
