"""Takes events out of the outbox to the webhooks: at least once each, signed, with the same id at every try.

Nothing is remembered here that matters: a delivery is a row, claimed under a lease.  A process that dies in the middle leaves the
lease to end, and whoever lives then tries again.
"""

import asyncio
import random
from collections.abc import Awaitable, Mapping
from typing import Final, Protocol

from mailwatch.core.redelivery import Verdict, hint_seconds, retry_at, verdict_of
from mailwatch.core.webhooks import Endpoint
from mailwatch.delivery.lane import Lane
from mailwatch.delivery.message import body_of
from mailwatch.delivery.signing import signed_headers
from mailwatch.ports import Clock, EventLog, MailwatchError
from mailwatch.ports.delivery import Delivery, HttpAnswer, HttpError, HttpPoster, Outbox

TIMEOUT_SECONDS: Final = 15.0
#: A poster that does not keep to its time-out is cut off after so many times of it.
_OVERTIME: Final = 1.1
#: Long enough to wait for a place, to try, and to record the end; after a crash the receiver waits for no longer than this.
LEASE_SECONDS: Final = 45.0
_RECORDING_SECONDS: Final = 5.0
EVENTS_AT_ONCE: Final = 500
CLAIMS_AT_ONCE: Final = 100
SWEEP_SECONDS: Final = 1.0
PENDING_SECONDS: Final = 5.0
KIND: Final = "webhook"


class DeliveryMeter(Protocol):
    """Where deliveries are counted; never blocks."""

    def delivery(self, kind: str, result: str) -> None:
        """One try ended: `delivered`, `retried`, `given_up` or `gone`."""

    def outbox_pending(self, count: int) -> None:
        """How many deliveries and events wait."""


class Deliverer:
    """The sender of webhooks of one node; any number of nodes share an outbox."""

    def __init__(
        self,
        outbox: Outbox,
        poster: HttpPoster,
        endpoints: Mapping[str, Endpoint],
        clock: Clock,
        rng: random.Random,
        log: EventLog,
        meter: DeliveryMeter,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.endpoints = endpoints  #: by name; may be exchanged while it runs
        self._timeout_seconds = timeout_seconds
        self._cut_off_seconds = timeout_seconds * _OVERTIME
        self._lease_seconds = lease_seconds
        self._outbox = outbox
        self._poster = poster
        self._clock = clock
        self._rng = rng
        self._log = log
        self._meter = meter
        self._lanes: dict[str, Lane] = {}
        self._tasks: dict[asyncio.Task[None], Delivery] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._pending_at = 0.0
        self._lost = False  # the outbox could not be used the last time

    # --- life ---

    @property
    def in_flight(self) -> int:
        """Deliveries under way."""
        return len(self._tasks)

    def rouse(self) -> None:
        """There is something new in the outbox: look now."""
        self._wake.set()

    def wake(self, endpoint: str) -> None:
        """A person wants *endpoint* tried now, though it failed a moment ago."""
        if endpoint in self._lanes:
            self._lanes[endpoint].wake()
        self.rouse()

    async def run(self) -> None:
        """Sweep each second, and sooner when roused, until `stop`; no fault ends it."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self.sweep()
                self._lost = False
            except MailwatchError as error:
                if not self._lost:
                    self._log.warning("outbox.unavailable", error=str(error))
                self._lost = True
            except Exception as error:  # noqa: BLE001  # the next sweep may do better; a loop that ended never will
                self._log.error("outbox.crashed", exception=type(error).__name__, exc_info=error)
            try:
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def stop(self, grace_seconds: float) -> None:
        """Claim nothing more and let what is under way end; what takes longer than *grace_seconds* is tried again later."""
        self._stopping = True
        self._wake.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=grace_seconds)
        cut_off = [self._tasks[task] for task in late]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for delivery in cut_off:
            await self._settle_safely(self._put_off(delivery, None, "cut off: mailwatch was stopping"))

    # --- sweeping ---

    async def sweep(self) -> int:
        """Make deliveries of new events, and begin those that are due; how many.  Does not wait for their end."""
        if self._stopping:
            return 0
        await self.fan_out()
        begun = await self._begin_due()
        await self._tell_pending()
        return begun

    async def fan_out(self) -> int:
        """Make a delivery of each new event for each endpoint that wants it; how many events that were."""
        wanted = {name: endpoint.types for name, endpoint in self.endpoints.items()}
        total = 0
        while some := await self._outbox.fan_out(wanted, EVENTS_AT_ONCE):
            total += some
            if some < EVENTS_AT_ONCE:
                break
        return total

    async def _begin_due(self) -> int:
        now = self._clock.monotonic()
        full = frozenset(name for name, lane in self._lanes.items() if not lane.takes_more(now))
        deliveries = await self._outbox.claim_deliveries(self._clock.now(), CLAIMS_AT_ONCE, self._lease_seconds, excluding=full)
        for delivery in deliveries:
            lane = self._lanes.setdefault(delivery.endpoint, Lane())
            lane.waiting += 1
            task = asyncio.create_task(self._carry(delivery, lane), name=f"delivery-{delivery.id}")
            self._tasks[task] = delivery
            task.add_done_callback(self._ended)
        return len(deliveries)

    async def _tell_pending(self) -> None:
        now = self._clock.monotonic()
        if now - self._pending_at >= PENDING_SECONDS:
            self._pending_at = now
            self._meter.outbox_pending(await self._outbox.pending())

    def _ended(self, task: asyncio.Task[None]) -> None:
        delivery = self._tasks.pop(task)
        self._lanes[delivery.endpoint].waiting -= 1
        self._wake.set()  # a place is free
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("delivery.crashed", endpoint=delivery.endpoint, exception=type(error).__name__, exc_info=error)

    # --- one delivery ---

    async def _carry(self, delivery: Delivery, lane: Lane) -> None:
        claimed_at = self._clock.monotonic()
        async with lane.places:
            if self._clock.monotonic() - claimed_at > self._lease_seconds - self._cut_off_seconds - _RECORDING_SECONDS:
                return  # another may claim it before this try is over: it is left to whoever does
            answer, error = await self._try(delivery)
        verdict = Verdict.FAILED if answer is None else verdict_of(answer.status)
        self._judge(delivery.endpoint, lane, verdict, answer, error)
        await self._settle_safely(self._settle(delivery, verdict, answer, error))

    def _judge(self, name: str, lane: Lane, verdict: Verdict, answer: HttpAnswer | None, error: str) -> None:
        """Let the lane know, and tell when a receiver begins or ceases to fail: not each of its failures."""
        if verdict is Verdict.DELIVERED:
            if lane.succeeded():
                self._log.info("webhook.recovered", endpoint=name)
        elif lane.failed(self._clock.monotonic(), self._hint(answer)):
            self._log.warning("webhook.failing", endpoint=name, reason=error)

    def _hint(self, answer: HttpAnswer | None) -> float | None:
        return None if answer is None else hint_seconds(answer.headers.get("retry-after"), self._clock.now())

    async def _try(self, delivery: Delivery) -> tuple[HttpAnswer | None, str]:
        """The answer, or why there is none."""
        endpoint = self.endpoints.get(delivery.endpoint)
        if endpoint is None:
            return None, "this webhook is not in the configuration"
        body = body_of(delivery.event)
        headers = signed_headers(endpoint, delivery.event.webhook_id, body, self._clock.now())
        try:
            async with asyncio.timeout(self._cut_off_seconds):
                answer = await self._poster.post(endpoint.url, headers, body, timeout_seconds=self._timeout_seconds)
        except HttpError as error:
            return None, str(error)
        except TimeoutError:
            return None, f"no answer within {self._timeout_seconds:g} s"
        except Exception as error:  # noqa: BLE001  # a fault of our own is a failed try like any other, or it would be tried without end
            self._log.error("delivery.crashed", endpoint=delivery.endpoint, exception=type(error).__name__, exc_info=error)
            return None, f"a fault of mailwatch's own: {type(error).__name__}"
        return answer, _words(answer.status)

    async def _settle(self, delivery: Delivery, verdict: Verdict, answer: HttpAnswer | None, error: str) -> None:
        match verdict:
            case Verdict.DELIVERED if answer is not None:
                await self._outbox.delivered(delivery, answer.status)
                self._meter.delivery(KIND, "delivered")
            case Verdict.GONE if answer is not None:
                # It waits with the others, and goes when a person enables the endpoint again.
                await self._outbox.disable(delivery.endpoint, "the receiver answered 410 Gone")
                await self._put_off(delivery, answer, error, result="gone")
                self._log.warning("webhook.disabled", endpoint=delivery.endpoint, reason=error)
            case _:
                await self._put_off(delivery, answer, error)

    async def _put_off(self, delivery: Delivery, answer: HttpAnswer | None, error: str, *, result: str | None = None) -> None:
        now, tries = self._clock.now(), delivery.attempts + 1
        due_at = retry_at(tries, now, self._rng, hint_seconds=self._hint(answer))
        await self._outbox.put_off(delivery, due_at, None if answer is None else answer.status, error)
        self._meter.delivery(KIND, result or ("given_up" if due_at is None else "retried"))
        if due_at is None:
            self._log.error("delivery.given_up", endpoint=delivery.endpoint, reason=error, attempts=tries)

    async def _settle_safely(self, settling: Awaitable[None]) -> None:
        try:
            await settling
        except MailwatchError as error:
            # The lease ends, and it is sent once more: at least once.
            self._log.warning("delivery.not_recorded", error=str(error))


def _words(status: int) -> str:
    if 300 <= status < 400:  # noqa: PLR2004  # the class of redirects
        return f"answered {status}: redirects are not followed; name the final URL"
    return f"answered {status}"
