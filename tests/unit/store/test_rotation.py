"""Key rotation: readable at every moment, restartable, and honest about what it could not read."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from contract.fleet import NOON, add, filled, later, oauth_mailbox
from mailwatch.ports import SecretUnreadableError
from mailwatch.store import KeyRing, SqlStore, Vault


@pytest.fixture
async def with_ring(migrated, clock):
    opened = []

    async def open_with(ring):
        store = SqlStore(migrated, Vault(ring), clock, node="a")
        await store.open()
        opened.append(store)
        return store

    yield open_with
    await closed(*opened)


async def closed(*stores):
    for store in stores:
        await store.close()


async def test_everything_is_sealed_anew_and_stays_readable(with_ring, keyring):
    before = await with_ring(keyring)
    await filled(before, 450)
    await add(before, oauth_mailbox(900))
    both = keyring.with_new_key()
    after = await with_ring(both)
    counts = []
    resealed = await after.reseal(counts.append)
    assert (resealed.done, resealed.unreadable) == (451, ())
    assert counts == [200, 400, 451]
    assert await after.secrets_by_key() == {both.active: 451}
    only = await with_ring(both.only_active())
    claims = await only.claim_due(later(), 1000, 60)
    assert {claim.credential.password().reveal() for claim in claims if claim.credential} == {f"password-{n}" for n in range(450)}
    assert (await only.grants.load("mb_0900")).refresh_token.reveal() == "refresh-900"
    await closed(before, after, only)


async def test_a_second_run_finds_nothing_to_do(with_ring, keyring):
    store = await with_ring(keyring)
    await filled(store, 3)
    assert (await store.reseal()).done == 0
    await closed(store)


async def test_what_cannot_be_read_stays_and_is_named(with_ring, keyring, path):
    before = await with_ring(keyring)
    await filled(before, 3)
    await closed(before)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE secrets SET sealed=substr(sealed, 1, length(sealed) - 4) WHERE mailbox_id='mb_0001'")
    connection.commit()
    connection.close()
    after = await with_ring(keyring.with_new_key())
    resealed = await after.reseal()
    assert resealed.done == 2
    assert len(resealed.unreadable) == 1
    assert "mb_0001" in resealed.unreadable[0]
    assert (await after.secrets_by_key())[keyring.active] == 1
    await closed(after)


async def test_swapped_rows_open_for_neither_mailbox_and_hurt_no_other(with_ring, keyring, path):
    store = await with_ring(keyring)
    await filled(store, 3)
    connection = sqlite3.connect(path)
    sealed = dict(connection.execute("SELECT mailbox_id, sealed FROM secrets").fetchall())
    connection.execute("UPDATE secrets SET sealed=? WHERE mailbox_id='mb_0000'", (sealed["mb_0001"],))
    connection.execute("UPDATE secrets SET sealed=? WHERE mailbox_id='mb_0001'", (sealed["mb_0000"],))
    connection.commit()
    connection.close()
    first, second, third = await store.claim_due(later(), 3, 60)
    for claim in (first, second):
        with pytest.raises(SecretUnreadableError, match=claim.mailbox.id):
            claim.credential.password()
    assert third.credential.password().reveal() == "password-2"
    await closed(store)


async def test_another_installations_ring_is_refused_at_open(with_ring, keyring, migrated, clock):
    await closed(await with_ring(keyring))
    wrong = SqlStore(migrated, Vault(KeyRing(keyring.active, {keyring.active: bytes(32)})), clock, node="a")
    with pytest.raises(SecretUnreadableError, match=f"key {keyring.active} is not the one this database was sealed with"):
        await wrong.open()


async def test_a_missing_older_key_stops_only_its_mailboxes(with_ring, keyring):
    before = await with_ring(keyring)
    await filled(before, 1)
    after = await with_ring(KeyRing.generate())
    await add(after, oauth_mailbox(5))
    claim = next(one for one in await after.claim_due(NOON, 2, 60) if one.mailbox.id == "mb_0000")
    with pytest.raises(SecretUnreadableError, match=f"mb_0000 is sealed with key {keyring.active}"):
        claim.credential.password()
    assert (await after.grants.load("mb_0005")).refresh_token.reveal() == "refresh-5"
    await closed(before, after)


async def test_killed_in_the_middle_every_secret_is_readable_and_it_can_go_on(with_ring, keyring, migrated, path, tmp_path):
    store = await with_ring(keyring)
    await filled(store, 1000)
    await closed(store)
    both = keyring.with_new_key()
    ring = tmp_path / "ring"
    ring.write_text(both.text())
    program = f"""
import asyncio, pathlib
from contract.fleet import SetClock
from mailwatch.store import *
async def main():
    store = SqlStore({migrated!r}, Vault(KeyRing.read(pathlib.Path({str(ring)!r}).read_text())), SetClock(), node="a")
    await store.open()
    await store.reseal(lambda done: print(done, flush=True))
asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline() == b"200\n"
        process.send_signal(signal.SIGKILL)
    store = await with_ring(both)
    by_key = await store.secrets_by_key()
    assert sum(by_key.values()) == 1000
    assert by_key[both.active] >= 200
    assert await store.check() == []
    await store.reseal()
    assert await store.secrets_by_key() == {both.active: 1000}
    await closed(store)
