"""Results: written once, by the holder of the lease only; a refused login is never forgotten."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from contract.fleet import NOON, clean, filled, later, moved, refused
from mailwatch.core import acts
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Decision, Refusal
from mailwatch.ports import Act, Recorded

RECONNECT = Act("cli:test", "reconnect")


async def claimed(store, at=None):
    await filled(store, 1)
    (claim,) = await store.claim_due(at or later(), 1, 60)
    return claim


async def test_a_transition_is_there_when_record_returns(open_store):
    store, other = await open_store(), await open_store(node="node-b")
    claim = await claimed(store)
    decision = moved(claim)
    assert await store.record(claim, decision) is Recorded.STORED
    assert (await other.find(claim.mailbox.id)).standing == decision.after
    assert [step for _, step in await other.history(claim.mailbox.id)] == list(decision.transitions)


async def test_a_result_is_written_once(store):
    claim = await claimed(store)
    assert await store.record(claim, moved(claim)) is Recorded.STORED
    assert await store.record(claim, moved(claim)) is Recorded.FENCED
    assert len(await store.history()) == 1


async def test_a_result_whose_lease_another_took_over_is_dropped(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    late = await claimed(one, NOON)
    (now_holds,) = await other.claim_due(later(), 1, 60)
    assert await one.record(late, moved(late)) is Recorded.FENCED
    assert await other.record(now_holds, moved(now_holds)) is Recorded.STORED
    assert [step.version for _, step in await one.history()] == [1]


async def test_a_healthy_result_of_a_lost_lease_changes_nothing(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    late = await claimed(one, NOON)
    (now_holds,) = await other.claim_due(later(), 1, 60)
    await one.record(late, clean(late, later(60)))
    await one.flush()
    assert (await other.find("mb_0000")).standing.due_at == NOON
    assert await other.record(now_holds, moved(now_holds)) is Recorded.STORED


async def test_healthy_results_wait_for_company_and_flush_writes_them(open_store):
    store = await open_store(write_behind_seconds=3600)
    await filled(store, 3)
    claims = await store.claim_due(later(), 3, 60)
    for claim in claims:
        assert await store.record(claim, clean(claim)) is Recorded.STORED
    assert store.pending == 3
    assert (await store.find("mb_0000")).standing.last_probe_at is None
    await store.flush()
    assert store.pending == 0
    assert (await store.find("mb_0000")).standing == clean(claims[0]).after


async def test_a_full_batch_is_written_without_waiting(open_store):
    store = await open_store(write_behind_rows=5, write_behind_seconds=3600)
    await filled(store, 5)
    for claim in await store.claim_due(later(), 5, 60):
        await store.record(claim, clean(claim))
    while store.pending:
        await asyncio.sleep(0.01)
    assert (await store.find("mb_0004")).standing.proven


async def test_closing_writes_what_waits(open_store):
    store, other = await open_store(write_behind_seconds=3600), await open_store()
    claim = await claimed(store)
    await store.record(claim, clean(claim))
    await store.close()
    assert (await other.find("mb_0000")).standing.proven


async def test_a_postponed_mailbox_is_due_again_later_and_nothing_is_counted(store):
    claim = await claimed(store)
    await store.postpone(claim, later(20))
    await store.flush()
    assert await store.claim_due(later(19), 1, 60) == ()
    (again,) = await store.claim_due(later(20), 1, 60)
    assert again.standing == replace(claim.standing, due_at=later(20))
    assert await store.refusals_since(NOON) == {}


async def test_a_refused_login_counts_on_its_host_at_once(open_store):
    store, other = await open_store(), await open_store(node="node-b")
    claim = await claimed(store)
    assert await store.record(claim, refused(claim, later())) is Recorded.STORED
    assert dict(await other.refusals_since(NOON)) == {"imap.example.org": [later()]}
    assert await other.refusals_since(later() + timedelta(seconds=1)) == {}
    assert (await other.find("mb_0000")).standing.rejected_at == (later(),)


async def test_a_refused_login_outlives_an_act_during_the_probe(store):
    claim = await claimed(store)
    await store.change("mb_0000", lambda standing: acts.reconnect(standing, later(), "cli:test"), RECONNECT)
    assert await store.record(claim, refused(claim)) is Recorded.FENCED
    standing = (await store.find("mb_0000")).standing
    assert standing.rejected_at == (NOON,)
    assert standing.forced
    assert not standing.proven
    assert dict(await store.refusals_since(NOON)) == {"imap.example.org": [NOON]}


async def test_a_login_that_was_lost_with_a_probe_that_an_act_cut_short_counts(store):
    claim = await claimed(store)
    await store.change("mb_0000", lambda standing: acts.disconnect(standing, later(), "cli:test"), RECONNECT)
    after = replace(claim.standing, lost_at=(NOON,))
    lost = Decision(claim.standing, after, refusals=(Refusal("imap.example.org", NOON),), note="unfinished")
    assert await store.record(claim, lost) is Recorded.FENCED
    standing = (await store.find("mb_0000")).standing
    assert (standing.state, standing.rejected_at, standing.lost_at) == (State.INACTIVE, (), (NOON,))
    assert dict(await store.refusals_since(NOON)) == {"imap.example.org": [NOON]}


async def test_a_result_across_an_act_gives_its_lease_back(store):
    claim = await claimed(store)
    await store.change("mb_0000", lambda standing: acts.reconnect(standing, later(), "cli:test"), RECONNECT)
    assert await store.claim_due(later(), 1, 60) == (), "no mailbox is probed twice at once"
    assert await store.record(claim, moved(claim)) is Recorded.FENCED
    (again,) = await store.claim_due(later(), 1, 60)
    assert again.standing.lost_at == ()


async def test_a_healthy_result_across_an_act_gives_its_lease_back_and_keeps_the_act(store):
    claim = await claimed(store)
    await store.change("mb_0000", lambda standing: acts.reconnect(standing, later(), "cli:test"), RECONNECT)
    await store.record(claim, clean(claim, later(60)))
    await store.flush()
    (again,) = await store.claim_due(later(), 1, 60)
    assert again.standing.forced


async def test_an_old_secrets_refusal_stays_off_the_new_secret_but_on_the_host(store):
    claim = await claimed(store)
    await store.set_secret("mb_0000", Secret("new"), lambda standing: acts.new_secret(standing, later(), "x"), RECONNECT)
    assert await store.record(claim, refused(claim)) is Recorded.FENCED
    standing = (await store.find("mb_0000")).standing
    assert (standing.generation, standing.rejected_at) == (2, ())
    assert dict(await store.refusals_since(NOON)) == {"imap.example.org": [NOON]}


async def test_a_refusal_that_comes_after_its_lease_was_counted_lost_counts_once(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    late = await claimed(one, NOON)
    await other.claim_due(later(), 1, 60)
    assert await one.record(late, refused(late)) is Recorded.FENCED
    assert dict(await one.refusals_since(NOON)) == {"imap.example.org": [NOON]}


async def test_a_refusal_of_a_mailbox_removed_meanwhile_still_counts_on_its_host(store):
    claim = await claimed(store)
    await store.remove("mb_0000", Act("cli:test", "remove"))
    assert await store.record(claim, refused(claim)) is Recorded.FENCED
    assert dict(await store.refusals_since(NOON)) == {"imap.example.org": [NOON]}


async def test_a_result_of_a_mailbox_removed_meanwhile_brings_nothing_back(store):
    claim = await claimed(store)
    await store.remove("mb_0000", Act("cli:test", "remove"))
    assert await store.record(claim, moved(claim)) is Recorded.FENCED
    await store.record(claim, clean(claim))
    await store.flush()
    assert await store.history() == []
    assert (await store.counts()) == {}


async def test_many_results_at_once_lose_none(store):
    await filled(store, 40)
    claims = await store.claim_due(later(), 40, 600)
    outcomes = await asyncio.gather(*(store.record(claim, moved(claim)) for claim in claims))
    assert set(outcomes) == {Recorded.STORED}
    assert len(await store.history()) == 40


async def test_transitions_form_a_chain(store):
    claim = await claimed(store, NOON)
    steps = [
        (State.SUSPECT, Trigger.PROBE_FAILED),
        (State.RECONNECTING, Trigger.FAILURE_CONFIRMED),
        (State.VERIFYING, Trigger.PROBE_SUCCEEDED),
    ]
    for minute, (state, trigger) in enumerate(steps, 1):
        await store.record(claim, moved(claim, state, trigger, due_at=later(minute)))
        (claim,) = await store.claim_due(later(minute), 1, 30)
    written = [step for _, step in await store.history("mb_0000")]
    assert [step.version for step in written] == [1, 2, 3]
    assert [step.from_state for step in written[1:]] == [step.to_state for step in written[:-1]]
    assert await store.check() == []
