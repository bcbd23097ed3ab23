"""What the history shows: confirmed disconnections by cause, by mailbox, by length, by day."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.fleet import NOON, add, password_mailbox
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Decision, Transition
from mailwatch.ports import Act
from mailwatch.ports.findings import CauseFigure, Outage
from mailwatch.store.findings import SqlFindings

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ACT = Act("cli:test", "test")


@pytest.fixture
def findings(store):
    return SqlFindings(store._database)


async def moved(store, mailbox_id, at, state, trigger, cause=None):
    def decide(standing):
        after = replace(standing, state=state, version=standing.version + 1, since_at=at, cause=cause)
        return Decision(standing, after, (Transition(mailbox_id, after.version, at, standing.state, state, trigger, cause),))

    await store.change(mailbox_id, decide, ACT)


async def outage(store, mailbox_id, began_at, ended_at=None, *, to=State.RECONNECTING, cause=Cause.CONNECTION_TIMEOUT):
    """One disconnection of a mailbox, from its confirmation to its verified end."""
    await moved(store, mailbox_id, began_at - MINUTE, State.SUSPECT, Trigger.PROBE_FAILED, cause)
    await moved(store, mailbox_id, began_at, to, Trigger.FAILURE_CONFIRMED, cause)
    if ended_at is not None:
        await moved(store, mailbox_id, ended_at - MINUTE, State.VERIFYING, Trigger.PROBE_SUCCEEDED)
        await moved(store, mailbox_id, ended_at, State.CONNECTED, Trigger.VERIFIED)


async def test_an_empty_history_shows_quiet_days_alone(findings):
    figures = await findings.figures(NOON - 2 * DAY, NOON, 10)
    assert (list(figures.causes), list(figures.mailboxes), list(figures.outages)) == ([], [], [])
    assert [(day.at.day, day.disconnections, day.reconnections) for day in figures.days] == [(20, 0, 0), (21, 0, 0), (22, 0, 0)]


async def test_causes_are_counted_by_provider_the_most_seen_first(store, findings):
    one, two, three = await add(store, password_mailbox(1), password_mailbox(2), password_mailbox(3, provider="google"))
    await outage(store, one, NOON - 5 * HOUR, NOON - 4 * HOUR)
    await outage(store, one, NOON - 3 * HOUR, NOON - 2 * HOUR)
    await outage(store, two, NOON - HOUR)
    await outage(store, three, NOON - HOUR, to=State.BLOCKED, cause=Cause.INVALID_CREDENTIALS)
    figures = await findings.figures(NOON - DAY, NOON, 10)
    assert list(figures.causes) == [
        CauseFigure("connection_timeout", "other", 3, 2),
        CauseFigure("invalid_credentials", "google", 1, 1),
    ]
    assert [(figure.mailbox_id, figure.address, figure.disconnections) for figure in figures.mailboxes] == [
        (one, "user1@example.org", 2)
    ]
    assert figures.mailboxes[0].last_at == NOON - 3 * HOUR


async def test_outages_are_the_longest_first_and_one_that_lasts_counts_until_now(store, findings):
    one, two, three = await add(store, *(password_mailbox(number) for number in range(3)))
    await outage(store, one, NOON - 5 * HOUR, NOON - 4 * HOUR)
    await outage(store, two, NOON - 3 * HOUR)
    await outage(store, three, NOON - 9 * HOUR, NOON - 4 * HOUR)
    figures = await findings.figures(NOON - DAY, NOON, 2)
    timeout = Cause.CONNECTION_TIMEOUT.value
    assert list(figures.outages) == [
        Outage(three, "user2@example.org", timeout, NOON - 9 * HOUR, NOON - 4 * HOUR),
        Outage(two, "user1@example.org", timeout, NOON - 3 * HOUR, None),
    ]


async def test_a_suspicion_that_was_false_an_operators_disconnect_and_what_is_older_are_no_findings(store, findings):
    one, two = await add(store, password_mailbox(1), password_mailbox(2))
    await moved(store, one, NOON - 2 * HOUR, State.SUSPECT, Trigger.PROBE_FAILED, Cause.CONNECTION_TIMEOUT)
    await moved(store, one, NOON - HOUR, State.CONNECTED, Trigger.PROBE_SUCCEEDED)
    await moved(store, one, NOON, State.INACTIVE, Trigger.DISCONNECT, Cause.OPERATOR_DISCONNECT)
    await outage(store, two, NOON - 2 * DAY, NOON - DAY - HOUR)
    figures = await findings.figures(NOON - DAY, NOON, 10)
    assert (list(figures.causes), list(figures.mailboxes), list(figures.outages)) == ([], [], [])


async def test_each_day_has_its_own_number(store, findings):
    (one,) = await add(store, password_mailbox(1))
    await outage(store, one, NOON - DAY, NOON - HOUR)
    await outage(store, one, NOON - MINUTE)
    figures = await findings.figures(NOON - 2 * DAY, NOON, 10)
    assert [(day.disconnections, day.reconnections) for day in figures.days] == [(0, 0), (1, 0), (1, 1)]


async def test_confirmed_disconnections_are_found_by_their_own_index(store, findings):
    plans = []

    async def explain(attempt):
        query = (
            "EXPLAIN QUERY PLAN SELECT count(*) FROM transitions"
            " WHERE from_state = 'suspect' AND to_state IN ('reconnecting', 'blocked') AND at >= 5"
        )
        plans.extend((await attempt.connection.exec_driver_sql(query)).all())

    await store._database.read(explain)
    assert "ix_transitions_lost" in str(plans)
