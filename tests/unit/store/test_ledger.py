"""The ledger between memory and tables: read whole, written in few statements, and only where something changed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from contract.campaigning import ANN, after, away, campaign, open_pauses, running
from contract.fleet import NOON
from mailwatch.core.campaigns import CampaignPolicy, PauseOn, PauseOrigin
from mailwatch.store.ledger import Ledger
from mailwatch.store.pauses import Because


@pytest.fixture
def writes(store):
    seen = []

    def note(_connection, _cursor, statement, *_):
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            seen.append(" ".join(statement.split(None, 3)[:3]))

    event.listen(store._database._writer.sync_engine, "before_cursor_execute", note)
    return seen


async def test_what_was_not_changed_is_not_written(store, writes):
    one, _ = await running(store)
    await away(store, one)
    writes.clear()

    async def work(attempt):
        ledger = Ledger(attempt, CampaignPolicy())
        await ledger.open(["spring", "spring", "unknown"])
        assert list(ledger.books) == ["spring"]
        ledger.books["spring"].settle(after(1))
        return await ledger.write()

    assert await store._database.write(work) == []
    assert writes == []


async def test_an_entry_comes_back_as_it_was_written(store):
    one, _ = await running(store)
    entered = Because(one, PauseOrigin.OPERATOR, "operator_disconnect", "user:ann", NOON)

    async def work(attempt):
        ledger = Ledger(attempt, CampaignPolicy())
        await ledger.open(["spring"])
        book = ledger.books["spring"]
        book.enter(entered, in_force=True)
        book.amend(replace(book.of(one), ready_at=NOON + timedelta(microseconds=1)))
        await ledger.write()

    await store._database.write(work)
    (pause,) = await open_pauses(store)
    assert (pause.mailbox_id, pause.origin, pause.reason, pause.actor, pause.since_at) == (
        one,
        PauseOrigin.OPERATOR,
        "operator_disconnect",
        "user:ann",
        NOON,
    )
    assert pause.ready_at == NOON + timedelta(microseconds=1)
    assert pause.id > 0


async def test_what_is_lifted_and_entered_anew_at_once_takes_its_old_place(store):
    one, _ = await running(store)
    await away(store, one)

    async def work(attempt):
        ledger = Ledger(attempt, CampaignPolicy())
        await ledger.open(["spring"])
        book = ledger.books["spring"]
        book.lift(book.of(one), after(1), "mailwatch")
        book.enter(Because(one, PauseOrigin.AUTOMATIC, "again", "mailwatch", after(1)), in_force=True)
        book.settle(after(1))
        await ledger.write()

    await store._database.write(work)
    assert [pause.reason for pause in await open_pauses(store)] == ["again"]


async def test_the_mailboxes_of_a_campaign_are_read_only_where_they_count(store):
    await running(store)
    await store.campaigns.add(campaign("summer"), ANN)
    for pause_on, expected in ((PauseOn.ANY, set()), (PauseOn.ALL, {"mb_0000", "mb_0001"})):

        async def work(attempt, pause_on=pause_on):
            ledger = Ledger(attempt, CampaignPolicy(pause_on=pause_on))
            await ledger.open(["spring", "summer"])
            return ledger.books["spring"].mailboxes

        assert await store._database.write(work) == expected
