"""Watched mailboxes at rest: what lets a session go on, and the look that comes sooner - never later, and never across a probe."""

import asyncio
from datetime import timedelta

from contract.fleet import NOON, clean, filled, later, moved
from mailwatch.core import acts
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.secret import Secret
from mailwatch.ports import Act
from mailwatch.ports.watching import EarlyLook, WatchedStanding

BY = Act("cli:test", "disconnect")


async def connected(store, count=1):
    """Mailboxes that were just probed, are well and due at `later()`."""
    ids = await filled(store, count)
    for claim in await store.claim_due(NOON + timedelta(seconds=1), count, 60):
        await store.record(claim, moved(claim, State.CONNECTED, Trigger.PROBE_SUCCEEDED, due_at=later(), last_probe_at=NOON))
    return ids


def sooner(mailbox_id="mb_0000", *, version=1, seconds=10):
    return EarlyLook(mailbox_id, version, NOON + timedelta(seconds=seconds))


async def due_at(store, mailbox_id="mb_0000"):
    return (await store.find(mailbox_id)).standing.due_at


async def test_a_look_comes_sooner_and_never_later(store):
    await connected(store)
    await store.watching.advance([sooner(seconds=20)])
    assert await due_at(store) == NOON + timedelta(seconds=20)
    await store.watching.advance([sooner(seconds=30)])
    assert await due_at(store) == NOON + timedelta(seconds=20)
    await store.watching.advance([])
    (claim,) = await store.claim_due(NOON + timedelta(seconds=20), 1, 60)
    assert claim.standing.state is State.CONNECTED


async def test_many_come_sooner_at_once(store):
    ids = await connected(store, 30)
    await store.watching.advance([sooner(mailbox_id) for mailbox_id in ids])
    assert len(await store.claim_due(NOON + timedelta(seconds=10), 100, 60)) == 30


async def test_what_has_changed_meanwhile_is_left_alone(store):
    await connected(store, 2)
    await store.change("mb_0000", lambda standing: acts.disconnect(standing, NOON, "cli:test"), BY)
    before = await due_at(store, "mb_0001")
    await store.watching.advance([sooner(version=2), sooner("mb_0001", version=7), sooner("mb_gone")])
    assert await due_at(store) is None
    assert await due_at(store, "mb_0001") == before


async def test_what_is_being_probed_is_left_alone(open_store, clock):
    store, other = await open_store(), await open_store(node="node-b")
    await connected(store)
    (claim,) = await other.claim_due(later(), 1, 60)
    clock.time = later()
    await store.watching.advance([EarlyLook("mb_0000", 1, NOON)])
    assert await other.record(claim, clean(claim, later(10))) is not None
    await other.flush()
    assert await due_at(store) == later(10)


async def test_a_lease_that_has_ended_is_nobodys(open_store, clock):
    store, other = await open_store(), await open_store(node="node-b")
    await connected(store)
    await other.claim_due(later(), 1, 60)
    clock.time = later() + timedelta(seconds=61)
    await store.watching.advance([EarlyLook("mb_0000", 1, NOON)])
    assert await due_at(store) == NOON


async def test_a_result_that_waits_to_be_written_does_not_undo_the_sooner_look(open_store):
    store = await open_store(write_behind_seconds=3600)
    await connected(store)
    (claim,) = await store.claim_due(later(), 1, 60)
    await store.record(claim, clean(claim, later(60)))
    await store.watching.advance([EarlyLook("mb_0000", 1, later(10))])
    await store.flush()
    await asyncio.sleep(0)
    assert await due_at(store) == later(10)


async def test_what_a_session_rests_on_is_told(open_store, clock):
    store, other = await open_store(), await open_store(node="node-b")
    await connected(store, 2)
    found = await store.watching.standings(["mb_0000", "mb_0001", "mb_gone"])
    well = WatchedStanding(State.CONNECTED, 1, 1, NOON, elsewhere=False)
    assert found == {"mb_0000": well, "mb_0001": well}

    clock.time = later()
    (claim,) = await other.claim_due(later(), 1, 60)
    mine = (await store.watching.standings([claim.mailbox.id]))[claim.mailbox.id]
    theirs = (await other.watching.standings([claim.mailbox.id]))[claim.mailbox.id]
    assert (mine.elsewhere, theirs.elsewhere) == (True, False)
    clock.time = later() + timedelta(seconds=61)
    assert not (await store.watching.standings([claim.mailbox.id]))[claim.mailbox.id].elsewhere


async def test_a_new_secret_and_a_removal_are_seen(store):
    await connected(store, 2)
    await store.set_secret("mb_0000", Secret("new"), lambda standing: acts.new_secret(standing, NOON, "cli:test"), BY)
    await store.remove("mb_0001", BY)
    found = await store.watching.standings(["mb_0000", "mb_0001"])
    assert list(found) == ["mb_0000"]
    assert found["mb_0000"].generation == 2
