"""Write-behind: batched, in order, bounded, and nothing lost while the database is away."""

import asyncio

import pytest

from mailwatch.ports import StoreUnavailableError
from mailwatch.store import writer
from mailwatch.store.record import Postponement
from mailwatch.store.writer import WriteBehind

pytestmark = pytest.mark.usefixtures("no_task_left_behind")


def item(number):
    return Postponement(f"mb_{number}", "token", {})


class Table:
    """What the database has; away or choosy when told so."""

    def __init__(self):
        self.batches = []
        self.away = False
        self.refused = set()

    async def write(self, batch):
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailableError("away")
        if any(one.mailbox_id in self.refused for one in batch):
            raise ValueError("a row the database does not take")
        self.batches.append([one.mailbox_id for one in batch])

    @property
    def rows(self):
        return [row for batch in self.batches for row in batch]


@pytest.fixture
def table():
    return Table()


async def eventually(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


async def test_rows_wait_for_company_but_not_for_long(table):
    behind = WriteBehind(table.write, rows=100, seconds=1.0)
    behind.start()
    for number in range(3):
        await behind.put(item(number))
    assert table.batches == []
    await eventually(lambda: table.batches == [["mb_0", "mb_1", "mb_2"]])
    await behind.close()


async def test_a_full_batch_does_not_wait(table):
    behind = WriteBehind(table.write, rows=2, seconds=3600)
    behind.start()
    for number in range(5):
        await behind.put(item(number))
    await eventually(lambda: len(table.rows) == 4)
    assert table.batches == [["mb_0", "mb_1"], ["mb_2", "mb_3"]]
    await behind.close()
    assert table.rows == [f"mb_{number}" for number in range(5)]


async def test_what_cannot_be_written_waits_in_order_until_the_database_is_back(table, monkeypatch):
    monkeypatch.setattr(writer, "_RETRY_SECONDS", (0.001,))
    behind = WriteBehind(table.write, rows=2, seconds=0.001)
    behind.start()
    table.away = True
    for number in range(4):
        await behind.put(item(number))
    await asyncio.sleep(0.05)
    assert behind.pending == 4
    with pytest.raises(StoreUnavailableError):
        await behind.flush()
    table.away = False
    await eventually(lambda: behind.pending == 0)
    assert table.rows == [f"mb_{number}" for number in range(4)]
    await behind.close()


async def test_the_queue_is_bounded_and_whoever_brings_more_waits(table, monkeypatch):
    monkeypatch.setattr(writer, "BOUND", 3)
    behind = WriteBehind(table.write, rows=10, seconds=0.001)
    for number in range(3):
        await behind.put(item(number))
    fourth = asyncio.create_task(behind.put(item(3)))
    await asyncio.sleep(0.01)
    assert not fourth.done()
    assert behind.pending == 3
    behind.start()
    await fourth
    await behind.close()
    assert len(table.rows) == 4


async def test_one_row_the_database_refuses_holds_up_no_other(table):
    told = []
    behind = WriteBehind(table.write, rows=10, seconds=3600)
    behind.on_dropped = lambda mailbox_id, error: told.append((mailbox_id, type(error)))
    table.refused = {"mb_1"}
    for number in range(3):
        await behind.put(item(number))
    await behind.flush()
    assert table.rows == ["mb_0", "mb_2"]
    assert (behind.dropped, told) == (1, [("mb_1", ValueError)])
    assert behind.pending == 0


async def test_a_lone_refused_row_is_dropped_too(table):
    behind = WriteBehind(table.write, rows=10, seconds=3600)
    table.refused = {"mb_0"}
    await behind.put(item(0))
    await behind.flush()
    assert (behind.dropped, behind.pending) == (1, 0)


async def test_what_waits_for_a_removed_mailbox_is_forgotten(table):
    behind = WriteBehind(table.write, rows=10, seconds=3600)
    for number in (1, 2, 1):
        await behind.put(item(number))
    behind.forget("mb_1")
    assert not behind.holds("mb_1")
    assert behind.holds("mb_2")
    await behind.flush()
    assert table.rows == ["mb_2"]


async def test_the_time_of_each_batch_is_told(table):
    seconds = []
    behind = WriteBehind(table.write, rows=2, seconds=3600)
    behind.on_write_seconds = seconds.append
    for number in range(4):
        await behind.put(item(number))
    await behind.flush()
    assert len(seconds) == 2
    assert all(one >= 0 for one in seconds)


async def test_closing_without_a_database_tells_and_ends_the_task(table):
    behind = WriteBehind(table.write, rows=10, seconds=3600)
    behind.start()
    await behind.put(item(0))
    table.away = True
    with pytest.raises(StoreUnavailableError):
        await behind.close()


async def test_forgetting_a_row_while_it_is_written_loses_no_other_and_does_not_end_the_writing():
    written, go = [], asyncio.Event()

    async def write(batch):
        await go.wait()
        written.extend(one.mailbox_id for one in batch)

    behind = WriteBehind(write, rows=2, seconds=0.001)
    behind.start()
    await behind.put(item(0))
    await behind.put(item(1))
    await eventually(behind._writing.locked)
    await behind.put(item(2))
    behind.forget("mb_0")
    go.set()
    await eventually(lambda: not behind.pending)
    assert written == ["mb_0", "mb_1", "mb_2"]
    go.clear()
    await behind.put(item(3))
    await eventually(behind._writing.locked)
    behind.forget("mb_3")
    go.set()
    await behind.put(item(4))
    await eventually(lambda: not behind.pending)
    assert written[-1] == "mb_4"
    await behind.close()
