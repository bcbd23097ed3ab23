"""The clock that nodes share is the database's."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from mailwatch.store import SqlStore, Vault
from mailwatch.store.shared_clock import skew_seconds


class Ahead:
    """The machine's clock, so many seconds ahead."""

    def __init__(self, seconds):
        self._ahead = timedelta(seconds=seconds)

    def now(self):
        return datetime.now(UTC) + self._ahead

    def monotonic(self):
        return time.monotonic()


@pytest.mark.parametrize("seconds", [0.0, 65.0, -65.0])
async def test_a_node_learns_how_far_its_clock_is_from_the_databases(store_url, keyring, seconds):
    store = SqlStore(store_url, Vault(keyring), Ahead(seconds), node="a")
    await store.open()
    found = await store.clock_skew_seconds()
    await store.close()
    alone = store_url.startswith("sqlite")  # one file, one node, one clock
    assert found == pytest.approx(0.0 if alone else seconds, abs=2.0)


class Late(Ahead):
    """… and the answer of the database was under way for a minute, as this clock has it."""

    def __init__(self, seconds):
        super().__init__(seconds)
        self._asked = 0

    def monotonic(self):
        self._asked += 1
        return 60.0 * self._asked


@pytest.mark.parametrize(("seconds", "beyond_doubt"), [(-30.0, 0.0), (-65.0, -5.0), (-165.0, -105.0), (65.0, 65.0)])
async def test_of_an_answer_that_was_long_under_way_only_what_is_beyond_doubt_counts(database, seconds, beyond_doubt):
    if database.is_sqlite:
        beyond_doubt = 0.0
    assert await skew_seconds(database, Late(seconds)) == pytest.approx(beyond_doubt, abs=2.0)
