"""`mailwatch oauth login|link|expiring`: a consent from a terminal, over real sockets."""

import asyncio
import base64
import json
import sqlite3
import sys
import time
import urllib.parse
from contextlib import asynccontextmanager, closing

import pytest

from fakes.certificates import Certificates
from fakes.token_server import TokenServer, answer
from mailwatch.core.mailbox import AuthKind
from mailwatch.sim import Dialect, ProviderSpec, World
from servers.identity import Browser

GINA, BERT = "gina@google.example", "bert@google.example"


@pytest.fixture
async def world(tmp_path):
    async with World(tmp_path / "world", seed=7) as world:
        await world.add(ProviderSpec("google", Dialect.GOOGLE, ("google.example",), AuthKind.OAUTH))
        world.open_account(GINA, "google")
        world.open_account(BERT, "google")
        yield world


def configure(installed, ca_file, more="", **urls):
    keys = "".join(f'{name} = "{value}"\n' for name, value in urls.items())
    installed.config.write_text(
        f'{installed.config.read_text()}[oauth.idp]\nclient_id = "google-app"\nclient_secret = {{ env = "IDP_SECRET" }}\n'
        f'scopes = ["mail"]\n{keys}[network]\nallow_private_hosts = true\nca_file = "{ca_file}"\n{more}'
    )


def at_sim(installed, world, more=""):
    app = world.oauth_app("google")
    authorize_url = app.authorize_url.replace("http:", "https:")  # a browser's affair: the test's one takes the plain page
    configure(installed, world.ca_file, more, token_url=app.token_url, authorize_url=authorize_url)
    installed.well("mailbox", "add", GINA, "--oauth-app", "idp", "--imap", world["google"].endpoint("imap").url, "--smtp", "-")


@asynccontextmanager
async def running(installed, secret, *arguments):
    """`mailwatch ARGUMENTS` as a process."""
    command = [sys.executable, "-m", "mailwatch", *arguments, "--config", str(installed.config)]
    pipes = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, env={"IDP_SECRET": secret, "PATH": "/usr/bin"}, **pipes)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def click(url, page_url, account, decision="allow"):
    """What the person does in the browser, up to the terminal's own page."""
    browser = Browser()
    page = browser.open(f"{page_url}?{urllib.parse.urlsplit(url).query}")
    sent = browser.open(urllib.parse.urljoin(page.url, page.action), {**page.fields, "account": account, "decision": decision})
    browser.open(urllib.parse.urljoin(sent.location, "/favicon.ico"))
    return browser.open(sent.location).text


async def login_by_browser(installed, world, account, decision="allow"):
    app = world.oauth_app("google")
    async with running(installed, app.client_secret.reveal(), "oauth", "login", GINA) as process:
        url = (await process.stdout.readline()).decode().strip()
        text = await asyncio.to_thread(click, url, app.authorize_url, account, decision)
        assert "close this window" in text
        stderr = (await process.stderr.read()).decode()
        return await process.wait(), stderr


async def test_a_browser_on_this_machine_brings_the_consent(installed, world):
    await asyncio.to_thread(at_sim, installed, world)
    code, said = await login_by_browser(installed, world, GINA)
    assert (code, said.splitlines()[-1]) == (0, f"{GINA}: consent stored, pending")

    async def stored(store):
        return await store.grants.load((await store.find(GINA)).mailbox.id)

    grant = await asyncio.to_thread(installed.with_store, stored)
    assert world["google"].tokens.owner_of_grant(grant.refresh_token.reveal()) == GINA
    assert world["google"].tokens.owner_of_access(grant.access_token.reveal()) == GINA


async def test_the_wrong_account_is_told_and_ends_with_one(installed, world):
    await asyncio.to_thread(at_sim, installed, world)
    code, said = await login_by_browser(installed, world, BERT)
    assert code == 1
    assert f"the account that signed in is {BERT}, and this mailbox is {GINA}" in said


async def test_a_denial_is_told(installed, world):
    await asyncio.to_thread(at_sim, installed, world)
    code, said = await login_by_browser(installed, world, GINA, "deny")
    assert code == 1
    assert "consent was not given at the provider" in said


async def test_where_there_is_a_device_flow_a_code_is_typed_elsewhere(installed, tmp_path):
    certificates = Certificates(tmp_path / "tls")
    begun = {"device_code": "d", "user_code": "WDJB-MJHT", "verification_uri": "https://login.example.org/device", "interval": 1}
    tokens = {"access_token": "a", "refresh_token": "r", "scope": "mail", "id_token": f"e30.{claims(email=GINA)}."}
    answers = [answer(200, begun), answer(400, {"error": "authorization_pending"}), answer(200, tokens)]
    async with TokenServer(*answers, tls=certificates.server()).running() as server:
        configure(installed, certificates.ca_file, token_url=server.url, device_url=server.url)
        add = ("mailbox", "add", GINA, "--oauth-app", "idp", "--imap", "imaps://imap.google.example", "--smtp", "-")
        await asyncio.to_thread(installed.well, *add)
        async with running(installed, "s3cret", "oauth", "login", GINA) as process:
            out, said = (text.decode() for text in await process.communicate())
        assert process.returncode == 0, said
        assert out == "WDJB-MJHT\n"
        assert "https://login.example.org/device" in said
        assert said.splitlines()[-1] == f"{GINA}: consent stored, pending"
        assert [form.get("device_code") for form in server.forms] == [None, "d", "d"]


def claims(**fields):
    return base64.urlsafe_b64encode(json.dumps({"aud": "google-app", **fields}).encode()).decode().rstrip("=")


def test_a_link_for_the_owner_is_made_of_the_outside_address(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("IDP_SECRET", "s3cret")
    more = '[web]\nexternal_url = "https://mailwatch.example.org/team"\n'
    urls = {"token_url": "https://login.example.org/token", "authorize_url": "https://login.example.org/authorize"}
    configure(installed, Certificates(tmp_path / "tls").ca_file, more, **urls)
    installed.well("mailbox", "add", GINA, "--oauth-app", "idp", "--imap", "imaps://imap.google.example", "--smtp", "-")
    link = installed.well("oauth", "link", GINA).strip()
    assert link.startswith("https://mailwatch.example.org/team/reconnect?key=")
    assert link != installed.well("oauth", "link", GINA).strip()


def test_who_has_no_consent_to_give_is_told(installed, monkeypatch):
    installed.fill(1)
    said = installed.run("oauth", "login", "user0@example.org")
    assert (said.exit_code, "logs in with a password" in said.stderr) == (2, True)
    assert installed.run("oauth", "link", "user0@example.org").exit_code == 2
    assert installed.run("oauth", "login", "nobody@example.org").exit_code == 2


def test_a_client_secret_that_cannot_be_read_is_a_fault_of_the_configuration(installed, tmp_path):
    configure(installed, Certificates(tmp_path / "tls").ca_file, token_url="https://login.example.org/token")
    installed.well("mailbox", "add", GINA, "--oauth-app", "idp", "--imap", "imaps://imap.google.example", "--smtp", "-")
    said = installed.run("oauth", "login", GINA)
    assert (said.exit_code, "IDP_SECRET" in said.stderr) == (78, True)


async def test_consents_that_end_soon_are_listed(installed, world):
    await asyncio.to_thread(at_sim, installed, world)
    said = await asyncio.to_thread(installed.run, "oauth", "expiring")
    assert (said.exit_code, said.stdout) == (0, "")
    assert "no consent ends within 3 days" in said.stderr
    with closing(sqlite3.connect(installed.database)) as database, database:
        ends_at = int((time.time() + 86_400) * 1_000_000)
        assert database.execute("UPDATE grants SET consent_ends_at = ?", (ends_at,)).rowcount == 1
    listed = await asyncio.to_thread(installed.well, "oauth", "expiring")
    assert listed.split()[2:] == [GINA, "idp"]
    (told,) = (await asyncio.to_thread(installed.json, "oauth", "expiring"))["consents"]
    assert (told["address"], told["oauth_app"], told["mailbox"][:3]) == (GINA, "idp", "mb_")
