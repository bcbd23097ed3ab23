"""What the gauges of trouble read from the database."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from builders import a_report, impaired
from contract.campaigning import ANN, after, away, back, goes, running
from contract.fleet import NOON, add, oauth_mailbox, password_mailbox
from mailwatch.core.causes import Cause
from mailwatch.core.decide import decide
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.core.policy import FlapPolicy, Policy

DOMAIN = Scope(ScopeKind.DOMAIN, "example.org")


def incident(scope=DOMAIN, at=NOON, cause=Cause.RATE_LIMITED):
    return Incident("inc_1", scope, cause, at, at, 5, 0.8)


async def blocked(store, *ids, cause=Cause.INVALID_CREDENTIALS, at=NOON, **fields):
    for mailbox_id in ids:
        await goes(store, mailbox_id, State.BLOCKED, at, cause=cause, **fields)


async def waiting(gauges, *incidents):
    return {cause: number for cause, (number, _) in (await gauges.waiting(incidents)).items()}


@pytest.fixture
async def gauges(store):
    """Over three mailboxes of example.org and one with a consent at example.net."""
    await add(store, *(password_mailbox(number) for number in range(3)), oauth_mailbox(3, host="example.net"))
    return store.gauges


async def test_who_waits_for_a_person_is_counted_by_cause(store, gauges):
    await blocked(store, "mb_0000", "mb_0001")
    await blocked(store, "mb_0003", cause=Cause.OAUTH_GRANT_REVOKED)
    assert await waiting(gauges) == {Cause.INVALID_CREDENTIALS: 2, Cause.OAUTH_GRANT_REVOKED: 1}


@pytest.mark.parametrize(
    ("scope", "opened_at", "left"),
    [
        (DOMAIN, NOON, 1),
        (EGRESS, NOON, 0),
        (Scope(ScopeKind.PROVIDER, "google"), NOON, 2),
        (Scope(ScopeKind.OAUTH_APP, "outreach"), NOON, 2),
        (Scope(ScopeKind.ENDPOINT, "imap.example.org"), NOON, 1),
        (DOMAIN, NOON + timedelta(minutes=10), 1),  # what failed shortly before it was seen belongs to it
        (DOMAIN, NOON + timedelta(hours=1), 3),
    ],
)
async def test_what_an_incident_has_stopped_waits_for_nobody(store, gauges, scope, opened_at, left):
    await blocked(store, "mb_0000", "mb_0001", "mb_0003")
    assert (await waiting(gauges, incident(scope, opened_at))).get(Cause.INVALID_CREDENTIALS, 0) == left


@pytest.mark.parametrize("scope", [DOMAIN, EGRESS, Scope(ScopeKind.ENDPOINT, "imap.example.org")], ids=lambda scope: scope.kind)
async def test_who_waits_for_a_reason_of_its_own_is_told_while_an_incident_covers_it(store, gauges, scope):
    await blocked(store, "mb_0000")  # its password was changed while the server was down
    await blocked(store, "mb_0001", cause=Cause.SERVER_UNAVAILABLE)
    down = incident(scope, cause=Cause.SERVER_UNAVAILABLE)
    assert await waiting(gauges, down) == {Cause.INVALID_CREDENTIALS: 1}
    assert [each.mailbox_id for each in await gauges.stopped([down], list(Cause), 10)] == ["mb_0000"]


async def test_who_was_away_before_the_incident_waits_for_a_person_however_lately_it_was_blocked(store, gauges):
    await blocked(store, "mb_0000", down_since_at=NOON - timedelta(hours=3))
    assert await waiting(gauges, incident()) == {Cause.INVALID_CREDENTIALS: 1}


async def test_one_of_two_incidents_is_enough_and_none_counts_twice(store, gauges):
    await blocked(store, "mb_0000", "mb_0001", "mb_0003")
    both = [incident(), incident(Scope(ScopeKind.ENDPOINT, "imap.example.org"))]
    assert await waiting(gauges, *both) == {Cause.INVALID_CREDENTIALS: 1}


async def test_the_first_who_waits_is_told_by_cause_but_none_that_an_incident_has_stopped(store, gauges):
    await blocked(store, "mb_0001", at=after(9))
    await blocked(store, "mb_0000", at=after(3))
    await blocked(store, "mb_0003", at=after(6))
    assert await gauges.waiting([]) == {Cause.INVALID_CREDENTIALS: (3, after(3))}
    assert await gauges.waiting([incident()]) == {Cause.INVALID_CREDENTIALS: (1, after(6))}


async def test_those_who_wait_are_listed_by_cause_the_last_first_and_not_too_many(store, gauges):
    await add(store, password_mailbox(7, labels={"person": "ana"}))
    for minutes, mailbox_id in enumerate(("mb_0000", "mb_0007", "mb_0001")):
        await blocked(store, mailbox_id, at=after(minutes))
    await blocked(store, "mb_0003", cause=Cause.OAUTH_GRANT_REVOKED)
    found = await gauges.stopped([], [Cause.INVALID_CREDENTIALS], 2)
    assert [(each.mailbox_id, each.since_at, dict(each.labels)) for each in found] == [
        ("mb_0001", after(2), {}),
        ("mb_0007", after(1), {"person": "ana"}),
    ]


async def test_mailboxes_that_come_and_go_are_counted_by_provider(store, gauges):
    often = tuple(after(minutes) for minutes in (1, 5, 9))
    await away(store, "mb_0000", at=after(9), episodes_at=often)
    await away(store, "mb_0001", at=after(9), episodes_at=often[:1])
    await away(store, "mb_0003", at=after(9), episodes_at=often)
    assert await gauges.flapping(FlapPolicy(), after(10)) == {"other": 1, "google": 1}
    assert await gauges.flapping(FlapPolicy(), after(600)) == {}


async def test_what_nobody_looked_at_for_three_intervals_is_stale(store, gauges):
    await back(store, "mb_0000", at=after(0), last_probe_at=after(0))
    await back(store, "mb_0001", at=after(0), last_probe_at=after(14))
    await away(store, "mb_0002", at=after(0), last_probe_at=after(10))
    await goes(store, "mb_0003", State.SUSPECT, after(0), last_probe_at=after(0))
    assert await gauges.stale(after(15), 300.0) == 0  # three intervals ago is not longer ago than that
    assert await gauges.stale(after(16), 300.0) == 2
    assert await gauges.stale(after(16), 300.0, excluding=["google"]) == 1
    assert await gauges.stale(after(60), 300.0) == 3  # what retries is away, and hangs nowhere


async def test_a_mailbox_that_a_fault_of_our_own_hides_is_stale_though_it_is_tried_again_and_again(store, gauges):
    await goes(store, "mb_0000", State.CONNECTED, NOON, last_probe_at=NOON)
    for minute in range(1, 17):
        now = after(minute)
        claim = next(each for each in await store.claim_due(now, 10, 1) if each.mailbox.id == "mb_0000")
        channels = [impaired(endpoint.protocol, "secret_unreadable") for endpoint in claim.mailbox.endpoints]
        report = a_report(*channels, at=now, generation=claim.standing.generation)
        decision = decide(claim.mailbox, claim.standing, report, Policy(), now, random.Random(1))
        assert decision.note == "impaired: secret_unreadable"
        await store.record(claim, replace(decision, after=replace(decision.after, due_at=now)))
        await store.flush()
    standing = (await store.find("mb_0000")).standing
    assert (standing.state, standing.last_probe_at, standing.impaired_since_at) == (State.CONNECTED, NOON, after(1))
    assert await gauges.stale(after(16), 300.0) == 4  # and the three that nobody has looked at yet


async def test_looks_that_fell_due_behind_a_gate_are_counted_but_not_those_that_send_no_login(store, gauges):
    gates = ["host:imap.example.org"]
    await blocked(store, "mb_0002")
    for _ in range(2):
        assert await gauges.fell_due(gates, NOON - timedelta(seconds=1), NOON) == 1  # the others come a moment later
        assert await gauges.fell_due(gates, NOON, after(5)) == 1
    assert await gauges.fell_due(gates, after(5), after(10)) == 0
    assert await gauges.fell_due([*gates, "google"], NOON - timedelta(seconds=1), after(5)) == 3
    await store.claim_due(after(5), 1, 60)
    assert await gauges.fell_due(gates, NOON - timedelta(seconds=1), after(5)) == 1


async def test_the_longest_pause_is_told_by_who_paused(store):
    first, second = await running(store, names=("autumn",))
    await store.campaigns.pause("autumn", "by hand", ANN)
    await away(store, first, at=after(-30))
    await away(store, second, at=after(-10))
    assert await store.gauges.paused_longest(after(0)) == {"automatic": 1800.0, "person": 0.0}
    await back(store, first, at=after(0))
    assert (await store.gauges.paused_longest(after(0)))["automatic"] == 600.0


async def test_where_nothing_is_wrong_nothing_is_told(store, gauges):
    assert (await gauges.waiting([incident()]), await gauges.paused_longest(NOON)) == ({}, {})
    assert await gauges.stopped([incident()], list(Cause), 10) == []
    assert await gauges.flapping(FlapPolicy(), NOON) == {}
