"""Watched mailboxes: as many as there are, and an older result that waits to be written."""

from datetime import timedelta

import pytest

from contract.fleet import NOON, clean, filled, later, moved
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.ports import StoreUnavailableError
from mailwatch.ports.watching import EarlyLook
from mailwatch.store import watching
from mailwatch.store.watching import SqlWatching


async def connected(store, count):
    await filled(store, count)
    for claim in await store.claim_due(NOON + timedelta(seconds=1), count, 60):
        await store.record(claim, moved(claim, State.CONNECTED, Trigger.PROBE_SUCCEEDED, due_at=later()))


async def test_more_are_asked_for_than_a_statement_takes(store, monkeypatch):
    monkeypatch.setattr(watching, "_AT_ONCE", 3)
    await connected(store, 10)
    found = await store.watching.standings([f"mb_{number:04}" for number in range(12)])
    assert sorted(found) == [f"mb_{number:04}" for number in range(10)]
    assert await store.watching.standings([]) == {}


async def test_what_waits_to_be_written_is_written_first_or_nothing_is_done(store, clock):
    await connected(store, 1)
    (claim,) = await store.claim_due(later(), 1, 60)
    await store.record(claim, clean(claim, later(60)))

    async def fails():
        raise StoreUnavailableError("away")

    sooner = EarlyLook("mb_0000", 1, later(10))
    with pytest.raises(StoreUnavailableError):
        await SqlWatching(store._database, clock, node="node-a", flush=fails).advance([sooner])
    await store.watching.advance([sooner])
    assert store.pending == 0
    assert (await store.find("mb_0000")).standing.due_at == later(10)
