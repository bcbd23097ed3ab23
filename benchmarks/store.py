"""What the store costs: a claim out of a full table, and a recorded probe written behind in batches.

    python benchmarks/store.py [--url URL] [--mailboxes 100000] [--rounds 25]

Prints wall and CPU milliseconds of this process (the database's own thread is in it on SQLite; a PostgreSQL server is not).
Without --url a SQLite file in a temporary directory is used and removed.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Endpoint, Mailbox, Protocol
from mailwatch.core.secret import Secret
from mailwatch.core.standing import ChannelHealth, Decision, Standing, Transition
from mailwatch.ports import Act, Claim, NewMailbox
from mailwatch.store import KeyRing, SqlStore, Vault, migrate

BATCH = 200
HOSTS = 50
GROUP = 100
LINKED = 50
CROWD = 5000


class WallClock:
    """The real time."""

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return time.monotonic()


def newcomer(number: int, now: datetime) -> NewMailbox:
    host = f"example{number % HOSTS}.org"
    mailbox = Mailbox(
        id=f"mb_{number:012x}",
        address=f"user{number}@{host}",
        username=f"user{number}@{host}",
        auth=AuthKind.PASSWORD,
        imap=Endpoint.parse(f"imaps://imap.{host}"),
        smtp=Endpoint.parse(f"smtps://smtp.{host}"),
        provider="google" if number % 2 else "other",
        created_at=now,
    )
    return NewMailbox(mailbox, Secret(f"password {number}"))


def healthy(claim: Claim, now: datetime) -> Decision:
    channels = {protocol: ChannelHealth(healthy=True, since_at=claim.standing.since_at) for protocol in Protocol}
    after = replace(
        claim.standing, due_at=now + timedelta(minutes=5), last_probe_at=now, last_success_at=now, proven=True, channels=channels
    )
    return Decision(claim.standing, after)


def disconnection(claim: Claim, now: datetime) -> Decision:
    version = claim.standing.version + 1
    after = replace(claim.standing, state=State.SUSPECT, version=version, since_at=now, due_at=now + timedelta(minutes=1))
    step = Transition(claim.mailbox.id, version, now, claim.standing.state, State.SUSPECT, Trigger.PROBE_FAILED)
    return Decision(claim.standing, after, (step,))


def gone(claim: Claim, now: datetime) -> Decision:
    """A disconnection that is confirmed: campaigns pause."""
    version = claim.standing.version + 1
    after = replace(claim.standing, state=State.RECONNECTING, version=version, since_at=now, due_at=now + timedelta(minutes=1))
    step = Transition(claim.mailbox.id, version, now, claim.standing.state, State.RECONNECTING, Trigger.FAILURE_CONFIRMED)
    return Decision(claim.standing, after, (step,))


async def campaigns(store: SqlStore, now: datetime) -> None:
    """Groups of a hundred transitions: of mailboxes without campaigns, and each in another campaign of 50 mailboxes."""
    store.campaign_policy = CampaignPolicy(brake_floor=1_000_000)
    first, waits = now - timedelta(days=1), now + timedelta(days=1)
    for kind in ("without a campaign", "each pausing a campaign of 50"):
        wanted = []
        for number in range(GROUP * LINKED):
            new = newcomer(10_000_000 + number + (GROUP * LINKED if kind.startswith("each") else 0), now)
            named = (f"campaign {number % GROUP}",) if kind.startswith("each") else ()
            wanted.append(NewMailbox(replace(new.mailbox, campaigns=named), new.secret))
        await store.add(wanted, Act("benchmark", "add"), first_due_at=lambda index: first if index < GROUP else waits)
        claims = await store.claim_due(first, GROUP, 600)

        async def together(claims: Sequence[Claim] = claims) -> None:
            await asyncio.gather(*(store.record(each, gone(each, now)) for each in claims))

        await measured(f"{len(claims)} transitions together, {kind}", 1, together)


async def one_campaign(store: SqlStore, now: datetime) -> None:
    """All mailboxes of one campaign leave it and come back, each in a transaction of its own: the last cost what the first did."""
    wanted = []
    for number in range(CROWD):
        new = newcomer(20_000_000 + number, now)
        wanted.append(NewMailbox(replace(new.mailbox, campaigns=("crowd",)), new.secret))
    ids = await store.add(wanted, Act("benchmark", "add"), first_due_at=lambda _: now + timedelta(days=1))
    turns = (("leaves", State.RECONNECTING, Trigger.FAILURE_CONFIRMED), ("is back", State.CONNECTED, Trigger.VERIFIED))
    for what, state, trigger in turns:
        for start in range(0, CROWD, CROWD // 5):
            some = ids[start : start + CROWD // 5]

            async def one_by_one(some: Sequence[str] = some, state: State = state, trigger: Trigger = trigger) -> None:
                for mailbox_id in some:
                    await store.change(mailbox_id, lambda standing: moved(standing, state, trigger, now), Act("benchmark", "move"))

            await measured(f"one of a campaign of {CROWD:,} {what}, after {start:,}", len(some), one_by_one)


def moved(standing: Standing, state: State, trigger: Trigger, now: datetime) -> Decision:
    """Whatever it was, it is in *state* now."""
    version = standing.version + 1
    after = replace(standing, state=state, version=version, since_at=now)
    return Decision(standing, after, (Transition(standing.mailbox_id, version, now, standing.state, state, trigger),))


async def measured(name: str, times: int, work: Callable[[], Awaitable[None]]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:<60} {wall / times * 1000:9.3f} ms wall {cpu / times * 1000:9.3f} ms CPU")


async def run(url: str, mailboxes: int, rounds: int) -> None:
    await migrate(url)
    store = SqlStore(url, Vault(KeyRing.generate()), WallClock(), node="benchmark")
    await store.open(daemon=True)
    now = WallClock().now()
    claims: list[Claim] = []

    async def add() -> None:
        wanted = [newcomer(number, now) for number in range(mailboxes)]
        await store.add(wanted, Act("benchmark", "add"), first_due_at=lambda index: now - timedelta(milliseconds=index))

    async def claim() -> None:
        for _ in range(rounds):
            claims.extend(await store.claim_due(now, BATCH, 600))

    async def past_an_excluded_half() -> None:
        for _ in range(rounds):
            claims.extend(await store.claim_due(now, BATCH, 600, excluding={"google"}))

    async def with_little_room() -> None:
        for _ in range(rounds):
            claims.extend(await store.claim_due(now, BATCH, 600, room=lambda gate: 20 if gate == "google" else 8))

    async def record() -> None:
        for each in claims:
            await store.record(each, healthy(each, now))
        await store.flush()

    async def both() -> None:
        for _ in range(rounds):
            for each in await store.claim_due(now, BATCH, 600):
                await store.record(each, healthy(each, now))
        await store.flush()

    async def urgent() -> None:
        for each in await store.claim_due(now, BATCH, 600):
            await store.record(each, disconnection(each, now))

    await measured("add, a mailbox", mailboxes, add)
    await measured(f"claim {BATCH} of {mailboxes:,} due", rounds, claim)
    await measured(f"claim {BATCH}, half of the table excluded", rounds, past_an_excluded_half)
    await measured(f"claim {BATCH}, with little room at each gate", rounds, with_little_room)
    await measured(f"record, a probe in batches of {BATCH}", len(claims), record)
    await measured("claim and record, a probe", rounds * BATCH, both)
    await measured("record a transition at once", BATCH, urgent)
    await measured("counts", 1, lambda: _ignore(store.counts()))
    await measured("due_count", 1, lambda: _ignore(store.due_count(now)))
    await campaigns(store, now)
    await one_campaign(store, now)
    await store.close()


async def _ignore(result: Awaitable[object]) -> None:
    await result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="an empty database to fill; default: a temporary SQLite file")
    parser.add_argument("--mailboxes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=25)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailwatch-benchmark-") as folder:
        url = chosen.url or f"sqlite:///{Path(folder) / 'mailwatch.db'}"
        asyncio.run(run(url, chosen.mailboxes, chosen.rounds))


if __name__ == "__main__":
    main()
