"""sd_notify by hand: every kind of socket, none of which may disturb; and a watchdog fed by progress."""

import asyncio
import os
import socket
import time

import pytest

from mailwatch.telemetry.systemd import Notifier, Progress, Watchdog, stuck


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path):
    name = f"@mailwatch-test-{os.getpid()}-{time.monotonic_ns()}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name[1:] if name.startswith("@") else name)
        receiver.setblocking(False)
        yield receiver, {"NOTIFY_SOCKET": name}


def received(receiver):
    datagrams = []
    while True:
        try:
            datagrams.append(receiver.recv(4096).decode())
        except BlockingIOError:
            return datagrams


def test_each_message_is_one_datagram(systemd):
    receiver, environ = systemd
    notifier = Notifier(environ)
    notifier.ready("3 connected")
    notifier.status("2 connected\nREADY=1")
    notifier.stopping()
    notifier.extend_timeout(1.5)
    notifier.watchdog()
    notifier.ready()
    assert received(receiver) == [
        "READY=1\nSTATUS=3 connected",
        "STATUS=2 connected READY=1",
        "STOPPING=1",
        "EXTEND_TIMEOUT_USEC=1500000",
        "WATCHDOG=1",
        "READY=1",
    ]


def test_a_reload_tells_its_moment_in_the_same_datagram(systemd):
    receiver, environ = systemd
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    Notifier(environ).reloading()
    (datagram,) = received(receiver)
    first, second = datagram.split("\n")
    assert first == "RELOADING=1"
    assert before <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_full_socket_is_not_waited_for(systemd):
    receiver, environ = systemd
    notifier = Notifier(environ)
    for _ in range(10_000):
        notifier.status("x" * 100)
    assert len(received(receiver)) < 10_000


@pytest.mark.parametrize("name", ["", "/nonexistent/notify", "@nobody-listens", "relative", "vsock:2:1", "/" + "x" * 200])
def test_a_socket_that_is_missing_or_bad_disturbs_nobody(name):
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.ready("fine")
    notifier.watchdog()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdogs_limit_is_ours_only_if_it_is_meant_for_us(environ, seconds):
    assert Notifier(environ).watchdog_seconds == seconds


def test_a_part_is_stuck_after_its_own_limit():
    slow, quick = Progress("slow", 100.0), Progress("quick", 1.0)
    now = max(slow.beaten, quick.beaten)
    assert stuck([slow, quick], now + 0.5) == ()
    assert stuck([slow, quick], now + 2.0) == ("quick",)
    assert stuck([slow, quick], now + 101.0) == ("slow", "quick")


def test_a_beat_starts_the_limit_anew():
    part = Progress("part", 10.0)
    part.beaten -= 100.0
    assert part.is_stuck(time.monotonic())
    part.beat()
    assert not part.is_stuck(time.monotonic())


def test_the_watchdog_is_fed_only_while_every_part_moves_on(systemd):
    receiver, environ = systemd
    parts = [Progress("scheduler", 30.0), Progress("writer", 120.0)]
    watchdog = Watchdog(Notifier(environ), parts)
    now = time.monotonic()
    assert watchdog.feed(now) == ()
    assert watchdog.feed(now + 60.0) == ("scheduler",)
    assert received(receiver) == ["WATCHDOG=1", "STATUS=no progress: scheduler; waiting for the watchdog"]


async def test_the_watchdog_feeds_at_half_its_limit(systemd):
    receiver, environ = systemd
    task = asyncio.create_task(Watchdog(Notifier({**environ, "WATCHDOG_USEC": "20000"}), []).run())
    datagrams = []
    while len(datagrams) < 3:
        await asyncio.sleep(0.005)
        datagrams += received(receiver)
    task.cancel()
    assert set(datagrams) == {"WATCHDOG=1"}


async def test_without_a_watchdog_there_is_nothing_to_feed():
    await asyncio.wait_for(Watchdog(Notifier({}), []).run(), timeout=60)
