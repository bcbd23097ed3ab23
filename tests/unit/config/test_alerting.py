"""[alertmanager]: what may be said there."""

import pytest

from mailwatch.config import ConfigError, load
from mailwatch.config.settings import Settings


def loaded(tmp_path, text):
    path = tmp_path / "mailwatch.toml"
    path.write_text(f"[alertmanager]\n{text}\n")
    return load(path, {}).alertmanager


def test_nothing_is_pushed_unless_somebody_asks_for_it():
    settings = Settings().alertmanager
    assert settings.urls == ()
    assert not settings.mailbox_alerts
    assert settings.external_labels == {"job": "mailwatch"}


def test_all_peers_of_a_cluster_are_named(tmp_path):
    settings = loaded(tmp_path, 'urls = ["http://127.0.0.1:9093", "https://am.example.org/prefix"]\nresend_seconds = 10')
    assert settings.urls == ("http://127.0.0.1:9093", "https://am.example.org/prefix")
    assert settings.resend_seconds == 10


@pytest.mark.parametrize("name", ["alertname", "severity", "cause", "__meta", "1st", "a-b", ""])
def test_a_label_that_alerts_have_already_or_none_can_have_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="label"):
        loaded(tmp_path, f'external_labels = {{ "{name}" = "x" }}')


def test_a_label_of_ones_own_is_taken(tmp_path):
    assert loaded(tmp_path, 'external_labels = { cluster = "eu" }').external_labels == {"cluster": "eu"}


@pytest.mark.parametrize("line", ['urls = ["127.0.0.1:9093"]', "resend_seconds = 1", 'token = "abc"', "mailbox_alerts = 1"])
def test_what_makes_no_sense_is_refused(tmp_path, line):
    with pytest.raises(ConfigError):
        loaded(tmp_path, line)


def test_a_token_is_only_pointed_to(tmp_path):
    settings = loaded(tmp_path, 'token = { env = "AM_TOKEN" }')
    assert settings.token is not None
    assert "AM_TOKEN" in str(settings.token.shown())
