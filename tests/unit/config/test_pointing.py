"""Files and secrets that the configuration points to: each fault with its key and its line."""

import pytest
import trustme

from mailwatch.config import ConfigError, SecretReferenceError, read
from mailwatch.config.faults import Exit
from mailwatch.config.pointing import check_files, keyring_words, placed, secret_faults, unusable_ring

CANARY = "canary-5ecret"


@pytest.fixture
def loaded(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(
        "[oauth.app]\nclient_id = 'x'\nkind = 'google'\n"
        f"client_secret = {{ command = ['sh', '-c', 'exit {len(CANARY)}; {CANARY}'] }}\n"
        "[webhooks.crm]\nurl = 'https://crm.example.org/'\nsecret = { env = 'HOOK' }\n"
    )
    return read(path, {"MAILWATCH_SECRETS__KEYRING__ENV": "RING"})


def with_ca(tmp_path, ca_file):
    path = tmp_path / "ca.toml"
    path.write_text(f'[network]\nallow_private_hosts = true\nca_file = "{ca_file}"\n')
    return read(path, {})


def with_ring(tmp_path, ring):
    path = tmp_path / "ring.toml"
    path.write_text(f'[secrets]\nkeyring = {{ file = "{ring}" }}\n')
    return read(path, {})


def test_secrets_that_cannot_be_read_are_told_with_their_place(loaded):
    error = secret_faults(loaded, {})
    assert [fault.key for fault in error.faults] == [
        ("secrets", "keyring"),
        ("oauth", "app", "client_secret"),
        ("webhooks", "crm", "secret"),
    ]
    assert str(error.faults[0]).startswith("$MAILWATCH_SECRETS__KEYRING__ENV: secrets.keyring: ")
    assert error.faults[1].origin.line == 4
    assert error.exit_code is Exit.CONFIGURATION
    assert CANARY not in str(error)


def test_a_bundle_of_certificates_is_well(tmp_path):
    bundle = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(bundle)
    check_files(with_ca(tmp_path, bundle))
    check_files(read(None, {}))


@pytest.mark.parametrize("content", [None, "", "no PEM at all\n"])
def test_a_ca_file_that_is_missing_or_holds_no_certificate_is_told_with_its_line(tmp_path, content):
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(ConfigError, match=r"ca\.toml:3:1: network\.ca_file") as caught:
        check_files(with_ca(tmp_path, bundle))
    assert caught.value.exit_code is Exit.CONFIGURATION


def test_a_missing_key_ring_is_to_be_restored_and_not_replaced(tmp_path):
    loaded = with_ring(tmp_path, tmp_path / "none")
    with pytest.raises(SecretReferenceError) as caught:
        loaded.settings.secrets.keyring.read()
    error = placed(caught.value, loaded)
    assert "ring.toml:2:1: secrets.keyring: " in str(error)
    for text in (str(error), str(secret_faults(loaded)), keyring_words(caught.value, loaded.settings)):
        assert "restore it from its copy; for a new installation: `mailwatch key generate --out FILE`" in text


def test_a_key_ring_that_is_none_is_told_with_its_line(tmp_path):
    error = unusable_ring("the key ring is not JSON", with_ring(tmp_path, tmp_path / "none"))
    assert str(error).startswith(f"{tmp_path}/ring.toml:2:1: secrets.keyring: {{ file = ")
