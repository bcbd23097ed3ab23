"""Withdrawing a consent from a terminal: removing a mailbox asks its provider, over a real socket, and never waits for its leave."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from fakes.certificates import Certificates
from fakes.token_server import TokenServer, answer

GINA = "gina@google.example"


@asynccontextmanager
async def consented(installed, tmp_path, *answers, revokes=True):
    """A mailbox with a consent, and its provider's server, which gives *answers*."""
    certificates = Certificates(tmp_path / "tls")
    async with TokenServer(*answers, tls=certificates.server()).running() as server:
        revoke_url = f'revoke_url = "{server.url}"\n' if revokes else ""
        installed.config.write_text(
            f'{installed.config.read_text()}[oauth.idp]\nclient_id = "google-app"\nclient_secret = {{ env = "IDP_SECRET" }}\n'
            f'scopes = ["mail"]\ntoken_url = "{server.url}"\n{revoke_url}'
            f'[network]\nallow_private_hosts = true\nca_file = "{certificates.ca_file}"\n'
        )
        place = ("--imap", "imaps://imap.google.example", "--smtp", "-", "--secret-stdin")
        await asyncio.to_thread(installed.well, "mailbox", "add", GINA, "--oauth-app", "idp", *place, given="refresh-1")
        yield server


async def removed(installed):
    """What is said when the mailbox is removed; it is gone whatever the provider says."""
    said = await asyncio.to_thread(installed.run, "mailbox", "remove", GINA, "--yes", GINA)
    assert said.exit_code == 0, said.output
    assert await asyncio.to_thread(installed.addresses) == []
    return said.stderr


@pytest.fixture(autouse=True)
def client_secret(monkeypatch):
    monkeypatch.setenv("IDP_SECRET", "s3cret")


async def test_the_provider_is_asked_to_withdraw_the_consent(installed, tmp_path):
    async with consented(installed, tmp_path, answer(200, {})) as server:
        assert "its consent was withdrawn at the provider" in await removed(installed)
    (form,) = server.forms
    assert (form["token"], form["token_type_hint"]) == ("refresh-1", "refresh_token")


async def test_a_provider_that_refuses_keeps_nobody_from_removing_a_mailbox(installed, tmp_path):
    async with consented(installed, tmp_path, answer(400, {"error": "invalid_token"})) as server:
        assert "its consent was not withdrawn" in await removed(installed)
    assert len(server.forms) == 1


async def test_one_that_has_no_such_way_is_not_asked(installed, tmp_path):
    async with consented(installed, tmp_path, revokes=False) as server:
        assert "its consent was not withdrawn" in await removed(installed)
    assert server.forms == []


async def test_without_the_client_secret_it_is_removed_and_said(installed, tmp_path, monkeypatch):
    async with consented(installed, tmp_path) as server:
        monkeypatch.delenv("IDP_SECRET")
        said = await removed(installed)
    assert "note: the provider cannot be asked" in said
    assert "IDP_SECRET" in said
    assert server.forms == []


async def test_without_the_key_ring_it_is_removed_and_said(installed, tmp_path):
    async with consented(installed, tmp_path) as server:
        installed.ring.unlink()
        said = await removed(installed)
    assert "note: the provider cannot be asked" in said
    assert "its consent was not withdrawn" in said
    assert server.forms == []
