"""The wire of SMTP under any slicing and any bytes."""

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailwatch.probe.failures import ConnectionClosedError, ProtocolViolationError
from mailwatch.probe.smtp_wire import Answer, LateReplyError, SmtpWire, extensions


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


def connected(lines: list[str] | None = None) -> tuple[SmtpWire, Wire]:
    transport = Wire()
    wire = SmtpWire(asyncio.get_running_loop(), (lines if lines is not None else []).append)
    wire.connection_made(transport)
    return wire, transport


REPLY = b"250-test greets you\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1000\r\n"


@given(st.lists(st.integers(0, len(REPLY)), max_size=30))
@settings(max_examples=60)
def test_any_slicing_gives_the_same_reply(cuts: list[int]) -> None:
    async def run() -> Answer:
        wire, _ = connected()
        asking = asyncio.ensure_future(wire.command(b"EHLO x"))
        await asyncio.sleep(0)
        places = sorted({0, len(REPLY), *cuts})
        for start, end in itertools.pairwise(places):
            wire.data_received(REPLY[start:end])
        return await asking

    assert asyncio.run(run()) == Answer(250, "test greets you\nAUTH PLAIN LOGIN\nSIZE 1000")


@given(
    st.lists(
        st.one_of(
            st.sampled_from([b"220 ", b"250-", b"\r\n", b"\n", b"4", b"421 x\r\n", b"\0\xff", b"x" * 9000]), st.binary(max_size=9)
        ),
        max_size=40,
    )
)
@settings(max_examples=150)
def test_no_bytes_make_the_wire_raise_or_grow(parts: list[bytes]) -> None:
    async def run() -> None:
        wire, _ = connected()
        asking = asyncio.ensure_future(wire.greeting())
        await asyncio.sleep(0)
        for part in parts:
            wire.data_received(part)
            assert len(wire._buffer) + len(wire._unasked) <= 64 * 1024
        wire.connection_lost(None)
        (result,) = await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(result, Answer | ProtocolViolationError | ConnectionClosedError | LateReplyError), result

    asyncio.run(run())


async def test_a_reply_that_comes_unasked_is_the_answer_to_the_next_command_before_it_is_sent() -> None:
    wire, transport = connected()
    wire.data_received(b"220 hi\r\n")
    assert await wire.greeting() == Answer(220, "hi")
    wire.data_received(b"4")
    asking = asyncio.ensure_future(wire.command(b"AUTH PLAIN x"))
    await asyncio.sleep(0)
    wire.data_received(b"21 4.4.2 idle too long\r\n")
    with pytest.raises(LateReplyError) as caught:
        await asking
    assert caught.value.answer == Answer(421, "4.4.2 idle too long")
    assert transport.sent == b""


async def test_an_unasked_reply_of_success_is_a_violation() -> None:
    wire, transport = connected()
    wire.data_received(b"220 hi\r\n250 you are in\r\n")
    await wire.greeting()
    with pytest.raises(ProtocolViolationError, match="unasked"):
        await wire.command(b"AUTH PLAIN x")
    assert transport.sent == b""


@pytest.mark.parametrize("exc", [None, ConnectionResetError(104, "reset")])
async def test_a_lost_connection_wakes_the_waiter_with_its_reason(exc: Exception | None) -> None:
    wire, _ = connected()
    asking = asyncio.ensure_future(wire.greeting())
    await asyncio.sleep(0)
    wire.connection_lost(exc)
    with pytest.raises(ConnectionResetError if exc else ConnectionClosedError):
        await asking
    with pytest.raises((ConnectionResetError, ConnectionClosedError)):
        await wire.command(b"NOOP")


async def test_a_session_of_too_many_bytes_is_cut() -> None:
    wire, transport = connected()
    for _ in range(70):
        wire.data_received(b"x" * 65536)
    assert transport.aborted


@pytest.mark.parametrize("reply", [b"099 low\r\n", b"700 high\r\n", b"-12 minus\r\n", b"+44 plus\r\n", b"abc\r\n"])
async def test_a_code_that_is_none_is_a_violation(reply: bytes) -> None:
    wire, _ = connected()
    wire.data_received(reply)
    with pytest.raises(ProtocolViolationError):
        await wire.greeting()


@pytest.mark.parametrize(
    ("message", "sent"),
    [(b".hidden\nline\n", b"..hidden\r\nline\r\n.\r\n"), (b"a\rb\r\n.", b"a\r\nb\r\n..\r\n.\r\n"), (b"", b"\r\n.\r\n")],
)
async def test_a_message_goes_out_with_its_dots_doubled_and_its_lines_ended(message: bytes, sent: bytes) -> None:
    wire, transport = connected()
    sending = asyncio.ensure_future(wire.content(message))
    await asyncio.sleep(0)
    wire.data_received(b"250 queued\r\n")
    assert await sending == Answer(250, "queued")
    assert transport.sent == sent


def test_extensions_and_mechanisms_are_read_from_the_reply() -> None:
    offered, mechanisms = extensions("test\nSTARTTLS\nAUTH plain Login\nAUTH=XOAUTH2\nSIZE 5")
    assert {"starttls", "size", "auth"} <= set(offered)
    assert mechanisms == {"PLAIN", "LOGIN", "XOAUTH2"}
    empty: Any = extensions("test")
    assert empty == ({}, frozenset())
