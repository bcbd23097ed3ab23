"""Signs of life for systemd: sd_notify(3) by hand, and a watchdog that is fed by progress, not by being alive.

A daemon whose scheduler died of a bug still has a running event loop; it must be restarted all the same.  So each part that must
move on (scheduler, prober, writer) beats when it does, and systemd's watchdog is fed only while every one has beaten lately.
"""

import asyncio
import os
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_MICROSECONDS: Final = 1_000_000


class Notifier:
    """Tells systemd; without `$NOTIFY_SOCKET`, or with one that is missing or full, nothing happens and nobody is disturbed."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self.watchdog_seconds = _watchdog_seconds(environ)  #: systemd's limit, or None without a watchdog

    def ready(self, status: str = "") -> None:
        """Started, or reloaded."""
        self._send("READY=1", *_status(status))

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(*_status(text))

    def reloading(self) -> None:
        """A reload begins; `ready` ends it."""
        # In one datagram: systemd 253 and later take the two only together.
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The stop begins."""
        self._send("STOPPING=1")

    def extend_timeout(self, seconds: float) -> None:
        """Starting or stopping takes that much longer still."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * _MICROSECONDS)}")

    def watchdog(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, *fields: str) -> bool:
        """Whether the datagram went out; a full socket is not waited for."""
        if self._address is None or not fields:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as channel:
                channel.connect(self._address)
                channel.sendall("\n".join(fields).encode("utf-8", "replace"))
        except OSError:
            return False
        return True


def _address(name: str) -> str | None:
    """The socket's address; a name that begins with @ lies in the abstract namespace (unix(7))."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else None


def _status(text: str) -> tuple[str, ...]:
    # A line end would begin another field.
    return (f"STATUS={' '.join(text.split())}",) if text else ()


def _watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """`$WATCHDOG_USEC`, when it is meant for this process (sd_watchdog_enabled(3))."""
    try:
        microseconds = int(environ.get("WATCHDOG_USEC", ""))
        pid = int(environ.get("WATCHDOG_PID") or os.getpid())
    except ValueError:
        return None
    return microseconds / _MICROSECONDS if microseconds > 0 and pid == os.getpid() else None


class Progress:
    """A part that must move on: it beats when it does, and is stuck after *limit_seconds* without."""

    __slots__ = ("beaten", "limit_seconds", "name")

    def __init__(self, name: str, limit_seconds: float) -> None:
        self.name = name
        self.limit_seconds = limit_seconds
        self.beaten = time.monotonic()

    def beat(self) -> None:
        """It moved on."""
        self.beaten = time.monotonic()

    def is_stuck(self, now: float) -> bool:
        """Whether it has not moved on for too long; *now* in monotonic seconds."""
        return now - self.beaten > self.limit_seconds


def stuck(parts: Iterable[Progress], now: float) -> tuple[str, ...]:
    """The names of the parts that do not move on."""
    return tuple(part.name for part in parts if part.is_stuck(now))


class Watchdog:
    """Feeds systemd's watchdog at half its limit, while every part moves on."""

    def __init__(self, notifier: Notifier, parts: Sequence[Progress]) -> None:
        self._notifier = notifier
        self._parts = parts

    def feed(self, now: float) -> tuple[str, ...]:
        """Feed it, or tell systemd which parts are stuck; their names."""
        names = stuck(self._parts, now)
        if names:
            self._notifier.status(f"no progress: {', '.join(names)}; waiting for the watchdog")
        else:
            self._notifier.watchdog()
        return names

    async def run(self) -> None:
        """Until cancelled; at once over when systemd watches nothing."""
        limit = self._notifier.watchdog_seconds
        if limit is None:
            return
        while True:
            self.feed(time.monotonic())
            await asyncio.sleep(limit / 2)
