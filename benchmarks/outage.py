"""What an outage of a whole provider costs and how its mailboxes come back: real dispatcher, circuit, correlation and decisions, in
virtual time over a simulated world.

usage: python benchmarks/outage.py [MAILBOXES] [MINUTES]      (100,000 mailboxes, 60 minutes by default)

The provider answers every login with a temporary failure while it lasts, so each look costs a login.
"""

# ruff: noqa: D102, ARG002  # what the ports declare is explained there, and not all of it is needed here
import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from mailwatch.core import acts
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.picture import Failing, FreshFailures, Recent, Recovered
from mailwatch.core.incidents.scopes import Traits
from mailwatch.core.lifecycle import IllegalMoveError, State
from mailwatch.core.pacing import Pace
from mailwatch.monitor.circuits import Circuits
from mailwatch.monitor.dispatcher import Dispatcher
from mailwatch.monitor.incident_watch import IncidentWatch, WatchPolicy
from simulation.fleet import Fleet
from simulation.memory_store import MemoryStore
from simulation.truth import BUSY, Spell, WorldProber, a_mailbox
from simulation.virtual_time import run_virtually

WARM = 600.0  # a round and more before it begins
AFTER = 900.0
PROVIDER = "google"
AWAY = (State.SUSPECT, State.RECONNECTING, State.BLOCKED)


class OneGate(MemoryStore):
    """Where all mailboxes share a gate, nothing beyond its room need be looked at."""

    async def claim_due(self, now, limit, lease_seconds, *, excluding=(), room=None):
        free = 0 if PROVIDER in excluding else min(limit, limit if room is None else room(PROVIDER))
        return await super().claim_due(now, free, lease_seconds) if free > 0 else []


class Counting(WorldProber):
    """Counts looks by second, and remembers who was first seen well when."""

    def __init__(self, world):
        super().__init__(world)
        self.looks, self.well_at = Counter(), {}

    async def probe(self, assignment):
        self.looks[int(self.world.clock.monotonic())] += 1
        report = await super().probe(assignment)
        if report.channels[0].evidence is None:
            self.well_at.setdefault(assignment.mailbox.id, self.world.clock.monotonic())
        return report


class MemoryIncidents:
    """Correlation's view of a MemoryStore (ports.incidents.Incidents), as far as one node needs it."""

    def __init__(self, store):
        self._store, self._known, self._baselines = store, {}, {}
        self.traits = Traits.of(next(iter(store.mailboxes.values())))

    async def hold(self, duty, now, seconds):
        return True

    async def recent(self, since, lately, begun=()):  # nothing here failed before the outage
        fresh, recovered = {}, set()
        for row in reversed(self._store.history):
            if row.at <= since:
                break
            if row.from_state is State.CONNECTED and row.to_state is State.SUSPECT:
                fresh[row.mailbox_id] = row
            if row.at > lately and row.to_state is State.VERIFYING:
                recovered.add(row.mailbox_id)
        by_cause = Counter(row.cause for row in fresh.values())
        latest = max((row.at for row in fresh.values()), default=since)
        away = [each for each in self._store.standings.values() if each.state in AWAY] if fresh or self._known else []
        looked = sum(each.last_probe_at is not None and each.last_probe_at > lately for each in away)
        new = sum(row.at > lately for row in fresh.values())
        return Recent(
            [FreshFailures(self.traits, cause, count, min(count, new), latest) for cause, count in by_cause.items()],
            [Failing(self.traits, len(away), looked, after=max(begun, default=None))] if away else [],
            [Recovered(self.traits, len(recovered), after=max(begun, default=None))] if recovered else [],
        )

    async def watched(self):
        return [(self.traits, len(self._store.mailboxes))]

    async def known(self, closed_since):
        return [each for each in self._known.values() if each.closed_at is None or each.closed_at >= closed_since]

    async def save(self, changed):
        self._known.update({each.id: each for each in changed})

    async def baselines(self):
        return self._baselines

    async def learn(self, learnt):
        self._baselines = {**self._baselines, **learnt}

    async def hasten(self, incident, now):
        waiting = [each for each in self._store.standings.values() if each.state is State.RECONNECTING and each.due_at > now]
        for each in waiting:
            self._store._put(replace(each, due_at=now))
        return len(waiting)

    async def suspects(self, incident, limit):
        return [each.mailbox_id for each in self._store.standings.values() if each.state is State.SUSPECT][:limit]

    async def waiting_for(self, incident, causes, limit):
        return []


class Provider(Fleet):
    """A fleet at one provider, with the circuit and the watch of a daemon."""

    def __init__(self, clock, count):
        super().__init__(clock, seed=7)
        self.store = OneGate(clock)
        self.prober = Counting(self.world)
        self.boot()
        self.add([a_mailbox(number, PROVIDER) for number in range(count)])
        self.circuits = Circuits(CircuitPolicy())
        pace = Pace(max_connections=4000, logins_per_minute=120_000, burst=4000, per_address_bans=False)
        self.dispatcher = Dispatcher(
            store=self.store,
            worker=self.worker,
            clock=clock,
            policy=self.policy,
            paces={PROVIDER: pace},
            other=Pace(),
            max_in_flight=4000,
            circuits=self.circuits,
        )
        self.dispatcher.fleet_size(count)
        self.watch = IncidentWatch(
            MemoryIncidents(self.store),
            self.connectivity,
            self.circuits,
            clock,
            self,
            policy=WatchPolicy(self.policy.interval_seconds),
            bring_back=self._nothing,
            confirm=self._confirm,
        )
        self.told = []

    def info(self, event, **fields):
        self.told.append((self.clock.monotonic(), event))

    warning = error = info

    async def _nothing(self, mailbox_id): ...

    async def _confirm(self, mailbox_id, cause):
        now = self.clock.now()
        due_at = now + timedelta(seconds=self.policy.transient.first_seconds * (1 + random.Random(mailbox_id).random()))
        try:
            self.store.act(mailbox_id, lambda standing: acts.confirm(standing, now, cause, due_at, self.policy.flap))
        except IllegalMoveError:
            return  # a probe was quicker

    async def evaluate(self):
        while True:
            await asyncio.sleep(15.0)
            await self.watch.evaluate()


def percentile(moments, share):
    """The moment by which that share of *moments* has come."""
    return sorted(moments)[max(0, round(share * len(moments)) - 1)]


async def play(clock, count, minutes):
    """Play it, and print what it cost."""
    began = time.perf_counter()
    fleet = Provider(clock, count)
    ends = WARM + 60.0 * minutes
    fleet.world.spells.append(Spell(WARM, ends, BUSY, providers=frozenset({PROVIDER})))
    watching = asyncio.create_task(fleet.evaluate())
    await fleet.run(WARM)
    await fleet.run(ends - WARM)
    fleet.prober.well_at.clear()
    taken = {each.mailbox_id for each in fleet.store.standings.values() if each.state is not State.CONNECTED}
    await fleet.run(AFTER)
    if watching.done():
        watching.result()  # it never ends by itself: raise what ended it
    watching.cancel()
    looks = fleet.prober.looks
    during = sum(number for second, number in looks.items() if WARM <= second < ends)
    well = [at - ends for at in fleet.prober.well_at.values()]
    proven = {row.mailbox_id: row.at for row in fleet.store.history if row.to_state is State.CONNECTED}
    start = clock.now() - timedelta(seconds=clock.monotonic() - ends)
    back = [(proven[one] - start).total_seconds() for one in taken if one in proven]
    print(f"{minutes:g} minutes of outage of {count} mailboxes ({time.perf_counter() - began:.0f} s to simulate)")
    for at, event in fleet.told:
        print(f"    {event} {at - WARM:.0f} s after its begin, {at - ends:+.0f} s from its end")
    print(f"  logins while it lasted: {during}, of these {during - looks_first(looks)} after its first minute")
    print(f"  mailboxes that left connected: {len(taken)}, connected again: {len(back)}")
    if back:
        print(f"  99 % of those proven and connected {percentile(back, 0.99):.0f} s after its end")
    print(f"  seen well since: {len(well)} of {count}, 99 % of all {percentile(well, 0.99):.0f} s after its end")
    print(f"  most looks in one second after its end: {max(number for second, number in looks.items() if second >= ends)}")
    assert len(well) >= 0.99 * count


def looks_first(looks):
    """Looks in the first minute."""
    return sum(number for second, number in looks.items() if WARM <= second < WARM + 60)


if __name__ == "__main__":
    mailboxes = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    duration = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    run_virtually(lambda clock: play(clock, mailboxes, duration))
