"""A store on a SQLite file of the test's own."""

import pytest

from contract.fleet import SetClock
from mailwatch.store import KeyRing, SqlStore, Vault, migrate


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture(scope="session")
def keyring():
    return KeyRing.generate()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mailwatch.db"


@pytest.fixture
def url(path):
    return f"sqlite:///{path}"


@pytest.fixture
async def migrated(url):
    await migrate(url)
    return url


@pytest.fixture
async def store(migrated, keyring, clock):
    opened = SqlStore(migrated, Vault(keyring), clock, node="node-a")
    await opened.open()
    yield opened
    await opened.close()
