"""The key ring's text."""

import json

import pytest

from mailwatch.store.keyring import KeyRing, KeyRingError, watched


def test_a_ring_survives_its_text():
    ring = KeyRing.generate().with_new_key()
    again = KeyRing.read(ring.text())
    assert again == ring
    assert dict(again.keys) == dict(ring.keys)
    assert len(again.keys) == 2


def test_a_new_key_is_the_active_one_and_the_old_one_stays():
    old = KeyRing.generate()
    new = old.with_new_key()
    assert new.active != old.active
    assert new.keys[old.active] == old.keys[old.active]
    assert set(new.only_active().keys) == {new.active}


def test_keys_are_256_bits_and_never_shown():
    ring = KeyRing.generate()
    (key,) = ring.keys.values()
    assert len(key) == 32
    assert repr(key) not in repr(ring)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not json", "not JSON"),
        ("[]", "must be"),
        ('{"active": "a"}', "must be"),
        ('{"active": 1, "keys": {}}', "must be"),
        ('{"active": "a", "keys": {}}', "not among its keys"),
        ('{"active": "a", "keys": {"a": "c2hvcnQ="}}', "not the base64 of 32 bytes"),
        ('{"active": "a", "keys": {"a": "***"}}', "not the base64 of 32 bytes"),
        ('{"active": "a", "keys": {"a": 5}}', "not the base64 of 32 bytes"),
        ('{"active": "a|b", "keys": {"a|b": "x"}}', "other characters"),
    ],
)
def test_another_text_is_refused_without_being_shown(text, why):
    with pytest.raises(KeyRingError, match=why) as refused:
        KeyRing.read(text)
    assert "c2hvcnQ" not in str(refused.value)


def test_the_text_is_the_documented_json():
    ring = KeyRing.generate()
    assert set(json.loads(ring.text())) == {"active", "keys"}


def test_a_ring_file_that_was_replaced_or_written_is_noticed(tmp_path):
    path, new = tmp_path / "ring", tmp_path / "new"
    path.write_text(KeyRing.generate().text())
    look = watched(path)
    first = look()
    assert look() == first
    new.write_text(path.read_text())
    new.replace(path)
    second = look()
    assert second != first
    path.write_text(KeyRing.generate().with_new_key().text())
    assert look() != second
    path.unlink()
    with pytest.raises(FileNotFoundError):
        look()
