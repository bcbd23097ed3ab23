"""No mailbox is left without a moment to be looked at, whatever happened to the clock."""

from datetime import timedelta

from contract.fleet import NOON, clean, filled, later
from mailwatch.core import acts
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
