"""What the sending gate costs: memory, loading, answers while it follows changes, and how soon a change is seen.

    python benchmarks/sending.py [--mailboxes 100000] [--answers 200000] [--seconds 5] [--sqlite]

Without --sqlite the source is in memory: what is measured is the gate, not a database, and memory is the growth of this process's
resident set.  With it the gate follows a real database in a temporary directory, in which mailboxes are disconnected.
"""

import argparse
import asyncio
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailwatch.core import acts
from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.mailbox import AuthKind, Endpoint, Mailbox
from mailwatch.core.secret import Secret
from mailwatch.desk.sending import SendingGate
from mailwatch.ports import Act, NewMailbox
from mailwatch.ports.campaigns import SendingChange
from mailwatch.store import KeyRing, SqlStore, Vault, migrate

STATES = ("connected",) * 95 + ("suspect", "reconnecting", "blocked", "held", "inactive")
START = datetime(2026, 3, 1, tzinfo=UTC)


class WallClock:
    """The real time."""

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return time.monotonic()


class Quiet:
    """A log that nobody reads."""

    def info(self, event: str, **fields: object) -> None:
        """Nothing."""

    warning = error = info


class Fleet:
    """A source that makes its mailboxes up; `turn` changes some."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.changes: list[SendingChange] = []

    def at(self, number: int, state: str | None = None) -> SendingChange:
        """One mailbox, as it is or as *state* would have it."""
        state = state or STATES[number % len(STATES)]
        return SendingChange(
            mailbox_id=f"mb_{number:016x}",
            address_key=f"first.last{number}@example{number % 500}.org",
            state=state,
            cause=None if state == "connected" else "connection_refused",
            since_at=START + timedelta(seconds=number % 100_000),
            until_at=START + timedelta(days=900),
            outage_seconds=7200.0 if number % 10 == 0 else 0.0,
            sends=state in ("connected", "suspect"),
        )

    def turn(self, number: int, state: str) -> None:
        """Change one."""
        self.changes.append(self.at(number, state))

    async def all_sending(self, after: str | None, limit: int) -> Sequence[SendingChange]:
        """A page of all."""
        first = 0 if after is None else int(after[3:], 16) + 1
        return [self.at(number) for number in range(first, min(first + limit, self.size))]

    async def sending_since(self, mark: int, limit: int) -> tuple[int, Sequence[SendingChange]]:
        """What `turn` changed."""
        if mark < 0:
            return len(self.changes), ()
        some = self.changes[mark : mark + limit]
        return mark + len(some), some

    async def paused_campaigns(self) -> Mapping[str, str]:
        """Every seventh of a thousand."""
        return {f"c{number}": "paused" for number in range(0, 1000, 7)}

    async def campaigns_since(self, mark: int) -> Mapping[str, str]:
        """None changes."""
        del mark
        return {}


def resident_megabytes() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


def told(name: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    print(f"{name:<44} p50 {p50 * 1e6:8.1f} us   p99 {p99 * 1e6:8.1f} us   max {ordered[-1] * 1e3:7.3f} ms")


def answers(gate: SendingGate, size: int, count: int, rng: random.Random) -> list[float]:
    took = []
    for _ in range(count):
        number = rng.randrange(size)
        wanted = f"mb_{number:016x}" if number % 2 else f"First.Last{number}@Example{number % 500}.org"
        campaign = f"c{number % 1000}"
        began = time.perf_counter()
        gate.answer(wanted, campaign)
        took.append(time.perf_counter() - began)
    return took


async def follow_latency(gate: SendingGate, fleet: Fleet, seconds: float, rng: random.Random) -> list[float]:
    """From a change in the source until the gate answers with it, while it runs by itself."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        number = rng.randrange(fleet.size)
        before = gate.answer(f"mb_{number:016x}").reason
        state = "inactive" if before != "inactive" else "held"
        began = time.perf_counter()
        fleet.turn(number, state)
        while gate.answer(f"mb_{number:016x}").reason != state:
            await asyncio.sleep(0.001)
        took.append(time.perf_counter() - began)
    return took


async def run(mailboxes: int, count: int, seconds: float) -> None:
    rng, fleet = random.Random(1), Fleet(mailboxes)
    gate = SendingGate(fleet, WallClock(), CampaignPolicy(), Quiet())
    gc.collect()
    before = resident_megabytes()
    began = time.perf_counter()
    await gate.follow()
    print(f"{mailboxes} mailboxes loaded in {time.perf_counter() - began:.2f} s")
    gc.collect()
    grown = resident_megabytes() - before
    print(f"memory {grown:.0f} MB, {grown * 1e6 / mailboxes:.0f} bytes a mailbox")
    told("answer", answers(gate, mailboxes, count, rng))
    running = asyncio.create_task(gate.run())
    try:
        during: list[float] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(100):
                fleet.turn(rng.randrange(mailboxes), "held")
            during += answers(gate, mailboxes, 200, rng)
            await asyncio.sleep(0.005)
        told("answer, while thousands a second change", during)
        seen = await follow_latency(gate, fleet, seconds, rng)
        print(f"a change is seen after {statistics.mean(seen) * 1e3:.0f} ms on average, {max(seen) * 1e3:.0f} ms at the most")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def run_sqlite(mailboxes: int, seconds: float) -> None:
    """From a decision stored in a real database until the gate answers with it; and what following costs while nothing happens."""
    rng, clock, by = random.Random(1), WallClock(), Act("cli:benchmark", "mailbox.disconnect")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/mailwatch.db"
        await migrate(url)
        store = SqlStore(url, Vault(KeyRing.generate()), clock, node="benchmark")
        await store.open()
        ids: list[str] = []
        for start in range(0, mailboxes, 5000):
            some = [newcomer(number) for number in range(start, min(start + 5000, mailboxes))]
            ids += await store.add(some, by, first_due_at=lambda _: START)
        gate = SendingGate(store.sending, clock, CampaignPolicy(), Quiet())
        began = time.perf_counter()
        await gate.follow()
        print(f"{mailboxes} mailboxes loaded from SQLite in {time.perf_counter() - began:.2f} s")
        running = asyncio.create_task(gate.run())
        cpu = time.process_time()
        await asyncio.sleep(seconds)
        print(f"following while nothing happens: {(time.process_time() - cpu) / seconds:.1%} of a core, the patrol included")
        seen = []
        for mailbox_id in rng.sample(ids, 20):
            now = clock.now()
            await store.change(mailbox_id, lambda standing, now=now: acts.disconnect(standing, now, "benchmark"), by)
            began = time.perf_counter()
            while gate.answer(mailbox_id).reason != "inactive":
                await asyncio.sleep(0.001)
            seen.append(time.perf_counter() - began)
        print(f"a decision is seen {statistics.mean(seen) * 1e3:.0f} ms after it is stored, {max(seen) * 1e3:.0f} ms at the most")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()


def newcomer(number: int) -> NewMailbox:
    host = f"example{number % 500}.org"
    mailbox = Mailbox(
        id=f"mb_{number:016x}",
        address=f"first.last{number}@{host}",
        username=f"first.last{number}",
        auth=AuthKind.PASSWORD,
        imap=Endpoint.parse(f"imaps://imap.{host}"),
        smtp=None,
        provider="other",
        created_at=START,
    )
    return NewMailbox(mailbox, Secret("password"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mailboxes", type=int, default=100_000)
    parser.add_argument("--answers", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--sqlite", action="store_true", help="follow a real database")
    given = parser.parse_args()
    if given.sqlite:
        asyncio.run(run_sqlite(given.mailboxes, given.seconds))
    else:
        asyncio.run(run(given.mailboxes, given.answers, given.seconds))
