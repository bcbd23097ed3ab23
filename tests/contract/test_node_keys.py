"""Which keys each running node holds, and which secrets nobody could open."""

from datetime import timedelta

import pytest

from contract.fleet import NOON, add, password_mailbox
from mailwatch.store import KeyRing, SqlStore, Vault
from mailwatch.store.node_keys import LIVE_SECONDS


@pytest.fixture
def ring(keyring):
    return keyring.with_new_key()


@pytest.fixture
async def ahead(store_url, ring, clock):
    """A store whose ring has one key more."""
    opened = SqlStore(store_url, Vault(ring), clock, node="node-b")
    await opened.open()
    yield opened
    await opened.close()


async def test_a_node_lacks_the_key_that_it_does_not_hold(store, ahead, ring, keyring):
    assert await store.node_keys.lacking(ring.active, NOON) == []
    await store.node_keys.tell("node-a")
    await ahead.node_keys.tell("node-b")
    assert await store.node_keys.lacking(ring.active, NOON) == ["node-a"]
    assert await store.node_keys.lacking(keyring.active, NOON) == []


async def test_a_node_that_left_or_told_nothing_for_long_is_not_waited_for(store, ring):
    await store.node_keys.tell("node-a")
    assert await store.node_keys.lacking(ring.active, NOON + timedelta(seconds=LIVE_SECONDS - 1)) == ["node-a"]
    assert await store.node_keys.lacking(ring.active, NOON + timedelta(seconds=LIVE_SECONDS + 1)) == []
    await store.node_keys.leave("node-a")
    assert await store.node_keys.lacking(ring.active, NOON) == []


async def test_a_node_that_follows_its_file_holds_the_new_key_when_it_tells_next(store_url, keyring, ring, clock):
    rings = [keyring]
    node = SqlStore(store_url, Vault(keyring, lambda: rings[-1], lambda: len(rings)), clock, node="node-a")
    await node.open()
    await node.node_keys.tell("node-a")
    assert await node.node_keys.lacking(ring.active, NOON) == ["node-a"]
    rings.append(ring)
    await node.node_keys.tell("node-a")
    assert await node.node_keys.lacking(ring.active, NOON) == []
    await node.close()


async def test_secrets_sealed_with_a_key_that_the_ring_lacks_are_counted(store, store_url, clock, keyring):
    await add(store, *(password_mailbox(number) for number in range(3)))
    assert await store.unopenable() == {}
    stranger = SqlStore(store_url, Vault(KeyRing.generate()), clock, node="node-b")
    await stranger.open()
    assert await stranger.unopenable() == {keyring.active: 3}
    await stranger.close()
