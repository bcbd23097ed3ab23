"""The exporter-toolkit's file while mailwatch runs."""

import base64
import os
import ssl

import aiohttp
import bcrypt
import pytest
import trustme
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from fakes.ports import FakeLog
from mailwatch.web.exporter_config import WebConfigError
from mailwatch.web.server import WebServer, listen
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


@pytest.fixture
def folder(tmp_path):
    """Certificates of two authorities, `one` and `two`."""
    for name in ("one", "two"):
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / f"{name}-ca.pem")
        certificate = authority.issue_cert("127.0.0.1")
        certificate.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
    return tmp_path


def tls(name):
    return f"tls_server_config:\n  cert_file: {name}.pem\n  key_file: {name}.key\n"


async def test_each_handshake_is_made_by_the_file_as_it_is_then(folder, no_task_left_behind):
    path = folder / "web.yml"
    rewritten(path, tls("one"), 1)
    file = WebConfigFile(path, FakeLog())
    server = WebServer(Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))]), listen("127.0.0.1:0"), web_config=file)
    server.start()
    assert server.url.startswith("https://127.0.0.1:")

    async def get(authority):
        trust = ssl.create_default_context(cafile=folder / f"{authority}-ca.pem")
        async with aiohttp.ClientSession() as session, session.get(server.url, ssl=trust) as answer:
            return await answer.text()

    assert await get("one") == "here"
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await get("two")
    rewritten(path, tls("two"), 2)
    assert await get("two") == "here"
    await server.stop()


def test_a_renewed_certificate_is_seen_though_the_file_that_names_it_is_the_same(folder):
    path = folder / "web.yml"
    path.write_text(tls("one"))
    file = WebConfigFile(path, FakeLog())
    before = file.current_context()
    assert file.current_context() is before
    for end in ("pem", "key"):
        (folder / f"one.{end}").write_bytes((folder / f"two.{end}").read_bytes())
    assert file.current_context() is not before


def test_whether_http_speaks_tls_is_settled_at_the_start(folder):
    path, log = folder / "web.yml", FakeLog()
    rewritten(path, users(b"geheim"), 1)
    file = WebConfigFile(path, log)
    assert file.context() is None
    rewritten(path, tls("one"), 2)
    assert file.names_users
    assert file.context() is None
    assert "restart" in log.named("web_config.not_reloaded")[0]["error"]
