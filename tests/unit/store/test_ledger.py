"""The ledger between memory and tables: read whole, written in few statements, and only where something changed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, event

from contract.campaigning import ANN, after, away, back, campaign, open_pauses, running, state_of
from contract.fleet import NOON, add, password_mailbox
from mailwatch.core.campaigns import CampaignPolicy, CampaignState, PauseOn, PauseOrigin
from mailwatch.store import ledger
from mailwatch.store.ledger import Ledger, pause_from_row
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


@pytest.mark.parametrize("pause_on", PauseOn)
async def test_a_move_reads_no_more_of_a_campaign_however_many_of_its_mailboxes_are_away(store, monkeypatch, pause_on):
    store.campaign_policy = CampaignPolicy(pause_on=pause_on)
    ids = await running(store, 30)
    read = []

    def counted(row):
        read.append(row)
        return pause_from_row(row)

    monkeypatch.setattr(ledger, "pause_from_row", counted)
    for number, one in enumerate(ids):
        read.clear()
        await away(store, one, at=after(number))
        assert len(read) <= 2
    assert await state_of(store) is CampaignState.PAUSED
    for number, one in enumerate(ids):
        read.clear()
        await back(store, one, at=after(60 + number))
        assert len(read) <= 2
    assert await state_of(store) is CampaignState.ACTIVE
    read.clear()
    await add(store, password_mailbox(99, campaigns=("spring",)))
    await store.remove(ids[0], ANN)
    assert len(read) <= 4


@pytest.mark.parametrize("pause_on", PauseOn)
@pytest.mark.parametrize("gone", [set(), {0}, {0, 1}, {0, 1, 2}])
@pytest.mark.parametrize("orphan", [False, True])
async def test_a_book_that_counts_says_what_one_says_that_was_read_whole(store, pause_on, gone, orphan):
    store.campaign_policy = CampaignPolicy(pause_on=pause_on)
    ids = await running(store, 3)
    await away(store, *(ids[number] for number in sorted(gone)))
    if orphan:
        await store.campaigns.pause("spring", "holidays", ANN)

    async def work(attempt):
        told = []
        for mailboxes in (None, (), ids[:1], ids[2:], ids):
            of = Ledger(attempt, store.campaign_policy)
            await of.open(["spring"], mailboxes)
            book = of.books["spring"]
            one_more = book.would_pause(Because("mb_new", PauseOrigin.AUTOMATIC, "", "mailwatch", NOON))
            told.append((book.is_settled, book.is_paused, book.is_automatic, one_more))
        return told

    told = await store._database.write(work)
    assert set(told) == {told[0]}
    assert told[0][0]


def test_what_else_pauses_a_campaign_is_found_by_an_index(migrated, path):
    engine = create_engine(f"sqlite:///{path}")
    asked = {"ids": ["spring"], "mailboxes": ["mb_1"]}
    with engine.connect() as connection:
        for statement in (ledger._BEYOND, ledger._COUNTS):
            compiled = statement.params(asked).compile(engine, compile_kwargs={"literal_binds": True})
            plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
            assert any("ix_pauses_in_force" in step for step in plan), plan
            assert not any(step.startswith(("SCAN pauses", "SCAN inner_pauses")) for step in plan), plan
    engine.dispose()
