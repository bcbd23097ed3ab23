"""A rotation that a node has not followed: what it seals is refused, never lost - on one file or over many nodes."""

import asyncio
from datetime import timedelta

import pytest

from contract.fleet import NOON, add, filled, later, oauth_mailbox, password_mailbox
from mailwatch.core import acts
from mailwatch.core.secret import Secret
from mailwatch.ports import Act, KeyRetiredError
from mailwatch.ports.consents import ConsentSession, ConsentState
from mailwatch.store import KeyRing, SqlStore, Vault
from mailwatch.store.schema import keys

SET = Act("owner", "secret.set")


class Ring:
    """The ring's file, and who has read it."""

    def __init__(self, ring):
        self.now = ring

    def vault(self):
        """Of a node that sees the file change."""
        return Vault(self.now, lambda: self.now, lambda: self.now.active)

    def copied(self):
        """Of a node that has read it once: from its environment, as a systemd credential, on another machine."""
        return Vault(self.now)


@pytest.fixture
def ring(keyring):
    return Ring(keyring)


@pytest.fixture
async def node(store_url, clock):
    """`await node(vault)`: a store with a vault of its own."""
    opened = []

    async def open_one(vault, name="node-a"):
        store = SqlStore(store_url, vault, clock, node=name)
        await store.open()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def web(node, ring):
    """A node that goes on with the ring it has read at its start, with a mailbox of each kind."""
    store = await node(ring.copied(), "web")
    await filled(store, 1)
    await add(store, oauth_mailbox(1))
    return store


async def rotate(node, ring):
    """`key rotate`, as the command line does it."""
    ring.now = ring.now.with_new_key()
    store = await node(Vault(ring.now), "cli")
    await store.reseal()
    return store


async def drop_old(store, ring, before=None):
    """`key rotate --drop-old`; *before* is done between the first look and the fence."""
    await store.reseal()
    if before is not None:
        await before()
    await store.retire_older_keys()
    resealed = await store.reseal()
    ring.now = ring.now.only_active()
    return resealed


async def give(store, text="new password", mailbox_id="mb_0000"):
    await store.set_secret(mailbox_id, Secret(text), lambda standing: acts.new_secret(standing, NOON, "owner"), SET)


async def password(node, ring, mailbox_id="mb_0000"):
    """The password as a node reads it that starts now."""
    store = await node(Vault(ring.now), "fresh")
    claims = await store.claim_due(later(60 * 24), 10, 60)
    (found,) = [claim.credential.password().reveal() for claim in claims if claim.mailbox.id == mailbox_id]
    return found


async def test_a_node_that_sees_the_ring_change_seals_with_the_new_key_though_it_has_opened_nothing_yet(node, ring):
    web = await node(ring.vault(), "web")
    await filled(web, 1)
    cli = await rotate(node, ring)
    await give(web)
    assert await cli.secrets_by_key() == {ring.now.active: 1}
    await drop_old(cli, ring)
    assert await password(node, ring) == "new password"


async def test_what_is_sealed_with_an_older_key_before_the_fence_is_sealed_anew_before_the_key_goes(node, ring, web):
    cli = await rotate(node, ring)
    resealed = await drop_old(cli, ring, before=lambda: give(web))
    assert resealed.done == 1
    assert await password(node, ring) == "new password"


async def test_a_new_password_that_would_be_lost_is_refused_with_the_cure_and_the_old_one_stays(node, ring, web):
    old = ring.now.active
    await drop_old(await rotate(node, ring), ring)
    with pytest.raises(KeyRetiredError, match=f"key {old} is out of use.*restart it"):
        await give(web)
    assert (await web.find("mb_0000")).standing.generation == 1
    assert await password(node, ring) == "password-0"


async def test_no_mailbox_is_added_with_a_secret_that_would_be_lost(node, ring, web):
    await drop_old(await rotate(node, ring), ring)
    with pytest.raises(KeyRetiredError):
        await add(web, password_mailbox(7))
    assert sum((await web.counts()).values()) == 2


async def test_no_token_is_fetched_that_could_not_be_kept_and_none_is_kept_that_would_be_lost(node, ring, web):
    lease = await web.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=60)
    await drop_old(await rotate(node, ring), ring)
    tokens = {"access_token": Secret("access"), "refresh_token": Secret("rotated"), "expires_at": later()}
    with pytest.raises(KeyRetiredError):
        await web.grants.finish_refresh("mb_0001", lease, **tokens)
    await web.grants.abandon_refresh("mb_0001", lease)
    with pytest.raises(KeyRetiredError):
        await web.grants.begin_refresh("mb_0001", epoch=1, lease_seconds=60)
    fresh = await node(Vault(ring.now), "fresh")
    assert (await fresh.grants.load("mb_0001")).refresh_token.reveal() == "refresh-1"


async def test_no_consent_is_begun_that_could_not_be_kept(node, ring, web):
    await drop_old(await rotate(node, ring), ring)
    session = ConsentSession("oas_1", "mb_0001", "outreach", ConsentState.WAITING, NOON, NOON + timedelta(minutes=10), "owner")
    with pytest.raises(KeyRetiredError):
        await web.consents.begin(session, state_hash="s", browser_hash="b", verifier=Secret("verifier"))
    assert await web.consents.of_mailbox("mb_0001") == []


async def test_a_node_that_starts_with_an_old_copy_of_the_ring_is_refused(node, ring, web):
    copy = ring.copied()
    await drop_old(await rotate(node, ring), ring)
    with pytest.raises(KeyRetiredError, match="give this node the present key ring"):
        await node(copy, "late")


async def test_an_interrupted_drop_goes_on_and_both_keys_still_read(node, ring, web):
    cli = await rotate(node, ring)
    await cli.retire_older_keys()  # killed here: the ring still holds both
    again = await node(Vault(ring.now), "cli")
    await drop_old(again, ring)
    assert await password(node, ring) == "password-0"


async def test_a_ring_that_is_not_the_present_one_retires_nothing(node, ring, web):
    cli = await rotate(node, ring)
    rolled_back = KeyRing(next(kid for kid in ring.now.keys if kid != ring.now.active), ring.now.keys)
    stale = await node(Vault(rolled_back), "stale")
    await drop_old(cli, ring)
    with pytest.raises(KeyRetiredError):
        await stale.retire_older_keys()
    await give(cli)  # the present key is in use all the same
    assert await password(node, ring) == "new password"


async def test_a_key_that_is_new_to_the_database_is_known_from_then_on(node, ring, web):
    ring.now = ring.now.with_new_key()  # --add-only
    second = await node(ring.copied(), "second")
    await give(second)

    async def known(attempt):
        return set((await attempt.connection.execute(keys.select())).scalars())

    assert ring.now.active in await second._database.read(known)


async def test_secrets_stored_while_the_keys_are_dropped_are_all_readable_or_refused(node, ring, web):
    await add(web, *(password_mailbox(number) for number in range(10, 50)))
    cli = await rotate(node, ring)
    stored, refused = [], []

    async def owner(number):
        await asyncio.sleep(0.002 * (number % 20))
        try:
            await give(web, f"new-{number}", f"mb_{number:04}")
        except KeyRetiredError:
            refused.append(number)
        else:
            stored.append(number)

    owners = asyncio.gather(*(owner(number) for number in range(10, 50)))
    await drop_old(cli, ring)
    await owners
    assert sorted(stored + refused) == list(range(10, 50))
    fresh = await node(Vault(ring.now), "fresh")
    claims = {claim.mailbox.id: claim for claim in await fresh.claim_due(later(60 * 24), 100, 60)}
    for number in range(10, 50):
        wanted = f"new-{number}" if number in stored else f"password-{number}"
        assert claims[f"mb_{number:04}"].credential.password().reveal() == wanted
