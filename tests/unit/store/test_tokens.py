"""Tokens: a busy program costs no write a request, and a full disk keeps none out."""

from datetime import timedelta

import pytest

from contract.fleet import NOON
from mailwatch.ports import Act, StoreUnavailableError
from mailwatch.ports.people import Role, Token
from mailwatch.store.people import SqlPeople
from mailwatch.store.tokens import NOTED_EVERY

BY = Act("user:ada", "token.create")
KEY = Token("tok_1", "sender", Role.READ, NOON, "user:ada")


class Counted:
    """A database that counts what is written, and writes nothing once its disk is full."""

    def __init__(self, database):
        self.read = database.read
        self._database = database
        self.writes = 0
        self.full = False

    async def write(self, work):
        if self.full:
            raise StoreUnavailableError("the disk is full")
        self.writes += 1
        return await self._database.write(work)


@pytest.fixture
def counted(store):
    return Counted(store._database)


async def test_the_use_of_a_busy_token_is_written_once_a_minute(counted, clock):
    people = SqlPeople(counted, clock)
    await people.add_token(KEY, "hash", BY)
    before = counted.writes
    for second in range(120):
        assert await people.token("hash", NOON + timedelta(seconds=second))
    assert counted.writes - before == timedelta(minutes=2) / NOTED_EVERY


async def test_an_unknown_token_writes_nothing(counted, clock):
    assert await SqlPeople(counted, clock).token("hash", NOON) is None
    assert counted.writes == 0


async def test_a_full_disk_keeps_no_program_out(counted, clock):
    people = SqlPeople(counted, clock)
    await people.add_token(KEY, "hash", BY)
    counted.full = True
    assert (await people.token("hash", NOON)).id == "tok_1"
