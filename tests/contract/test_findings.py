"""The figures over the history, on both databases."""

from dataclasses import replace
from datetime import timedelta

from contract.fleet import NOON, add, password_mailbox
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Decision, Transition
from mailwatch.ports import Act
from mailwatch.ports.findings import CauseFigure, Outage
from mailwatch.store.findings import SqlFindings

HOUR = timedelta(hours=1)
TIMEOUT = Cause.CONNECTION_TIMEOUT


async def moved(store, mailbox_id, at, state, trigger):
    def decide(standing):
        cause = None if state is State.CONNECTED else TIMEOUT
        after = replace(standing, state=state, version=standing.version + 1, since_at=at, cause=cause)
        return Decision(standing, after, (Transition(mailbox_id, after.version, at, standing.state, state, trigger, cause),))

    await store.change(mailbox_id, decide, Act("cli:test", "test"))


async def test_findings_count_confirmed_disconnections_and_pair_them_with_their_ends(store, database):
    one, two = await add(store, password_mailbox(1), password_mailbox(2))
    for mailbox_id, began_at, ended_at in ((one, 9, 8), (one, 5, None), (two, 7, 1)):
        await moved(store, mailbox_id, NOON - began_at * HOUR, State.SUSPECT, Trigger.PROBE_FAILED)
        await moved(store, mailbox_id, NOON - began_at * HOUR, State.RECONNECTING, Trigger.FAILURE_CONFIRMED)
        if ended_at is not None:
            await moved(store, mailbox_id, NOON - ended_at * HOUR, State.CONNECTED, Trigger.VERIFIED)
    figures = await SqlFindings(database).figures(NOON - 24 * HOUR, NOON, 10)
    assert list(figures.causes) == [CauseFigure("connection_timeout", "other", 3, 2)]
    assert [(figure.mailbox_id, figure.disconnections) for figure in figures.mailboxes] == [(one, 2)]
    assert list(figures.outages) == [
        Outage(two, "user2@example.org", TIMEOUT.value, NOON - 7 * HOUR, NOON - HOUR),
        Outage(one, "user1@example.org", TIMEOUT.value, NOON - 5 * HOUR, None),
        Outage(one, "user1@example.org", TIMEOUT.value, NOON - 9 * HOUR, NOON - 8 * HOUR),
    ]
    assert [(day.disconnections, day.reconnections) for day in figures.days] == [(0, 0), (3, 2)]
