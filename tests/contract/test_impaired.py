"""Mailboxes that a fault of mailwatch's own hides, counted alike by each database."""

from dataclasses import replace

import pytest

from contract.fleet import ADD, NOON, add, password_mailbox
from mailwatch.core.lifecycle import State
from mailwatch.core.standing import Decision
from mailwatch.store.impaired import impaired


async def hide(store, number, state, reason):
    def hidden(known):
        return Decision(known, replace(known, state=state, impairment=reason, impaired_since_at=NOON, hold_reason=reason))

    await store.change(f"mb_{number:04}", hidden, ADD)


async def test_they_are_counted_by_provider_and_reason(store):
    await add(store, *(password_mailbox(number) for number in range(5)))
    assert await store.impaired() == {}
    for number, state in enumerate((State.CONNECTED, State.BLOCKED, State.VERIFYING)):
        await hide(store, number, state, "secret_unreadable")
    await hide(store, 3, State.RECONNECTING, "target_denied")
    assert await store.impaired() == {("other", "secret_unreadable"): 3, ("other", "target_denied"): 1}


@pytest.mark.parametrize(
    ("state", "reason"),
    [(State.HELD, "secret_unreadable"), (State.INACTIVE, "secret_unreadable"), (State.CONNECTED, "login_budget")],
)
async def test_what_nobody_wants_seen_or_passes_by_itself_is_not_counted(store, database, state, reason):
    await add(store, password_mailbox(0))
    await hide(store, 0, state, reason)
    assert await impaired(database) == {}
