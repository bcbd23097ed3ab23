"""No mailbox is left without a moment to be looked at, whatever happened to the clock."""

from datetime import timedelta

from contract.fleet import NOON, clean, filled, later, moved
from mailwatch.core import acts
from mailwatch.core.lifecycle import State
from mailwatch.ports import Act

LIMITS = {"steady": NOON + timedelta(minutes=10), "patient": NOON + timedelta(days=2), "lease": NOON + timedelta(minutes=10)}


async def test_a_fleet_in_order_is_left_alone(store):
    await filled(store, 3)
    assert await store.rescue(NOON, **LIMITS) == 0


async def test_what_waits_for_tomorrow_after_the_clock_was_set_back_is_due_now(store):
    await filled(store, 2)
    first, second = await store.claim_due(later(), 2, 60)
    await store.record(first, clean(first, NOON + timedelta(days=1)))
    await store.record(second, clean(second, NOON + timedelta(minutes=5)))
    await store.flush()
    assert await store.rescue(NOON, **LIMITS) == 1
    assert (await store.find(first.mailbox.id)).standing.due_at == NOON
    assert (await store.find(second.mailbox.id)).standing.due_at == NOON + timedelta(minutes=5)


async def test_what_retries_or_waits_for_a_person_is_not_left_alone_until_the_clock_is_there_again(store):
    """The clock was set back by 20 hours: all that was looked at just before waits for tomorrow."""
    await filled(store, 4)
    then, states = NOON + timedelta(hours=20), [State.RECONNECTING, State.BLOCKED, State.RECONNECTING, State.BLOCKED]
    waits = [timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=-15), timedelta(hours=-20, minutes=9)]
    for claim, state, wait in zip(await store.claim_due(then, 4, 60), states, waits, strict=True):
        decision = moved(claim, state, at=then, due_at=then + wait, last_probe_at=then if wait > timedelta(0) else NOON)
        await store.record(claim, decision)
    before = {number: (await store.find(f"mb_000{number}")).standing.due_at for number in range(4)}
    assert await store.rescue(NOON, **LIMITS) == 2
    due = {number: (await store.find(f"mb_000{number}")).standing.due_at for number in range(4)}
    lost = {number for number, state in enumerate(states) if waits[number] > timedelta(0)}
    assert {number: at for number, at in due.items() if at == NOON}.keys() == lost
    assert all(due[number] == before[number] for number in before.keys() - lost)  # as long as a server asked for
    assert await store.rescue(NOON, **LIMITS) == 0


async def test_a_lease_from_the_future_ends_and_counts_as_lost(store):
    await filled(store, 1)
    await store.claim_due(NOON + timedelta(days=1), 1, 60)
    assert await store.rescue(NOON, **LIMITS) == 1
    (claim,) = await store.claim_due(later(), 1, 60)
    assert len(claim.standing.lost_at) == 1


async def test_an_inactive_mailbox_stays_unwatched(store):
    await filled(store, 1)
    await store.change("mb_0000", lambda standing: acts.disconnect(standing, NOON, "cli:test"), Act("cli:test", "disconnect"))
    assert await store.rescue(NOON, **LIMITS) == 0
    assert (await store.find("mb_0000")).standing.due_at is None
