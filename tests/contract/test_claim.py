"""Claims: oldest first, one holder at a time, a lost lease is a lost login."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from contract.fleet import NOON, add, clean, filled, later, moved, oauth_mailbox, password_mailbox
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.ports import Recorded
from mailwatch.store.claim import CLAIM_LOCK


async def test_the_oldest_due_come_first_and_only_so_many(store):
    await filled(store, 10)
    claims = await store.claim_due(later(), 4, 60)
    assert [claim.mailbox.id for claim in claims] == ["mb_0000", "mb_0001", "mb_0002", "mb_0003"]
    assert {claim.lease_until_at for claim in claims} == {later() + timedelta(seconds=60)}


async def test_what_is_not_due_is_not_claimed(store):
    await filled(store, 3)
    assert await store.claim_due(NOON - timedelta(seconds=1), 10, 60) == ()


async def test_a_mailbox_has_one_holder_at_a_time_over_all_nodes(open_store):
    one, other = await open_store(node="node-a"), await open_store(node="node-b")
    await filled(one, 60)
    batches = await asyncio.gather(*(store.claim_due(later(), 7, 60) for store in (one, other) for _ in range(6)))
    claimed = [claim.mailbox.id for batch in batches for claim in batch]
    assert len(claimed) == 60
    assert len(set(claimed)) == 60


async def test_a_claim_carries_mailbox_secret_and_the_secrets_age(store, clock):
    await add(store, password_mailbox(1, labels={"team": "north"}, campaigns=("spring",)))
    clock.pass_seconds(3600)
    (claim,) = await store.claim_due(clock.now(), 1, 60)
    # its campaigns are no matter of a probe's, and are not read for it
    assert claim.mailbox == password_mailbox(1, labels={"team": "north"}).mailbox
    assert claim.credential.password().reveal() == "password-1"
    assert claim.credential.generation == 1
    assert claim.credential_age_seconds == 3600
    assert "password-1" not in repr(claim)


async def test_an_oauth_mailbox_has_its_grant_instead_of_a_credential(store, clock):
    await add(store, oauth_mailbox(1))
    clock.pass_seconds(60)
    (claim,) = await store.claim_due(clock.now(), 1, 60)
    assert claim.credential is None
    assert claim.credential_age_seconds == 60


async def test_an_excluded_gate_is_passed_over(store):
    await add(store, password_mailbox(1), password_mailbox(2, provider="google"), password_mailbox(3, host="other.example"))
    claims = await store.claim_due(later(), 10, 60, excluding={"google", "host:imap.other.example"})
    assert [claim.mailbox.id for claim in claims] == ["mb_0001"]


async def test_a_crowd_at_one_gate_starves_nobody(store):
    await add(store, *(password_mailbox(number, provider="google") for number in range(100)))
    await add(store, *(password_mailbox(number, host="quiet.example") for number in range(100, 105)), due_at=later(1))
    claims = await store.claim_due(later(), 10, 60, room=lambda gate: 3)
    assert [claim.mailbox.id for claim in claims] == ["mb_0000", "mb_0001", "mb_0002", "mb_0100", "mb_0101", "mb_0102"]


async def test_room_of_nothing_claims_nothing(store):
    await filled(store, 3)
    assert await store.claim_due(later(), 10, 60, room=lambda gate: 0) == ()


async def test_a_lease_that_ended_without_a_result_counts_as_a_lost_login(store):
    await filled(store, 1)
    (first,) = await store.claim_due(NOON, 1, 60)
    assert await store.claim_due(NOON + timedelta(seconds=59), 1, 60) == ()
    (second,) = await store.claim_due(later(), 1, 60)
    assert second.standing.lost_at == (first.lease_until_at,)
    assert dict(await store.refusals_since(NOON)) == {"imap.example.org": [first.lease_until_at]}


async def test_a_lost_lease_is_remembered_even_when_the_next_is_lost_too(store):
    await filled(store, 1)
    for minutes in (0, 10, 20):
        (claim,) = await store.claim_due(later(minutes), 1, 60)
    assert claim.standing.lost_at == (NOON + timedelta(seconds=60), later(10) + timedelta(seconds=60))


async def test_a_lost_lease_counts_no_login_where_no_secret_is_sent(store):
    await filled(store, 1)
    (claim,) = await store.claim_due(NOON, 1, 60)
    blocked = moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED)
    assert await store.record(claim, blocked) is Recorded.STORED
    await store.claim_due(later(2), 1, 60)
    (again,) = await store.claim_due(later(10), 1, 60)
    assert again.standing.lost_at == ()
    assert await store.refusals_since(NOON) == {}


async def test_a_daemon_takes_back_the_leases_of_its_earlier_life_and_counts_them(open_store):
    before = await open_store()
    await filled(before, 3)
    await before.claim_due(later(), 2, 3600)
    again = await open_store(daemon=True)
    claims = await again.claim_due(later(), 10, 60)
    assert sorted(len(claim.standing.lost_at) for claim in claims) == [0, 1, 1]
    assert [len(moments) for moments in (await again.refusals_since(NOON)).values()] == [2]


async def test_the_earlier_lifes_late_result_is_dropped(open_store):
    before = await open_store()
    await filled(before, 1)
    (claim,) = await before.claim_due(later(), 1, 3600)
    await open_store(daemon=True)
    assert await before.record(claim, moved(claim)) is Recorded.FENCED
    assert await before.history() == []


async def test_a_cancelled_claim_gives_its_leases_back_at_the_next(store):
    await filled(store, 20)
    task = asyncio.create_task(store.claim_due(later(), 20, 3600))
    for _ in range(30):
        await asyncio.sleep(0.001)
        if task.done():
            break
        task.cancel()
    got = [] if task.cancelled() else list(task.result())
    got += await store.claim_due(later(), 20, 3600)
    assert len({claim.mailbox.id for claim in got}) == 20
    assert all(claim.standing.lost_at == () for claim in got)


async def test_due_count_leaves_out_what_is_leased(store):
    await filled(store, 5)
    assert await store.due_count(later()) == (5, NOON)
    await store.claim_due(later(), 2, 60)
    assert await store.due_count(later()) == (3, NOON + timedelta(milliseconds=2))


@pytest.mark.parametrize("limit", [0, 1])
async def test_no_more_than_the_limit(store, limit):
    await filled(store, 2)
    assert len(await store.claim_due(later(), limit, 60)) == limit


async def test_claim_and_record_go_round(store):
    await filled(store, 30)
    for claim in await store.claim_due(later(), 30, 60):
        await store.record(claim, clean(claim, later(10)))
    await store.flush()
    assert await store.claim_due(later(), 30, 60) == ()
    again = await store.claim_due(later(10), 30, 60)
    assert len(again) == 30
    assert all(claim.standing.proven and claim.standing.lost_at == () for claim in again)


async def test_a_lease_counts_from_the_claims_own_turn_and_not_from_when_it_began_to_wait(store, database, clock):
    await filled(store, 1)
    held, release = asyncio.Event(), asyncio.Event()

    async def hold(attempt):
        if not database.is_sqlite:
            await attempt.connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": CLAIM_LOCK})
        held.set()
        await release.wait()

    holding = asyncio.create_task(database.write(hold))
    await held.wait()
    claiming = asyncio.create_task(store.claim_due(clock.now(), 1, 60))
    await asyncio.sleep(0.2)
    clock.pass_seconds(40)
    release.set()
    await holding
    (claim,) = await claiming
    assert claim.lease_until_at == NOON + timedelta(seconds=100)
