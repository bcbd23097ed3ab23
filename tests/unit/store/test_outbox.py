"""The outbox asks before it writes: a quiet second costs no writing transaction."""

import asyncio
import sqlite3

import pytest

from contract.fleet import NOON, filled

ALL = {"crm": frozenset()}


@pytest.fixture
def locked(path, store):
    """Somebody else has the database locked for writing; reading goes on."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


async def test_with_nothing_new_nothing_is_written(store, locked):
    async with asyncio.timeout(60):
        assert await store.outbox.fan_out(ALL, 100) == 0


async def test_with_nothing_due_nothing_is_written(store, locked):
    async with asyncio.timeout(60):
        assert await store.outbox.claim_deliveries(NOON, 100, 60, excluding=frozenset()) == ()


async def test_what_is_new_is_fanned_out_once(store):
    await filled(store, 3)
    assert await store.outbox.fan_out(ALL, 2) == 2
    assert await store.outbox.fan_out(ALL, 2) == 1
    assert await store.outbox.fan_out(ALL, 2) == 0
