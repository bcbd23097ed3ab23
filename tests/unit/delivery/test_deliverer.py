"""Deliveries: each at least once, none held up by another's receiver, and every end recorded."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import replace

import pytest

from builders import later
from fakes.outbox import FakeOutbox, FakePoster, an_endpoint, an_event, never
from fakes.ports import FakeClock, FakeLog
from mailwatch.delivery.deliverer import LEASE_SECONDS, Deliverer
from mailwatch.delivery.lane import CONCURRENT
from mailwatch.ports import StoreUnavailableError
from mailwatch.ports.delivery import HttpAnswer, HttpError

CRM, OTHER = "https://crm.example.org/hook", "https://other.example.org/hook"


class NoChance(random.Random):
    def random(self):
        return 0.0


class Counts:
    def __init__(self):
        self.results, self.waiting = Counter(), None

    def delivery(self, kind, result):
        self.results[kind, result] += 1

    def outbox_pending(self, count):
        self.waiting = count


class Desk:
    """A deliverer with all it works with."""

    def __init__(self, *endpoints, **timing):
        self.clock, self.log, self.counts, self.poster = FakeClock(), FakeLog(), Counts(), FakePoster()
        self.outbox = FakeOutbox(self.clock)
        named = {endpoint.name: endpoint for endpoint in endpoints or (an_endpoint(),)}
        self.deliverer = Deliverer(self.outbox, self.poster, named, self.clock, NoChance(), self.log, self.counts, **timing)

    async def sweep(self, *, but=()):
        """Sweep, and wait for what ends (all but what the *but* URLs hold)."""
        while await self.deliverer.sweep():
            await settled(lambda: self.deliverer.in_flight == sum(self.poster.running[url] for url in but))

    @property
    def rows(self):
        return self.outbox.rows


async def settled(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0)


@pytest.fixture
def desk():
    return Desk()


async def test_an_event_reaches_every_receiver_that_wants_it():
    desk = Desk(an_endpoint("crm", types=["campaign.paused"]), an_endpoint("other"))
    desk.outbox.add(an_event(1), an_event(2, "mailbox.removed"))
    await desk.sweep()
    arrived = sorted((url, headers["webhook-id"], json.loads(body)["type"]) for url, headers, body in desk.poster.posted)
    assert arrived == [
        (CRM, "evt_1", "campaign.paused"),
        (OTHER, "evt_1", "campaign.paused"),
        (OTHER, "evt_2", "mailbox.removed"),
    ]
    assert desk.outbox.states("other") == ["delivered", "delivered"]
    assert desk.counts.results == {("webhook", "delivered"): 3}


async def test_a_failed_try_comes_again_with_the_same_id_and_body(desk):
    desk.poster.script[CRM] = [500, HttpError("connection refused"), 200]
    desk.outbox.add(an_event())
    await desk.sweep()
    assert (desk.rows[1].due_at, desk.rows[1].last_status, desk.rows[1].last_error) == (later(5), 500, "answered 500")
    desk.clock.advance(5)
    await desk.sweep()
    assert (desk.rows[1].due_at, desk.rows[1].last_status) == (later(305), None)
    desk.clock.advance(300)
    await desk.sweep()
    assert desk.rows[1].state == "delivered"
    assert len({(headers["webhook-id"], body) for _, headers, body in desk.poster.posted}) == 1
    assert len({headers["webhook-timestamp"] for _, headers, _ in desk.poster.posted}) == 3
    assert desk.log.levels() == [("warning", "webhook.failing"), ("info", "webhook.recovered")]


async def test_after_the_last_try_it_is_given_up_and_told(desk):
    desk.poster.script[CRM] = 503
    desk.outbox.add(an_event())
    await desk.sweep()
    while desk.rows[1].state == "pending":
        desk.clock.advance(86_400)
        await desk.sweep()
    assert len(desk.poster.posted) == desk.rows[1].attempts == 10
    assert desk.counts.results == {("webhook", "retried"): 9, ("webhook", "given_up"): 1}
    assert desk.log.named("delivery.given_up") == [{"endpoint": "crm", "reason": "answered 503", "attempts": 10}]


async def test_what_a_person_wants_sent_now_does_not_wait_for_a_resting_receiver(desk):
    desk.poster.script[CRM] = [HttpAnswer(503, {"retry-after": "60"}, b""), 200]
    desk.outbox.add(an_event())
    await desk.sweep()
    desk.rows[1] = replace(desk.rows[1], due_at=desk.clock.now())  # as a replay leaves it
    assert await desk.deliverer.sweep() == 0
    desk.deliverer.wake("nobody")
    assert await desk.deliverer.sweep() == 0
    desk.deliverer.wake("crm")
    await desk.sweep()
    assert desk.rows[1].state == "delivered"


async def test_a_receiver_may_ask_for_more_time(desk):
    desk.poster.script[CRM] = HttpAnswer(429, {"retry-after": "40"}, b"")
    desk.outbox.add(an_event())
    await desk.sweep()
    assert desk.rows[1].due_at == later(40)


async def test_a_redirect_is_a_failure_and_is_not_followed(desk):
    desk.poster.script[CRM] = HttpAnswer(307, {"location": OTHER}, b"")
    desk.outbox.add(an_event())
    await desk.sweep()
    assert desk.rows[1].state == "pending"
    assert "redirects are not followed" in desk.rows[1].last_error
    assert [url for url, *_ in desk.poster.posted] == [CRM]


async def test_gone_disables_the_receiver_and_keeps_what_waits(desk):
    desk.poster.script[CRM] = 410
    desk.outbox.add(an_event(1))
    await desk.sweep()
    desk.outbox.add(an_event(2))
    desk.clock.advance(86_400)
    await desk.sweep()
    assert list(desk.outbox.disabled_endpoints) == ["crm"]
    assert desk.outbox.states("crm") == ["pending", "pending"]
    assert len(desk.poster.posted) == 1
    assert desk.counts.results["webhook", "gone"] == 1


async def test_a_receiver_that_hangs_delays_no_other():
    desk = Desk(an_endpoint("crm"), an_endpoint("other"))
    desk.poster.script[CRM] = never
    desk.outbox.add(*(an_event(number) for number in range(1, 41)))
    await desk.sweep(but=[CRM])
    assert set(desk.outbox.states("other")) == {"delivered"}
    assert desk.poster.most[CRM] <= CONCURRENT
    assert set(desk.outbox.states("crm")) == {"pending"}
    await desk.deliverer.stop(0)


async def test_a_poster_that_forgets_its_time_out_is_cut_off():
    desk = Desk(timeout_seconds=0.01)
    desk.poster.script[CRM] = never
    desk.outbox.add(an_event())
    await desk.sweep()
    assert "no answer" in desk.rows[1].last_error


async def test_a_receiver_that_keeps_failing_is_given_a_rest_so_that_not_all_events_spend_their_tries(desk):
    desk.poster.script[CRM] = HttpError("connection refused")
    desk.outbox.add(*(an_event(number) for number in range(1, 51)))
    await desk.sweep()
    assert len(desk.poster.posted) < 10
    desk.poster.script[CRM] = 200
    for _ in range(10):
        desk.clock.advance(60)
        await desk.sweep()
    assert set(desk.outbox.states("crm")) == {"delivered"}


async def test_a_fault_of_our_own_is_a_failed_try_and_not_an_endless_one(desk):
    desk.poster.script[CRM] = ZeroDivisionError()
    desk.outbox.add(an_event())
    await desk.sweep()
    assert (desk.rows[1].attempts, desk.rows[1].last_error) == (1, "a fault of mailwatch's own: ZeroDivisionError")
    assert desk.log.named("delivery.crashed")


async def test_a_delivery_to_a_receiver_nobody_configured_waits(desk):
    desk.outbox.add(an_event())
    await desk.outbox.fan_out({"gone": frozenset()}, 10)
    await desk.sweep()
    assert (desk.rows[1].state, desk.rows[1].last_error) == ("pending", "this webhook is not in the configuration")
    assert not desk.poster.posted


async def test_a_result_that_cannot_be_recorded_is_sent_once_more_when_its_lease_ends(desk):
    desk.outbox.errors["delivered"] = [StoreUnavailableError("locked")]
    desk.outbox.add(an_event())
    await desk.sweep()
    assert desk.log.named("delivery.not_recorded")
    desk.clock.advance(LEASE_SECONDS - 1)
    await desk.sweep()
    assert len(desk.poster.posted) == 1
    desk.clock.advance(1)
    await desk.sweep()
    assert [headers["webhook-id"] for _, headers, _ in desk.poster.posted] == ["evt_1", "evt_1"]
    assert desk.rows[1].state == "delivered"


async def test_without_any_receiver_events_do_not_pile_up():
    desk = Desk()
    desk.deliverer.endpoints = {}
    desk.outbox.add(an_event())
    await desk.sweep()
    assert await desk.outbox.pending() == 0


async def test_how_much_waits_is_told(desk):
    desk.poster.script[CRM] = 500
    desk.outbox.add(an_event())
    await desk.sweep()
    desk.clock.advance(5)
    await desk.sweep()
    assert desk.counts.waiting == 1


async def test_run_outlives_faults_of_the_outbox_and_tells_them_once(desk):
    desk.outbox.errors["fan_out"] = [StoreUnavailableError("locked"), StoreUnavailableError("locked"), ValueError("a bad row")]
    desk.outbox.add(an_event())
    running = asyncio.create_task(desk.deliverer.run())
    await settled(lambda: (desk.deliverer.rouse(), desk.outbox.states("crm") == ["delivered"])[1])
    await desk.deliverer.stop(1)
    await running
    assert desk.log.levels() == [("warning", "outbox.unavailable"), ("error", "outbox.crashed")]


async def test_a_stop_waits_for_what_is_under_way_and_claims_nothing_more(desk):
    release = asyncio.Event()

    async def slow():
        await release.wait()
        return 200

    desk.poster.script[CRM] = slow
    desk.outbox.add(an_event(1))
    await desk.deliverer.sweep()
    stopping = asyncio.create_task(desk.deliverer.stop(30))
    await asyncio.sleep(0)
    desk.outbox.add(an_event(2))
    assert await desk.deliverer.sweep() == 0
    release.set()
    await stopping
    assert desk.outbox.states("crm") == ["delivered"]


async def test_what_a_stop_cuts_off_is_tried_again_soon(desk):
    desk.poster.script[CRM] = never
    desk.outbox.add(an_event())
    await desk.deliverer.sweep()
    await settled(lambda: desk.poster.running[CRM])
    await desk.deliverer.stop(0)
    assert (desk.rows[1].due_at, desk.rows[1].last_error) == (later(5), "cut off: mailwatch was stopping")
    assert not desk.outbox.leases
