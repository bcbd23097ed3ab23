"""The store's part of a probe's path in memory, with the same promises: leases, fencing, lost leases counted, one transaction.

It also keeps everything it was ever told, so that a test can check the whole story afterwards.
"""

import heapq
import itertools
from dataclasses import replace
from datetime import timedelta

from mailwatch.core.gates import gate_of
from mailwatch.core.lifecycle import LOGIN_STATES
from mailwatch.core.standing import Refusal
from mailwatch.ports import Claim, Recorded


class MemoryStore:
    """Implements the half of ports.Store that the monitor uses."""

    def __init__(self, clock):
        self._clock = clock
        self._tokens = itertools.count(1)
        self.mailboxes = {}
        self.standings = {}
        self.leases = {}
        self.history = []
        self.refusals = []
        self.fenced = 0
        self._heap = []

    def add(self, mailbox, standing):
        self.mailboxes[mailbox.id] = mailbox
        self._put(standing)

    def _put(self, standing):
        self.standings[standing.mailbox_id] = standing
        if standing.due_at is not None:
            heapq.heappush(self._heap, (standing.due_at, standing.mailbox_id))

    def _is_due(self, due_at, mailbox_id, now):
        standing = self.standings.get(mailbox_id)
        lease = self.leases.get(mailbox_id)
        return standing is not None and standing.due_at == due_at and (lease is None or lease[1] <= now)

    async def claim_due(self, now, limit, lease_seconds, *, excluding=(), room=None):
        claims, later, taken = [], [], {}
        while self._heap and self._heap[0][0] <= now and len(claims) < limit:
            due_at, mailbox_id = heapq.heappop(self._heap)
            if mailbox_id not in self.standings or self.standings[mailbox_id].due_at != due_at:
                continue
            gate = gate_of(self.mailboxes[mailbox_id])
            free = room is None or taken.get(gate, 0) < room(gate)
            if not self._is_due(due_at, mailbox_id, now) or gate in excluding or not free:
                later.append((due_at, mailbox_id))
                continue
            taken[gate] = taken.get(gate, 0) + 1
            claims.append(self._claim(mailbox_id, now, lease_seconds))
            later.append((due_at, mailbox_id))  # still due if the lease ends without a result
        for entry in later:
            heapq.heappush(self._heap, entry)
        return claims

    def _claim(self, mailbox_id, now, lease_seconds):
        standing, mailbox = self.standings[mailbox_id], self.mailboxes[mailbox_id]
        if mailbox_id in self.leases and standing.state in LOGIN_STATES:
            standing = replace(standing, lost_at=(*standing.lost_at, now), forced=False)
            self.standings[mailbox_id] = standing
            self.refusals.append((mailbox_id, Refusal(mailbox.endpoints[0].host, now)))
        lease = f"lease-{next(self._tokens)}"
        until_at = now + timedelta(seconds=lease_seconds)
        self.leases[mailbox_id] = (lease, until_at)
        return Claim(mailbox, standing, None, lease, until_at)

    async def keep_details(self, claim, report): ...

    async def record(self, claim, decision):
        held = self.leases.get(claim.mailbox.id)
        now = self.standings.get(claim.mailbox.id)
        if held is None or held[0] != claim.lease or now is None:
            self.fenced += 1
            return Recorded.FENCED
        del self.leases[claim.mailbox.id]
        self.refusals += [(claim.mailbox.id, refusal) for refusal in decision.refusals]
        if now.version != claim.standing.version or now.generation != claim.standing.generation:
            self.fenced += 1
            self._put(now)
            return Recorded.FENCED
        self.history += decision.transitions
        self._put(decision.after)
        return Recorded.STORED

    async def postpone(self, claim, due_at):
        held = self.leases.get(claim.mailbox.id)
        if held is not None and held[0] == claim.lease:
            del self.leases[claim.mailbox.id]
            self._put(replace(self.standings[claim.mailbox.id], due_at=due_at))

    async def refusals_since(self, since):
        hosts = {}
        for _, refusal in self.refusals:
            if refusal.at > since:
                hosts.setdefault(refusal.host, []).append(refusal.at)
        return hosts

    def act(self, mailbox_id, decide):
        """What store.change does: apply a person's decision now."""
        decision = decide(self.standings[mailbox_id])
        self.history += decision.transitions
        self._put(decision.after)
        return decision

    def crash(self):
        """The node dies: its leases stay until they end."""
