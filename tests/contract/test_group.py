"""Urgent results that come together share a transaction, and each is judged as if it had come alone."""

import asyncio

from contract.fleet import clean, filled, later, moved, refused
from mailwatch.core import acts
from mailwatch.ports import Act, Recorded


async def test_many_at_once_are_all_stored_and_each_has_its_row(store):
    await filled(store, 150)
    claims = await store.claim_due(later(), 150, 60)
    results = await asyncio.gather(*(store.record(claim, moved(claim)) for claim in claims))
    assert results == [Recorded.STORED] * 150
    assert sorted(row.mailbox_id for _, row in await store.history()) == sorted(claim.mailbox.id for claim in claims)


async def test_one_that_came_too_late_is_fenced_and_the_others_are_not(store):
    await filled(store, 6)
    claims = await store.claim_due(later(), 6, 60)
    late = claims[2]
    await store.change(
        late.mailbox.id, lambda standing: acts.disconnect(standing, later(), "cli:test"), Act("cli:test", "disconnect")
    )
    results = await asyncio.gather(*(store.record(claim, moved(claim)) for claim in claims))
    assert results == [Recorded.FENCED if claim is late else Recorded.STORED for claim in claims]
    steps = [row.to_state for _, row in await store.history(late.mailbox.id)]
    assert steps == ["inactive"]


async def test_refused_logins_of_a_group_are_each_counted_once_on_their_hosts(store):
    await filled(store, 5)
    claims = await store.claim_due(later(), 5, 60)
    await asyncio.gather(*(store.record(claim, refused(claim)) for claim in claims))
    counted = await store.refusals_since(later(-3600))
    assert sum(len(moments) for moments in counted.values()) == 5


async def test_the_same_result_told_twice_at_once_is_stored_once(store):
    await filled(store, 3)
    claims = await store.claim_due(later(), 3, 60)
    twice = [*claims, claims[0]]
    results = await asyncio.gather(*(store.record(claim, moved(claim)) for claim in twice))
    assert sorted(results) == [Recorded.FENCED, Recorded.STORED, Recorded.STORED, Recorded.STORED]
    assert len(await store.history(claims[0].mailbox.id)) == 1


async def test_a_cancelled_caller_leaves_a_true_result_behind(store):
    await filled(store, 2)
    claims = await store.claim_due(later(), 2, 60)
    task = asyncio.ensure_future(store.record(claims[0], moved(claims[0])))
    await asyncio.sleep(0)
    task.cancel()
    await store.record(claims[1], moved(claims[1]))
    assert {row.mailbox_id for _, row in await store.history()} == {claim.mailbox.id for claim in claims}


async def test_closing_waits_for_what_is_being_written(open_store):
    store, other = await open_store(), await open_store(node="node-b")
    await filled(store, 40)
    claims = await store.claim_due(later(), 40, 60)
    waiting = [asyncio.ensure_future(store.record(claim, moved(claim))) for claim in claims]
    await store.record(claims[0], clean(claims[0]))
    await store.close()
    assert [await one for one in waiting] == [Recorded.STORED] * 40
    assert len(await other.history()) == 40
