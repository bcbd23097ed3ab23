"""What is in force, and who said so."""

import json

import pytest

from mailwatch.config import read
from mailwatch.config.listing import entries, nested, summary
from mailwatch.config.shape import all_keys

CANARY = "canary-5ecret"


@pytest.fixture
def loaded(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(
        "[log]\nlevel = 'error'\n[oauth.app]\nclient_id = 'x'\nkind = 'google'\n"
        f"client_secret = {{ command = ['sh', '-c', 'exit {len(CANARY)}; {CANARY}'] }}\n[providers.google]\nburst = 3\n"
        "[webhooks.crm]\nurl = 'https://crm.example.org/'\nsecret = { env = 'HOOK' }\n"
    )
    return read(path, {"MAILWATCH_WEB__LISTEN": "127.0.0.1:1", "MAILWATCH_SECRETS__KEYRING__ENV": "RING"})


def test_each_value_is_listed_with_its_origin(loaded):
    origins = {str(entry).split(" = ")[0]: entry.origin for entry in entries(loaded)}
    assert origins["log.level"].endswith("m.toml:2:1")
    assert origins["log.format"] == "default"
    assert origins["web.listen"] == "$MAILWATCH_WEB__LISTEN"
    assert origins["secrets.keyring"] == "$MAILWATCH_SECRETS__KEYRING__ENV"
    assert origins["providers.google.burst"].endswith("m.toml:8:1")
    assert origins["providers.google.max_connections"] == "default"


def test_every_key_of_the_model_is_listed(loaded):
    listed = {entry.path[-1] for entry in entries(loaded)}
    assert {key.path[-1] for key in all_keys()} <= listed


def test_secrets_are_shown_as_references_only(loaded):
    text = "\n".join(str(entry) for entry in entries(loaded)) + str(nested(entries(loaded)))
    assert CANARY not in text
    assert 'secrets.keyring = { env = "RING" }' in text


def test_the_nested_form_is_that_of_the_file(loaded):
    document = nested(entries(loaded))
    assert document["log"] == {"level": "error", "format": "json"}
    assert document["oauth"]["app"]["client_id"] == "x"


def test_the_summary_names_the_store_and_the_limits(loaded):
    text = "\n".join(summary(loaded.settings))
    assert "mailwatch.db" in text
    assert "at most 2 refused logins" in text
    assert "providers: google" in text


def test_a_moment_is_shown_as_it_may_be_written(tmp_path):
    path = tmp_path / "mailwatch.toml"
    path.write_text('[oauth.idp]\nkind = "google"\nclient_id = "x"\nclient_secret_expires = 2027-01-31\n')
    listed = list(entries(read(path, {})))
    (entry,) = [each for each in listed if each.path[-1] == "client_secret_expires"]
    assert str(entry) == 'oauth.idp.client_secret_expires = "2027-01-31T00:00:00Z"'
    assert json.loads(json.dumps(nested(listed)))["oauth"]["idp"]["client_secret_expires"] == "2027-01-31T00:00:00Z"
