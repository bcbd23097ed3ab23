"""A copy while the daemon works."""

import stat

import pytest

from contract.fleet import filled, later, moved
from mailwatch.ports import StoreUnavailableError
from mailwatch.store import SqlStore, Vault


async def test_a_copy_opens_with_the_same_key_ring_and_holds_everything(store, tmp_path, keyring, clock):
    await filled(store, 20)
    for claim in await store.claim_due(later(), 5, 60):
        await store.record(claim, moved(claim))
    copy = tmp_path / "copy.db"
    await store.backup(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    other = SqlStore(f"sqlite:///{copy}", Vault(keyring), clock, node="b")
    await other.open()
    assert await other.check() == []
    assert await other.history() == await store.history()
    assert await other.secrets_by_key() == {keyring.active: 20}
    await other.close()


async def test_what_is_there_is_never_overwritten(store, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_text("mine")
    with pytest.raises(StoreUnavailableError, match="there already"):
        await store.backup(copy)
    assert copy.read_text() == "mine"


async def test_no_secret_is_in_the_copy(store, tmp_path):
    await filled(store, 3)
    await store.backup(tmp_path / "copy.db")
    assert b"password-" not in (tmp_path / "copy.db").read_bytes()


async def test_a_failed_copy_leaves_nothing(store, tmp_path):
    with pytest.raises(FileNotFoundError):
        await store.backup(tmp_path / "nowhere" / "copy.db")
    assert [file.name for file in tmp_path.iterdir() if "copy" in file.name] == []
