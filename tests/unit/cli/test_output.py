"""How verbs end: where nothing can be written, and where a file may not be read."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailwatch.cli import build
from mailwatch.config import ConfigError
from mailwatch.daemon import assemble


def to_a_full_disk(*words):
    with Path("/dev/full").open("wb") as full:
        return subprocess.run(
            [sys.executable, "-m", "mailwatch", *map(str, words)], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )


@contextmanager
def somebody_else():
    """Without the rights of root, if the tests run with them: also the real user, whom access(2) asks for."""
    mine = os.geteuid()
    if mine == 0:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if mine == 0:
            os.setresuid(0, 0, 0)


@pytest.fixture
def open_folder():
    """A folder everybody may enter; pytest's own lets nobody else in."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_full_disk_behind_the_output_is_one_line_and_can_be_tried_again(installed, more):
    installed.fill(3)
    done = to_a_full_disk("mailbox", "list", "--config", installed.config, *more)
    assert (done.returncode, len(done.stderr.splitlines())) == (75, 1)
    assert "No space left on device" in done.stderr


def test_a_verb_that_has_findings_tells_a_full_disk_all_the_same(tmp_path):
    (tmp_path / "m.toml").write_text("nonsense = 1\n")
    done = to_a_full_disk("config", "check", tmp_path / "m.toml")
    assert (done.returncode, len(done.stderr.splitlines())) == (75, 1)


@pytest.mark.parametrize(
    "words",
    [
        ("classify", "FILE"),
        ("mailbox", "add", "a@example.org", "--imap", "imaps://mail.example.org", "--secret-file", "FILE"),
        ("check", "a@example.org", "--imap", "imaps://127.0.0.1:1", "--password-stdin", "--ca-file", "FILE"),
        ("status", "--url", "http://127.0.0.1:1", "--token-file", "FILE"),
        ("status", "--url", "https://127.0.0.1:1", "--ca-file", "FILE"),
    ],
)
def test_a_file_that_may_not_be_read_ends_with_the_code_of_permissions(open_folder, words):
    path = open_folder / "closed"
    path.write_text("x")
    path.chmod(0)
    arguments = [str(path) if word == "FILE" else word for word in words]
    with somebody_else():
        said = CliRunner().invoke(build(arguments), arguments, input="secret\n")
    assert (said.exit_code, "closed" in said.stderr) == (77, True), said.output


def test_a_key_ring_that_may_not_be_read_ends_with_the_code_of_permissions(open_folder):
    ring, config = open_folder / "ring", open_folder / "m.toml"
    ring.write_text("x")
    ring.chmod(0)
    config.write_text(f'[store]\nurl = "sqlite:///{open_folder}/m.db"\n[secrets]\nkeyring = {{ file = "{ring}" }}\n')
    words = ["db", "check", "--config", str(config)]
    with somebody_else():
        said = CliRunner().invoke(build(words), words)
        with pytest.raises(ConfigError, match=r"m\.toml:4:1: secrets\.keyring: .*permission denied") as caught:
            asyncio.run(assemble(config))
    assert (said.exit_code, "permission denied" in said.stderr) == (77, True), said.output
    assert caught.value.exit_code == 77


def test_a_database_of_somebody_else_is_not_migrated_and_ends_with_the_code_of_permissions(open_folder):
    database, config = open_folder / "m.db", open_folder / "m.toml"
    database.write_bytes(b"")
    database.chmod(0o644)
    config.write_text(f'[store]\nurl = "sqlite:///{database}"\n')
    words = ["db", "migrate", "--config", str(config)]
    with somebody_else():
        said = CliRunner().invoke(build(words), words)
    assert (said.exit_code, "permission denied" in said.stderr) == (77, True), said.output
