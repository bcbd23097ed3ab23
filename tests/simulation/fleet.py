"""Runs a fleet through virtual time with the real dispatcher, worker, connectivity and decisions, and checks the rules afterwards."""

import asyncio
import random
from collections import defaultdict
from datetime import timedelta

from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import Policy
from mailwatch.core.standing import Standing
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.dispatcher import Dispatcher
from mailwatch.monitor.live import Live
from mailwatch.monitor.worker import Voices, Worker
from mailwatch.ports import Recorded
from simulation.memory_store import MemoryStore
from simulation.truth import World, WorldProber
from simulation.virtual_time import START_AT

BIG = Pace(max_connections=200, logins_per_minute=12_000, burst=200, per_address_bans=False)
DAY = 86_400.0


class Quiet:
    """A meter and a log that remember the errors only."""

    def __init__(self):
        self.errors = []

    def probed(self, claim, report, decision): ...

    def moved(self, provider, decision): ...

    def fenced(self): ...

    def info(self, event, **fields): ...

    def warning(self, event, **fields): ...

    def error(self, event, **fields):
        self.errors.append((event, fields))


class Gone:
    """The store as a dead process reaches it: not at all."""

    async def record(self, claim, decision):
        return Recorded.FENCED

    async def postpone(self, claim, due_at): ...


class Fleet:
    """A node, its store and its world, in virtual time."""

    def __init__(self, clock, seed=1, *, policy=None, paces=None, canary=None, prober=None):
        self.clock, self.seed = clock, seed
        self.policy = policy or Policy()
        self.paces = {"google": BIG, "microsoft": BIG, "yahoo": BIG, "zoho": BIG, **(paces or {})}
        self.world = World(clock, random.Random(seed))
        self.prober = prober or WorldProber(self.world)
        self.store = MemoryStore(clock)
        self.quiet = Quiet()
        self.canary = canary
        self.tick_seconds = 1.0
        self.pardons = {}  # mailbox id -> how often a person asked for one more login
        self.boot()

    def boot(self):
        """A (new) process over the same store."""
        rng = random.Random(self.seed * 7919 + len(self.store.history))
        self.connectivity = Connectivity(self.clock, self.canary)
        self.worker = Worker(
            store=self.store,
            prober=self.prober,
            connectivity=self.connectivity,
            policy=self.policy,
            clock=self.clock,
            rng=rng,
            voices=Voices(self.quiet, self.quiet, Live()),
        )
        self.dispatcher = Dispatcher(
            store=self.store,
            worker=self.worker,
            clock=self.clock,
            policy=self.policy,
            paces=self.paces,
            other=Pace(),
            max_in_flight=500,
        )

    def add(self, mailboxes, *, state=State.CONNECTED):
        """Add *mailboxes*, due spread over an interval."""
        for number, mailbox in enumerate(mailboxes):
            due_at = self.clock.now() + timedelta(seconds=self.policy.interval_seconds * (number + 1) / (len(mailboxes) + 1))
            proven = state is State.CONNECTED
            self.store.add(mailbox, Standing(mailbox.id, state, self.clock.now(), due_at, proven=proven))
        self.dispatcher.fleet_size(len(self.store.mailboxes))

    async def run(self, seconds):
        """Let *seconds* of virtual time pass."""
        end = self.clock.monotonic() + seconds
        learned = 0.0
        while self.clock.monotonic() < end:
            if self.clock.monotonic() - learned >= 5:
                since = self.clock.now() - timedelta(seconds=self.policy.budget.host_window_seconds)
                self.dispatcher.hosts.learn(await self.store.refusals_since(since))
                learned = self.clock.monotonic()
            await self.dispatcher.tick()
            await asyncio.sleep(self.tick_seconds)

    async def crash(self):
        """kill -9: what is in flight is gone, its leases stay, and nothing is written any more."""
        self.worker._store = Gone()
        tasks = list(self.dispatcher._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.boot()
        self.dispatcher.fleet_size(len(self.store.mailboxes))

    def states(self):
        """How many mailboxes are in each state."""
        counts = defaultdict(int)
        for standing in self.store.standings.values():
            counts[standing.state] += 1
        return dict(counts)

    def rows(self, mailbox_id):
        """The history of one mailbox."""
        return [row for row in self.store.history if row.mailbox_id == mailbox_id]


def check_rules(fleet, *, max_wait_seconds=None):
    """DESIGN's seven rules and the invariants of a fleet's story, whatever happened in it."""
    policy = fleet.policy
    chains = defaultdict(list)
    for row in fleet.store.history:
        chains[row.mailbox_id].append(row)
    for mailbox_id, rows in chains.items():
        _check_chain(rows, policy)
        assert rows[-1].version == fleet.store.standings[mailbox_id].version
        assert rows[-1].to_state is fleet.store.standings[mailbox_id].state
    _check_budgets(fleet)
    _check_due(fleet, max_wait_seconds or max(policy.throttled.max_seconds * 1.5, policy.max_hint_seconds * 1.5))
    assert fleet.world.overlaps == 0, "two probes of one mailbox at once"
    assert fleet.quiet.errors == []


def _check_chain(rows, policy):
    for before, row in zip([None, *rows], rows, strict=False):
        assert before is None or (row.version == before.version + 1 and row.from_state is before.to_state)
        assert before is None or row.at >= before.at
        if row.from_state is State.CONNECTED:
            assert row.to_state in (State.SUSPECT, State.HELD, State.INACTIVE)
        if row.to_state is State.CONNECTED:
            assert row.trigger is Trigger.VERIFIED or row.from_state in (State.SUSPECT, State.PENDING)
        if row.trigger is Trigger.VERIFIED:
            reached = next(r for r in reversed(rows[: rows.index(row)]) if r.to_state is State.VERIFYING)
            assert (row.at - reached.at).total_seconds() >= policy.verify.min_seconds
        if row.from_state is State.SUSPECT and row.to_state is not State.CONNECTED and row.actor == "mailwatch":
            assert (row.at - before.at).total_seconds() >= min(
                policy.confirm.min_seconds, policy.confirm.secret_seconds
            ) or row.at == before.at


def _check_budgets(fleet):
    by_mailbox, by_host = defaultdict(list), defaultdict(list)
    strict = {m.imap.host for m in fleet.store.mailboxes.values() if fleet.paces.get(m.provider, Pace()).per_address_bans}
    for moment, mailbox_id, host, refused in fleet.world.logins:
        if refused:
            by_mailbox[mailbox_id].append(moment)
            by_host[host].append(moment)
    budget = fleet.policy.budget
    for mailbox_id, moments in by_mailbox.items():
        automatic = budget.rejected_logins + fleet.pardons.get(mailbox_id, 0)
        assert _most_within(moments, budget.window_seconds) <= automatic, mailbox_id
    for host in strict & set(by_host):
        assert _most_within(by_host[host], budget.host_window_seconds) <= budget.host_rejected_logins


def _most_within(moments, window):
    most, start = 0, 0
    for end, moment in enumerate(moments):
        while moments[start] <= moment - window:
            start += 1
        most = max(most, end - start + 1)
    return most


def _check_due(fleet, max_wait_seconds):
    now = fleet.clock.now()
    for standing in fleet.store.standings.values():
        if standing.state is State.INACTIVE or (standing.state is State.HELD and standing.hold_until_at is None):
            assert standing.due_at is None
            continue
        assert standing.due_at is not None, f"{standing.mailbox_id} will never be looked at again"
        assert standing.due_at <= now + timedelta(seconds=max_wait_seconds)
    lease_limit = now - timedelta(seconds=4 * fleet.policy.timeout_seconds)
    assert all(until > lease_limit for _, until in fleet.store.leases.values()), "a mailbox is stuck under a dead lease"


__all__ = ["BIG", "DAY", "START_AT", "Fleet", "check_rules"]
