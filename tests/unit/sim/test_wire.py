"""Lines, counted bytes and hard ends over a real socket."""

import asyncio

import pytest

from mailwatch.sim.wire import MAX_LINE, LineTooLongError, PeerGoneError, Wire


@pytest.fixture
async def pair():
    """A wire and the client's reader and writer."""
    wires: asyncio.Queue[Wire] = asyncio.Queue()

    def make():
        wire = Wire()
        wires.put_nowait(wire)
        return wire

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    wire = await wires.get()
    yield wire, reader, writer
    writer.transport.abort()
    wire.abort()
    server.close()
    await asyncio.sleep(0)


async def test_lines_come_whole_however_they_are_cut(pair):
    wire, _, writer = pair
    writer.write(b"a1 NO")
    first = asyncio.create_task(wire.line())
    await asyncio.sleep(0.01)
    writer.write(b"OP\r\na2 X\nrest")
    assert await first == b"a1 NOOP"
    assert await wire.line() == b"a2 X"
    assert await wire.exactly(4) == b"rest"


async def test_text_is_sent_with_crlf_and_bytes_as_they_are(pair):
    wire, reader, _ = pair
    wire.send("250-a\n250 b")
    wire.send(b"raw")
    assert await reader.readexactly(17) == b"250-a\r\n250 b\r\nraw"


async def test_a_client_that_leaves_ends_the_reading(pair):
    wire, _, writer = pair
    waiting = asyncio.create_task(wire.line())
    await asyncio.sleep(0)
    writer.close()
    with pytest.raises(PeerGoneError):
        await waiting
    assert wire.gone


async def test_a_line_without_an_end_is_refused(pair):
    wire, _, writer = pair
    writer.write(b"x" * (MAX_LINE + 10))
    with pytest.raises(LineTooLongError):
        await wire.line()


async def test_more_than_the_bound_can_be_read_when_it_is_asked_for(pair):
    wire, _, writer = pair
    writer.write(b"y" * (5 * MAX_LINE))
    assert len(await wire.exactly(5 * MAX_LINE)) == 5 * MAX_LINE


async def test_a_reset_is_seen_as_a_reset(pair):
    wire, reader, _ = pair
    wire.reset()
    with pytest.raises(ConnectionResetError):
        await reader.read()


async def test_silence_lasts_until_the_client_gives_up(pair):
    wire, _, writer = pair
    silent = asyncio.create_task(wire.silence())
    writer.write(b"hello?\r\n")
    await asyncio.sleep(0.02)
    assert not silent.done()
    writer.close()
    await silent
