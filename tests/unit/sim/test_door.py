"""Ports that shut and open again."""

import asyncio
import socket

import pytest

from mailwatch.sim.door import Door


async def greet(plain):
    await asyncio.get_running_loop().sock_sendall(plain, b"hi")
    plain.close()


@pytest.fixture
async def door():
    door = Door("127.0.0.1", 0, greet)
    yield door
    await door.close()


async def say(door):
    reader, writer = await asyncio.open_connection(door.host, door.port)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_an_open_door_welcomes_and_a_shut_one_refuses_on_the_same_port(door):
    with pytest.raises(ConnectionRefusedError):
        await say(door)
    door.open()
    assert await say(door) == b"hi"
    await door.shut()
    assert not door.is_open
    with pytest.raises(ConnectionRefusedError):
        await say(door)
    door.open()
    assert await say(door) == b"hi"


async def test_while_it_is_shut_nobody_else_gets_the_port(door):
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((door.host, door.port))


async def test_opening_twice_and_shutting_twice_does_no_harm(door):
    door.open()
    door.open()
    assert await say(door) == b"hi"
    await door.shut()
    await door.shut()


async def test_closing_ends_the_sessions_that_run():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def stay(plain):
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            plain.close()
            ended.set()

    door = Door("127.0.0.1", 0, stay)
    door.open()
    _, writer = await asyncio.open_connection(door.host, door.port)
    await begun.wait()
    await door.close()
    assert ended.is_set()
    writer.close()
