"""Where the daemon is asked."""

import pytest

from mailwatch.cli.daemon_url import DEFAULT_URL, url_of
from mailwatch.cli.output import CliError


@pytest.fixture(autouse=True)
def _nowhere(tmp_path, monkeypatch):
    """None of the usual places has a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILWATCH_CONFIG", raising=False)


@pytest.fixture
def config(tmp_path):
    return tmp_path / "m.toml"


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:9999", "http://127.0.0.1:9999"),
        ("0.0.0.0:9999", "http://127.0.0.1:9999"),
        ("[::1]:9999", "http://[::1]:9999"),
        ("[::]:9999", "http://[::1]:9999"),
    ],
)
def test_it_is_where_the_configuration_says(config, listen, url):
    config.write_text(f'[web]\nlisten = "{listen}"\n')
    assert url_of(None, config) == url
    assert url_of("http://elsewhere.example", config) == "http://elsewhere.example"


def test_without_a_configuration_it_is_the_default():
    assert url_of(None, None) == DEFAULT_URL


def test_a_web_config_with_a_certificate_makes_it_https_and_one_that_cannot_be_read_does_not(config, tmp_path):
    web = tmp_path / "web.yml"
    config.write_text(f'[web]\nlisten = "127.0.0.1:9999"\n[metrics]\nweb_config = "{web}"\n')
    assert url_of(None, config) == "http://127.0.0.1:9999"
    web.write_text(f"tls_server_config:\n  cert_file: {tmp_path}/c.pem\n  key_file: {tmp_path}/k.pem\n")
    assert url_of(None, config) == "https://127.0.0.1:9999"


def test_a_faulty_file_is_told_when_it_was_named_and_passed_over_when_it_was_not(config, monkeypatch):
    config.write_text("nonsense = 1\n")
    with pytest.raises(CliError, match="nonsense"):
        url_of(None, config)
    monkeypatch.setenv("MAILWATCH_CONFIG", str(config))
    assert url_of(None, None) == DEFAULT_URL
