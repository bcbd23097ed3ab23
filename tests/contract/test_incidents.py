"""Incidents at rest, and the counts by traits that correlation looks at."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from contract.fleet import NOON, add, clean, moved, oauth_mailbox, password_mailbox
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.baseline import Baseline
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.picture import begins
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind, Traits
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.ports import Act
from mailwatch.ports.campaigns import StaleError
from mailwatch.ports.incidents import IncidentNotFoundError, IncidentOverError

EXAMPLE = Traits("other", ("imap.example.org", "smtp.example.org"), "example.org")
DOMAIN = Scope(ScopeKind.DOMAIN, "example.org")


def incident(scope=DOMAIN, **changes):
    return replace(Incident("inc_1", scope, Cause.INVALID_CREDENTIALS, NOON, NOON, 5, 0.8), **changes)


async def lived(store, state, trigger, at=NOON, **fields):
    """Move all that is due to *state*."""
    for claim in await store.claim_due(at, 1000, 60):
        await store.record(claim, moved(claim, state, trigger, at=at, due_at=at, **fields))


async def connected(store, count, **fields):
    await add(store, *(password_mailbox(number, **fields) for number in range(count)), due_at=NOON - timedelta(minutes=1))
    await lived(store, State.CONNECTED, Trigger.PROBE_SUCCEEDED)


async def test_fresh_failures_are_counted_by_traits_and_cause(store):
    await connected(store, 7)
    await lived(store, State.SUSPECT, Trigger.PROBE_FAILED, at=NOON + timedelta(seconds=10))
    recent = await store.incidents.recent(NOON, NOON + timedelta(seconds=5))
    (fresh,) = recent.fresh
    assert (fresh.traits, fresh.cause, fresh.count, fresh.lately) == (EXAMPLE, Cause.INVALID_CREDENTIALS, 7, 7)
    assert fresh.last_at == NOON + timedelta(seconds=10)
    (failing,) = recent.failing
    assert (failing.traits, failing.count) == (EXAMPLE, 7)


async def test_what_failed_before_the_window_is_no_fresh_failure(store):
    await connected(store, 3)
    await lived(store, State.SUSPECT, Trigger.PROBE_FAILED, at=NOON + timedelta(seconds=10))
    recent = await store.incidents.recent(NOON + timedelta(seconds=10), NOON + timedelta(seconds=10))
    assert recent.fresh == []
    assert recent.failing[0].count == 3


async def test_a_mailbox_that_never_worked_is_no_fresh_failure(store):
    await add(store, password_mailbox(1), due_at=NOON)
    await lived(store, State.SUSPECT, Trigger.PROBE_FAILED)
    assert (await store.incidents.recent(NOON - timedelta(seconds=1), NOON)).fresh == []


async def test_what_came_back_lately_is_counted(store):
    await connected(store, 4)
    await lived(store, State.SUSPECT, Trigger.PROBE_FAILED, at=NOON + timedelta(seconds=10))
    await lived(store, State.CONNECTED, Trigger.PROBE_SUCCEEDED, at=NOON + timedelta(seconds=20))
    recent = await store.incidents.recent(NOON, NOON + timedelta(seconds=15))
    assert [(each.traits, each.count) for each in recent.recovered] == [(EXAMPLE, 4)]
    assert recent.failing == []


async def test_watched_mailboxes_are_counted_by_traits(store):
    await add(store, oauth_mailbox(100), due_at=NOON - timedelta(minutes=1))
    await connected(store, 3)
    counted = dict(await store.incidents.watched())
    assert counted[EXAMPLE] == 3
    assert counted[Traits("google", EXAMPLE.endpoints, "example.org", "outreach")] == 1


async def test_an_incident_is_stored_grows_and_closes(store):
    await store.incidents.save([incident()])
    await store.incidents.save([incident(failed=9)])
    assert await store.incidents.known(NOON) == [incident(failed=9)]
    closed = incident(failed=9, closed_at=NOON + timedelta(minutes=5))
    await store.incidents.save([closed])
    assert await store.incidents.known(NOON + timedelta(minutes=5)) == [closed]
    assert await store.incidents.known(NOON + timedelta(minutes=6)) == []
    assert await store.incidents.find("inc_1") == closed
    assert await store.incidents.find("inc_2") is None


async def test_only_its_opening_and_its_end_are_told(store):
    await store.incidents.save([incident()])
    await store.incidents.save([incident(failed=9)])
    await store.incidents.save([incident(closed_at=NOON)])
    await store.incidents.save([incident(reopened=1)])
    told = [event.type for event in await store.outbox.events(0, 100)]
    assert told == ["incident.opened", "incident.closed", "incident.reopened"]


async def test_incidents_are_listed_newest_first_page_by_page(store):
    many = [incident(id=f"inc_{number}", opened_at=NOON + timedelta(minutes=number // 2)) for number in range(5)]
    await store.incidents.save(many)
    first = await store.incidents.listed(None, 2)
    second = await store.incidents.listed(first[-1].id, 2)
    third = await store.incidents.listed(second[-1].id, 2)
    assert [each.id for each in (*first, *second, *third)] == ["inc_4", "inc_3", "inc_2", "inc_1", "inc_0"]


async def test_open_and_closed_incidents_are_listed_apart(store):
    await store.incidents.save([incident(), incident(id="inc_2", closed_at=NOON)])
    assert [each.id for each in await store.incidents.listed(None, 9, is_open=True)] == ["inc_1"]
    assert [each.id for each in await store.incidents.listed(None, 9, is_open=False)] == ["inc_2"]


@pytest.mark.parametrize(
    ("scope", "touched"),
    [
        (DOMAIN, 3),
        (Scope(ScopeKind.ENDPOINT, "imap.example.org"), 3),
        (Scope(ScopeKind.ENDPOINT, "smtp.example.org"), 3),
        (Scope(ScopeKind.PROVIDER, "other"), 3),
        (Scope(ScopeKind.DOMAIN, "xexample.org"), 0),
        (Scope(ScopeKind.ENDPOINT, "map.example.org"), 0),
        (Scope(ScopeKind.OAUTH_APP, "outreach"), 0),
        (EGRESS, 3),
    ],
)
async def test_what_an_incident_took_are_the_mailboxes_of_its_scope(store, scope, touched):
    await connected(store, 3, campaigns=("spring",))
    await lived(store, State.SUSPECT, Trigger.PROBE_FAILED, at=NOON + timedelta(seconds=10))
    mailboxes, campaigns = await store.incidents.affected(incident(scope), 100)
    assert len(mailboxes) == touched
    assert list(campaigns) == (["spring"] if touched else [])


async def test_blocked_mailboxes_of_an_incident_are_found_by_their_cause(store):
    await connected(store, 2)
    await lived(store, State.BLOCKED, Trigger.PERSON_NEEDED, NOON + timedelta(seconds=10), cause=Cause.INVALID_CREDENTIALS)
    causes = [Cause.INVALID_CREDENTIALS]
    assert len(await store.incidents.waiting_for(incident(), causes, 10)) == 2
    assert len(await store.incidents.waiting_for(incident(), causes, 1)) == 1
    assert await store.incidents.waiting_for(incident(), [Cause.IP_BLOCKED], 10) == []
    assert await store.incidents.waiting_for(incident(Scope(ScopeKind.DOMAIN, "other.org")), causes, 10) == []


async def test_baselines_are_kept(store):
    learnt = {DOMAIN: Baseline(1.5, 1000.0), EGRESS: Baseline(0.0, 5.0)}
    await store.incidents.learn(learnt)
    await store.incidents.learn({DOMAIN: Baseline(2.0, 2000.0)})
    assert await store.incidents.baselines() == {DOMAIN: Baseline(2.0, 2000.0), EGRESS: Baseline(0.0, 5.0)}


async def test_a_duty_is_one_nodes_until_its_time_runs_out(open_store):
    one, other = await open_store(node="a"), await open_store(node="b")
    assert await one.incidents.hold("incidents", NOON, 60)
    assert not await other.incidents.hold("incidents", NOON, 60)
    assert await one.incidents.hold("incidents", NOON + timedelta(seconds=50), 60)
    assert not await other.incidents.hold("incidents", NOON + timedelta(seconds=109), 60)
    assert await other.incidents.hold("incidents", NOON + timedelta(seconds=110), 60)


async def test_of_two_nodes_that_ask_at_once_one_has_the_duty(open_store):
    nodes = [await open_store(node=name) for name in "abcd"]
    answers = await asyncio.gather(*(node.incidents.hold("incidents", NOON, 60) for node in nodes))
    assert sum(answers) == 1


async def test_healthy_probes_leave_nothing_to_correlate(store):
    await connected(store, 3)
    for claim in await store.claim_due(NOON, 100, 60):
        await store.record(claim, clean(claim))
    await store.flush()
    recent = await store.incidents.recent(NOON, NOON)
    assert (recent.fresh, recent.failing, recent.recovered) == ([], [], [])


async def test_what_is_away_is_counted_by_its_cause(store):
    await connected(store, 2)
    for claim in await store.claim_due(NOON + timedelta(seconds=10), 10, 60):
        decision = moved(claim, State.SUSPECT, Trigger.PROBE_FAILED, at=NOON)
        await store.record(claim, replace(decision, after=replace(decision.after, cause=Cause.INVALID_CREDENTIALS)))
    (failing,) = (await store.incidents.recent(NOON, NOON)).failing
    assert (failing.count, failing.cause) == (2, Cause.INVALID_CREDENTIALS)


async def test_what_waits_for_its_next_try_in_the_scope_is_hastened_and_nothing_else(store):
    await add(store, password_mailbox(1), password_mailbox(2, host="elsewhere.test"), due_at=NOON)
    later, now = NOON + timedelta(minutes=10), NOON + timedelta(minutes=5)
    for claim in await store.claim_due(NOON + timedelta(seconds=1), 10, 60):
        await store.record(claim, moved(claim, State.RECONNECTING, Trigger.FAILURE_CONFIRMED, at=NOON, due_at=later))
    await add(store, password_mailbox(3), due_at=later)
    assert await store.incidents.hasten(incident(), now) == 1
    due = {name: (await store.find(name)).standing.due_at for name in ("mb_0001", "mb_0002", "mb_0003")}
    assert due == {"mb_0001": now, "mb_0002": later, "mb_0003": later}


CLOSES = Act("cli:ana", "incident.close", "cli")


async def test_what_was_away_before_an_incident_is_told_apart(store):
    await connected(store, 2)
    lost_at = [NOON - timedelta(hours=1), NOON - timedelta(minutes=10)]
    for claim, down_at in zip(await store.claim_due(NOON + timedelta(seconds=1), 10, 60), lost_at, strict=True):
        after = moved(claim, State.RECONNECTING, Trigger.FAILURE_CONFIRMED, at=NOON, due_at=NOON, down_since_at=down_at)
        await store.record(claim, after)
    begun = begins([incident()])
    failing = (await store.incidents.recent(NOON, NOON, begun)).failing
    assert sorted((each.count, each.after) for each in failing if each.after) == [(1, min(begun))]
    assert [each.count for each in failing if each.after is None] == [1]
    assert {each.after for each in (await store.incidents.recent(NOON, NOON, [NOON])).failing} == {None}


async def test_it_is_told_by_the_latest_moment_that_it_failed_after(store):
    await connected(store, 3)
    lost_at = [NOON - timedelta(minutes=minutes) for minutes in (30, 20, 10)]
    for claim, at in zip(await store.claim_due(NOON + timedelta(seconds=1), 10, 60), lost_at, strict=True):
        await store.record(claim, moved(claim, State.RECONNECTING, Trigger.FAILURE_CONFIRMED, at=NOON, down_since_at=at))
    failing = (await store.incidents.recent(NOON, NOON, lost_at)).failing
    assert sorted((each.after, each.count) for each in failing) == sorted((at, 1) for at in lost_at)


async def test_the_reach_of_a_blocked_mailbox_is_no_look_in_vain(store):
    await connected(store, 2)
    states = (State.BLOCKED, Trigger.PERSON_NEEDED), (State.RECONNECTING, Trigger.FAILURE_CONFIRMED)
    for claim, (state, trigger) in zip(await store.claim_due(NOON + timedelta(seconds=1), 10, 60), states, strict=True):
        await store.record(claim, moved(claim, state, trigger, last_probe_at=NOON + timedelta(seconds=30)))
    failing = (await store.incidents.recent(NOON, NOON)).failing
    assert sorted((each.blocked, each.lately) for each in failing) == [(False, 1), (True, 0)]


async def test_who_comes_back_is_told_apart_by_when_he_was_lost_and_whether_that_was_confirmed(store):
    await connected(store, 3)
    moves = [
        (State.VERIFYING, Trigger.PROBE_SUCCEEDED, NOON - timedelta(hours=1)),
        (State.VERIFYING, Trigger.PROBE_SUCCEEDED, NOON - timedelta(minutes=10)),
        (State.CONNECTED, Trigger.PROBE_SUCCEEDED, None),
    ]
    await lived(store, State.SUSPECT, Trigger.PROBE_FAILED, at=NOON + timedelta(seconds=1))
    for claim, (state, trigger, down_at) in zip(await store.claim_due(NOON + timedelta(seconds=2), 10, 60), moves, strict=True):
        await store.record(claim, moved(claim, state, trigger, at=NOON + timedelta(seconds=9), down_since_at=down_at))
    begun = begins([incident()])
    recovered = (await store.incidents.recent(NOON, NOON + timedelta(seconds=5), begun)).recovered
    told = {(each.count, each.after, each.confirmed) for each in recovered}
    assert told == {(1, None, True), (1, min(begun), True), (1, min(begun), False)}


async def test_of_one_that_is_over_only_what_it_had_stopped_itself_waits_for_it(store):
    await connected(store, 2)
    ends = NOON + timedelta(minutes=1)
    for claim, at in zip(await store.claim_due(NOON + timedelta(seconds=1), 10, 60), (NOON, ends), strict=True):
        stopped = moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, at=at, cause=Cause.INVALID_CREDENTIALS)
        await store.record(claim, stopped)
    causes = [Cause.INVALID_CREDENTIALS]
    assert len(await store.incidents.waiting_for(incident(), causes, 9)) == 2
    # what was tried since its end and failed again has had its turn
    assert len(await store.incidents.waiting_for(incident(closed_at=ends - timedelta(seconds=1)), causes, 9)) == 1


async def test_what_was_lost_long_before_does_not_wait_for_an_incident_though_it_was_blocked_in_it(store):
    await connected(store, 1)
    (claim,) = await store.claim_due(NOON + timedelta(seconds=1), 10, 60)
    fields = {"cause": Cause.INVALID_CREDENTIALS, "down_since_at": NOON - timedelta(days=30)}
    await store.record(claim, moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, **fields))
    assert await store.incidents.waiting_for(incident(), [Cause.INVALID_CREDENTIALS], 9) == []


async def test_a_person_closes_it_and_the_audit_log_and_an_event_tell(store):
    await store.incidents.save([incident()])
    ends = NOON + timedelta(minutes=5)
    assert (await store.incidents.close("inc_1", ends, CLOSES)).closed_at == ends
    with pytest.raises(IncidentOverError) as over:
        await store.incidents.close("inc_1", ends + timedelta(minutes=1), CLOSES)
    assert over.value.closed_at == ends
    audited = [(row.actor, row.action, row.subject, row.state_before, row.state_after) for row in await store.pages.audit(None, 9)]
    assert audited == [("cli:ana", "incident.close", "inc_1", "open", "closed")]
    assert [event.type for event in await store.outbox.events(0, 9)] == ["incident.opened", "incident.closed"]
    with pytest.raises(IncidentNotFoundError, match="incident list"):
        await store.incidents.close("inc_2", ends, CLOSES)


async def test_a_person_closes_what_was_looked_at_and_no_other(store):
    first = incident()
    await store.incidents.save([first])
    ends = NOON + timedelta(minutes=5)
    assert (await store.incidents.close("inc_1", ends, CLOSES, version=first.version)).version == first.version + 1
    await store.incidents.save([incident(reopened=1)])
    with pytest.raises(StaleError):
        await store.incidents.close("inc_1", ends + timedelta(minutes=9), CLOSES, version=first.version)
    assert (await store.incidents.find("inc_1")).is_open
    assert len(await store.pages.audit(None, 9)) == 1


async def test_what_a_person_closed_is_not_opened_by_a_look_that_began_before(store):
    await store.incidents.save([incident()])
    closed = await store.incidents.close("inc_1", NOON + timedelta(minutes=5), CLOSES)
    await store.incidents.save([incident(failed=9)])
    assert await store.incidents.find("inc_1") == closed
    await store.incidents.save([incident(failed=9, reopened=1)])
    assert (await store.incidents.find("inc_1")).is_open
    assert [event.type for event in await store.outbox.events(0, 9)] == ["incident.opened", "incident.closed", "incident.reopened"]
