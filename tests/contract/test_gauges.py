"""Gauges whose reading is told differently to each database."""

from dataclasses import replace

import pytest

from contract.campaigning import after, goes
from contract.fleet import NOON, add, password_mailbox
from mailwatch.core.lifecycle import State
from mailwatch.core.standing import Decision
from mailwatch.ports import Act

HIDDEN = {"impairment": "login_budget", "impaired_since_at": NOON, "last_probe_at": after(15)}


@pytest.mark.parametrize("state", [State.CONNECTED, State.RECONNECTING, State.VERIFYING])
async def test_what_is_merely_reached_for_three_intervals_is_stale_in_any_state(store, state):
    await add(store, *(password_mailbox(number) for number in range(3)))
    for number in range(3):
        await goes(store, f"mb_000{number}", State.CONNECTED, NOON, last_probe_at=after(15))
    assert await store.gauges.stale(after(16), 300.0) == 0
    await goes(store, "mb_0000", state, NOON, **HIDDEN)
    await goes(store, "mb_0001", state, NOON, **{**HIDDEN, "impaired_since_at": after(9)})
    assert await store.gauges.stale(after(15), 300.0) == 0
    assert await store.gauges.stale(after(16), 300.0) == 1
    assert await store.gauges.stale(after(16), 300.0, excluding=["host:imap.example.org"]) == 0


@pytest.mark.parametrize("state", [State.BLOCKED, State.HELD, State.INACTIVE])
async def test_what_is_not_to_be_logged_in_to_is_not_missed(store, state):
    await add(store, password_mailbox(0))
    await store.change("mb_0000", lambda known: Decision(known, replace(known, state=state, **HIDDEN)), Act("cli:test", "test"))
    assert await store.gauges.stale(after(60), 300.0) == 0
