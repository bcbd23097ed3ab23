"""Secrets at rest: bound to their place, never in clear, never shown."""

import pytest

from mailwatch.core.secret import Secret
from mailwatch.ports import SecretUnreadableError
from mailwatch.store.keyring import KeyRing, watched
from mailwatch.store.vault import SealedCredential, Vault, key_of

PLACE = ("secrets", "mb_1", "password")


@pytest.fixture
def vault(keyring):
    return Vault(keyring)


@pytest.mark.parametrize("text", ["pässwörd", "x", "p" * 60_000, 'with "quotes" and . dots', "\x00"])
def test_what_is_sealed_opens_at_its_place(vault, text):
    sealed = vault.seal(*PLACE, Secret(text))
    assert vault.open(*PLACE, sealed).reveal() == text
    assert sealed.startswith(f"mw1.{vault.active}.")
    assert text not in sealed or text == "x"


def test_the_same_secret_is_sealed_differently_each_time(vault):
    assert len({vault.seal(*PLACE, Secret("same")) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "place", [("secrets", "mb_2", "password"), ("secrets", "mb_1", "refresh_token"), ("keys", "mb_1", "password")]
)
def test_what_is_moved_elsewhere_does_not_open(vault, place):
    sealed = vault.seal(*PLACE, Secret("hunter2"))
    with pytest.raises(SecretUnreadableError, match=f"{place[1]}.*{vault.active}.*damaged or was moved"):
        vault.open(*place, sealed)


@pytest.mark.parametrize("cut", [1, 5, 20, 30])
def test_a_truncated_secret_does_not_open(vault, cut):
    sealed = vault.seal(*PLACE, Secret("hunter2"))
    with pytest.raises(SecretUnreadableError, match="mb_1"):
        vault.open(*PLACE, sealed[:-cut])


@pytest.mark.parametrize(
    "text", ["hunter2", "", "mw1", "mw1.k.n", "mw0.k1.AAAA.AAAA", "mw1.k1.AAAA.AAAA.AAAA", "mw1.k1.*.*", "mw1.é.A.A"]
)
def test_what_is_not_sealed_is_never_taken_as_clear_text(vault, text):
    with pytest.raises(SecretUnreadableError) as refused:
        vault.open(*PLACE, text)
    assert "hunter2" not in str(refused.value)


def test_a_flipped_bit_is_noticed(vault):
    sealed = vault.seal(*PLACE, Secret("hunter2"))
    flipped = sealed[:-3] + ("A" if sealed[-3] != "A" else "B") + sealed[-2:]
    with pytest.raises(SecretUnreadableError):
        vault.open(*PLACE, flipped)


def test_a_missing_key_is_named(vault):
    sealed = vault.seal(*PLACE, Secret("hunter2"))
    with pytest.raises(SecretUnreadableError, match=f"key {vault.active}, which the key ring does not hold"):
        Vault(KeyRing.generate()).open(*PLACE, sealed)


def test_a_wrong_key_is_told_from_a_damaged_row(keyring, vault):
    sealed = vault.seal(*PLACE, Secret("hunter2"))
    wrong = Vault(KeyRing(keyring.active, {keyring.active: bytes(32)}))
    assert not wrong.opens_canary(keyring.active, vault.canary(keyring.active))
    with pytest.raises(SecretUnreadableError, match="another key under this id"):
        wrong.open(*PLACE, sealed)


def test_the_right_key_opens_its_canary(vault):
    assert vault.opens_canary(vault.active, vault.canary(vault.active))


def test_a_running_vault_follows_a_rotation(keyring):
    ring = {"now": keyring}
    running = Vault(keyring, reread=lambda: ring["now"])
    ring["now"] = keyring.with_new_key()
    sealed = Vault(ring["now"]).seal(*PLACE, Secret("hunter2"))
    assert running.open(*PLACE, sealed).reveal() == "hunter2"
    assert running.active == ring["now"].active


def test_a_running_vault_follows_one_rotation_after_the_other(keyring, monkeypatch):
    monkeypatch.setattr("mailwatch.store.vault.REREAD_AT_ONCE_SECONDS", 0.0)
    ring = {"now": keyring}
    running = Vault(keyring, reread=lambda: ring["now"])
    for _ in range(3):
        ring["now"] = ring["now"].with_new_key()
        sealed = Vault(ring["now"]).seal(*PLACE, Secret("hunter2"))
        assert running.open(*PLACE, sealed).reveal() == "hunter2"


def test_an_unknown_key_id_makes_it_read_the_ring_but_rarely(keyring):
    read = []
    running = Vault(keyring, reread=lambda: read.append(1) or keyring)
    sealed = Vault(KeyRing.generate()).seal(*PLACE, Secret("x"))
    for _ in range(5):
        with pytest.raises(SecretUnreadableError):
            running.open(*PLACE, sealed)
    assert len(read) == 1


def test_a_ring_that_cannot_be_read_again_leaves_the_present_one(keyring):
    def fail():
        raise OSError

    running = Vault(keyring, reread=fail)
    with pytest.raises(SecretUnreadableError):
        running.open(*PLACE, Vault(KeyRing.generate()).seal(*PLACE, Secret("x")))
    assert running.open(*PLACE, running.seal(*PLACE, Secret("y"))).reveal() == "y"


def test_a_vault_that_only_seals_follows_a_rotation_too(keyring):
    ring = {"now": keyring}
    running = Vault(keyring, lambda: ring["now"], lambda: ring["now"].active)
    assert key_of(running.seal(*PLACE, Secret("x"))) == keyring.active
    for _ in range(3):
        ring["now"] = ring["now"].with_new_key()
        assert key_of(running.seal(*PLACE, Secret("x"))) == ring["now"].active == running.active


def test_a_ring_that_has_not_changed_is_not_read_at_every_sealing(keyring):
    read = []
    running = Vault(keyring, lambda: read.append(1) or keyring, lambda: "as before")
    for _ in range(5):
        running.seal(*PLACE, Secret("x"))
    assert len(read) == 1  # the first time: what came between the reading of the ring and this is not known


def test_a_changed_ring_that_cannot_be_read_leaves_the_present_one_and_is_tried_again_but_not_at_once(keyring, monkeypatch):
    tried, new = [], keyring.with_new_key()

    def read():
        tried.append(1)
        if len(tried) == 1:
            raise OSError
        return new

    running = Vault(keyring, read, lambda: "changed")
    for _ in range(5):
        assert key_of(running.seal(*PLACE, Secret("x"))) == keyring.active
    assert len(tried) == 1
    monkeypatch.setattr("mailwatch.store.vault.REREAD_AT_ONCE_SECONDS", 0.0)
    assert key_of(running.seal(*PLACE, Secret("x"))) == new.active


def test_a_ring_file_that_is_gone_for_a_moment_stops_no_sealing(keyring, tmp_path):
    running = Vault(keyring, lambda: keyring, watched(tmp_path / "none"))
    assert key_of(running.seal(*PLACE, Secret("x"))) == keyring.active


def test_a_closed_vault_neither_opens_nor_seals(vault):
    closed = Vault.closed()
    assert closed.key_ids == ()
    with pytest.raises(SecretUnreadableError, match="not opened"):
        closed.seal(*PLACE, Secret("x"))
    with pytest.raises(SecretUnreadableError):
        closed.open(*PLACE, vault.seal(*PLACE, Secret("x")))


def test_a_credential_shows_nothing_until_it_is_asked(vault):
    credential = SealedCredential("mb_1", 3, vault.seal(*PLACE, Secret("hunter2")), vault)
    assert repr(credential) == "SealedCredential(mailbox_id='mb_1', generation=3)"
    assert credential.password().reveal() == "hunter2"
