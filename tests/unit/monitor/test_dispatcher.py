"""Due mailboxes become probes: never more than may run, none forgotten, and an orderly end."""

import asyncio
import random

import pytest

from builders import NOW, a_failure, a_mailbox, a_report, a_standing, failed, healthy, later
from fakes.ports import FakeClock, FakeLive, FakeLog, FakeMeter, FakeProber, FakeStore
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import Policy
from mailwatch.monitor import dispatcher as dispatcher_module
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.dispatcher import MIN_FLEET_PER_SECOND, Dispatcher
from mailwatch.monitor.worker import Voices, Worker
from mailwatch.ports import StoreUnavailableError

FREE = Pace(max_connections=1000, logins_per_minute=600_000, burst=1000, per_address_bans=False)


class Node:
    """A dispatcher with a real worker among fakes; probes wait until they are let go."""

    def __init__(self, *, paces=None, other=FREE, max_in_flight=1000, fleet=10_000, policy=None):
        self.clock, self.store, self.prober, self.log = FakeClock(), FakeStore(), FakeProber(), FakeLog()
        self.go = asyncio.Event()
        self.counts, self.put_off, self.decided = [], [], []
        self.policy = policy or Policy()
        self.worker = Worker(
            store=self.store,
            prober=self.prober,
            connectivity=Connectivity(self.clock),
            policy=self.policy,
            clock=self.clock,
            rng=random.Random(1),
            voices=Voices(FakeMeter(), self.log, FakeLive()),
        )
        self.dispatcher = Dispatcher(
            store=self.store,
            worker=self.worker,
            clock=self.clock,
            policy=self.policy,
            paces=paces or {},
            other=other,
            max_in_flight=max_in_flight,
            in_flight_changed=self.counts.append,
            put_off=lambda: self.put_off.append(self.clock.now()),
            decided=lambda claim, decision: self.decided.append((claim.mailbox.id, decision and decision.after.state)),
        )
        self.dispatcher.fleet_size(fleet)

    def add(self, count, *, provider="other", host=None, answer=None, **standing):
        """*count* due mailboxes whose probes wait for `go`, and then answer."""
        ids = []
        for _ in range(count):
            number = len(self.prober.script)
            where = f"imaps://{host or f'imap{number}.example'}"
            mailbox = a_mailbox(f"mb_{number}", provider=provider, imap=where, smtp=None)
            self.prober.script[mailbox.id] = self._waiting(answer or a_report(healthy()))
            self.store.add(mailbox, a_standing(mailbox_id=mailbox.id, **standing))
            ids.append(mailbox.id)
        return ids

    def _waiting(self, answer):
        async def probe(_):
            await self.go.wait()
            return answer

        return probe

    async def tick(self):
        """One tick, and a turn for what it started."""
        started = await self.dispatcher.tick()
        await asyncio.sleep(0)
        return started

    async def drain(self):
        """Let every probe end."""
        self.go.set()
        while self.dispatcher.in_flight:
            await asyncio.sleep(0)
        self.go.clear()


@pytest.fixture
async def node(no_task_left_behind):
    return Node()


async def test_due_mailboxes_are_started_and_their_places_given_back(node):
    node.add(10)
    assert await node.tick() == 10
    assert node.prober.running == node.dispatcher.in_flight == 10
    await node.drain()
    assert len(node.store.recorded) == 10
    assert node.counts[-1] == 0
    assert node.store.leased == {}


async def test_each_probe_that_is_over_is_told_with_what_was_decided(node):
    (well,) = node.add(1)
    (ill,) = node.add(1, answer=a_report(failed(Cause.CONNECTION_REFUSED)))
    await node.tick()
    assert node.decided == []
    await node.drain()
    assert dict(node.decided) == {well: State.CONNECTED, ill: State.SUSPECT}


async def test_no_more_are_claimed_than_may_start(no_task_left_behind):
    node = Node(max_in_flight=4)
    node.add(10)
    assert await node.tick() == 4
    assert await node.tick() == 0
    assert node.store.claims_asked == [4]
    await node.drain()
    assert await node.tick() == 4
    await node.drain()


async def test_a_restart_with_a_full_backlog_is_a_ramp_and_no_burst(no_task_left_behind):
    node = Node(fleet=5000)
    node.add(2000)
    started = []
    for _ in range(60):
        started.append(await node.tick())
        await node.drain()
        node.clock.advance(1.0)
    fair_share = 5000 / node.policy.interval_seconds
    assert max(started) <= 1.5 * fair_share + 1
    assert sum(started) >= 60 * fair_share


async def test_a_small_fleet_is_not_slowed_by_the_ramp(no_task_left_behind):
    node = Node(fleet=1)
    node.add(30)
    started = 0
    for _ in range(4):
        started += await node.tick()
        node.clock.advance(1.0)
    assert started >= 30
    assert MIN_FLEET_PER_SECOND >= 10
    await node.drain()


async def test_a_provider_never_has_more_probes_at_once_than_it_allows(no_task_left_behind):
    node = Node(paces={"google": Pace(max_connections=3, logins_per_minute=60_000, burst=100)})
    node.add(20, provider="google")
    for _ in range(30):
        await node.tick()
        assert node.prober.running <= 3
        node.clock.advance(0.1)
    await node.drain()
    assert node.prober.most == 3


async def test_a_provider_is_logged_in_to_no_faster_than_its_pace(no_task_left_behind):
    node = Node(paces={"google": Pace(max_connections=100, logins_per_minute=60, burst=2)})
    node.add(100, provider="google")
    for _ in range(30):
        await node.tick()
        await node.drain()
        node.clock.advance(1.0)
    assert 30 <= len(node.store.recorded) <= 32


async def test_a_crowd_at_one_provider_starves_no_other(no_task_left_behind):
    node = Node(paces={"google": Pace(max_connections=2, logins_per_minute=60, burst=2)}, max_in_flight=10)
    node.add(500, provider="google")
    lucky = node.add(5)
    await node.tick()
    await node.drain()
    assert set(lucky) <= {mailbox_id for mailbox_id, _ in node.store.recorded}


async def test_bad_secrets_at_a_strict_host_never_exceed_its_budget_and_the_proven_are_watched(no_task_left_behind):
    node = Node(other=Pace(max_connections=10, logins_per_minute=6000, burst=10))
    refused = a_failure(Cause.INVALID_CREDENTIALS)
    bad = set(node.add(20, host="mail.example.org", answer=a_report(refused.channels[0]), state=State.RECONNECTING, proven=False))
    good = set(node.add(20, host="mail.example.org"))
    refusals = []
    for _ in range(300):
        await node.tick()
        await node.drain()
        refusals = [at for _, decision in node.store.recorded for at in (refusal.at for refusal in decision.refusals)]
        assert sum(1 for at in refusals if at > node.clock.now() - (later(600) - NOW)) <= 3
        node.clock.advance(1.0)
    watched = {mailbox_id for mailbox_id, _ in node.store.recorded}
    assert good <= watched
    assert len(refusals) == 2
    assert bad - watched <= set(node.store.postponed)


async def test_a_refusal_closes_the_host_at_once_even_if_its_result_came_too_late(no_task_left_behind):
    node = Node(other=Pace(max_connections=10, logins_per_minute=6000, burst=10))
    refused = a_report(a_failure(Cause.INVALID_CREDENTIALS).channels[0])
    node.store.fenced = set(node.add(2, host="mail.example.org", answer=refused, state=State.RECONNECTING, proven=False))
    await node.tick()
    await node.drain()
    assert node.dispatcher.hosts.refused("mail.example.org", NOW) == 2


async def test_a_mailbox_its_host_has_no_budget_for_is_put_off_until_there_is(node):
    (mailbox_id,) = node.add(1, provider="google", host="imap.google.example", proven=False, state=State.PENDING)
    for second in (-500, -400, -300):
        node.dispatcher.hosts.refuse("imap.google.example", later(second))
    await node.tick()
    assert node.prober.assignments == []
    assert node.store.postponed[mailbox_id] == later(100)
    assert node.put_off == [NOW]


@pytest.mark.parametrize("asked", [{"forced": True}, {"generation": 2}], ids=["reconnect", "a new secret"])
async def test_what_a_person_asked_for_uses_the_last_place_of_a_strict_host_and_is_put_off_only_behind_that(asked):
    node = Node(other=Pace(max_connections=10, logins_per_minute=6000, burst=10))
    for _ in range(2):
        node.dispatcher.hosts.refuse("mail.example.org", NOW)
    (other,) = node.add(1, host="mail.example.org", state=State.RECONNECTING, proven=False)
    (wanted,) = node.add(1, host="mail.example.org", state=State.RECONNECTING, proven=False, **asked)
    for _ in range(2):  # the host has one place left, which is offered to one after the other
        await node.tick()
    assert [assignment.mailbox.id for assignment in node.prober.assignments] == [wanted]
    assert set(node.store.postponed) == {other}
    await node.drain()


async def test_what_waits_for_logins_in_flight_alone_is_not_told_as_put_off(no_task_left_behind):
    node = Node(other=Pace(max_connections=10, logins_per_minute=6000, burst=10), paces={"google": Pace(10, 6000, 10)})
    ids = node.add(5, provider="google", host="imap.google.example")
    await node.tick()
    assert len(node.prober.assignments) == 3
    assert set(node.store.postponed) == set(ids[3:])
    assert node.put_off == []
    await node.drain()


async def test_strict_hosts_that_refused_enough_are_shut_until_the_first_refusal_is_long_ago(no_task_left_behind):
    node = Node(other=Pace())
    for second in (-500, -400, -300):
        node.dispatcher.hosts.refuse("Mail.example.org", later(second))
    for _ in range(2):
        node.dispatcher.hosts.refuse("busy.example.org", NOW)
    assert node.dispatcher.shut() == {"host:mail.example.org"}
    node.clock.advance(101)
    assert node.dispatcher.shut() == frozenset()
    lenient = Node(other=FREE)
    for _ in range(3):
        lenient.dispatcher.hosts.refuse("mail.example.org", NOW)
    assert lenient.dispatcher.shut() == frozenset()  # there each login is put off by itself, if it is


async def test_no_mailbox_is_put_off_for_longer_than_an_interval(no_task_left_behind):
    node = Node(policy=Policy(interval_seconds=60.0))
    (mailbox_id,) = node.add(1, provider="google", host="imap.google.example", proven=False, state=State.PENDING)
    for _ in range(3):
        node.dispatcher.hosts.refuse("imap.google.example", NOW)
    await node.tick()
    assert node.store.postponed[mailbox_id] == later(60)


async def test_a_look_without_login_needs_no_budget_of_the_host(no_task_left_behind):
    node = Node(paces={"google": FREE})
    node.add(1, provider="google", host="imap.google.example", state=State.BLOCKED, proven=False)
    for _ in range(9):
        node.dispatcher.hosts.refuse("imap.google.example", NOW)
    await node.tick()
    assert len(node.prober.assignments) == 1
    await node.drain()


async def test_a_database_that_fails_while_one_is_put_off_leaves_no_other_claim_to_its_lease(node):
    node.add(1, provider="google", host="imap.google.example", proven=False, state=State.PENDING)
    node.add(5)
    for _ in range(3):
        node.dispatcher.hosts.refuse("imap.google.example", NOW)
    node.store.errors["postpone"] = [StoreUnavailableError("locked")]
    with pytest.raises(StoreUnavailableError):
        await node.dispatcher.tick()
    await asyncio.sleep(0)
    assert node.prober.running == 5
    await node.drain()


async def test_a_database_out_of_reach_stops_the_tick_and_not_the_dispatcher(node):
    node.add(1)
    node.store.errors["claim_due"] = [StoreUnavailableError("gone")]
    with pytest.raises(StoreUnavailableError):
        await node.tick()
    assert await node.tick() == 1
    await node.drain()


async def test_one_that_crashes_gives_its_places_back(no_task_left_behind):
    node = Node(max_in_flight=1)
    (mailbox_id,) = node.add(1)
    node.prober.script[mailbox_id] = ZeroDivisionError("bug")
    node.add(1)
    await node.tick()
    await node.drain()
    assert await node.tick() == 1
    await node.drain()
    assert node.log.named("probe.crashed")


async def test_stop_starts_nothing_more_and_waits_for_what_is_in_flight(node):
    node.add(3)
    await node.tick()
    node.add(3)
    stopping = asyncio.create_task(node.dispatcher.stop(10.0))
    await asyncio.sleep(0)
    assert await node.dispatcher.tick() == 0
    assert not stopping.done()
    node.go.set()
    assert await stopping == 0
    assert len(node.store.recorded) == 3


async def test_stop_cancels_what_does_not_end_in_time_and_says_how_many(node):
    node.add(3)
    await node.tick()
    for assignment in node.prober.assignments[:1]:
        assignment.sent.secret = True
    assert await node.dispatcher.stop(0.01) == 3
    assert node.dispatcher.in_flight == 0
    ((lost, decision),) = node.store.recorded
    assert (lost, len(decision.after.lost_at)) == ("mb_0", 1)
    assert node.store.postponed == {"mb_1": NOW, "mb_2": NOW}  # to these no secret had been sent
    assert node.store.leased == {}


async def test_stop_with_nothing_in_flight_is_immediate(node):
    assert await node.dispatcher.stop(1000.0) == 0


async def test_what_is_being_claimed_when_stop_is_called_is_given_back_and_not_left_to_its_lease(node):
    ids = node.add(5)
    claiming, answer = asyncio.Event(), asyncio.Event()
    claim_due = node.store.claim_due

    async def slow_claim(*args, **options):
        claims = await claim_due(*args, **options)
        claiming.set()
        await answer.wait()
        return claims

    node.store.claim_due = slow_claim
    ticking = asyncio.create_task(node.dispatcher.tick())
    await claiming.wait()
    stopping = asyncio.create_task(node.dispatcher.stop(10.0))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not stopping.done()
    answer.set()
    assert await stopping == 0
    await ticking
    assert node.prober.assignments == []
    assert node.store.leased == {}
    assert node.store.postponed == dict.fromkeys(ids, NOW)


async def test_a_probe_that_a_person_calls_off_ends_before_its_next_login_and_the_others_go_on(node):
    first, second = node.add(2)
    await node.tick()
    node.dispatcher.call_off(first)
    node.dispatcher.call_off("mb_of_another_node")
    async with asyncio.timeout(10):
        while node.dispatcher.in_flight > 1:
            await asyncio.sleep(0)
    assert (set(node.store.leased), set(node.store.postponed), node.store.recorded) == ({second}, {first}, [])
    await node.drain()
    assert [each for each, _ in node.store.recorded] == [second]


async def test_a_login_that_was_out_when_its_probe_was_called_off_counts_as_lost(node):
    (mailbox_id,) = node.add(1)
    await node.tick()
    node.prober.assignments[0].sent.secret = True
    node.dispatcher.call_off(mailbox_id)
    async with asyncio.timeout(10):
        while node.dispatcher.in_flight:
            await asyncio.sleep(0)
    ((_, decision),) = node.store.recorded
    assert decision.after.lost_at == (node.clock.now(),)


async def test_one_that_is_called_off_before_its_first_step_leaves_no_place_taken(node):
    (mailbox_id,) = node.add(1)
    await node.dispatcher.tick()
    node.dispatcher.call_off(mailbox_id)
    async with asyncio.timeout(10):
        while node.dispatcher.in_flight:
            await asyncio.sleep(0)
    assert node.store.leased == {}
    node.store.add(a_mailbox(mailbox_id, imap="imaps://imap0.example", smtp=None), a_standing(mailbox_id=mailbox_id))
    assert await node.tick() == 1
    await node.drain()
    assert [each for each, _ in node.store.recorded] == [mailbox_id]


async def test_one_that_is_called_off_while_it_is_claimed_is_not_begun(node):
    called_off, other = node.add(2)
    claim_due = node.store.claim_due

    async def slowly(*args, **options):
        claims = await claim_due(*args, **options)
        node.dispatcher.call_off(called_off)
        return claims

    node.store.claim_due = slowly
    await node.tick()
    assert [each.mailbox.id for each in node.prober.assignments] == [other]
    assert set(node.store.postponed) == {called_off}
    node.store.claim_due = claim_due
    node.store.add(a_mailbox(called_off, imap="imaps://imap0.example", smtp=None), a_standing(mailbox_id=called_off))
    await node.tick()
    assert len(node.prober.assignments) == 2  # and by the next tick that is forgotten
    await node.drain()


async def test_a_database_that_hangs_does_not_hold_up_the_stop(node):
    async def never(*_, **__):
        await asyncio.Event().wait()

    node.store.claim_due = never
    ticking = asyncio.create_task(node.dispatcher.tick())
    await asyncio.sleep(0)
    assert await node.dispatcher.stop(0.01) == 0
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)


async def test_new_limits_count_at_once(node):
    node.add(20, provider="google")
    node.dispatcher.retune(Policy(), {"google": Pace(max_connections=2, logins_per_minute=6000, burst=9)}, FREE, 5)
    assert await node.tick() == 2
    node.dispatcher.retune(Policy(), {"google": FREE}, FREE, 5)
    assert await node.tick() == 3
    await node.drain()


async def test_quiet_gates_are_forgotten_and_busy_ones_are_not(node, monkeypatch):
    monkeypatch.setattr(dispatcher_module, "MAX_IDLE_PACERS", 3)
    node.add(10)
    await node.tick()
    node.clock.advance(60)
    await node.tick()
    assert len(node.dispatcher._pacers) == 10
    await node.drain()
    node.clock.advance(60)
    await node.tick()
    assert node.dispatcher._pacers == {}


async def test_a_mailbox_whose_lease_the_clock_ended_is_not_probed_beside_itself(node):
    (mailbox_id,) = node.add(1)
    await node.tick()
    standing = node.store.leased[mailbox_id].standing
    node.store.add(node.store.leased[mailbox_id].mailbox, standing)  # the clock was set ahead: it is claimed once more
    await node.tick()
    assert node.dispatcher.in_flight == 1
    assert mailbox_id in node.store.postponed
    await node.drain()
    node.store.add(a_mailbox(mailbox_id, imap="imaps://imap0.example", smtp=None), standing)
    await node.tick()
    assert node.dispatcher.in_flight == 1
    await node.drain()


async def test_a_gate_whose_host_may_see_no_login_is_not_forgotten(monkeypatch, no_task_left_behind):
    monkeypatch.setattr(dispatcher_module, "MAX_IDLE_PACERS", 0)
    node = Node(other=Pace(per_address_bans=True))
    for _ in range(3):
        node.dispatcher.hosts.refuse("full.example", node.clock.now())
    node.add(1, host="full.example")
    node.add(1, host="quiet.example")
    await node.tick()
    await node.drain()
    node.clock.advance(60)
    await node.tick()
    assert set(node.dispatcher._pacers) == {"host:full.example"}


@pytest.mark.parametrize(("used", "probed"), [(0.0, True), (28.0, True), (29.5, False), (75.0, False)])
async def test_what_a_slow_database_has_left_too_little_of_its_lease_for_is_given_back_and_not_probed(node, used, probed):
    (mailbox_id,) = node.add(1)
    claim_due = node.store.claim_due

    async def slow_claim(*args, **options):
        claims = await claim_due(*args, **options)
        node.clock.advance(used)
        return claims

    node.store.claim_due = slow_claim
    await node.tick()
    assert bool(node.prober.assignments) is probed
    assert node.store.postponed == ({} if probed else {mailbox_id: later(used)})
    await node.drain()


async def test_nothing_is_claimed_while_the_nodes_clock_is_no_measure_for_leases(node):
    node.add(1)
    right = []
    node.dispatcher._may_claim = lambda: bool(right)
    assert await node.tick() == 0
    assert node.store.claims_asked == []
    right.append(True)
    assert await node.tick() == 1
    await node.drain()
