"""From a file and the environment to settings, or to every fault at once."""

import contextlib
import os
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mailwatch.config import ConfigError, Origin, Settings, load, locate, read
from mailwatch.config.faults import Exit
from mailwatch.config.loading import MAX_BYTES

CANARY = "hunter2-canary"


@pytest.fixture
def write(tmp_path):
    def written(text, mode=0o600):
        path = tmp_path / "mailwatch.toml"
        path.write_bytes(textwrap.dedent(text).encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    return written


def faults_of(path, environ=None):
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    assert CANARY not in str(caught.value)
    return [str(fault).replace(f"{path.parent}/", "") for fault in caught.value.faults]


def test_no_file_and_an_empty_file_are_the_defaults(write):
    assert load(None, {}) == load(write(""), {}) == Settings()


def test_a_file_changes_what_it_names_and_nothing_else(write):
    settings = load(write("[probing]\ninterval_seconds = 60\n"), {})
    assert settings.probing.interval_seconds == 60
    assert settings.model_copy(update={"probing": Settings().probing}) == Settings()


def test_the_environment_wins_over_the_file(write):
    assert load(write("[log]\nlevel = 'error'"), {"MAILWATCH_LOG__LEVEL": "debug"}).log.level == "debug"


def test_every_fault_is_told_at_once_with_its_place_and_cure(write):
    path = write(
        f"""\
        [web]
        listen = "0.0.0.0"
        [probing]
        timeout_seconds = "30"
          depth = "logn"
        interval_secnds = 60
        [confirm]
        min_seconds = 50
        secret_seconds = 5
        [secrets]
        keyring = "{CANARY}"
        [oauth.a]
        client_secret = "{CANARY}"
        [providers.g]
        hosts = ["a.b",
            "A.b"]
        [probng]
        """
    )
    found = faults_of(path, {"MAILWATCH_LOG__LEVEL": "inf"})
    assert [text.split(" ")[0] for text in found] == [
        *(f"mailwatch.toml:{line}:{column}:" for line, column in [(2, 1), (4, 1), (5, 3), (6, 1), (8, 1), (9, 1), (11, 1)]),
        *(f"mailwatch.toml:{line}:{column}:" for line, column in [(12, 1), (13, 1), (16, 5), (17, 1)]),
        "$MAILWATCH_LOG__LEVEL:",
    ]
    assert all(" \u2014 " in text for text in found)
    assert found[3] == 'mailwatch.toml:6:1: unknown key "interval_secnds" in [probing] \u2014 did you mean "interval_seconds"?'


def test_a_key_faulty_by_itself_silences_only_the_checks_about_it(write):
    found = faults_of(write('[confirm]\nmin_seconds = "x"\nmax_seconds = 5\n[backoff.transient]\nfirst_seconds = 9999\n'))
    assert len(found) == 2
    assert "confirm.min_seconds must be a number" in found[0]
    assert "backoff.transient.first_seconds" in found[1]


def test_an_inline_secret_in_a_file_everybody_reads_must_be_changed(write):
    text = f'[secrets]\nkeyring = "{CANARY}"\n'
    assert "change that secret" not in faults_of(write(text, 0o600))[0]
    assert "change that secret" in faults_of(write(text, 0o644))[0]


def test_an_inline_secret_of_the_environment_is_refused(write):
    assert "must not stand" in faults_of(write(""), {"MAILWATCH_SECRETS__KEYRING": CANARY})[0]


@pytest.mark.parametrize("url", [f"postgresql://me:{CANARY}@db/x", f"postgresql://db/x?password={CANARY}"])
def test_a_password_in_the_stores_url_is_refused(write, url):
    assert "password = { file" in faults_of(write(f'[store]\nurl = "{url}"'))[0]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[web]\nlisten = \n", "2:10"),
        ("[web]\nlisten = 'a\n", "3:1"),
        ("a = [1,\n", "2:1"),
        ("[web]\n[web]\n", "2:5"),
        ("x = 1\nx = 2\n", "2:6"),
        (b"a = 1\nb = '\xff'\n", "2:6"),
    ],
)
def test_what_is_no_toml_is_told_with_its_place(write, text, place):
    assert faults_of(write(text))[0].startswith(f"mailwatch.toml:{place}: ")


def test_a_thing_there_twice_is_told_so(write):
    assert "twice" in faults_of(write("[web]\n[web]\n"))[0]


def test_nesting_without_end_is_told_and_not_followed(write):
    assert len(faults_of(write("a = " + "[" * 100_000))) == 1


def test_a_file_too_big_is_refused(write):
    assert "more than" in faults_of(write(b"#" * (MAX_BYTES + 1)))[0]


def test_a_missing_file_is_a_configuration_fault(tmp_path):
    with pytest.raises(ConfigError, match="no such file") as caught:
        load(tmp_path / "absent.toml", {})
    assert caught.value.exit_code is Exit.CONFIGURATION


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="directory"):
        load(tmp_path, {})


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Root reads everything: be somebody else for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_ends_with_the_exit_code_of_permission(write):
    path = write("", 0o000)
    with nobody(), pytest.raises(ConfigError, match="permission denied") as caught:
        load(path, {})
    assert caught.value.exit_code is Exit.PERMISSION


def test_origins_tell_line_or_variable_and_the_variable_wins(write):
    path = write("[log]\nlevel = 'info'\nformat = 'json'\n")
    origins = read(path, {"MAILWATCH_LOG__LEVEL": "debug"}).origins
    assert origins["log", "level"] == Origin("$MAILWATCH_LOG__LEVEL")
    assert origins["log", "format"] == Origin(str(path), 3, 1)


def test_the_file_named_wins_then_the_variable_then_the_known_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = tmp_path / "named.toml"
    assert locate(named, {"MAILWATCH_CONFIG": "/x"}) == named
    assert str(locate(None, {"MAILWATCH_CONFIG": "/x"})) == "/x"
    (tmp_path / "mailwatch.toml").touch()
    assert str(locate(None, {})) == "mailwatch.toml"


@pytest.mark.parametrize("written", ["2027-01-31", "2027-01-31T00:00:00Z", '"2027-01-31"', "2027-01-31 02:00:00+02:00"])
def test_when_a_client_secret_ends_is_written_as_a_date_or_a_date_time(tmp_path, written):
    path = tmp_path / "mailwatch.toml"
    path.write_text(f'[oauth.idp]\nkind = "google"\nclient_id = "x"\nclient_secret_expires = {written}\n')
    assert load(path, {}).oauth["idp"].client_secret_expires == datetime(2027, 1, 31, tzinfo=UTC)
    path.write_text('[oauth.idp]\nkind = "google"\nclient_id = "x"\n')
    environ = {"MAILWATCH_OAUTH__IDP__CLIENT_SECRET_EXPIRES": written}
    assert load(path, environ).oauth["idp"].client_secret_expires == datetime(2027, 1, 31, tzinfo=UTC)


def test_what_is_no_date_names_the_cure(tmp_path):
    path = tmp_path / "mailwatch.toml"
    path.write_text('[oauth.idp]\nkind = "google"\nclient_id = "x"\nclient_secret_expires = "soon"\n')
    with pytest.raises(ConfigError, match="such as 2027-01-31"):
        load(path, {})
