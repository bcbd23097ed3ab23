"""`mailwatch key generate|rotate`."""

import asyncio
import json
import stat
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from contract.fleet import ADD, NOON, SetClock, later
from mailwatch.cli import build, key
from mailwatch.core import acts
from mailwatch.core.secret import Secret
from mailwatch.ports import KeyRetiredError
from mailwatch.store import KeyRing, SqlStore, Vault


def generate(*arguments):
    return CliRunner().invoke(build(["key"]), ["key", "generate", *map(str, arguments)])


def ring_of(installed):
    return KeyRing.read(installed.ring.read_text())


def passwords(installed):
    async def work(store):
        found = []
        for claim in await store.claim_due(later(), 1000, 60):
            found.append(claim.credential.password().reveal())
            await store.postpone(claim, later())
        return found

    return sorted(installed.with_store(work))


def test_a_key_ring_is_written_for_its_owner_only(tmp_path):
    assert generate("--out", tmp_path / "ring").exit_code == 0
    assert stat.S_IMODE((tmp_path / "ring").stat().st_mode) == 0o400
    assert KeyRing.read((tmp_path / "ring").read_text()).keys


def test_a_key_ring_is_never_overwritten(tmp_path):
    (tmp_path / "ring").write_text("mine")
    result = generate("--out", tmp_path / "ring")
    assert result.exit_code == 2
    assert "never overwritten" in result.stderr
    assert (tmp_path / "ring").read_text() == "mine"


def test_a_ring_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); from mailwatch.cli import main; main()"
    )
    words = [sys.executable, "-c", program, "key", "generate", "--out", str(tmp_path / "ring")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_a_wrong_usage(tmp_path):
    said = generate("--out", tmp_path / "none" / "ring")
    assert (said.exit_code, f"{tmp_path}/none is no folder" in said.stderr) == (2, True)


def test_without_a_file_the_ring_goes_to_standard_output():
    assert KeyRing.read(generate().stdout)


def test_rotation_seals_everything_anew_and_everything_stays_readable(installed):
    installed.fill(3)
    before, old = passwords(installed), ring_of(installed)
    said = installed.run("key", "rotate")
    assert said.exit_code == 0
    assert "3 secrets sealed anew" in said.stderr
    assert passwords(installed) == before
    new = ring_of(installed)
    assert set(new.keys) == {old.active, new.active}
    assert installed.with_store(lambda store: store.secrets_by_key()) == {new.active: 3}
    assert stat.S_IMODE(installed.ring.stat().st_mode) == 0o600


def test_old_keys_are_dropped_when_they_seal_nothing(installed):
    installed.fill(2)
    installed.well("key", "rotate")
    before = passwords(installed)
    said = installed.run("key", "rotate", "--drop-old")
    assert said.stderr.count("sealed anew") == 1
    assert len(ring_of(installed).keys) == 1
    assert passwords(installed) == before


def test_a_node_that_still_seals_with_an_older_key_is_refused_once_that_key_is_dropped(installed):
    installed.fill(2)
    before = Vault(ring_of(installed))
    installed.well("key", "rotate")

    async def give(number):
        store = SqlStore(installed.url, before, SetClock(), node="web")
        await store.open()
        try:
            secret = Secret(f"new-{number}")
            await store.set_secret(f"mb_000{number}", secret, lambda standing: acts.new_secret(standing, NOON, "owner"), ADD)
        finally:
            await store.close()

    asyncio.run(give(0))  # it has not heard of the rotation
    installed.well("key", "rotate", "--drop-old")
    with pytest.raises(KeyRetiredError):
        asyncio.run(give(1))
    assert passwords(installed) == ["new-0", "password-1"]


def test_nothing_is_sealed_with_a_key_that_a_running_node_lacks(installed, monkeypatch):
    monkeypatch.setattr(key, "_FOLLOW_SECONDS", 0.2)
    installed.fill(2)
    old = ring_of(installed)
    installed.with_store(lambda store: store.node_keys.tell("far-node"))
    said = installed.run("key", "rotate")
    assert said.exit_code == 75
    assert "far-node" in said.stderr
    assert installed.with_store(lambda store: store.secrets_by_key()) == {old.active: 2}
    refused = installed.run("key", "rotate", "--drop-old")
    assert refused.exit_code == 75
    assert set(ring_of(installed).keys) == {old.active, ring_of(installed).active}
    installed.with_store(lambda store: store.node_keys.tell("far-node"))  # it was restarted with the present ring
    installed.well("key", "rotate")
    installed.well("key", "rotate", "--drop-old")
    assert installed.with_store(lambda store: store.secrets_by_key()) == {ring_of(installed).active: 2}


def test_an_interrupted_rotation_goes_on_without_another_key(installed):
    installed.fill(2)
    installed.well("key", "rotate", "--add-only")
    added = ring_of(installed)
    assert installed.with_store(lambda store: store.secrets_by_key()) != {added.active: 2}
    said = installed.run("key", "rotate")
    assert "going on with key" in said.stderr
    assert ring_of(installed) == added
    assert installed.with_store(lambda store: store.secrets_by_key()) == {added.active: 2}


def test_a_secret_that_cannot_be_read_keeps_its_key_on_the_ring(installed):
    import sqlite3

    installed.fill(2)
    connection = sqlite3.connect(installed.database)
    connection.execute("UPDATE secrets SET sealed = sealed || 'A' WHERE mailbox_id = 'mb_0001'")
    connection.commit()
    connection.close()
    installed.run("key", "rotate")
    said = installed.run("key", "rotate", "--drop-old")
    assert said.exit_code == 1
    assert "mb_0001" in said.stderr
    assert "no key was dropped" in said.stderr
    assert len(ring_of(installed).keys) == 2


def test_a_ring_that_is_no_file_must_be_named(installed, monkeypatch):
    monkeypatch.setenv("RING", installed.ring.read_text())
    installed.config.write_text(f'[store]\nurl = "{installed.url}"\n[secrets]\nkeyring = {{ env = "RING" }}\n')
    said = installed.run("key", "rotate")
    assert said.exit_code == 78
    assert "--keyring FILE" in said.stderr
    assert installed.run("key", "rotate", "--keyring", installed.ring).exit_code == 0
    assert len(json.loads(installed.ring.read_text())["keys"]) == 2


def test_a_missing_ring_is_told_with_the_verb_that_makes_one(bare):
    said = bare.run("key", "rotate")
    assert said.exit_code == 78
    assert "mailwatch key generate" in said.stderr


def test_add_only_and_drop_old_exclude_each_other(installed):
    assert installed.run("key", "rotate", "--add-only", "--drop-old").exit_code == 2
