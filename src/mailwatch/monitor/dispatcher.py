"""Due mailboxes -> bounded workers: claims no more than may start at once, so nothing waits in memory under a lease.

Five limits, the tightest counts: probes in flight on this node; a ramp for the whole fleet (a restart or the end of an outage
must not become a burst); each provider's connections and logins a minute; the circuit of a provider that is down, which lets
canaries through alone; and the login budget of each host.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from mailwatch.core.budget import HostBudget
from mailwatch.core.gates import gate_of, gate_of_host
from mailwatch.core.pacing import Pace, Pacer
from mailwatch.core.plan import plan
from mailwatch.core.policy import Policy
from mailwatch.core.quiet_hosts import is_asked_for
from mailwatch.core.standing import Decision
from mailwatch.monitor.circuits import Circuits
from mailwatch.monitor.worker import Worker
from mailwatch.ports import Claim, Clock, MailwatchError, Store

#: A lease outlives the probe's deadline by this much: time to decide and to record.
LEASE_MARGIN_SECONDS = 30.0
#: … and a probe ends so long after its deadline at the latest: what has less left of its lease is not begun.
PROBE_END_SECONDS = 1.0
#: The fleet may be probed this much faster than its interval asks, to catch up after a stop.
CATCH_UP = 1.5
#: … and small fleets this fast in any case.
MIN_FLEET_PER_SECOND = 10.0
#: Above this many gates the quiet ones are forgotten.
MAX_IDLE_PACERS = 1000


class Dispatcher:
    """Starts probes while there is room; `stop` lets those in flight finish.

    *put_off* hears of each look that was claimed and cannot be, for a host that has refused too many logins.  *may_claim* is asked
    before each claim: not while this node's clock is no measure for leases.  *decided* hears of each probe that is over.
    """

    def __init__(
        self,
        *,
        store: Store,
        worker: Worker,
        clock: Clock,
        policy: Policy,
        paces: Mapping[str, Pace],
        other: Pace,
        max_in_flight: int,
        circuits: Circuits | None = None,
        in_flight_changed: Callable[[int], None] = lambda _count: None,
        put_off: Callable[[], None] = lambda: None,
        may_claim: Callable[[], bool] = lambda: True,
        decided: Callable[[Claim, Decision | None], None] = lambda _claim, _decision: None,
    ) -> None:
        self._store = store
        self._worker = worker
        self._clock = clock
        self._policy = policy
        self._paces = paces
        self._other = other
        self._max_in_flight = max_in_flight
        self._circuits = circuits or Circuits()
        self._in_flight_changed = in_flight_changed
        self._put_off = put_off
        self._may_claim = may_claim
        self._decided = decided
        self._pacers: dict[str, Pacer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._being_probed: dict[str, asyncio.Task[None]] = {}
        self._called_off: set[str] = set()  # while a claim was under way
        self._stopping = False
        self._ticking = asyncio.Lock()
        self._fleet = 0
        self.hosts = HostBudget(policy.budget)
        self._ramp = Pacer(Pace(max_connections=max_in_flight, logins_per_minute=60 * MIN_FLEET_PER_SECOND, burst=max_in_flight))
        self.fleet_size(0)

    @property
    def in_flight(self) -> int:
        """Probes running now."""
        return len(self._tasks)

    def shut(self) -> frozenset[str]:
        """Gates of strict hosts that have refused as many logins as they may: nothing is even claimed there."""
        gates = map(gate_of_host, self.hosts.exhausted(self._clock.now()))
        return frozenset(gate for gate in gates if self._pace_of(gate).per_address_bans)

    def retune(self, policy: Policy, paces: Mapping[str, Pace], other: Pace, max_in_flight: int) -> None:
        """New limits after a reload; what is in flight goes on under the old ones."""
        self._policy, self._paces, self._other, self._max_in_flight = policy, paces, other, max_in_flight
        self.hosts.policy = policy.budget
        for gate, pacer in self._pacers.items():
            pacer.pace = self._pace_of(gate)
        self.fleet_size(self._fleet)

    def fleet_size(self, mailboxes: int) -> None:
        """How many mailboxes share an interval: the ramp's rate follows."""
        self._fleet = mailboxes
        rate = max(MIN_FLEET_PER_SECOND, CATCH_UP * mailboxes / self._policy.interval_seconds)
        self._ramp.pace = Pace(max_connections=self._max_in_flight, logins_per_minute=60 * rate, burst=max(2, round(rate)))

    async def tick(self) -> int:
        """Claim and start what may start now; how many were started.  Raises MailwatchError."""
        async with self._ticking:
            self._called_off.clear()
            return 0 if self._stopping or not self._may_claim() else await self._tick()

    async def _tick(self) -> int:
        monotonic = self._clock.monotonic()
        limit = self._ramp.room(monotonic)
        if limit <= 0:
            return 0
        self._forget_idle(monotonic)
        full = [gate for gate in self._pacers if self._room(gate) <= 0]
        lease = self._policy.timeout_seconds + LEASE_MARGIN_SECONDS
        claims = await self._store.claim_due(self._clock.now(), limit, lease, excluding=full, room=self._room)
        fault: MailwatchError | None = None
        for claim in claims:
            try:
                await self._start(claim)
            except MailwatchError as error:  # the others are under a lease too: left alone it would count as a lost login
                fault = error
        if fault is not None:
            raise fault
        return len(claims)

    def call_off(self, mailbox_id: str) -> None:
        """A person wants nothing more done with this mailbox: cut its probe short, so that no login follows.

        A login that had left and was not answered yet counts as lost.
        """
        if self._ticking.locked():  # it may be claimed just now, as it was before
            self._called_off.add(mailbox_id)
        if (task := self._being_probed.get(mailbox_id)) is not None:
            asyncio.get_running_loop().call_soon(task.cancel)  # not at once: one that has not begun would never tidy up

    async def stop(self, grace_seconds: float) -> int:
        """Start nothing more, wait for what is in flight, cancel the rest; how many had to be cancelled."""
        self._stopping = True
        loop = asyncio.get_running_loop()
        end = loop.time() + grace_seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(end), self._ticking:
                pass  # what is being claimed now is given back, not left to its lease
        if not self._tasks:
            return 0
        _, late = await asyncio.wait(self._tasks, timeout=max(0.0, end - loop.time()))
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1.0)
        return len(late)

    async def _start(self, claim: Claim) -> None:
        now = self._clock.now()
        if claim.mailbox.id in self._being_probed:
            # the clock was set ahead and ended the lease of a probe that still runs: never two logins beside each other
            await self._store.postpone(claim, now + timedelta(seconds=self._policy.timeout_seconds))
            return
        if claim.lease_until_at - now < timedelta(seconds=self._policy.timeout_seconds + PROBE_END_SECONDS):
            # a slow database has used the lease up: another node may claim it before this probe would end
            await self._store.postpone(claim, now)
            return
        if claim.mailbox.id in self._called_off:
            await self._store.postpone(claim, now)
            return
        hosts = tuple(dict.fromkeys(endpoint.host for endpoint in claim.mailbox.endpoints))
        gate = gate_of(claim.mailbox)
        proven = claim.standing.proven
        logs_in = plan(claim.mailbox, claim.standing, self._policy, now).logs_in
        asked = is_asked_for(claim.standing)
        fit = (proven and logs_in) or asked  # a person who asks for a look gets one
        if not fit and self._circuits.wants_proven(gate, self._clock.monotonic()):
            await self._store.postpone(claim, now + timedelta(seconds=self._policy.interval_seconds))
            return
        strict = self._pace_of(gate).per_address_bans
        admits = partial(self.hosts.admits, now=now, proven=proven, strict=strict, asked=asked)
        refused_by = next((host for host in hosts if logs_in and not admits(host)), None)
        if self._stopping or refused_by is not None:
            wait = timedelta(0) if refused_by is None else max(self.hosts.free_at(refused_by, now) - now, timedelta(seconds=1))
            await self._store.postpone(claim, now + min(wait, timedelta(seconds=self._policy.interval_seconds)))
            if refused_by is not None and self.hosts.refused(refused_by, now):  # and not merely for logins that are in flight
                self._put_off()
            return
        pacer = self._pacer(gate)
        for counted in (pacer, self._ramp):
            counted.start(self._clock.monotonic())
        self._circuits.start(gate, self._clock.monotonic())
        for host in hosts if logs_in else ():
            self.hosts.start(host, proven=proven, asked_at=now if asked and strict else None)
        task = asyncio.create_task(self._run(claim, pacer, hosts if logs_in else ()), name=f"probe {claim.mailbox.id}")
        self._tasks.add(task)
        self._being_probed[claim.mailbox.id] = task
        task.add_done_callback(self._ended)
        self._in_flight_changed(len(self._tasks))

    async def _run(self, claim: Claim, pacer: Pacer, hosts: tuple[str, ...]) -> None:
        decision: Decision | None = None
        try:
            decision = await self._worker.run(claim)
        finally:
            self._being_probed.pop(claim.mailbox.id, None)
            for counted in (pacer, self._ramp):
                counted.finish()
            self._circuits.result(gate_of(claim.mailbox), decision, self._clock.monotonic())
            for host in hosts:
                self.hosts.finish(host, proven=claim.standing.proven)
            for refusal in decision.refusals if decision else ():
                self.hosts.refuse(refusal.host, refusal.at)
            self._decided(claim, decision)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._in_flight_changed(len(self._tasks))

    def _pace_of(self, gate: str) -> Pace:
        return self._paces.get(gate, self._other)

    def _pacer(self, gate: str) -> Pacer:
        pacer = self._pacers.get(gate)
        if pacer is None:
            pacer = self._pacers[gate] = Pacer(self._pace_of(gate))
        return pacer

    def _forget_idle(self, monotonic: float) -> None:
        """Drop the pacers of gates that are quiet, so that a fleet of many small hosts costs no memory.

        Not those whose host may see no login now: forgotten, their crowd would stand in front of every claim.
        """
        if len(self._pacers) > MAX_IDLE_PACERS:
            pacers = self._pacers.items()
            self._pacers = {gate: pacer for gate, pacer in pacers if not pacer.is_idle(monotonic) or self._room(gate) <= 0}

    def _room(self, gate: str) -> int:
        """How many probes of *gate* may start now."""
        pacer = self._pacer(gate)
        room = pacer.room(self._clock.monotonic())
        gentle = self._circuits.room(gate, self._clock.monotonic())
        if gentle is not None:
            room = min(room, gentle)
        host = gate.removeprefix("host:")
        if room > 0 and gate != host and pacer.pace.per_address_bans:
            room = min(room, self.hosts.room(host, self._clock.now()))
        return room
