"""The wire of IMAP under any slicing and any bytes."""

import asyncio
import gc
import itertools
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailwatch.probe import imap_wire
from mailwatch.probe.failures import ConnectionClosedError, ProtocolViolationError, ServerByeError
from mailwatch.probe.imap_wire import ImapWire

SCRIPT = (
    b"* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n"
    b"* LIST () {4}\r\na\r\nb tail\r\n* OK [ALERT] beware\r\n* 3 EXISTS\r\n* CAPABILITY IMAP4rev1 X\r\nTAG OK [CAPABILITY A B] done\r\n"
)


class Wire(asyncio.Transport):
    """A transport that only remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


def connected(lines: list[bytes] | None = None) -> tuple[ImapWire, Wire]:
    transport = Wire()
    wire = ImapWire(asyncio.get_running_loop(), (lines if lines is not None else []).append)
    wire.connection_made(transport)
    return wire, transport


def outcome(cuts: list[int]) -> Any:
    async def run() -> Any:
        lines: list[bytes] = []
        wire, _ = connected(lines)
        greeting, rest = SCRIPT.split(b"\r\n", 1)
        wire.data_received(greeting + b"\r\n")
        running = asyncio.ensure_future(wire.run("NOOP"))
        await asyncio.sleep(0)
        assert wire._pending is not None
        text = rest.replace(b"TAG", wire._pending.command.tag.encode())
        places = sorted({0, len(text), *(cut % len(text) for cut in cuts)})
        for start, end in itertools.pairwise(places):
            wire.data_received(text[start:end])
        reply = await running
        return reply.status, reply.text, reply.untagged, wire.offered, wire.alerts, [line.split(b" ")[0] for line in lines[:-1]]

    return asyncio.run(run())


WHOLE = outcome([])


@given(st.lists(st.integers(0, 500), max_size=40))
@settings(max_examples=60)
def test_any_slicing_gives_the_same_reply(cuts: list[int]) -> None:
    assert outcome(cuts) == WHOLE


def test_the_reply_in_one_piece_is_what_was_said() -> None:
    status, text, untagged, offered, alerts, _ = WHOLE
    assert (status, text) == ("OK", b"[CAPABILITY A B] done")
    assert untagged[0] == b'LIST () ""  tail'
    assert offered == {"A", "B"}
    assert alerts == [b"[ALERT] beware"]


TOKENS = [
    b"* ",
    b"+ ",
    b"OK",
    b"BYE",
    b"[ALERT]",
    b"[CAPABILITY ",
    b"{3}",
    b"{99999999999}",
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"A0 ",
    b" ",
    b"x" * 70_000,
]


@given(st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=12)), max_size=60), st.booleans())
@settings(max_examples=150)
def test_no_bytes_make_the_wire_raise_or_grow(parts: list[bytes], greeted: bool) -> None:
    async def run() -> None:
        wire, _ = connected()
        if greeted:
            wire.data_received(b"* OK hello\r\n")
        for part in parts:
            wire.data_received(part)
            assert len(wire._buffer) <= imap_wire.MAX_LINE + 70_000
        wire.connection_lost(None)
        assert wire.failure is not None
        wire.abort()

    asyncio.run(run())


@pytest.mark.parametrize("exc", [None, ConnectionResetError(104, "reset")])
async def test_a_lost_connection_wakes_the_waiter_at_once_with_its_reason(exc: Exception | None) -> None:
    wire, _ = connected()
    wire.data_received(b"* OK hello\r\n")
    running = asyncio.ensure_future(wire.run("NOOP"))
    await asyncio.sleep(0)
    wire.connection_lost(exc)
    with pytest.raises((ConnectionClosedError, ConnectionResetError)):
        await running
    with pytest.raises((ConnectionClosedError, ConnectionResetError)):
        await wire.run("NOOP")


async def test_the_words_of_a_bye_are_the_reason_of_the_end() -> None:
    wire, _ = connected()
    wire.data_received(b"* OK hello\r\n* BYE Autologout\r\n")
    wire.connection_lost(None)
    with pytest.raises(ServerByeError) as caught:
        await wire.run("NOOP")
    assert caught.value.words == b"Autologout"
    wire.abort()


async def test_no_command_shows_its_arguments_or_goes_out_in_the_wrong_state() -> None:
    wire, transport = connected()
    wire.data_received(b"* OK hello\r\n")
    running = asyncio.ensure_future(wire.run("LOGIN", '"anna" "s3cret"'))
    await asyncio.sleep(0)
    assert b"s3cret" in transport.sent
    assert wire._pending is not None
    assert "s3cret" not in repr(wire._pending) + repr(wire.__dict__)
    wire.data_received(b"X1 OK\r\n")
    with pytest.raises(ProtocolViolationError) as caught:
        await running
    assert "s3cret" not in str(caught.value)
    fresh, _ = connected()
    fresh.data_received(b"* OK hello\r\n")
    with pytest.raises(ProtocolViolationError, match="SELECT"):
        await fresh.run("SELECT", "INBOX")
    with pytest.raises(NotImplementedError):
        wire.send("anything")


async def test_a_greeting_nobody_waits_for_is_no_stray_exception() -> None:
    strays: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: strays.append(context))
    wire, _ = connected()
    wire.data_received(b"HTTP/1.1 400 no\r\n")
    del wire
    gc.collect()
    await asyncio.sleep(0)
    assert not strays


def test_the_library_writes_no_log_whatever_the_level(caplog: pytest.LogCaptureFixture) -> None:
    from aioimaplib import aioimaplib

    caplog.set_level(logging.DEBUG)
    aioimaplib.log.setLevel(logging.DEBUG)
    aioimaplib.log.error("a password")
    assert not caplog.records
