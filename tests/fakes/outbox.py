"""An outbox kept in memory, and a poster that answers as scripted."""

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from builders import NOW
from mailwatch.core.secret import Secret
from mailwatch.core.webhooks import Endpoint
from mailwatch.ports.delivery import Delivery, Event, HttpAnswer

SECRET = "whsec_bWFpbHdhdGNoLW1haWx3YXRjaC1tYWlsd2F0Y2g="


def an_event(number=1, kind="campaign.paused", **content):
    """An event as the store tells it."""
    return Event(number, NOW, kind, "mb_1", "c1", content or {"campaign": "c1", "state": "paused"})


def an_endpoint(name="crm", *, secrets=(SECRET,), types=()):
    """A receiver."""
    return Endpoint(name, f"https://{name}.example.org/hook", tuple(Secret(text) for text in secrets), frozenset(types))


class FakeOutbox:
    """Implements what the deliverer uses of `ports.delivery.Outbox`; `errors[method]` are raised first."""

    def __init__(self, clock, *, each=2):
        self._clock, self._each = clock, each
        self.new, self.rows, self.leases, self.disabled_endpoints = [], {}, {}, {}
        self.errors = defaultdict(list)

    def _raise(self, method):
        if self.errors[method]:
            raise self.errors[method].pop(0)

    def add(self, *events):
        self.new += events

    async def fan_out(self, endpoints, limit):
        self._raise("fan_out")
        some, self.new = self.new[:limit], self.new[limit:]
        for event in some:
            for name, types in endpoints.items():
                if not types or event.type in types:
                    number = len(self.rows) + 1
                    self.rows[number] = Delivery(number, event, name, 0, "pending", self._clock.now())
        return len(some)

    async def claim_deliveries(self, now, limit, lease_seconds, *, excluding):
        self._raise("claim_deliveries")
        taken, per = [], defaultdict(int)
        for row in sorted(self.rows.values(), key=lambda row: (row.due_at or now, row.id)):
            leased = self.leases.get(row.id)
            if row.state != "pending" or row.due_at > now or (leased is not None and leased > now):
                continue
            if row.endpoint in excluding or row.endpoint in self.disabled_endpoints or per[row.endpoint] >= self._each:
                continue
            per[row.endpoint] += 1
            self.leases[row.id] = now + timedelta(seconds=lease_seconds)
            taken.append(row)
        return taken[:limit]

    async def delivered(self, delivery, status):
        self._raise("delivered")
        self._end(delivery, state="delivered", last_status=status, due_at=None, delivered_at=self._clock.now())

    async def put_off(self, delivery, due_at, status, error):
        self._raise("put_off")
        state = "pending" if due_at is not None else "failed"
        self._end(delivery, state=state, due_at=due_at, last_status=status, last_error=error)

    def _end(self, delivery, **changes):
        self.leases.pop(delivery.id, None)
        self.rows[delivery.id] = replace(self.rows[delivery.id], attempts=delivery.attempts + 1, **changes)

    async def disable(self, endpoint, reason):
        self.disabled_endpoints[endpoint] = reason

    async def pending(self):
        return len(self.new) + sum(row.state == "pending" for row in self.rows.values())

    def states(self, endpoint):
        """The states of an endpoint's deliveries, oldest first."""
        return [row.state for row in self.rows.values() if row.endpoint == endpoint]


class FakePoster:
    """Answers each URL as scripted: a status, an answer, an exception, or a coroutine function; 200 by default."""

    def __init__(self):
        self.script, self.posted = {}, []
        self.running, self.most = defaultdict(int), defaultdict(int)

    async def post(self, url, headers, body, *, timeout_seconds):
        self.posted.append((url, dict(headers), body))
        self.running[url] += 1
        self.most[url] = max(self.most[url], self.running[url])
        try:
            answer = self.script.get(url, 200)
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            if callable(answer):
                answer = await answer()
        finally:
            self.running[url] -= 1
        if isinstance(answer, BaseException):
            raise answer
        return HttpAnswer(answer, {}, b"") if isinstance(answer, int) else answer


async def never():
    """A receiver that takes the connection and says nothing."""
    await asyncio.Event().wait()
