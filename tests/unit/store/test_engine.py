"""Transactions under faults: run again as a whole, told in plain words, and never a false acknowledgement."""

import asyncio
import itertools
import shutil
import sqlite3
import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from mailwatch.ports import SchemaError, StoreUnavailableError
from mailwatch.store import engine
from mailwatch.store.address import parse_address
from mailwatch.store.engine import Database, require_file


@pytest.fixture
async def database(migrated):
    opened = Database(parse_address(migrated))
    opened.remember_file()
    yield opened
    await opened.close()


async def put(attempt, name="a", content="b"):
    await attempt.connection.execute(text("INSERT INTO meta VALUES (:name, :content)"), {"name": name, "content": content})


async def names(database):
    async def work(attempt):
        return set((await attempt.connection.execute(text("SELECT name FROM meta"))).scalars())

    return await database.read(work)


@contextmanager
def locked(path):
    """Another process's writing transaction, as SQLite sees it."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        other.close()


async def test_what_is_written_is_there_for_readers(database):
    await database.write(put)
    assert await names(database) == {"instance", "a"}


async def test_a_write_that_fails_leaves_nothing(database):
    async def work(attempt):
        await put(attempt)
        raise ValueError

    with pytest.raises(ValueError):
        await database.write(work)
    assert await names(database) == {"instance"}


async def test_readers_cannot_hold_up_the_writer(database):
    started, end = asyncio.Event(), asyncio.Event()

    async def long_read(attempt):
        await attempt.connection.execute(text("SELECT * FROM meta"))
        started.set()
        await end.wait()

    reading = asyncio.create_task(database.read(long_read))
    await started.wait()
    await database.write(put)
    end.set()
    await reading
    assert "a" in await names(database)


async def test_a_reader_that_keeps_the_log_growing_shows_in_its_size_until_it_ends(database):
    started, end = asyncio.Event(), asyncio.Event()

    async def long_read(attempt):
        await attempt.connection.execute(text("SELECT * FROM meta"))
        started.set()
        await end.wait()

    letters = itertools.cycle("xyz")

    async def change(attempt):
        await attempt.connection.execute(text("UPDATE meta SET content=:new WHERE name='a'"), {"new": next(letters) * 1_000_000})

    async def written():
        for _ in range(8):
            await database.write(change)
        return database.log_bytes()

    await database.write(put)
    quiet = [await written() for _ in range(3)]
    reading = asyncio.create_task(database.read(long_read))
    await started.wait()
    grown = [await written() for _ in range(3)]
    assert grown == sorted(grown)
    assert grown[-1] > 2 * max(quiet)
    end.set()
    await reading
    await database.scrub()
    assert database.log_bytes() == 0


async def test_concurrent_read_modify_write_loses_no_update(migrated, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 120.0)  # so many at once take as long as the disk takes
    database = Database(parse_address(migrated))
    await database.write(lambda attempt: put(attempt, "counter", "0"))

    async def increment(attempt):
        value = (await attempt.connection.execute(text("SELECT content FROM meta WHERE name='counter'"))).scalar_one()
        await asyncio.sleep(0)
        await attempt.connection.execute(text("UPDATE meta SET content=:new WHERE name='counter'"), {"new": str(int(value) + 1)})

    other = Database(database.address)
    try:
        await asyncio.gather(*(one.write(increment) for one in (database, other) for _ in range(40)))
    finally:
        await other.close()

    async def read(attempt):
        return (await attempt.connection.execute(text("SELECT content FROM meta WHERE name='counter'"))).scalar_one()

    assert await database.read(read) == "80"
    await database.close()


async def test_a_lock_held_for_a_moment_is_waited_for(database, path):
    with locked(path) as other:
        writing = asyncio.create_task(database.write(put))
        await asyncio.sleep(0.05)
        other.execute("ROLLBACK")
        await writing
    assert "a" in await names(database)


async def test_a_lock_held_for_long_is_told_and_later_writes_go_through(migrated, path, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.01)
    database = Database(parse_address(migrated))
    try:
        with locked(path):
            with pytest.raises(StoreUnavailableError, match="database is locked"):
                await database.write(put)
            assert await names(database) == {"instance"}, "reads are still served"
        await database.write(put)
        assert "a" in await names(database)
    finally:
        await database.close()


async def test_a_full_disk_is_told_and_writes_go_on_when_there_is_room(database):
    pages = (await database.outside_transaction("PRAGMA page_count"))[0][0]
    await database.outside_transaction(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreUnavailableError, match="full"):
        await database.write(lambda attempt: put(attempt, "big", "x" * 1_000_000))
    assert await names(database) == {"instance"}
    await database.outside_transaction("PRAGMA max_page_count=1000000")
    await database.write(lambda attempt: put(attempt, "big", "x" * 1_000_000))
    assert "big" in await names(database)


async def test_a_removed_file_is_told_and_no_empty_one_takes_its_place(database, path):
    path.unlink()
    for use in (database.write, database.read):
        with pytest.raises(StoreUnavailableError, match="removed or replaced while in use"):
            await use(put)
    assert not path.exists()


async def test_a_replaced_file_is_told(database, path, tmp_path):
    shutil.copy(path, tmp_path / "copy")
    (tmp_path / "copy").replace(path)
    with pytest.raises(StoreUnavailableError, match="removed or replaced while in use"):
        await database.write(put)


def test_a_missing_file_is_told_with_the_verb_that_makes_one(url):
    with pytest.raises(SchemaError, match="create it with `mailwatch db migrate`"):
        require_file(parse_address(url))


async def test_opening_creates_no_file(url, path):
    database = Database(parse_address(url))
    with pytest.raises(StoreUnavailableError):
        await database.read(names)
    await database.close()
    assert not path.exists()


async def test_a_bug_in_a_statement_is_no_lack_of_a_database(database):
    async def work(attempt):
        await attempt.connection.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(DBAPIError, match="nowhere"):
        await database.read(work)


async def test_work_is_run_again_after_a_passing_fault(database):
    runs = []

    async def work(attempt):
        runs.append(attempt.doubtful)
        await put(attempt, f"run {len(runs)}")
        if len(runs) < engine.ATTEMPTS:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise OperationalError("x", {}, error)

    await database.write(work)
    assert runs == [False, False, False]
    assert await names(database) == {"instance", "run 3"}


async def test_work_is_run_again_a_few_times_only(database):
    runs = []

    async def work(attempt):
        runs.append(attempt)
        raise ConnectionResetError

    with pytest.raises(StoreUnavailableError, match="ConnectionResetError"):
        await database.write(work)
    assert len(runs) == engine.ATTEMPTS


async def test_a_commit_without_an_answer_leaves_the_next_run_in_doubt(database, monkeypatch):
    from sqlalchemy.ext.asyncio import AsyncTransaction

    commit, lost, runs = AsyncTransaction.commit, [], []

    async def commit_and_lose_the_answer(self):
        await commit(self)
        if not lost:
            lost.append(1)
            raise ConnectionResetError

    monkeypatch.setattr(AsyncTransaction, "commit", commit_and_lose_the_answer)

    async def work(attempt):
        runs.append(attempt.doubtful)
        if not attempt.doubtful:
            await put(attempt)

    await database.write(work)
    assert runs == [False, True]
    assert "a" in await names(database)


async def test_acknowledged_writes_reach_the_disk_and_deleted_ones_are_overwritten(database):
    async def pragmas(attempt):
        found = {}
        for name in ("synchronous", "secure_delete", "foreign_keys", "journal_mode", "auto_vacuum"):
            found[name] = (await attempt.connection.execute(text(f"PRAGMA {name}"))).scalar_one()
        return found

    assert await database.write(pragmas) == {
        "synchronous": 2,
        "secure_delete": 1,
        "foreign_keys": 1,
        "journal_mode": "wal",
        "auto_vacuum": 2,
    }


@pytest.mark.parametrize("after", [step / 2000 for step in range(12)])
async def test_a_transaction_that_is_cancelled_at_any_moment_keeps_no_lock(database, after):
    task = asyncio.create_task(database.write(put))
    await asyncio.sleep(after)
    task.cancel()
    task.cancel()
    await asyncio.wait({task})
    await database.write(lambda attempt: put(attempt, name="next"))
    assert "next" in await names(database)


async def test_whoever_is_cancelled_in_a_transaction_is_told_so_and_its_error_is_not_lost_on_anybody(database):
    entered = asyncio.Event()

    async def work(attempt):
        await put(attempt)
        entered.set()
        await asyncio.sleep(0.02)
        raise ValueError("a bug")

    task = asyncio.create_task(database.write(work))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "a" not in await names(database)


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be read as one" * 20])
async def test_a_connection_that_could_not_be_opened_leaves_no_thread_behind(tmp_path, content):
    place = tmp_path / "odd" / "mailwatch.db"
    place.parent.mkdir()
    if content:
        place.write_bytes(content)
    else:
        place.mkdir()
    before = set(threading.enumerate())
    database = Database(parse_address(f"sqlite:///{place}"))
    with pytest.raises((StoreUnavailableError, SchemaError)):
        await database.read(_one)
    assert set(threading.enumerate()) <= before
    await database.close()


async def _one(connection):
    return (await connection.execute(text("SELECT 1"))).scalar_one()
