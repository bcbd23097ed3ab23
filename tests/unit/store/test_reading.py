"""The reading half of the store, on SQLite: many at once, and what a mailbox's campaigns cost.  What is read, tests/contract shows."""

import pytest
from sqlalchemy import event

from contract.fleet import NOON, add, filled, password_mailbox
from mailwatch.ports import MailboxFilter


@pytest.fixture
def statements(store):
    seen = []

    def note(_connection, _cursor, statement, *_):
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(store._database._reader.sync_engine, "before_cursor_execute", note)
    return seen


async def test_a_page_reads_the_campaigns_of_all_its_mailboxes_at_once(store, statements):
    await add(store, *(password_mailbox(number, campaigns=("a", f"c{number}")) for number in range(40)))
    views = await store.list(MailboxFilter(limit=30))
    assert [view.mailbox.campaigns for view in views] == [("a", f"c{number}") for number in range(30)]
    assert len(statements) == 2


async def test_of_thousands_of_addresses_those_there_are_found(store):
    await filled(store, 3)
    asked = [f"nobody{number}@example.org" for number in range(2500)]
    assert await store.taken([*asked, "USER2@example.org", "user0@EXAMPLE.org"]) == {"user0@example.org", "user2@example.org"}
    assert await store.taken([]) == frozenset()


async def test_an_empty_span_tells_nothing(store):
    assert await store.told(NOON, NOON) == []
