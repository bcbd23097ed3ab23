"""Correlation as a job: one outage is one incident, told once, and what it stopped comes back with its end."""

from datetime import timedelta

import pytest

from builders import NOW, a_standing
from fakes.incidents import FakeIncidents
from fakes.ports import FakeClock, FakeLog
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind, Traits
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import Confidence, Decision, Diagnosis
from mailwatch.monitor.circuits import Circuits
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.incident_watch import COUNT_SECONDS, IncidentWatch, WatchPolicy
from mailwatch.ports.incidents import Failing

GOOGLE = Traits("google", ("imap.gmail.com",), "a.test")
YAHOO = Traits("yahoo", ("imap.yahoo.com",), "b.test")
OURS = Traits("microsoft", ("outlook",), "c.test", "ours")


class Watch:
    """A watch over incidents in memory; `look` passes some seconds and evaluates."""

    def __init__(self):
        self.clock, self.log, self.incidents = FakeClock(), FakeLog(), FakeIncidents()
        self.circuits = Circuits(CircuitPolicy())
        self.connectivity = Connectivity(self.clock)
        self.brought_back, self.confirmed, self.told = [], [], []
        self.incidents.sizes = [(GOOGLE, 200), (YAHOO, 100), (OURS, 100)]
        self.watch = IncidentWatch(
            self.incidents,
            self.connectivity,
            self.circuits,
            self.clock,
            self.log,
            policy=WatchPolicy(interval_seconds=300.0, feeler_seconds=1800.0),
            bring_back=self._bring_back,
            confirm=self._confirm,
            changed=lambda incidents: self.told.append([each.scope for each in incidents]),
        )

    async def _bring_back(self, mailbox_id):
        self.brought_back.append(mailbox_id)

    async def _confirm(self, mailbox_id, cause):
        self.confirmed.append((mailbox_id, cause))

    def come_through(self, gate="google"):
        """Canaries come through, and the ramp after them."""
        standing = a_standing(proven=True)
        for _ in range(4):
            self.circuits.result(gate, Decision(standing, standing), self.clock.monotonic())
        self.circuits.result(gate, Decision(standing, standing), self.clock.monotonic() + 200.0)
        assert gate not in self.circuits.limited()

    async def look(self, seconds=15.0):
        self.clock.advance(seconds)
        await self.watch.evaluate()

    def events(self):
        return [event for _, event, _ in self.log.events if event.startswith("incident.")]


@pytest.fixture
def watch():
    return Watch()


async def test_an_outage_is_one_incident_that_opens_its_circuit_and_is_told_once(watch):
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    for _ in range(4):
        await watch.look()
    assert [each.scope for each in watch.watch.open] == [Scope(ScopeKind.PROVIDER, "google")]
    assert watch.circuits.limited() == {"google"}
    assert watch.events() == ["incident.opened"]
    assert watch.told[-1] == [Scope(ScopeKind.PROVIDER, "google")]


async def test_its_end_is_seen_by_what_comes_back_and_the_windows_memory_does_not_open_it_again(watch):
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    await watch.look()
    watch.incidents.settle()
    watch.come_through()
    await watch.look(150.0)  # what failed is no longer lately
    for _ in range(4):
        await watch.look()
    assert watch.watch.open == ()
    assert watch.events() == ["incident.opened", "incident.closed"]


async def test_a_relapse_reopens_it(watch):
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    await watch.look()
    watch.incidents.settle()
    watch.come_through()
    await watch.look(150.0)
    watch.incidents.recovered = []
    watch.incidents.fresh = []
    watch.clock.advance(60)
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    await watch.look()
    assert watch.events() == ["incident.opened", "incident.closed", "incident.reopened"]


async def test_while_our_own_uplink_is_down_nobody_else_is_judged(watch):
    watch.connectivity.watch.canary(watch.clock.now(), up=False)
    watch.incidents.fail(GOOGLE, Cause.CONNECTION_TIMEOUT, 150, watch.clock.now())
    await watch.look()
    assert [each.scope for each in watch.watch.open] == [EGRESS]
    watch.connectivity.watch.canary(watch.clock.now(), up=True)
    watch.incidents.fresh, watch.incidents.failing = [], []
    await watch.look()
    assert watch.watch.open == ()


async def test_what_an_incident_stopped_for_good_is_tried_again_when_it_ends(watch):
    watch.incidents.fail(GOOGLE, Cause.INVALID_CREDENTIALS, 150, watch.clock.now())
    await watch.look()
    watch.incidents.waiting = {"mb_1": Cause.INVALID_CREDENTIALS, "mb_2": Cause.ACCESS_DENIED}
    watch.incidents.settle()
    watch.come_through()
    await watch.look(150.0)
    assert watch.brought_back == ["mb_1"]


async def test_an_app_whose_secret_is_dead_is_felt_for_now_and_then(watch):
    watch.incidents.fail(OURS, Cause.OAUTH_MISCONFIGURED, 90, watch.clock.now())
    await watch.look()
    assert watch.watch.open[0].cause is Cause.OAUTH_MISCONFIGURED
    watch.incidents.waiting = {f"mb_{number}": Cause.OAUTH_MISCONFIGURED for number in range(90)}
    watch.incidents.failing = [Failing(OURS, 90, 0)]
    await watch.look(900.0)
    assert watch.brought_back == []
    await watch.look(901.0)
    assert len(watch.brought_back) == 2


async def test_only_the_holder_of_the_duty_evaluates_but_all_follow(watch):
    watch.incidents.is_holder = False
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    await watch.look()
    assert watch.incidents.stored == {}
    scope = Scope(ScopeKind.PROVIDER, "google")
    watch.incidents.stored["inc_1"] = Incident("inc_1", scope, Cause.SERVER_UNAVAILABLE, NOW, NOW, 150, 1.0)
    await watch.look()
    assert watch.circuits.limited() == {"google"}
    assert watch.incidents.saved == 0


async def test_what_fails_by_itself_is_learnt_and_what_an_incident_took_is_not(watch):
    watch.incidents.fail(YAHOO, Cause.CONNECTION_TIMEOUT, 2, watch.clock.now() + timedelta(seconds=1))
    await watch.look()
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now() + timedelta(seconds=1))
    await watch.look()
    await watch.look(COUNT_SECONDS)
    assert watch.incidents.learnt[Scope(ScopeKind.PROVIDER, "yahoo")].events == pytest.approx(2)
    assert Scope(ScopeKind.PROVIDER, "google") not in watch.incidents.learnt


async def test_suspicions_are_confirmed_by_the_incident_while_only_canaries_look(watch):
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    watch.incidents.suspected = ["mb_1", "mb_2"]
    await watch.look()
    assert watch.confirmed == []  # the circuit was opened by this very look
    await watch.look()
    assert watch.confirmed == [("mb_1", Cause.SERVER_UNAVAILABLE), ("mb_2", Cause.SERVER_UNAVAILABLE)]


async def test_where_everybody_looks_for_himself_nothing_is_confirmed_for_him(watch):
    watch.circuits.policy = None
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    watch.incidents.suspected = ["mb_1"]
    for _ in range(3):
        await watch.look()
    assert watch.confirmed == []


async def test_a_node_that_only_serves_learns_of_incidents_without_judging(watch):
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    await watch.watch.look()
    assert watch.watch.open == ()
    scope = Scope(ScopeKind.PROVIDER, "google")
    watch.incidents.stored["inc_1"] = Incident("inc_1", scope, Cause.SERVER_UNAVAILABLE, NOW, NOW, 150, 1.0)
    await watch.watch.look()
    assert [each.id for each in watch.watch.open] == ["inc_1"]


async def test_an_incident_is_not_over_while_its_circuit_lets_only_some_through(watch):
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    await watch.look()
    watch.incidents.settle()
    for _ in range(4):
        await watch.look(150.0)
    assert [each.scope for each in watch.watch.open] == [Scope(ScopeKind.PROVIDER, "google")]
    assert watch.watch.open[0].id not in watch.incidents.hastened
    watch.incidents.recovered = []  # they came back some time ago
    watch.come_through()
    await watch.look()
    assert watch.watch.open == ()
    assert len(watch.incidents.hastened) == 1


async def test_what_waits_for_its_next_try_comes_first_once_canaries_came_through(watch):
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 150, watch.clock.now())
    await watch.look()
    await watch.look()
    assert watch.incidents.hastened == []
    standing = a_standing(proven=True)
    for _ in range(3):
        watch.circuits.result("google", Decision(standing, standing), watch.clock.monotonic())
    await watch.look()
    await watch.look()
    assert watch.incidents.hastened == [watch.watch.open[0].id]


async def test_where_a_circuit_tripped_the_few_that_failed_speak_for_a_large_fleet(watch):
    watch.incidents.sizes = [(GOOGLE, 50_000)]
    watch.incidents.fail(GOOGLE, Cause.SERVER_UNAVAILABLE, 18, watch.clock.now())
    await watch.look()
    assert watch.watch.open == ()
    ill = Diagnosis(Cause.SERVER_UNAVAILABLE, "rule", "quote", Confidence.HIGH)
    standing = a_standing(proven=True)
    for _ in range(20):
        watch.circuits.result("google", Decision(standing, standing, diagnoses={Protocol.IMAP: ill}), watch.clock.monotonic())
    await watch.look()
    (opened,) = watch.watch.open
    assert (opened.scope, opened.takes_all, opened.affected) == (Scope(ScopeKind.PROVIDER, "google"), True, 50_000)


async def test_shares_are_of_the_fleet_as_it_is_when_an_incident_is_opened(watch):
    watch.incidents.sizes = [(GOOGLE, 10)]
    await watch.look()
    watch.incidents.sizes = [(GOOGLE, 4000)]  # thousands were added since
    watch.incidents.fail(GOOGLE, Cause.CONNECTION_TIMEOUT, 8, watch.clock.now())
    await watch.look()
    assert watch.watch.open == ()


async def test_maintenance_that_is_outlasted_becomes_an_incident_with_a_cause_of_its_own(watch):
    watch.incidents.fail(GOOGLE, Cause.PLATFORM_MAINTENANCE, 150, watch.clock.now())
    watch.incidents.failing = [Failing(GOOGLE, 150, 3, Cause.PLATFORM_MAINTENANCE)]
    await watch.look()
    assert [each.cause for each in watch.watch.open] == [Cause.PLATFORM_MAINTENANCE]
    watch.incidents.failing = [
        Failing(GOOGLE, 145, 0, Cause.PLATFORM_MAINTENANCE),
        Failing(GOOGLE, 5, 5, Cause.CONNECTION_REFUSED),
    ]
    await watch.look()
    assert [each.cause for each in watch.watch.open] == [Cause.CONNECTION_REFUSED]
    assert watch.events() == ["incident.opened", "incident.outlasts_maintenance"]


async def test_a_scope_is_at_the_provider_that_holds_its_mailboxes(watch):
    lone = Traits("other", ("mail.lone.test",), "lone.test")
    watch.incidents.sizes = [(GOOGLE, 200), (lone, 10)]
    await watch.look()
    found = [
        watch.watch.provider_of(Scope(kind, name))
        for kind, name in ((ScopeKind.PROVIDER, "google"), (ScopeKind.ENDPOINT, "imap.gmail.com"), (ScopeKind.DOMAIN, "lone.test"))
    ]
    assert found == ["google", "google", "other"]


async def test_it_knows_whether_it_is_the_one_that_judges(watch):
    await watch.look()
    assert watch.watch.on_duty
    watch.incidents.is_holder = False
    await watch.look()
    assert not watch.watch.on_duty
