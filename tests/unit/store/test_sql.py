"""The store as a whole, on SQLite: one daemon, nothing left of what is removed, no secret byte anywhere, no acked change lost."""

import base64
import os
import random
import signal
import sqlite3
import subprocess
import sys

import pytest

from contract.fleet import NOON, add, clean, filled, later, moved, oauth_mailbox, password_mailbox
from mailwatch.core import acts
from mailwatch.core.lifecycle import State
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Decision
from mailwatch.ports import Act, NewMailbox, SchemaError, StoreUnavailableError
from mailwatch.store import SqlStore, Vault, engine

REMOVE = Act("cli:test", "remove")


def opened(url, keyring, clock):
    return SqlStore(url, Vault(keyring), clock, node="node-a")


def bytes_of(path):
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*") if file.is_file())


async def test_a_second_daemon_on_the_file_is_refused_but_a_verb_may_work_beside_it(migrated, keyring, clock):
    daemon, second, verb = (opened(migrated, keyring, clock) for _ in range(3))
    await daemon.open(daemon=True)
    with pytest.raises(SchemaError, match="SQLite serves one node only"):
        await second.open(daemon=True)
    await verb.open()
    await filled(verb, 1)
    assert len(await daemon.claim_due(NOON, 1, 60)) == 1
    await verb.close()
    await daemon.close()
    await second.open(daemon=True)
    await second.close()


async def test_nothing_of_a_removed_mailbox_is_left_in_file_or_log(store, path):
    await filled(store, 300)
    secret = NewMailbox(
        password_mailbox(777, address="zaphod.beeblebrox@heartofgold.example", username="zaphod-login").mailbox, Secret("x")
    )
    await add(store, secret)
    for claim in await store.claim_due(later(), 400, 600):
        await store.record(claim, moved(claim) if claim.mailbox.id == "mb_0777" else clean(claim))
    await store.flush()
    await store.set_secret("mb_0777", Secret("another"), lambda standing: acts.new_secret(standing, NOON, "x"), REMOVE)
    before = bytes_of(path)
    assert b"zaphod.beeblebrox" in before
    sealed = sqlite3.connect(path)
    (text,) = sealed.execute("SELECT sealed FROM secrets WHERE mailbox_id='mb_0777'").fetchone()
    sealed.close()
    await store.remove("mb_0777", REMOVE)
    after = bytes_of(path)
    for trace in (b"zaphod", b"heartofgold", text.encode(), text.rpartition(".")[2].encode()[:24]):
        assert trace in before or trace == text.encode()
        assert trace not in after


async def test_no_secret_byte_is_anywhere_in_the_files(store, path):
    canary = "c4nary-Secret/ü"
    await add(store, NewMailbox(password_mailbox(1).mailbox, Secret(canary)), NewMailbox(oauth_mailbox(2).mailbox, Secret(canary)))
    lease = await store.grants.begin_refresh("mb_0002", epoch=1, lease_seconds=30)
    await store.grants.finish_refresh(
        "mb_0002", lease, access_token=Secret(canary), expires_at=later(), refresh_token=Secret(canary)
    )
    raw = canary.encode()
    spellings = [
        raw,
        base64.b64encode(raw),
        base64.b64encode(b"\0user1\0" + raw)[8:-4],
        raw.hex().encode(),
        canary.encode("utf-16-le"),
    ]
    stored = bytes_of(path)
    assert [spelling for spelling in spellings if spelling in stored] == []


async def test_results_wait_while_the_file_is_locked_and_are_written_after(migrated, path, keyring, clock, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.01)
    store = opened(migrated, keyring, clock)
    await store.open()
    await filled(store, 5)
    claims = await store.claim_due(later(), 5, 3600)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for claim in claims[:4]:
        await store.record(claim, clean(claim))
    with pytest.raises(StoreUnavailableError):
        await store.record(claims[4], moved(claims[4]))
    with pytest.raises(StoreUnavailableError):
        await store.flush()
    assert store.pending == 4
    other.execute("ROLLBACK")
    other.close()
    await store.flush()
    assert (await store.find("mb_0003")).standing.proven
    assert await store.history() == []
    await store.close()


async def test_observers_are_told_of_batches(store):
    seconds = []
    store.observe(write_seconds=seconds.append)
    await filled(store, 1)
    (claim,) = await store.claim_due(later(), 1, 60)
    await store.record(claim, clean(claim))
    await store.flush()
    assert len(seconds) == 1
    assert store.dropped == 0


async def test_observers_are_told_what_acts_moved(store):
    told = []
    store.observe(moved=lambda provider, decision: told.append((provider, [each.to_state for each in decision.transitions])))
    await filled(store, 1)
    by = Act("cli:test", "test")
    await store.change("mb_0000", lambda standing: acts.disconnect(standing, later(), by.actor), by)
    await store.change("mb_0000", lambda standing: Decision(standing, standing), by)
    assert told == [("other", [State.INACTIVE])]


_WORKER = """
import asyncio, pathlib, sys
from contract.fleet import *
from mailwatch.store import *
from mailwatch.core.lifecycle import State, Trigger
async def main():
    clock = SetClock(later(int(sys.argv[3])))
    store = SqlStore(sys.argv[1], Vault(KeyRing.read(pathlib.Path(sys.argv[2]).read_text())), clock, node="a")
    await store.open(daemon=True)
    print("open", flush=True)
    while True:
        for claim in await store.claim_due(clock.now(), 20, 60):
            if int(claim.mailbox.id[-4:]) % 2:
                await store.record(claim, moved(claim, due_at=clock.now()))
                print(claim.mailbox.id, claim.standing.version + 1, flush=True)
            else:
                await store.record(claim, clean(claim, clock.now()))
asyncio.run(main())
"""


@pytest.mark.slow
async def test_killed_at_random_it_loses_no_acknowledged_transition_and_leaves_nothing_stuck(migrated, keyring, clock, tmp_path):
    ring = tmp_path / "ring"
    ring.write_text(keyring.text())
    store = opened(migrated, keyring, clock)
    await store.open()
    await filled(store, 60)
    await store.close()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    acked, rng = {}, random.Random(1)
    for cycle in range(8):
        arguments = [sys.executable, "-c", _WORKER, migrated, str(ring), str(10 * cycle + 1)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment, text=True) as process:
            assert process.stdout.readline() == "open\n"
            for _ in range(rng.randrange(1, 120)):
                mailbox_id, version = process.stdout.readline().split()
                acked[mailbox_id] = int(version)
            process.send_signal(signal.SIGKILL)
            for line in process.stdout:  # written before the kill
                mailbox_id, version = line.split()
                acked[mailbox_id] = int(version)
    clock.time = later(200)
    store = opened(migrated, keyring, clock)
    await store.open(daemon=True)
    assert await store.check() == []
    for mailbox_id, version in acked.items():
        assert (await store.find(mailbox_id)).standing.version >= version
    claims = await store.claim_due(clock.now(), 100, 60)
    assert len(claims) == 60
    assert sum(len(claim.standing.lost_at) for claim in claims) > 0, "leases cut off by a kill are counted"
    await store.close()
