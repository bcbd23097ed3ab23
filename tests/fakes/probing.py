"""What tests of probes share: a prober for loopback, mailboxes at fake servers, and the two event loops."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from mailwatch.core import mailbox as m
from mailwatch.core.evidence import ChannelReport
from mailwatch.core.secret import Secret
from mailwatch.ports import Assignment, Sent
from mailwatch.probe import Dialer, EgressPolicy, NetworkProber, Resolver, make_ssl_context

T = TypeVar("T")
LOOPS = ("asyncio", "uvloop")
PASSWORD = 'pa"ss\\wörd-ASCII'.replace("ö", "o") + "-c4n4ry"


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True)
class Password:
    text: str = PASSWORD
    generation: int = 1

    def password(self) -> Secret:
        return Secret(self.text)


def run_on(kind: str, test: Callable[[], Awaitable[T]], *, handler: Callable[[dict[str, Any]], None] | None = None) -> T:
    """Run *test* on the event loop named *kind*; what reaches the loop's exception handler goes to *handler*, or fails the test."""
    strays: list[dict[str, Any]] = []
    factory = uvloop.new_event_loop if kind == "uvloop" else asyncio.new_event_loop

    async def body() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: (handler or strays.append)(context))
        before = asyncio.all_tasks()
        result = await test()
        for _ in range(5):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - before
        assert not left, f"tasks left behind: {left}"
        return result

    with asyncio.Runner(loop_factory=factory) as runner:
        result = runner.run(body())
    assert not strays, strays
    return result


def dialer(
    ca_file: Path | None = None, context: ssl.SSLContext | None = None, resolver: Resolver | None = None, **policy: Any
) -> Dialer:
    rules = {"allow_private_hosts": True, "allowed_ports": None, **policy}
    if context is None:
        context = make_ssl_context(ca_file) if ca_file else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return Dialer(resolver or Resolver([]), EgressPolicy(**rules), context)


def mailbox(imap: str | None = None, smtp: str | None = None, auth: m.AuthKind = m.AuthKind.PASSWORD, **changes: Any) -> m.Mailbox:
    found = m.Mailbox(
        "mb_test",
        "anna@example.org",
        "anna@example.org",
        auth,
        m.Endpoint.parse(imap) if imap else None,
        m.Endpoint.parse(smtp) if smtp else None,
        "other",
        datetime(2026, 1, 1, tzinfo=UTC),
        oauth_app="app" if auth is m.AuthKind.OAUTH else None,
    )
    return replace(found, **changes)


def prober(dial: Dialer, tokens: Any = None, **options: Any) -> NetworkProber:
    return NetworkProber(dial, tokens, WallClock(), **{"allow_cleartext": True, **options})


def assignment(box: m.Mailbox, *, timeout_seconds: float = 60.0, depth: m.Depth = m.Depth.LOGIN, **changes: Any) -> Assignment:
    return Assignment(box, 1, **{"credential": Password(), "depth": depth, "timeout_seconds": timeout_seconds, **changes})


async def look(box: m.Mailbox, dial: Dialer, **options: Any) -> ChannelReport:
    """Probe a mailbox of one channel."""
    report = await prober(dial).probe(assignment(box, **options))
    (channel,) = report.channels
    return channel


async def cut_short(box: m.Mailbox, dial: Dialer, when: Callable[[], bool]) -> Sent:
    """Probe *box*, whose server hangs, cancel that a moment after *when* holds, and tell what had been sent."""
    given = assignment(box)
    task = asyncio.create_task(prober(dial).probe(given))
    while not when():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    return given.sent
