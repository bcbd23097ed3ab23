"""Reading while others write, on SQLite.  What is read, tests/contract shows."""

import pytest

from contract.fleet import NOON, filled, later, moved
from mailwatch.core.lifecycle import State
from mailwatch.ports import MailboxFilter, MailboxNotFoundError


async def test_an_empty_database_counts_nothing(store):
    assert await store.counts() == {}
    assert await store.due_count(NOON) == (0, None)
    assert await store.list(MailboxFilter()) == []
    assert await store.refusals_since(NOON) == {}


async def test_a_mailbox_is_found_by_its_id_and_by_its_address_in_any_case(store):
    await filled(store, 2)
    for name in ("mb_0001", "user1@example.org", "USER1@Example.Org"):
        assert (await store.find(name)).mailbox.id == "mb_0001"
    with pytest.raises(MailboxNotFoundError, match="mailwatch mailbox list"):
        await store.find("nobody")


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"', "user1'; DROP TABLE mailboxes"])
async def test_what_is_searched_for_is_text_and_no_pattern(store, text):
    await filled(store, 3)
    assert await store.list(MailboxFilter(text=text)) == []
    assert len(await store.list(MailboxFilter())) == 3


async def test_readers_see_whole_transactions(store):
    await filled(store, 1)
    (claim,) = await store.claim_due(later(), 1, 60)
    await store.record(claim, moved(claim))
    ((_, step),) = await store.history("mb_0000")
    assert (await store.find("mb_0000")).standing.version == step.version
    assert await store.counts() == {("other", State.SUSPECT): 1}
