"""What the page costs: every query of `Pages` over a whole fleet, with its states, causes, history, labels, campaigns and audit.

    python benchmarks/pages.py [--url URL] [--mailboxes 100000] [--rounds 15]

Prints, for each query, the medians of wall and CPU milliseconds of this process (the database's own thread is in it on SQLite; a
PostgreSQL server is not), and the slowest round.  Without --url a SQLite file in a temporary directory is used and removed; a
database that a run has filled before is not filled again.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text

from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Endpoint, Mailbox, Protocol
from mailwatch.core.standing import ChannelHealth, Confidence, Diagnosis, Standing, Transition
from mailwatch.ports import Act
from mailwatch.ports.pages import BulkAction, Job, PageFilter, Sample
from mailwatch.store import migrate
from mailwatch.store.address import parse_address
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.jobs import SqlJobs
from mailwatch.store.pages import SqlPages
from mailwatch.store.rows import mailbox_to_row, new_standing_row, transition_to_row
from mailwatch.store.samples import write_samples
from mailwatch.store.schema import audit, mailboxes, standings, transitions
from mailwatch.store.schema_campaigns import campaign_links, campaigns

CHUNK = 2000
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
#: Of 1,000 mailboxes so many are in each state, and why.
STATES = {
    State.CONNECTED: (925, ()),
    State.BLOCKED: (25, (Cause.INVALID_CREDENTIALS, Cause.OAUTH_GRANT_REVOKED, Cause.MFA_REQUIRED)),
    State.RECONNECTING: (15, (Cause.CONNECTION_TIMEOUT, Cause.RATE_LIMITED, Cause.SERVER_UNAVAILABLE)),
    State.INACTIVE: (12, (Cause.OPERATOR_DISCONNECT,)),
    State.HELD: (10, (Cause.WARMUP_PAUSE, Cause.STRATEGIC_PAUSE)),
    State.SUSPECT: (6, (Cause.CONNECTION_DROPPED,)),
    State.VERIFYING: (5, (Cause.CONNECTION_TIMEOUT,)),
    State.PENDING: (2, ()),
}
PROVIDERS = {"google": 450, "microsoft": 350, "other": 150, "zoho": 49, "yandex": 1}
CUSTOMERS = 50  # one after another, as they were imported
CAMPAIGNS = 1000


class WallClock:
    """The real time."""

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return time.monotonic()


def view_of(number: int, total: int, rng: random.Random) -> tuple[Mailbox, Standing, list[Transition]]:
    customer = number * CUSTOMERS // total
    (provider,) = rng.choices(list(PROVIDERS), PROVIDERS.values())
    domain = f"mail{number % 40}.customer{customer:03}.example"
    created_at = NOW - 300 * DAY + customer * DAY
    mailbox = Mailbox(
        id=f"mb_{rng.getrandbits(64):016x}",
        address=f"first.last{number}@{domain}",
        username=f"first.last{number}@{domain}",
        auth=AuthKind.PASSWORD,
        imap=Endpoint.parse(f"imaps://imap.{provider}.example"),
        smtp=Endpoint.parse(f"smtps://smtp.{provider}.example"),
        provider=provider,
        created_at=created_at,
        labels={"customer": f"customer{customer:03}", "team": rng.choice(("sales", "support", "growth"))},
    )
    (state,) = rng.choices(list(STATES), [share for share, _ in STATES.values()])
    causes = STATES[state][1]
    cause = rng.choice(causes) if causes else None
    times = 150 if number % 200 == 0 else rng.randrange(2, 6)  # some come and go all the time
    moments = sorted(NOW - rng.random() * 30 * DAY for _ in range(times))
    # what was imported together and never failed is connected since then
    since_at = created_at if state is State.CONNECTED and number % 3 else moments[-1]
    steps = [step_of(mailbox, version + 1, at, state if at is moments[-1] else None) for version, at in enumerate(moments)]
    channels = {channel: ChannelHealth(healthy=state is State.CONNECTED, since_at=since_at, cause=cause) for channel in Protocol}
    standing = Standing(
        mailbox.id,
        state,
        since_at,
        NOW,
        version=times,
        cause=cause,
        channels=channels,
        proven=True,
        last_probe_at=NOW,
        last_success_at=NOW,
    )
    return mailbox, standing, steps


def step_of(mailbox: Mailbox, version: int, at: datetime, to: State | None) -> Transition:
    here, there = (State.CONNECTED, State.SUSPECT) if version % 2 else (State.SUSPECT, State.CONNECTED)
    return Transition(
        mailbox.id,
        version,
        at,
        here,
        to or there,
        Trigger.PROBE_FAILED,
        Cause.CONNECTION_TIMEOUT,
        Protocol.IMAP,
        Diagnosis(Cause.CONNECTION_TIMEOUT, "network.timeout", "timed out", Confidence.MEDIUM),
        Evidence("imap", Phase.CONNECT, "timed out", provider=mailbox.provider, exception="builtins.TimeoutError"),
    )


async def fill(database: Database, total: int) -> None:
    rng = random.Random(4)
    names = [f"campaign-{number:04}" for number in range(CAMPAIGNS)] + ["everybody", "a third", "a few"]
    fields = {"name": "", "sender": "", "position": "", "state": "active", "version": 1, "created_at": NOW, "updated_at": NOW}
    await execute(database, insert(campaigns), [{"id": name, **fields} for name in names])
    for start in range(0, total, CHUNK):
        views = [view_of(number, total, rng) for number in range(start, min(start + CHUNK, total))]
        await database.write(lambda attempt, views=views, start=start: fill_some(attempt, views, start, total, rng))
    await database.write(vacuum)


async def vacuum(attempt: Attempt) -> None:
    if attempt.connection.dialect.name == "postgresql":
        await attempt.connection.execute(text("ANALYZE"))  # what its autovacuum does by itself


async def fill_some(attempt: Attempt, views: Sequence[Any], start: int, total: int, rng: random.Random) -> None:
    connection = attempt.connection
    await connection.execute(insert(mailboxes), [mailbox_to_row(mailbox) for mailbox, _, _ in views])
    await connection.execute(insert(standings), [new_standing_row(mailbox, standing) for mailbox, standing, _ in views])
    await connection.execute(insert(transitions), [transition_to_row(step, "fill") for *_, steps in views for step in steps])
    links = [
        {"campaign_id": name, "mailbox_id": mailbox.id}
        for number, (mailbox, _, _) in enumerate(views, start)
        for name in sorted(campaigns_of(number, total, rng))
    ]
    await connection.execute(insert(campaign_links), links)
    act = {"at": NOW, "actor": "user:ada", "action": "mailbox.add", "origin": "192.0.2.7", "operation": "fill"}
    await connection.execute(insert(audit), [{**act, "mailbox_id": mailbox.id} for mailbox, _, _ in views for _ in range(3)])
    sample = Sample(NOW, {channel: dict.fromkeys(list(Phase)[:7], 0.0123) for channel in Protocol})
    await write_samples(attempt, {mailbox.id: replace(sample, at=NOW) for mailbox, _, _ in views[:50]})


def campaigns_of(number: int, total: int, rng: random.Random) -> Iterator[str]:
    yield "everybody"
    yield f"campaign-{rng.randrange(CAMPAIGNS):04}"
    if number < total // 3:
        yield "a third"
    if number % (total // 10) == 0:
        yield "a few"


async def execute(database: Database, statement: Any, rows: Sequence[Any]) -> None:
    await database.write(lambda attempt: attempt.connection.execute(statement, rows))


Asked = Callable[[], Awaitable[Any]]


async def measured(name: str, rounds: int, ask: Asked) -> None:
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        await ask()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    print(f"{name:<56} {statistics.median(walls):8.1f} ms wall {statistics.median(cpus):8.1f} ms CPU {max(walls):8.1f} ms slowest")


def filters() -> dict[str, PageFilter]:
    return {
        "no filter": PageFilter(),
        "blocked": PageFilter(states=frozenset({State.BLOCKED})),
        "connected": PageFilter(states=frozenset({State.CONNECTED})),
        "provider, half of all": PageFilter(providers=frozenset({"google"})),
        "provider, one in a thousand": PageFilter(providers=frozenset({"yandex"})),
        "two providers, connected": PageFilter(providers=frozenset({"google", "zoho"}), states=frozenset({State.CONNECTED})),
        "cause": PageFilter(causes=frozenset({"mfa_required"})),
        "three causes of one provider": PageFilter(
            causes=frozenset({"mfa_required", "invalid_credentials", "rate_limited"}), providers=frozenset({"zoho"})
        ),
        "text in every address": PageFilter(text="example"),
        "text in the oldest tenth": PageFilter(text="customer00"),
        "text in the oldest tenth, connected": PageFilter(text="customer00", states=frozenset({State.CONNECTED})),
        "text in the oldest two fifths, connected": PageFilter(
            text="customer0", labels={"team": "sales"}, states=frozenset({State.CONNECTED})
        ),
        "text in the newest fiftieth, connected": PageFilter(text="customer049", states=frozenset({State.CONNECTED})),
        "text in one address": PageFilter(text="last4711@"),
        "text in none": PageFilter(text="nobody"),
        "label, a third": PageFilter(labels={"team": "sales"}),
        "label, the oldest fiftieth": PageFilter(labels={"customer": "customer000"}),
        "label nobody has": PageFilter(labels={"team": "nobody"}),
        "campaign of everybody": PageFilter(campaign="everybody"),
        "campaign of the oldest third": PageFilter(campaign="a third"),
        "campaign of a thousandth": PageFilter(campaign="campaign-0007"),
        "campaign of ten": PageFilter(campaign="a few"),
        "all together": PageFilter(
            states=frozenset({State.CONNECTED}),
            providers=frozenset({"microsoft"}),
            labels={"team": "sales"},
            campaign="a third",
            text="customer01",
        ),
    }


async def deep(pages: SqlPages, share: float, total: int) -> str | None:
    """The cursor behind this share of all pages."""
    cursor = None
    for _ in range(int(total * share) // 1000):
        cursor = (await pages.page(PageFilter(), cursor, 1000)).next_cursor
    return cursor


async def run(url: str, total: int, rounds: int) -> None:
    await migrate(url)
    database = Database(parse_address(url))
    pages = SqlPages(database)
    if not await pages.count(PageFilter()):
        begun = time.perf_counter()
        await fill(database, total)
        print(f"filled with {total:,} mailboxes in {time.perf_counter() - begun:.0f} s")
    total = await pages.count(PageFilter())
    for name, which in filters().items():
        await measured(f"page of 100, {name}", rounds, lambda which=which: pages.page(which, None, 100))
    for share in (0.05, 0.5, 0.99):
        cursor = await deep(pages, share, total)
        await measured(f"page of 100, {share:.0%} of the way", rounds, lambda cursor=cursor: pages.page(PageFilter(), cursor, 100))
    for name, which in filters().items():
        await measured(f"counters, {name}", rounds, lambda which=which: pages.counters(which))
    for name in ("no filter", "blocked", "text in every address", "campaign of everybody"):
        which = filters()[name]
        await measured(f"count, {name}", rounds, lambda which=which: pages.count(which))
        await measured(f"ids, 1,000, {name}", rounds, lambda which=which: pages.ids(which, "mb_8", 1000))
    await details(database, pages, rounds)
    await bulk(database, rounds)
    await database.close()


async def details(database: Database, pages: SqlPages, rounds: int) -> None:
    shown = [view.mailbox.id for view in (await pages.page(PageFilter(), None, 100)).rows]
    busiest = select(transitions.c.mailbox_id).group_by(transitions.c.mailbox_id).order_by(func.count().desc()).limit(100)
    busy = list(await database.read(lambda attempt: attempt.connection.scalars(busiest)))
    await measured("heartbeats of 100", rounds, lambda: pages.heartbeats(shown, NOW))
    await measured("heartbeats of the 100 that change most", rounds, lambda: pages.heartbeats(busy, NOW))
    await measured("campaigns of 100", rounds, lambda: pages.campaigns_of(shown))
    await measured("facets", rounds, pages.facets)
    await measured("troubles", rounds, pages.troubles)
    await measured("timeline of 50", rounds, lambda: pages.timeline(busy[0], None, 50))
    await measured("samples", rounds, lambda: pages.samples(busy[0]))
    await measured("audit of 100", rounds, lambda: pages.audit(None, 100))
    await measured("audit of 100, half of the way", rounds, lambda: pages.audit(150_000, 100))
    await measured("audit of one mailbox", rounds, lambda: pages.audit(None, 100, mailbox_id=busy[0]))


async def bulk(database: Database, rounds: int) -> None:
    jobs, act = SqlJobs(database, WallClock()), Act("benchmark", "mailbox.probe")
    number = time.time_ns()
    job = Job("job", BulkAction.PROBE, {}, "benchmark", "local", NOW, 0)

    async def begin() -> None:
        nonlocal number
        number += 1
        await jobs.begin(replace(job, id=f"job_{number}"), PageFilter(), act)

    await measured("begin a job of all", 3, begin)
    await measured("waiting, 100 of a job", rounds, lambda: jobs.waiting(f"job_{number}", 100))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="an empty database to fill, or one filled before; default: a temporary SQLite file")
    parser.add_argument("--mailboxes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailwatch-benchmark-") as folder:
        url = chosen.url or f"sqlite:///{Path(folder) / 'mailwatch.db'}"
        asyncio.run(run(url, chosen.mailboxes, chosen.rounds))


if __name__ == "__main__":
    main()
