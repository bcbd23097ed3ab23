"""What the gauges of trouble read from the database."""

from datetime import timedelta

import pytest

from contract.campaigning import ANN, after, away, back, goes, running
from contract.fleet import NOON, add, oauth_mailbox, password_mailbox
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.core.policy import FlapPolicy

DOMAIN = Scope(ScopeKind.DOMAIN, "example.org")


def incident(scope=DOMAIN, at=NOON):
    return Incident("inc_1", scope, Cause.RATE_LIMITED, at, at, 5, 0.8)


async def blocked(store, *ids, cause=Cause.INVALID_CREDENTIALS, at=NOON):
    for mailbox_id in ids:
        await goes(store, mailbox_id, State.BLOCKED, at, cause=cause)


@pytest.fixture
async def gauges(store):
    """Over three mailboxes of example.org and one with a consent at example.net."""
    await add(store, *(password_mailbox(number) for number in range(3)), oauth_mailbox(3, host="example.net"))
    return store.gauges


async def test_who_waits_for_a_person_is_counted_by_cause(store, gauges):
    await blocked(store, "mb_0000", "mb_0001")
    await blocked(store, "mb_0003", cause=Cause.OAUTH_GRANT_REVOKED)
    assert await gauges.waiting([]) == {Cause.INVALID_CREDENTIALS: 2, Cause.OAUTH_GRANT_REVOKED: 1}


@pytest.mark.parametrize(
    ("scope", "opened_at", "left"),
    [
        (DOMAIN, NOON, 1),
        (EGRESS, NOON, 0),
        (Scope(ScopeKind.OAUTH_APP, "outreach"), NOON, 2),
        (Scope(ScopeKind.ENDPOINT, "imap.example.org"), NOON, 1),
        (DOMAIN, NOON + timedelta(minutes=10), 1),  # what failed shortly before it was seen belongs to it
        (DOMAIN, NOON + timedelta(hours=1), 3),
    ],
)
async def test_what_an_incident_has_stopped_waits_for_nobody(store, gauges, scope, opened_at, left):
    await blocked(store, "mb_0000", "mb_0001", "mb_0003")
    assert (await gauges.waiting([incident(scope, opened_at)]))[Cause.INVALID_CREDENTIALS] == left


async def test_one_of_two_incidents_is_enough_and_none_counts_twice(store, gauges):
    await blocked(store, "mb_0000", "mb_0001", "mb_0003")
    both = [incident(), incident(Scope(ScopeKind.ENDPOINT, "imap.example.org"))]
    assert (await gauges.waiting(both))[Cause.INVALID_CREDENTIALS] == 1


async def test_the_first_who_waits_is_told_by_cause(store, gauges):
    await blocked(store, "mb_0001", at=after(9))
    await blocked(store, "mb_0000", at=after(3))
    assert await gauges.waiting_since() == {Cause.INVALID_CREDENTIALS: after(3)}


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


async def test_the_longest_pause_is_told_by_who_paused(store):
    first, second = await running(store, names=("autumn",))
    await store.campaigns.pause("autumn", "by hand", ANN)
    await away(store, first, at=after(-30))
    await away(store, second, at=after(-10))
    assert await store.gauges.paused_longest(after(0)) == {"automatic": 1800.0, "person": 0.0}
    await back(store, first, at=after(0))
    assert (await store.gauges.paused_longest(after(0)))["automatic"] == 600.0


async def test_where_nothing_is_wrong_nothing_is_told(store, gauges):
    assert (await gauges.waiting([incident()]), await gauges.waiting_since(), await gauges.paused_longest(NOON)) == ({}, {}, {})
    assert await gauges.flapping(FlapPolicy(), NOON) == {}
