"""One store, twice: what is promised holds on SQLite and on PostgreSQL alike."""

from contextlib import AsyncExitStack

import pytest

from contract.fleet import SetClock
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from mailwatch.store.address import parse_address
from mailwatch.store.engine import Database


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture(scope="session")
def keyring():
    return KeyRing.generate()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
async def store_url(request, tmp_path):
    """The URL of a migrated, empty database."""
    own_file = f"sqlite:///{tmp_path / 'mailwatch.db'}"
    url = own_file if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    await migrate(url)
    return url


@pytest.fixture
async def open_store(store_url, keyring, clock):
    """`await open_store(node=…, daemon=…)`: a store on the test's database, closed at the end."""
    async with AsyncExitStack() as stack:

        async def open_one(*, node="node-a", daemon=False, **options):
            store = SqlStore(store_url, Vault(keyring), clock, node=node, **options)
            await store.open(daemon=daemon)
            stack.push_async_callback(store.close)
            return store

        yield open_one


@pytest.fixture
async def store(open_store):
    return await open_store()


@pytest.fixture
async def database(store_url):
    """The test's database itself, for what is built upon it."""
    opened = Database(parse_address(store_url))
    yield opened
    await opened.close()
