"""What one IMAP + SMTP login probe costs in CPU of this process, beside the plain calls of aioimaplib and aiosmtplib.

Usage: python benchmarks/probe.py --imap imaps://HOST:PORT --smtp smtps://HOST:PORT --ca-file F --user u{:05d} --password pw-u{:05d}
       [--runs 300] [--concurrency 20] [--rounds 5] [--users 50]
Both loops run in one process in turn, on uvloop, against the same servers; the minimum of the rounds counts.  One JSON line.
"""

import argparse
import asyncio
import json
import resource
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import aiosmtplib
import uvloop
from aioimaplib import aioimaplib

from mailwatch.core import mailbox as m
from mailwatch.core.evidence import Outcome
from mailwatch.core.secret import Secret
from mailwatch.ports import Assignment
from mailwatch.probe import Dialer, EgressPolicy, NetworkProber, Resolver, make_ssl_context


class Clock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from some start."""
        return time.monotonic()


class Password:
    """A credential in memory."""

    generation = 1

    def __init__(self, text: str) -> None:
        self._text = text

    def password(self) -> Secret:
        """The password."""
        return Secret(self._text)


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def plain_loop(arguments: argparse.Namespace, context: ssl.SSLContext) -> Callable[[int], Awaitable[None]]:
    """The same dialogue by the libraries' own clients."""
    imap, smtp = m.Endpoint.parse(arguments.imap), m.Endpoint.parse(arguments.smtp)

    async def run(number: int) -> None:
        user, password = arguments.user.format(number), arguments.password.format(number)
        client = aioimaplib.IMAP4_SSL(imap.host, imap.port, ssl_context=context, timeout=30)
        await client.wait_hello_from_server()
        assert (await client.login(user, password)).result == "OK"
        assert (await client.select("INBOX")).result == "OK"
        await client.logout()
        client.protocol.transport.abort()
        sender = aiosmtplib.SMTP(
            hostname=smtp.host,
            port=smtp.port,
            use_tls=smtp.tls_mode is m.TlsMode.IMPLICIT,
            start_tls=smtp.tls_mode is m.TlsMode.STARTTLS,
            tls_context=context,
            local_hostname="mailwatch",
            timeout=30,
        )
        await sender.connect()
        await sender.auth_plain(user, password)
        await sender.noop()
        await sender.quit()

    return run


def probe_loop(arguments: argparse.Namespace, context: ssl.SSLContext) -> Callable[[int], Awaitable[None]]:
    """Our probe of the same mailboxes."""
    policy = EgressPolicy(allow_private_hosts=True, allowed_ports=None)
    prober = NetworkProber(Dialer(Resolver(), policy, context), None, Clock(), conversation=arguments.conversation)
    imap, smtp = m.Endpoint.parse(arguments.imap), m.Endpoint.parse(arguments.smtp)

    async def run(number: int) -> None:
        user = arguments.user.format(number)
        mailbox = m.Mailbox(f"mb_{number}", f"{user}@mail.test", user, m.AuthKind.PASSWORD, imap, smtp, "other", datetime.now(UTC))
        credential = Password(arguments.password.format(number))
        report = await prober.probe(Assignment(mailbox, 1, credential, m.Depth.LOGIN, 30.0))
        assert all(channel.outcome is Outcome.HEALTHY for channel in report.channels), report

    return run


async def measure(run: Callable[[int], Awaitable[None]], arguments: argparse.Namespace) -> tuple[float, float]:
    """CPU milliseconds and wall milliseconds of one run."""
    numbers = iter(range(arguments.runs))

    async def lane() -> None:
        for number in numbers:
            await run(1 + number % arguments.users)

    began, cpu = time.monotonic(), cpu_seconds()
    await asyncio.gather(*(lane() for _ in range(arguments.concurrency)))
    return (cpu_seconds() - cpu) * 1000 / arguments.runs, (time.monotonic() - began) * 1000 / arguments.runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--imap", "--smtp", "--ca-file"):
        parser.add_argument(option, required=True)
    parser.add_argument("--user", default="u{:05d}")
    parser.add_argument("--password", default="pw-u{:05d}")
    for option, default in (("--runs", 300), ("--concurrency", 20), ("--rounds", 5), ("--users", 50)):
        parser.add_argument(option, type=int, default=default)
    parser.add_argument("--conversation", action="store_true", help="keep the conversation of healthy channels, as check does")
    arguments = parser.parse_args()
    context = make_ssl_context(arguments.ca_file)
    best = {"plain": (1e9, 1e9), "probe": (1e9, 1e9)}

    async def rounds() -> None:
        loops = {"plain": plain_loop(arguments, context), "probe": probe_loop(arguments, context)}
        for run in loops.values():
            await run(1)
        for _ in range(arguments.rounds):
            for name, run in loops.items():
                best[name] = min(best[name], await measure(run, arguments))

    uvloop.run(rounds())
    print(
        json.dumps(
            {
                "plain_cpu_ms": round(best["plain"][0], 3),
                "probe_cpu_ms": round(best["probe"][0], 3),
                "ratio": round(best["probe"][0] / best["plain"][0], 3),
                "plain_wall_ms": round(best["plain"][1], 3),
                "probe_wall_ms": round(best["probe"][1], 3),
            }
        )
    )


if __name__ == "__main__":
    main()
