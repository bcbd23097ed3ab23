"""A small world of simulated providers, and plain clients of the standard library to talk to it."""

import asyncio
import contextlib
import imaplib
import json
import smtplib
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from mailwatch.core.mailbox import AuthKind, Protocol, TlsMode
from mailwatch.sim import Dialect, ProviderSpec, World

TIMEOUT = 60
_SILENT_TURNS = 50


class Client:
    """Blocking clients, each run in a thread; every socket is closed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.context = world.authority.client_context()

    def _imap(self, provider: str, mode: TlsMode) -> imaplib.IMAP4:
        endpoint = self.world[provider].endpoint(Protocol.IMAP, mode)
        if mode is TlsMode.IMPLICIT:
            return imaplib.IMAP4_SSL(endpoint.host, endpoint.port, ssl_context=self.context, timeout=TIMEOUT)
        client = imaplib.IMAP4(endpoint.host, endpoint.port, timeout=TIMEOUT)
        client.starttls(self.context)
        return client

    async def imap(self, provider: str, use: Callable[[imaplib.IMAP4], Any], mode: TlsMode = TlsMode.IMPLICIT) -> Any:
        def run() -> Any:
            client = self._imap(provider, mode)
            try:
                return use(client)
            finally:
                with contextlib.suppress(OSError):  # a LOGOUT has closed it
                    client.shutdown()

        return await asyncio.to_thread(run)

    async def login(self, address: str, provider: str, password: str | None = None) -> str:
        """What IMAP LOGIN says: `OK`, or the words of the refusal."""
        secret = self.world.accounts[address].password if password is None else password

        def use(client: imaplib.IMAP4) -> str:
            try:
                return client.login(address, secret)[0]
            except imaplib.IMAP4.error as error:
                return error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])

        return await self.imap(provider, use)

    async def smtp(self, provider: str, use: Callable[[smtplib.SMTP], Any], mode: TlsMode = TlsMode.IMPLICIT) -> Any:
        endpoint = self.world[provider].endpoint(Protocol.SMTP, mode)

        def run() -> Any:
            if mode is TlsMode.IMPLICIT:
                client: smtplib.SMTP = smtplib.SMTP_SSL(endpoint.host, endpoint.port, context=self.context, timeout=TIMEOUT)
            else:
                client = smtplib.SMTP(endpoint.host, endpoint.port, timeout=TIMEOUT)
                client.starttls(context=self.context)
            try:
                client.ehlo("client.example")
                return use(client)
            finally:
                client.close()

        return await asyncio.to_thread(run)

    async def smtp_login(self, address: str, provider: str) -> tuple[int, str]:
        """What AUTH PLAIN says."""
        password = self.world.accounts[address].password

        def use(client: smtplib.SMTP) -> tuple[int, str]:
            client.user, client.password = address, password
            try:
                code, words = client.auth("PLAIN", client.auth_plain)
            except smtplib.SMTPResponseException as error:
                code, words = error.smtp_code, error.smtp_error
            return code, words.decode() if isinstance(words, bytes) else words

        return await self.smtp(provider, use)

    async def token(self, provider: str, refresh_token: str, **changes: str) -> tuple[int, Any, dict[str, str]]:
        """The token endpoint's status, document and headers."""
        app = self.world.oauth_app(provider)
        assert app.client_secret is not None
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": app.client_id,
            "client_secret": app.client_secret.reveal(),
        } | changes
        body = urllib.parse.urlencode(form).encode()

        def run() -> tuple[int, Any, dict[str, str]]:
            try:
                with urllib.request.urlopen(app.token_url, body, context=self.context, timeout=TIMEOUT) as answer:
                    return answer.status, json.loads(answer.read()), dict(answer.headers)
            except urllib.error.HTTPError as error:
                with error:
                    text = error.read().decode()
                    return error.code, json.loads(text) if text.startswith("{") else text, dict(error.headers)

        return await asyncio.to_thread(run)

    async def lines(
        self,
        provider: str,
        protocol: Protocol,
        send: bytes = b"",
        *,
        mode: TlsMode = TlsMode.IMPLICIT,
        then: tuple[bytes, Callable[[], object]] | None = None,
    ) -> bytes:
        """All that a server says to *send* until it closes or falls silent for half a second.

        *then* is what to do once the server has said something.

        In turns of the loop, which the server shares: seconds in which nobody had any are no silence.
        """
        endpoint = self.world[provider].endpoint(protocol, mode)
        tls = self.context if mode is TlsMode.IMPLICIT else None
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=tls)
        writer.write(send)
        got = b""
        try:
            silent_turns = 0
            while silent_turns < _SILENT_TURNS:
                try:
                    chunk = await asyncio.wait_for(reader.read(65_536), 0.01)
                except TimeoutError:
                    silent_turns += 1
                    continue
                if not chunk:
                    break
                got, silent_turns = got + chunk, 0
                if then is not None and then[0] in got:
                    then[1]()
                    then = None
        except (ConnectionResetError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()
        return got


@pytest.fixture
async def world(tmp_path):
    async with World(tmp_path / "world", seed=7) as world:
        await world.add(ProviderSpec("hoster", Dialect.HOSTER, ("hoster.example",), sessions_per_account=2))
        await world.add(ProviderSpec("google", Dialect.GOOGLE, ("google.example",), AuthKind.OAUTH))
        await world.add(ProviderSpec("microsoft", Dialect.MICROSOFT, ("ms.example", "tenant.example"), AuthKind.OAUTH))
        await world.add(ProviderSpec("yahoo", Dialect.YAHOO, ("yahoo.example",)))
        for address, provider in (
            ("anna@hoster.example", "hoster"),
            ("ben@hoster.example", "hoster"),
            ("gina@google.example", "google"),
            ("mia@ms.example", "microsoft"),
            ("theo@tenant.example", "microsoft"),
            ("yara@yahoo.example", "yahoo"),
        ):
            world.open_account(address, provider)
        yield world


@pytest.fixture
def client(world):
    return Client(world)
