"""The audit row of an act: all that is known of it, once."""

import pytest

from contract.fleet import NOON
from mailwatch.core.lifecycle import State
from mailwatch.ports import Act
from mailwatch.store.audit import new_operation, went_through, write_audit
from mailwatch.store.engine import Attempt
from mailwatch.store.pages import SqlPages

BY = Act("token:tok_1", "campaign.pause", "192.0.2.7")


async def rows(store):
    return await SqlPages(store._database).audit(None, 10)


async def test_everything_told_is_kept(store):
    await store._database.write(
        lambda attempt: write_audit(
            attempt, BY, NOON, mailbox_id="mb_1", subject="spring", detail="by hand", before=State.CONNECTED, after="paused"
        )
    )
    (row,) = await rows(store)
    assert (row.actor, row.action, row.origin, row.at) == ("token:tok_1", "campaign.pause", "192.0.2.7", NOON)
    assert (row.mailbox_id, row.subject, row.detail) == ("mb_1", "spring", "by hand")
    assert (row.state_before, row.state_after) == ("connected", "paused")


async def test_what_is_not_told_is_left_empty(store):
    await store._database.write(lambda attempt: write_audit(attempt, BY, NOON))
    (row,) = await rows(store)
    assert {row.mailbox_id, row.subject, row.detail, row.state_before, row.state_after} == {None}


async def test_an_act_that_fails_leaves_no_row(store):
    async def work(attempt):
        await write_audit(attempt, BY, NOON)
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        await store._database.write(work)
    assert await rows(store) == []


async def test_only_a_run_in_doubt_asks_whether_an_earlier_one_went_through(store):
    operation = new_operation()
    assert operation != new_operation()

    async def asked(*, doubtful):
        return await store._database.write(lambda attempt: went_through(Attempt(attempt.connection, doubtful), operation))

    assert not await asked(doubtful=True)
    await store._database.write(lambda attempt: write_audit(attempt, BY, NOON, operation=operation))
    assert await asked(doubtful=True)
    assert not await asked(doubtful=False)
