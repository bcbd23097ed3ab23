"""What the page reads of incidents: whom one took, how it went, and what is away besides."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from contract.fleet import NOON, add, moved, oauth_mailbox, password_mailbox
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.ports import Act
from mailwatch.store import migrate
from mailwatch.store.address import parse_address
from mailwatch.store.engine import Database
from mailwatch.store.incident_scope import domain_of, seen_in
from mailwatch.store.incident_views import unexplained

MINUTE = timedelta(minutes=1)
DOMAIN = Scope(ScopeKind.DOMAIN, "example.org")


def incident(scope=DOMAIN, **changes):
    return replace(Incident("inc_1", scope, Cause.CONNECTION_TIMEOUT, NOON, NOON, 3, 0.3, size=6), **changes)


async def lived(store, *moves, ids=None, **fields):
    """Move all that is due (or *ids* of it) along *moves*: (state, trigger, when)."""
    for state, trigger, at in moves:
        for claim in await store.claim_due(at, 1000, 60):
            if ids is None or claim.mailbox.id in ids:
                await store.record(claim, moved(claim, state, trigger, at=at, due_at=at + timedelta(seconds=1), **fields))


@pytest.fixture
async def fleet(store):
    """Six mailboxes that worked; four failed after noon, of which one is back and one waits for a person."""
    await add(store, *(password_mailbox(number, campaigns=("spring",)) for number in range(3)), due_at=NOON - 20 * MINUTE)
    await add(store, *(password_mailbox(number, campaigns=("autumn",)) for number in range(3, 6)), due_at=NOON - 20 * MINUTE)
    await lived(store, (State.CONNECTED, Trigger.PROBE_SUCCEEDED, NOON - 19 * MINUTE))
    timeout = {"cause": Cause.CONNECTION_TIMEOUT}
    await lived(store, (State.SUSPECT, Trigger.PROBE_FAILED, NOON), ids={"mb_0000", "mb_0001"}, **timeout)
    later = NOON + 2 * MINUTE
    await lived(store, (State.SUSPECT, Trigger.PROBE_FAILED, later), ids={"mb_0002", "mb_0003"}, **timeout)
    confirmed = {"down_since_at": later, **timeout}
    await lived(store, (State.RECONNECTING, Trigger.FAILURE_CONFIRMED, later + MINUTE), ids={"mb_0000", "mb_0002"}, **confirmed)
    await lived(store, (State.CONNECTED, Trigger.PROBE_SUCCEEDED, later + 2 * MINUTE), ids={"mb_0001"}, cause=None)
    refused = {"down_since_at": later, "cause": Cause.INVALID_CREDENTIALS}
    await lived(store, (State.BLOCKED, Trigger.PERSON_NEEDED, later + 3 * MINUTE), ids={"mb_0003"}, **refused)
    return store


async def test_its_extent_are_those_seen_failing_and_their_campaigns(fleet):
    extent = await fleet.pages.extent(incident(), 10)
    assert extent.seen == 4
    assert extent.states == {State.CONNECTED: 1, State.RECONNECTING: 2, State.BLOCKED: 1}
    assert extent.next_at == NOON + 3 * MINUTE + timedelta(seconds=1)
    assert list(extent.campaigns) == ["autumn", "spring"]
    assert list((await fleet.pages.extent(incident(), 1)).campaigns) == ["autumn"]


async def test_one_that_takes_its_whole_scope_stops_the_campaigns_of_all_of_it(store):
    await add(store, password_mailbox(1, campaigns=("spring",)), password_mailbox(2, campaigns=("autumn",)), due_at=NOON - MINUTE)
    await lived(store, (State.CONNECTED, Trigger.PROBE_SUCCEEDED, NOON))
    await lived(store, (State.SUSPECT, Trigger.PROBE_FAILED, NOON + MINUTE), ids={"mb_0001"})
    pages = store.pages
    assert list((await pages.extent(incident(peak_share=0.9), 10)).campaigns) == ["autumn", "spring"]
    assert list((await pages.extent(incident(peak_share=0.1), 10)).campaigns) == ["spring"]
    assert list((await pages.extent(incident(peak_share=0.9, closed_at=NOON + 9 * MINUTE), 10)).campaigns) == ["spring"]


async def test_an_incident_that_took_nobody_has_no_extent(store):
    extent = await store.pages.extent(incident(EGRESS), 10)
    assert (extent.seen, extent.states, extent.next_at, list(extent.campaigns)) == (0, {}, None, [])


async def test_those_seen_failing_are_listed_page_by_page(fleet):
    first = await fleet.pages.seen_failing(incident(), None, 3)
    second = await fleet.pages.seen_failing(incident(), first[-1], 3)
    assert [*first, *second] == ["mb_0000", "mb_0001", "mb_0002", "mb_0003"]
    assert list(await fleet.pages.seen_failing(incident(Scope(ScopeKind.DOMAIN, "example.net")), None, 3)) == []
    assert list(await fleet.pages.seen_failing(incident(closed_at=NOON + MINUTE), None, 9)) == ["mb_0000", "mb_0001"]


async def test_its_course_tells_when_how_many_failed_and_came_back(fleet):
    course = await fleet.pages.course(incident(), NOON + 10 * MINUTE)
    assert course.seconds == 30
    told = [(each.at, each.failed, each.back) for each in course.stretches if each.failed or each.back]
    assert told == [(NOON, 2, 0), (NOON + 2 * MINUTE, 2, 0), (NOON + 4 * MINUTE, 0, 1)]
    assert len(course.stretches) == 9  # quiet ones too


async def test_a_course_of_weeks_has_few_stretches(fleet):
    course = await fleet.pages.course(incident(), NOON + timedelta(days=20))
    assert course.seconds == 43_200
    assert sum(each.failed for each in course.stretches) == 4


async def test_its_turns_are_those_recorded_of_it_alone(store):
    await store.incidents.save([incident(), incident(id="inc_2")])
    await store.incidents.save([incident(closed_at=NOON + 5 * MINUTE)])
    await store.incidents.save([incident(reopened=1, last_failure_at=NOON + 7 * MINUTE)])
    course = await store.pages.course(incident(reopened=1), NOON + 10 * MINUTE)
    assert [(at - NOON, kind) for at, kind in course.turns] == [
        (0 * MINUTE, "incident.opened"),
        (5 * MINUTE, "incident.closed"),
        (7 * MINUTE, "incident.reopened"),
    ]
    assert course.stretches == []


async def test_its_course_tells_which_end_was_a_persons_word(store):
    await store.incidents.save([incident(), incident(id="inc_2")])
    for number, name in enumerate(("inc_1", "inc_2")):
        await store.incidents.close(name, NOON + (5 + number) * MINUTE, Act("cli:ana", "incident.close", "cli"))
    await store.incidents.save([incident(reopened=1, last_failure_at=NOON + 7 * MINUTE)])
    await store.incidents.save([incident(reopened=1, closed_at=NOON + 9 * MINUTE)])
    course = await store.pages.course(incident(reopened=1, closed_at=NOON + 9 * MINUTE), NOON + 20 * MINUTE)
    assert course.closed_by_hand == {NOON + 5 * MINUTE}


@pytest.mark.parametrize(
    "scope",
    [DOMAIN, Scope(ScopeKind.ENDPOINT, "imap.example.org"), Scope(ScopeKind.PROVIDER, "other"), EGRESS],
    ids=lambda scope: scope.kind.value,
)
async def test_what_is_away_with_an_incident_is_no_trouble_besides(fleet, scope):
    def seen(troubles):
        return {(each.state, each.cause): each.mailboxes for each in troubles}

    both = {(State.RECONNECTING, "connection_timeout"): 2, (State.BLOCKED, "invalid_credentials"): 1}
    assert seen(await fleet.pages.troubles()) == both
    # what a person must set right for this one mailbox stays told
    assert seen(await fleet.pages.troubles([incident(scope)])) == {(State.BLOCKED, "invalid_credentials"): 1}
    assert seen(await fleet.pages.troubles([incident(scope, opened_at=NOON + 30 * MINUTE)])) == both
    throttled = [incident(scope), incident(scope, id="inc_2", cause=Cause.RATE_LIMITED)]
    assert seen(await fleet.pages.troubles(throttled)) == {}


@pytest.mark.parametrize(
    "scope",
    [DOMAIN, Scope(ScopeKind.ENDPOINT, "smtp.example.org"), Scope(ScopeKind.OAUTH_APP, "outreach"), EGRESS],
    ids=lambda scope: scope.kind.value,
)
async def test_the_gauges_and_the_page_agree_on_who_waits_besides_an_incident(fleet, scope):
    async def waits(*incidents):
        found = await fleet.gauges.waiting(incidents)
        assert [each.mailbox_id for each in await fleet.gauges.stopped(incidents, list(found), 10)] == ["mb_0003"] * len(found)
        shown = {each.cause: each.mailboxes for each in await fleet.pages.troubles(incidents) if each.state is State.BLOCKED}
        assert {cause: number for cause, (number, _) in found.items()} == shown
        return shown

    theirs = {"invalid_credentials": 1}
    assert await waits() == await waits(incident(scope)) == theirs
    throttled = incident(scope, cause=Cause.RATE_LIMITED)
    assert await waits(throttled) == ({} if scope.kind is not ScopeKind.OAUTH_APP else theirs)


async def test_sqlite_does_not_read_the_history_before_an_incident(tmp_path):
    url = f"sqlite:///{tmp_path / 'mailwatch.db'}"
    await migrate(url)
    database = Database(parse_address(url))
    statement = seen_in(incident(), domain_of(database)).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})

    async def plan(attempt):
        return [row.detail for row in (await attempt.connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"))).all()]

    steps = await database.read(plan)
    await database.close()
    assert any("USING INDEX ix_transitions_at (at>?)" in step for step in steps), steps


async def test_without_incidents_nothing_is_left_out(database):
    assert unexplained([], domain_of(database)) == []


async def test_another_scopes_incident_explains_nothing(fleet):
    await add(fleet, oauth_mailbox(9), due_at=NOON)
    other = incident(Scope(ScopeKind.OAUTH_APP, "outreach"))
    assert len(await fleet.pages.troubles([other])) == 2
