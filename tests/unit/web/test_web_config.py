"""The exporter-toolkit's file while mailwatch runs."""

import base64
import os

import bcrypt
import pytest

from fakes.ports import FakeLog
from mailwatch.web.exporter_config import WebConfigError
from mailwatch.web.web_config import WebConfigFile


def users(password):
    return f"basic_auth_users:\n  prometheus: {bcrypt.hashpw(password, bcrypt.gensalt(4)).decode()}\n"


def header(password, user=b"prometheus"):
    return "Basic " + base64.b64encode(user + b":" + password).decode()


def rewritten(path, text, step):
    path.write_text(text)
    os.utime(path, ns=(step * 10**9, step * 10**9))


async def test_only_its_users_are_admitted(tmp_path):
    path = tmp_path / "web.yml"
    path.write_text(users(b"geheim"))
    file = WebConfigFile(path, FakeLog())
    assert file.names_users
    assert await file.admits(header(b"geheim"))
    assert not await file.admits(header(b"falsch"))
    assert not await file.admits(None)


async def test_a_changed_file_is_in_force_at_the_next_request(tmp_path):
    path, log = tmp_path / "web.yml", FakeLog()
    rewritten(path, users(b"old"), 1)
    file = WebConfigFile(path, log)
    rewritten(path, users(b"new"), 2)
    assert file.names_users
    assert await file.admits(header(b"new"))
    assert not await file.admits(header(b"old"))
    assert len(log.named("web_config.reloaded")) == 1


async def test_a_file_that_cannot_be_honoured_any_more_changes_nothing_and_is_told_once(tmp_path):
    path, log = tmp_path / "web.yml", FakeLog()
    rewritten(path, users(b"geheim"), 1)
    file = WebConfigFile(path, log)
    rewritten(path, "basic_auth_users: nonsense\n", 2)
    for _ in range(3):
        assert file.names_users
    assert await file.admits(header(b"geheim"))
    assert len(log.named("web_config.not_reloaded")) == 1


def test_a_file_that_cannot_be_honoured_at_the_start_is_refused(tmp_path):
    path = tmp_path / "web.yml"
    path.write_text("basic_auth_users: nonsense\n")
    with pytest.raises(WebConfigError):
        WebConfigFile(path, FakeLog())
