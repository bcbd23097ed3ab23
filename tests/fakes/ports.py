"""Small stand-ins for the ports, kept in memory: a store, a prober, a clock, a log - each does what its port promises.

Faults are made by filling `errors` (the store) or by scripting an exception (the prober); nothing is patched.
"""

import asyncio
from collections import defaultdict, deque
from datetime import timedelta

from builders import NOW, a_claim, a_report
from mailwatch.core.egress import Opinion
from mailwatch.core.gates import gate_of
from mailwatch.ports import Recorded


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now=NOW):
        self._start, self.elapsed = now, 0.0

    def now(self):
        return self._start + timedelta(seconds=self.elapsed)

    def monotonic(self):
        return 1000.0 + self.elapsed

    def advance(self, seconds):
        self.elapsed += seconds

    def set_back(self, seconds):
        """Somebody sets the wall clock; what passed, passed."""
        self._start -= timedelta(seconds=seconds)


class FakeLog:
    """Remembers events."""

    def __init__(self):
        self.events = []

    def info(self, event, **fields):
        self.events.append(("info", event, fields))

    def warning(self, event, **fields):
        self.events.append(("warning", event, fields))

    def error(self, event, **fields):
        self.events.append(("error", event, fields))

    def named(self, event):
        """The fields of every *event*."""
        return [fields for _, name, fields in self.events if name == event]

    def levels(self):
        """Level and name, in order."""
        return [(level, name) for level, name, _ in self.events]


class FakeMeter:
    """Counts."""

    def __init__(self):
        self.reports, self.moves, self.fenced_results = [], [], 0

    def moved(self, provider, decision):
        self.moves += [(provider, each.from_state, each.to_state) for each in decision.transitions]

    def probed(self, claim, report, decision):
        self.reports.append((claim.mailbox.id, report, decision))

    def fenced(self):
        self.fenced_results += 1


class FakeLive:
    """Remembers what was published."""

    def __init__(self):
        self.published = []

    def publish(self, mailbox, transition):
        self.published.append((mailbox.id, transition.to_state))


class FakeCanary:
    """Answers as told; with `gate` set it answers only when the gate is opened."""

    def __init__(self, *, up=True, gated=False, opinions=()):
        self.up, self.asked = up, 0
        self.opinions, self.examined = dict(opinions), []
        self.gate = asyncio.Event()
        if not gated:
            self.gate.set()

    async def answers(self):
        self.asked += 1
        await self.gate.wait()
        if isinstance(self.up, Exception):
            raise self.up
        return self.up

    async def examine(self, matter):
        self.examined.append(matter)
        await self.gate.wait()
        return self.opinions.get(matter, Opinion.UNKNOWN)


class FakeProber:
    """Answers each mailbox as scripted: a report, an exception to raise, or a coroutine function; well by default."""

    def __init__(self):
        self.script = {}
        self.assignments = []
        self.running = 0
        self.most = 0

    async def probe(self, assignment):
        self.assignments.append(assignment)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            answer = self.script.get(assignment.mailbox.id, a_report())
            if callable(answer):
                answer = await answer(assignment)
        finally:
            self.running -= 1
        if isinstance(answer, BaseException):
            raise answer
        return answer


class FakeStore:
    """The path of a probe: mailboxes are due in the order they were added, leased when claimed, recorded when decided."""

    def __init__(self):
        self.due = deque()
        self.leased = {}
        self.recorded = []
        self.postponed = {}
        self.errors = defaultdict(list)  # method name -> exceptions it raises first
        self.fenced = set()  # ids whose result comes too late
        self.claims_asked = []

    def add(self, mailbox, standing):
        self.due.append((mailbox, standing))

    def _raise(self, method):
        if self.errors[method]:
            raise self.errors[method].pop(0)

    async def claim_due(self, now, limit, lease_seconds, *, excluding=(), room=None):
        self._raise("claim_due")
        self.claims_asked.append(limit)
        claims, passed, taken = [], [], defaultdict(int)
        while self.due and len(claims) < limit:
            mailbox, standing = self.due.popleft()
            gate = gate_of(mailbox)
            if gate in excluding or (room is not None and taken[gate] >= room(gate)):
                passed.append((mailbox, standing))
                continue
            taken[gate] += 1
            claims.append(a_claim(mailbox, standing, lease=f"lease-{mailbox.id}", now=now, seconds=lease_seconds))
            self.leased[mailbox.id] = claims[-1]
        self.due.extendleft(reversed(passed))
        return claims

    async def keep_details(self, claim, report): ...

    async def record(self, claim, decision):
        self._raise("record")
        self.leased.pop(claim.mailbox.id, None)
        if claim.mailbox.id in self.fenced:
            return Recorded.FENCED
        self.recorded.append((claim.mailbox.id, decision))
        return Recorded.STORED

    async def postpone(self, claim, due_at):
        self._raise("postpone")
        self.leased.pop(claim.mailbox.id, None)
        self.postponed[claim.mailbox.id] = due_at
