"""OAuth grants: one refresh at a time over all nodes, and no late result takes the place of a newer one."""

import asyncio

import pytest

from contract.fleet import NOON, add, later, oauth_mailbox, password_mailbox
from mailwatch.core import acts
from mailwatch.core.secret import Secret
from mailwatch.ports import Act, MailboxNotFoundError, NewMailbox, SecretUnreadableError

CONSENT = Act("cli:test", "set_secret")


async def granted(store):
    await add(store, oauth_mailbox(1))
    return await store.grants.load("mb_0001")


async def finish(store, lease, access="access-1", refresh=None, number=1, **more):
    rotated = Secret(refresh) if refresh else None
    return await store.grants.finish_refresh(
        f"mb_{number:04}", lease, access_token=Secret(access), expires_at=later(60), refresh_token=rotated, **more
    )


async def renew(store, number=1, **more):
    mailbox_id = f"mb_{number:04}"
    epoch = (await store.grants.load(mailbox_id)).epoch
    return await finish(store, await store.grants.begin_refresh(mailbox_id, epoch=epoch, lease_seconds=30), number=number, **more)


async def test_a_consent_is_stored_with_the_mailbox(store):
    grant = await granted(store)
    assert (grant.generation, grant.epoch, grant.access_token, grant.expires_at) == (1, 1, None, None)
    assert grant.refresh_token.reveal() == "refresh-1"


async def test_new_tokens_are_there_for_all_when_finish_returns(open_store):
    store, other = await open_store(), await open_store(node="node-b")
    grant = await granted(store)
    lease = await store.grants.begin_refresh("mb_0001", epoch=grant.epoch, lease_seconds=30)
    stored = await finish(store, lease, refresh="refresh-2")
    assert (stored.generation, stored.epoch, stored.expires_at) == (1, 2, later(60))
    seen = await other.grants.load("mb_0001")
    assert (seen.access_token.reveal(), seen.refresh_token.reveal()) == ("access-1", "refresh-2")


async def test_only_one_of_many_may_refresh(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    await granted(one)
    leases = await asyncio.gather(
        *(store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30) for store in (one, other) for _ in range(8))
    )
    assert len([lease for lease in leases if lease]) == 1


async def test_who_knows_only_an_older_epoch_may_not_refresh(store):
    await granted(store)
    await finish(store, await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30))
    assert await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30) is None
    assert await store.grants.begin_refresh("mb_0001", epoch=2, lease_seconds=30)


async def test_a_lease_given_back_or_ended_is_free(store, clock):
    await granted(store)
    lease = await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30)
    await store.grants.abandon_refresh("mb_0001", lease)
    assert await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30)
    clock.pass_seconds(31)
    assert await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30)


async def test_a_rotated_token_that_comes_after_the_lease_ended_is_kept_while_it_is_the_newest(store, clock):
    await granted(store)
    slow = await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30)
    clock.pass_seconds(31)
    quick = await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30)
    assert (await finish(store, slow, "slow", "refresh-slow")).refresh_token.reveal() == "refresh-slow"
    assert (await finish(store, quick, "quick", "refresh-quick")).refresh_token.reveal() == "refresh-slow"


async def test_a_refresh_of_the_old_consent_never_touches_the_new_one(store):
    await granted(store)
    lease = await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30)
    await store.set_secret("mb_0001", Secret("consented anew"), lambda s: acts.new_secret(s, NOON, "x"), CONSENT)
    after = await finish(store, lease, "old access", "old refresh")
    assert after.refresh_token.reveal() == "consented anew"
    assert (after.generation, after.access_token) == (2, None)


async def test_a_rotated_token_keeps_the_age_of_its_consent(store, clock):
    await granted(store)
    clock.pass_seconds(7200)
    await finish(store, await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30), refresh="rotated")
    (claim,) = await store.claim_due(clock.now(), 1, 60)
    assert claim.credential_age_seconds == 7200


async def test_what_has_no_grant_says_so(store):
    await add(store, password_mailbox(2), NewMailbox(oauth_mailbox(3).mailbox, None))
    with pytest.raises(MailboxNotFoundError):
        await store.grants.load("mb_0002")
    with pytest.raises(SecretUnreadableError, match="no consent is stored for mb_0003"):
        await store.grants.load("mb_0003")


async def test_a_renewal_is_no_act_of_a_person_nor_a_consent(store, clock):
    """An unattended write of a token brings back nothing, starts no generation, and is in no audit log."""
    await granted(store)
    await store.change("mb_0001", lambda s: acts.disconnect(s, NOON, "x"), Act("cli:test", "mailbox.disconnect"))
    before, history = (await store.find("mb_0001")).standing, await store.history("mb_0001")
    audited, told = await store.pages.audit(None, 100), await store.outbox.events(0, 100)
    clock.pass_seconds(60)
    await finish(store, await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30), refresh="rotated")
    assert (await store.find("mb_0001")).standing == before
    assert await store.history("mb_0001") == history
    assert (await store.pages.audit(None, 100), await store.outbox.events(0, 100)) == (audited, told)


async def test_the_end_of_a_consent_is_kept_until_it_is_told_anew_or_given_anew(store, clock):
    await granted(store)
    assert (await renew(store, consent_ends_at=later(600))).consent_ends_at == later(600)
    assert (await renew(store)).consent_ends_at == later(600)
    assert (await renew(store, consent_ends_at=later(900))).consent_ends_at == later(900)
    assert (await store.pages.credential("mb_0001")).consent_ends_at == later(900)
    await store.set_secret("mb_0001", Secret("refresh-9"), lambda standing: acts.new_secret(standing, NOON, "user:ada"), CONSENT)
    assert (await store.grants.load("mb_0001")).consent_ends_at is None


async def test_consents_that_end_soon_are_counted_by_app_and_listed_the_next_first(store, clock):
    await add(store, *(oauth_mailbox(number) for number in range(1, 6)))
    for number, minutes in {1: 30, 2: 10, 3: 61, 4: 20}.items():
        await renew(store, number, consent_ends_at=later(minutes * 60))
    await store.change("mb_0004", lambda standing: acts.disconnect(standing, NOON, "user:ada"), CONSENT)
    soon = later(3600)
    assert await store.gauges.consents_ending(NOON, soon) == {"outreach": 2}
    found = await store.pages.consents_ending(NOON, soon, 10)
    assert [(each.mailbox_id, each.ends_at) for each in found] == [("mb_0002", later(600)), ("mb_0001", later(1800))]
    assert [each.oauth_app for each in await store.pages.consents_ending(NOON, soon, 1)] == ["outreach"]
    assert await store.gauges.consents_ending(later(1200), soon) == {"outreach": 1}
