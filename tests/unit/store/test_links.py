"""One-time links: what is told of them.  That only one uses one, tests/contract shows."""

import pytest

from contract.fleet import NOON, later
from mailwatch.ports import Act
from mailwatch.ports.people import LinkKind, OneTimeLink
from mailwatch.store.pages import SqlPages
from mailwatch.store.people import SqlPeople

BY = Act("user:ada", "user.sign_in_link")


@pytest.mark.parametrize(
    ("kind", "subject", "told"),
    [
        (LinkKind.SETUP, "", (None, None)),
        (LinkKind.SIGN_IN, "bob", (None, "bob")),
        (LinkKind.RECONNECT, "mb_1", ("mb_1", "mb_1")),
    ],
)
async def test_who_made_a_link_for_whom_is_told_and_its_hash_is_not(store, clock, kind, subject, told):
    await SqlPeople(store._database, clock).add_link("the-hash", OneTimeLink(kind, subject, later(10)), BY)
    (row,) = await SqlPages(store._database).audit(None, 10)
    assert (row.mailbox_id, row.subject) == told
    assert "the-hash" not in repr(row)


async def test_a_link_nobody_made_leaves_no_row(store, clock):
    people = SqlPeople(store._database, clock)
    await people.add_link("hash", OneTimeLink(LinkKind.SETUP, "", later(10)), None)
    assert await people.link("hash", NOON) is not None
    assert await SqlPages(store._database).audit(None, 10) == []
