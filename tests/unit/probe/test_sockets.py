"""A socket closes its own descriptor, and nobody else's."""

import asyncio
import gc
import os
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from fakes.probing import LOOPS, WallClock, dialer, run_on
from mailwatch.core.mailbox import Endpoint
from mailwatch.probe.http import JudgedHttp
from mailwatch.probe.sockets import OwnSocket
from mailwatch.probe.trace import Trace

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
STRANGERS = 20


@pytest.fixture
def pair() -> Iterator[tuple[OwnSocket, socket.socket]]:
    """A connected socket of ours and its peer's."""
    with socket.socket() as listener, OwnSocket(socket.AF_INET, socket.SOCK_STREAM) as ours:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        ours.connect(listener.getsockname())
        theirs, _ = listener.accept()
        with theirs:
            yield ours, theirs


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def test_it_closes_its_own_descriptor(pair: tuple[OwnSocket, socket.socket]) -> None:
    ours, theirs = pair
    number = ours.fileno()
    ours.close()
    assert not is_open(number)
    assert theirs.recv(1) == b""


def test_it_closes_its_own_descriptor_when_it_is_thrown_away() -> None:
    ours = OwnSocket(socket.AF_INET, socket.SOCK_STREAM)
    number = ours.fileno()
    with pytest.warns(ResourceWarning, match="unclosed"):
        del ours
    assert not is_open(number)


@pytest.mark.parametrize("how", ["close", "throw away"])
def test_a_number_that_stands_for_something_else_by_now_is_left_alone(how: str) -> None:
    ours = OwnSocket(socket.AF_INET, socket.SOCK_STREAM)
    number = ours.fileno()
    with socket.socket() as stranger:
        os.dup2(stranger.fileno(), number)  # closes what was there
    if how == "close":
        ours.close()
    del ours
    assert is_open(number)
    os.close(number)


def test_a_descriptor_that_another_has_closed_is_not_closed_again() -> None:
    ours = OwnSocket(socket.AF_INET, socket.SOCK_STREAM)
    os.close(ours.fileno())
    ours.close()
    assert ours.fileno() == -1


class ResettingPolicy:
    """An egress policy that allows all, and lets the peer reset each connection before the handshake begins."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener

    def allows(self, address: str, port: int) -> bool:
        return True

    def check(self, address: str, port: int) -> None:
        theirs, _ = self.listener.accept()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        theirs.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_reset_before_the_handshake_takes_no_stranger_with_it(loop: str) -> None:
    # the first write of the handshake fails in the call that makes the transport
    async def test(listener: socket.socket, strangers: ExitStack) -> list[int]:
        dial: Any = dialer()
        dial.policy = ResettingPolicy(listener)
        endpoint = Endpoint.parse(f"imaps://127.0.0.1:{listener.getsockname()[1]}")
        numbers = []
        for _ in range(3):
            with pytest.raises(OSError, match=r"reset|EOF|closed|Broken") as failed:
                await dial.open(endpoint, asyncio.Protocol, Trace(WallClock().monotonic))
            await asyncio.sleep(0.01)  # the loop closes what it owns in its next rounds
            opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(STRANGERS)]
            for number in opened:
                strangers.callback(os.close, number)
            numbers += opened
            del failed
            gc.collect()
        return [number for number in numbers if not is_open(number)]

    with socket.socket() as listener, ExitStack() as strangers:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert run_on(loop, lambda: test(listener, strangers)) == []


@pytest.mark.parametrize("loop", LOOPS)
def test_http_uses_such_sockets_too(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counted(OwnSocket):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            made.append(self.fileno())

    async def test(port: int) -> None:
        http = JudgedHttp(dialer())
        with pytest.raises((OSError, ssl.SSLError)):
            await http.fetch("GET", f"https://127.0.0.1:{port}/", timeout_seconds=5)
        await http.close()

    monkeypatch.setattr("mailwatch.probe.http.OwnSocket", Counted)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        run_on(loop, lambda: test(closed.getsockname()[1]))
    assert made
