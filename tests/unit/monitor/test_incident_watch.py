"""Correlation as a job: one outage is one incident, told once, and what it stopped comes back with its end."""

from datetime import timedelta

import pytest

from builders import NOW, a_standing
from fakes.incidents import FakeIncidents
from fakes.ports import FakeClock, FakeLog
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.picture import Failing, FreshFailures, Recovered
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind, Traits
from mailwatch.core.mailbox import Protocol
from mailwatch.core.maintenance import Window
from mailwatch.core.standing import Confidence, Decision, Diagnosis
from mailwatch.monitor.circuits import Circuits
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.incident_watch import COUNT_SECONDS, IncidentWatch, WatchPolicy

GOOGLE = Traits("google", ("imap.gmail.com",), "a.test")
YAHOO = Traits("yahoo", ("imap.yahoo.com",), "b.test")
OURS = Traits("microsoft", ("outlook",), "c.test", "ours")


class Watch:
    """A watch over incidents in memory; `look` passes some seconds and evaluates."""

    def __init__(self, incidents=None, clock=None):
        self.clock, self.log, self.incidents = clock or FakeClock(), FakeLog(), incidents or FakeIncidents()
        self.circuits = Circuits(CircuitPolicy())
        self.connectivity = Connectivity(self.clock)
        self.brought_back, self.confirmed, self.told, self.windows = [], [], [], []
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
            windows=lambda: self.windows,
        )

    async def _bring_back(self, mailbox_id):
        self.brought_back.append(mailbox_id)
        self.incidents.waiting.pop(mailbox_id, None)

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
    assert len(watch.brought_back) == 5


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


async def test_a_node_that_only_serves_opens_no_circuit(watch):
    scope = Scope(ScopeKind.PROVIDER, "google")
    watch.incidents.stored["inc_1"] = Incident("inc_1", scope, Cause.SERVER_UNAVAILABLE, NOW, NOW, 150, 1.0)
    await watch.watch.look()
    assert [each.id for each in watch.watch.open] == ["inc_1"]
    assert watch.circuits.limited() == frozenset()


async def dead_app(watch, count):
    """An incident of an application whose dead secret has stopped *count* mailboxes, half an hour ago."""
    watch.incidents.sizes = [(OURS, count)]
    watch.incidents.fail(OURS, Cause.OAUTH_MISCONFIGURED, count, watch.clock.now())
    await watch.look()
    watch.incidents.waiting = {f"mb_{number:05}": Cause.OAUTH_MISCONFIGURED for number in range(count)}
    watch.incidents.failing = [Failing(OURS, count, 0, Cause.OAUTH_MISCONFIGURED, blocked=True)]
    watch.incidents.fresh = []
    await watch.look(1801.0)
    return len(watch.brought_back)


async def test_when_feelers_come_through_all_that_a_dead_secret_stopped_come_back(watch):
    felt = await dead_app(watch, 5000)
    watch.incidents.failing = [Failing(OURS, 5000 - felt, 0, Cause.OAUTH_MISCONFIGURED, blocked=True)]
    watch.incidents.recovered = [Recovered(OURS, felt)]
    await watch.look()
    assert watch.watch.open == ()
    assert felt < len(watch.brought_back) < 1000  # not all at once
    for _ in range(12):
        await watch.look()
    assert len(watch.brought_back) == len(set(watch.brought_back)) == 5000


async def test_a_node_that_dies_while_it_brings_mailboxes_back_leaves_none_behind(watch):
    felt = await dead_app(watch, 2000)
    watch.incidents.recovered = [Recovered(OURS, felt)]
    await watch.look()
    assert watch.incidents.waiting
    other = Watch(watch.incidents, watch.clock)
    for _ in range(6):
        await other.look()
    assert watch.incidents.waiting == {}


async def test_after_a_reload_what_waits_for_a_mended_secret_is_felt_for_at_once(watch):
    felt = await dead_app(watch, 90)
    await watch.look()
    assert len(watch.brought_back) == felt
    watch.watch.policy = watch.watch.policy
    await watch.look()
    assert len(watch.brought_back) == 2 * felt


async def test_feelers_that_come_through_are_followed_soon(watch):
    felt = await dead_app(watch, 90)
    watch.incidents.recovered = [Recovered(OURS, 1)]  # not enough
    await watch.look()
    assert len(watch.brought_back) == felt
    await watch.look(60.0)
    assert len(watch.brought_back) == 2 * felt


def our_own_fault(watch):
    """Everybody fails over the network, though canaries answer."""
    for traits, count in ((GOOGLE, 15), (YAHOO, 8), (OURS, 8)):
        watch.incidents.fail(traits, Cause.CONNECTION_TIMEOUT, count, watch.clock.now() + timedelta(seconds=14))


async def test_our_own_fault_that_only_correlation_sees_is_one_incident_and_nobody_is_judged_meanwhile(watch):
    for _ in range(12):
        our_own_fault(watch)
        await watch.look()
    assert [each.scope for each in watch.watch.open] == [EGRESS]
    assert not watch.connectivity.is_up
    assert watch.events() == ["incident.opened"]
    assert watch.incidents.hastened == []


async def test_its_end_is_seen_by_the_first_place_that_is_well_and_the_others_are_judged_again(watch):
    our_own_fault(watch)
    await watch.look()
    watch.incidents.fresh = []
    watch.incidents.failing = [Failing(GOOGLE, 15, 15)]
    watch.incidents.recovered = [Recovered(YAHOO, 8)]
    await watch.look(150.0)
    assert watch.watch.open == ()
    assert watch.connectivity.is_up
    assert watch.incidents.hastened == [next(iter(watch.incidents.stored))]
    watch.incidents.fail(GOOGLE, Cause.CONNECTION_TIMEOUT, 100, watch.clock.now() + timedelta(seconds=14))
    await watch.look()
    assert [each.scope for each in watch.watch.open] == [Scope(ScopeKind.PROVIDER, "google")]


async def test_every_node_that_probes_suspends_its_verdicts_while_our_own_side_is_blamed(watch):
    watch.incidents.is_holder = False
    watch.incidents.stored["inc_1"] = Incident("inc_1", EGRESS, Cause.LOCAL_NETWORK_DOWN, NOW, NOW, 31, 0.1)
    await watch.look()
    assert not watch.connectivity.is_up
    del watch.incidents.stored["inc_1"]
    await watch.look()
    assert watch.connectivity.is_up


def window(watch, scope, **changes):
    return Window("mw_1", "upgrade", scope, watch.clock.now() - timedelta(minutes=1), **{"seconds": 7200.0, **changes})


async def in_maintenance(watch):
    watch.incidents.fail(GOOGLE, Cause.PLATFORM_MAINTENANCE, 150, watch.clock.now())
    watch.incidents.failing = [Failing(GOOGLE, 150, 150, Cause.PLATFORM_MAINTENANCE)]
    await watch.look()


@pytest.mark.parametrize("scope", [None, Scope(ScopeKind.PROVIDER, "google"), Scope(ScopeKind.DOMAIN, "a.test")])
async def test_while_the_window_runs_maintenance_is_not_outlasted(watch, scope):
    await in_maintenance(watch)
    watch.windows = [window(watch, scope)]
    watch.incidents.failing = [Failing(GOOGLE, 150, 20, Cause.CONNECTION_REFUSED)]
    await watch.look()
    assert [each.cause for each in watch.watch.open] == [Cause.PLATFORM_MAINTENANCE]
    watch.windows = [window(watch, scope, seconds=1.0)]  # over
    await watch.look()
    assert [each.cause for each in watch.watch.open] == [Cause.CONNECTION_REFUSED]


@pytest.mark.parametrize(
    "other",
    [
        Failing(GOOGLE, 900, 120, Cause.INVALID_CREDENTIALS, blocked=True),
        Failing(GOOGLE, 900, 120, Cause.CONNECTION_REFUSED, after=NOW - timedelta(days=30)),
        Failing(GOOGLE, 2, 2, Cause.CONNECTION_REFUSED),
    ],
    ids=["long blocked", "away long before", "too few"],
)
async def test_maintenance_is_not_outlasted_by_what_is_none_of_it(watch, other):
    await in_maintenance(watch)
    watch.incidents.failing = [Failing(GOOGLE, 150, 20, Cause.PLATFORM_MAINTENANCE), other]
    await watch.look()
    assert [each.cause for each in watch.watch.open] == [Cause.PLATFORM_MAINTENANCE]
    assert watch.events() == ["incident.opened"]


class Duties:
    """Whose each duty is, as the database has it."""

    def __init__(self):
        self.rows = {}

    def of(self, node):
        async def hold(duty, now, seconds):
            holder, until = self.rows.get(duty, (node, now))
            if holder != node and until > now:
                return False
            self.rows[duty] = (node, now + timedelta(seconds=seconds))
            return True

        return hold


def fleet(names):
    """Watches of several nodes over the same duties."""
    duties, clock, nodes = Duties(), FakeClock(), {}
    for name in names:
        nodes[name] = Watch(clock=clock)
        nodes[name].incidents.hold = duties.of(name)
    return clock, nodes


async def rounds(clock, nodes, count):
    """Who is on duty after so many looks of every node."""
    for _ in range(count):
        clock.advance(15.0)
        for node in nodes.values():
            await node.watch.evaluate()
    return [name for name, node in nodes.items() if node.watch.on_duty]


async def test_a_node_whose_own_uplink_is_broken_leaves_the_judging_to_one_that_sees_well():
    clock, nodes = fleet("abc")
    assert await rounds(clock, nodes, 2) == ["a"]
    nodes["a"].connectivity.watch.canary(clock.now(), up=False)
    assert await rounds(clock, nodes, 2) == ["b"]
    assert nodes["a"].incidents.stored == {}  # nobody tells of an uplink that only one node misses
    nodes["a"].connectivity.watch.canary(clock.now(), up=True)
    assert await rounds(clock, nodes, 2) == ["b"]


async def test_where_nobody_sees_well_one_goes_on_judging_until_another_does():
    clock, nodes = fleet("ab")
    await rounds(clock, nodes, 2)
    for node in nodes.values():
        node.connectivity.watch.canary(clock.now(), up=False)
    assert len(await rounds(clock, nodes, 6)) == 1
    assert any(each.scope == EGRESS for node in nodes.values() for each in node.incidents.stored.values())
    for name, node in nodes.items():
        node.connectivity.watch.canary(clock.now(), up=name == "b")
    assert await rounds(clock, nodes, 6) == ["b"]


async def test_a_clock_that_is_set_back_stops_neither_counting_nor_learning(watch):
    await watch.look()
    watch.clock.set_back(86_400.0)
    watch.incidents.sizes = [(YAHOO, 700)]
    await watch.look()
    watch.incidents.fail(YAHOO, Cause.CONNECTION_TIMEOUT, 2, watch.clock.now() + timedelta(seconds=1))
    await watch.look()
    await watch.look(COUNT_SECONDS)
    learnt = watch.incidents.learnt[Scope(ScopeKind.PROVIDER, "yahoo")]
    assert (learnt.events, learnt.exposure_seconds) == (pytest.approx(2), pytest.approx(700 * COUNT_SECONDS, rel=0.1))


async def test_a_share_is_of_those_that_were_well(watch):
    watch.incidents.sizes = [(GOOGLE, 200)]
    watch.incidents.failing = [Failing(GOOGLE, 120, 0, Cause.OAUTH_GRANT_REVOKED, blocked=True, after=NOW - timedelta(days=9))]
    watch.incidents.fresh = [FreshFailures(GOOGLE, Cause.SERVER_UNAVAILABLE, 60, 60, watch.clock.now() + timedelta(seconds=14))]
    await watch.look()
    assert [each.peak_share for each in watch.watch.open] == [0.75]


async def test_an_incident_that_a_person_closed_lets_what_it_stopped_come_back(watch):
    watch.incidents.fail(GOOGLE, Cause.INVALID_CREDENTIALS, 150, watch.clock.now())
    await watch.look()
    watch.incidents.waiting = {"mb_1": Cause.INVALID_CREDENTIALS}
    (incident,) = watch.watch.open
    await watch.incidents.close(incident.id, watch.clock.now(), None)
    watch.incidents.fresh, watch.incidents.failing = [], []
    await watch.look()
    assert watch.watch.open == ()
    assert watch.brought_back == ["mb_1"]
