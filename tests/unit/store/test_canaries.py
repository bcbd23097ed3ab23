"""A canary for each key id."""

from sqlalchemy import select

from mailwatch.store import KeyRing, SqlStore, Vault
from mailwatch.store.schema import keys


async def known(store):
    async def work(attempt):
        return set((await attempt.connection.execute(select(keys.c.kid))).scalars())

    return await store._database.read(work)


async def test_the_active_key_is_known_from_the_first_opening(store, keyring):
    assert await known(store) == {keyring.active}


async def test_opening_without_keys_leaves_no_canary(migrated, clock):
    store = SqlStore(migrated, Vault.closed(), clock, node="a")
    await store.open()
    assert await known(store) == set()
    await store.close()


async def test_a_wrong_older_key_is_named_when_it_is_needed_and_not_before(store, migrated, keyring, clock):
    new = KeyRing.generate()
    ring = KeyRing(new.active, {**new.keys, keyring.active: bytes(32)})
    other = SqlStore(migrated, Vault(ring), clock, node="b")
    await other.open()
    assert await known(other) == {keyring.active, new.active}
    await other.close()


async def test_a_retired_key_keeps_its_row_and_stops_no_ring_that_still_holds_it(store, migrated, keyring, clock):
    both = keyring.with_new_key()
    other = SqlStore(migrated, Vault(both), clock, node="b")
    await other.open()
    await other.retire_older_keys()
    await other.close()
    again = SqlStore(migrated, Vault(both), clock, node="b")
    await again.open()
    assert await known(again) == {keyring.active, both.active}
    await again.close()
