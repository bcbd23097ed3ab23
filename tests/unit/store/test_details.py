"""The page of one mailbox: what is not there reads as nothing."""

from contract.fleet import NOON, SetClock, add, later, password_mailbox
from mailwatch.ports import NewMailbox
from mailwatch.ports.pages import CredentialDates
from mailwatch.store.pages import SqlPages


async def test_of_an_unknown_mailbox_there_is_nothing(store):
    pages = SqlPages(store._database)
    assert list(await pages.timeline("mb_9", None, 5)) == []
    assert list(await pages.samples("mb_9")) == []
    assert await pages.conversation("mb_9") is None
    assert await pages.credential("mb_9") == CredentialDates()
    assert await pages.audit(None, 5, mailbox_id="mb_9") == []


async def test_a_mailbox_without_a_secret_has_no_age_of_it(store, clock: SetClock):
    await add(store, NewMailbox(password_mailbox(1).mailbox, None), password_mailbox(2))
    pages = SqlPages(store._database)
    assert await pages.credential("mb_0001") == CredentialDates()
    assert await pages.credential("mb_0002") == CredentialDates(NOON)


async def test_a_page_of_the_audit_ends_before_the_row_it_is_told(store):
    await add(store, *(password_mailbox(number) for number in range(5)), due_at=later())
    pages = SqlPages(store._database)
    newest = await pages.audit(None, 2)
    rest = await pages.audit(newest[-1].id, 10)
    assert [row.id for row in (*newest, *rest)] == [5, 4, 3, 2, 1]
