"""Grants of mailboxes that have none, and leases that are spelled wrong.  What holds over nodes, tests/contract shows."""

import pytest

from contract.fleet import add, later, oauth_mailbox, password_mailbox
from mailwatch.core.secret import Secret
from mailwatch.ports import MailboxNotFoundError
from mailwatch.store.grants import SqlGrants


async def test_a_password_mailbox_has_no_grant(store):
    await add(store, password_mailbox(1))
    with pytest.raises(MailboxNotFoundError, match="no OAuth mailbox mb_0001"):
        await store.grants.load("mb_0001")


async def test_a_lease_says_for_which_generation_and_epoch_it_was_given(store):
    await add(store, oauth_mailbox(1))
    lease = await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30)
    assert lease.split(".")[:2] == ["1", "1"]


async def test_tokens_are_sealed_at_rest(store, path):
    assert isinstance(store.grants, SqlGrants)
    await add(store, oauth_mailbox(1))
    lease = await store.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=30)
    await store.grants.finish_refresh(
        "mb_0001", lease, access_token=Secret("access-canary"), expires_at=later(60), refresh_token=Secret("refresh-canary")
    )
    stored = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert b"access-canary" not in stored
    assert b"refresh-canary" not in stored
