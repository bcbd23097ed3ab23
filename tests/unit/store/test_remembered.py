"""Remembered answers: bytes come back as they were, and those of a removed mailbox do not."""

import pytest
from sqlalchemy.dialects import sqlite

from contract.fleet import NOON
from mailwatch.ports.people import Remembered
from mailwatch.store.people import SqlPeople
from mailwatch.store.remembered import _TELLING, REMEMBERED, forget_answers


@pytest.fixture
def people(store, clock):
    return SqlPeople(store._database, clock)


@pytest.mark.parametrize("body", [b"", b"\x00\xff", "ü".encode()])
async def test_an_answer_comes_back_byte_by_byte(people, body):
    await people.begin_once("ada:k", "request", NOON)
    await people.finish_once("ada:k", Remembered("request", 204, body, "application/json"))
    assert await people.begin_once("ada:k", "request", NOON) == Remembered("request", 204, body, "application/json")


async def test_an_answer_that_comes_too_late_is_remembered_for_nobody(people):
    await people.finish_once("ada:k", Remembered("request", 200, b"", ""))
    assert await people.begin_once("ada:k", "request", NOON) is None


async def test_of_an_answer_that_is_forgotten_nothing_is_left_in_the_file(people, store, path):
    await people.begin_once("ada:k", "request", NOON)
    await people.finish_once("ada:k", Remembered("request", 200, b'{"address":"canary@example.org"}', ""))
    await store._database.write(lambda attempt: forget_answers(attempt, "mb_0001", "Canary@example.org"))
    await store._database.scrub()
    assert b"canary@example.org" not in b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


@pytest.mark.parametrize(
    "words",
    [
        '{"address":"zoé.o\'neil@example.org"}',
        '{"detail":"there already: a@example.org, Zoé.O\'Neil@example.org and 3 more"}',
        '{"detail":"\'zoé.o\'neil@example.org\' is taken."}',
        '{"detail":"asked with to=zoé.o\'neil@example.org"}',
        '{"detail":"the mailbox mb_0001 is away"}',
    ],
)
async def test_an_answer_is_found_by_the_mailboxes_it_tells_of(people, store, words):
    other = Remembered("request", 200, b'{"id":"mb_00011","address":"neil@example.org"}', "")
    for key, answer in (("k", Remembered("request", 200, words.encode(), "")), ("other", other)):
        await people.begin_once(key, "request", NOON)
        await people.finish_once(key, answer)
    await store._database.write(lambda attempt: forget_answers(attempt, "mb_0001", "Zoé.O'Neil@example.org"))
    assert (await people.begin_once("k", "request", NOON)).status == 410
    assert await people.begin_once("other", "request", NOON) == other


async def test_a_removal_reads_no_answer_that_tells_of_others(store):
    """However many there are: by their names, from an index."""

    async def work(attempt):
        asked = _TELLING.params(names=["mb_0001", "hash"]).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        return [row[3] for row in await attempt.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")]

    plan = await store._database.read(work)
    assert plan
    assert all("USING INDEX ix_remembered_names_name" in step for step in plan)


async def test_a_key_used_anew_after_a_day_tells_of_nobody_before(people, store):
    await people.begin_once("k", "request", NOON)
    await people.finish_once("k", Remembered("request", 200, b'{"id":"mb_0001"}', ""))
    await people.begin_once("k", "request", NOON + REMEMBERED)
    await people.finish_once("k", Remembered("request", 200, b"{}", ""))
    await store._database.write(lambda attempt: forget_answers(attempt, "mb_0001", "a@example.org"))
    assert (await people.begin_once("k", "request", NOON + REMEMBERED)).status == 200
