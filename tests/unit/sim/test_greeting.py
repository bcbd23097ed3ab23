"""Greetings gone wrong."""

import asyncio

import pytest

from mailwatch.core.mailbox import Protocol
from mailwatch.sim import Fault, FaultKind


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_mute_server_makes_tls_and_says_nothing(world, client, protocol):
    await world.begin(Fault(FaultKind.MUTE, "hoster"))
    assert await client.lines("hoster", protocol, b"NOOP\r\n") == b""


async def test_a_dripping_server_sends_its_greeting_byte_by_byte(world, client):
    await world.begin(Fault(FaultKind.DRIP, "hoster", seconds=0.005))
    endpoint = world["hoster"].endpoint(Protocol.IMAP)
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=client.context)
    pieces = []
    while piece := await reader.read(1000):
        pieces.append(piece)
    writer.transport.abort()
    assert b"".join(pieces).startswith(b"* OK [CAPABILITY")
    assert len(pieces) > 10  # one at a time, though a busy machine may read a few at once


@pytest.mark.parametrize(("protocol", "start"), [(Protocol.IMAP, b"SSH-2.0"), (Protocol.SMTP, b"* OK")])
async def test_garbage_is_another_protocols_greeting(world, client, protocol, start):
    await world.begin(Fault(FaultKind.GARBAGE, "hoster"))
    assert (await client.lines("hoster", protocol)).startswith(start)


@pytest.mark.parametrize(("protocol", "start"), [(Protocol.IMAP, b"* BYE Temporary System Error"), (Protocol.SMTP, b"421 4.4.5")])
async def test_an_overloaded_server_says_so_and_closes(world, client, protocol, start):
    await world.begin(Fault(FaultKind.OVERLOADED, "google"))
    assert (await client.lines("google", protocol, b"NOOP\r\n")).startswith(start)


async def test_an_endless_greeting_sends_without_a_line_end_and_stops_with_the_client(world, client):
    await world.begin(Fault(FaultKind.ENDLESS, "hoster"))
    endpoint = world["hoster"].endpoint(Protocol.IMAP)
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=client.context)
    got = await reader.readexactly(100_000)
    writer.transport.abort()
    assert b"\n" not in got
    async with asyncio.timeout(60):
        while world["hoster"].ledger.connections.now:
            await asyncio.sleep(0.01)
