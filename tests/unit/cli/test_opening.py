"""How verbs find configuration, key ring and database."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailwatch.cli import build, opening
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


@contextmanager
def somebody_else():
    """Without the rights of root, if the tests run with them."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


@pytest.fixture
def open_folder():
    """A folder everybody may enter; pytest's own lets nobody else in."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("words", [("config", "check", "FILE"), ("config", "show", "FILE"), ("mailbox", "list", "-c", "FILE")])
def test_a_configuration_that_may_not_be_read_ends_with_the_code_of_permissions(open_folder, words):
    path = open_folder / "m.toml"
    path.write_text("")
    path.chmod(0)
    arguments = [str(path) if word == "FILE" else word for word in words]
    with somebody_else():
        said = CliRunner().invoke(build(arguments), arguments)
    assert said.exit_code == ExitCode.PERMISSION
    assert "permission denied" in said.output


def test_a_database_of_somebody_else_ends_with_the_code_of_permissions(open_folder):
    (open_folder / "mailwatch.db").write_bytes(b"")
    (open_folder / "mailwatch.db").chmod(0)
    (open_folder / "m.toml").write_text(
        f'[store]\nurl = "sqlite:///{open_folder}/mailwatch.db"\n[secrets]\nkeyring = {{ env = "RING" }}\n'
    )
    arguments = ["mailbox", "list", "-c", str(open_folder / "m.toml")]
    with somebody_else():
        said = CliRunner().invoke(build(arguments), arguments)
    assert said.exit_code == ExitCode.PERMISSION
    assert "run this as the user mailwatch runs as" in said.output


@pytest.mark.parametrize("words", [("run",), ("mailbox", "add"), ("check",), ("config", "check")])
def test_help_tells_the_defaults_it_speaks_of(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    said = CliRunner().invoke(build(list(words)), [*words, "--help"])
    assert "(default: " in said.output
