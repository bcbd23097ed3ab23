"""How verbs find configuration, key ring and database."""

import pytest

from mailwatch.cli import opening
from mailwatch.cli.output import CliError, ExitCode
from mailwatch.ports import SecretUnreadableError


def test_who_acts_is_the_user_of_the_terminal(monkeypatch):
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("LOGNAME", "ann")
    assert opening.actor() == "cli:ann"
    monkeypatch.setenv("SUDO_USER", "bob")
    assert opening.actor() == "cli:bob"


def test_a_configuration_with_faults_is_told_whole(tmp_path):
    (tmp_path / "m.toml").write_text("[store]\nurll = 1\n[web]\nx = 1\n")
    with pytest.raises(CliError, match=r"(?s)urll.*\bx\b") as refused:
        opening.settings_of(tmp_path / "m.toml")
    assert refused.value.code is ExitCode.CONFIGURATION


def test_a_key_ring_that_cannot_be_read_is_told_with_the_cure(installed):
    settings = opening.settings_of(installed.config)
    installed.ring.unlink()
    with pytest.raises(CliError, match="no such file"):
        opening.keyring_of(settings)
    installed.ring.write_text("rubbish")
    installed.ring.chmod(0o600)
    with pytest.raises(SecretUnreadableError, match="not JSON"):
        opening.keyring_of(settings)


def test_the_databases_password_comes_by_reference(installed, monkeypatch):
    assert opening.database_password(opening.settings_of(installed.config)) is None
    monkeypatch.setenv("PGWORD", "hunter2")
    installed.config.write_text('[store]\nurl = "postgresql://ann@localhost/mail"\npassword = { env = "PGWORD" }\n')
    assert opening.database_password(opening.settings_of(installed.config)).reveal() == "hunter2"


def test_a_verb_works_on_the_store_and_closes_it(installed):
    async def work(opened):
        return opened.act("look"), await opened.store.counts()

    act, counts = opening.with_store(installed.config, work)
    assert (act.action, act.origin, counts) == ("look", "cli", {})
