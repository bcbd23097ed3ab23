"""Remembered answers: bytes come back as they were, and those of a removed mailbox do not."""

import pytest

from contract.fleet import NOON
from mailwatch.ports.people import Remembered
from mailwatch.store.people import SqlPeople
from mailwatch.store.remembered import forget_answers


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
    await store._database.write(lambda attempt: forget_answers(attempt, "canary@example.org"))
    await store._database.scrub()
    assert b"canary@example.org" not in b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
