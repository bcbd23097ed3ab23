"""A whole mailwatch whose mailboxes are opened by consent: a real identity provider under TLS, and a real Dovecot that asks it."""

import asyncio
import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

from fakes.tls_proxy import TlsProxy
from integration.node import Node
from mailwatch.core.secret import Secret
from mailwatch.store import KeyRing, SqlStore, Vault
from page_site import WallClock
from servers.identity import CLIENT, CLIENT_SECRET, SCOPES, identity_provider, introspecting_dovecot

APP = """
[oauth.idp]
client_id = "{client}"
client_secret = {{ file = "{root}/client-secret" }}
token_url = "{url}/token"
authorize_url = "{url}/authorize"
revoke_url = "{url}/revoke"
userinfo_url = "{url}/userinfo"
scopes = [{scopes}]
"""


class OAuthPlace:
    """The provider, how browsers reach it, the mail server, the node; the node is not started yet."""

    def __init__(self, provider, front, dovecot, node, password=None):
        self.provider, self.front, self.dovecot, self.node, self.password = provider, front, dovecot, node, password

    def add(self, user, secret, **fields):
        """Import the mailbox of *user*, opened by the refresh token *secret*; its id."""
        address = f"{user}@mail.test"
        row = {
            "address": address,
            "imap": f"imaps://localhost:{self.dovecot.imaps_port}",
            "smtp": f"smtps://localhost:{self.dovecot.submissions_port}",
            "username": address,
            "auth": "oauth",
            "oauth_app": "idp",
            "secret": secret,
            **fields,
        }
        rows = self.node.root / "import.jsonl"
        rows.write_text(json.dumps(row) + "\n")
        self.node.verb("mailbox", "import", str(rows), "--format", "jsonl")
        rows.unlink()
        return self.id_of(address)

    def id_of(self, address):
        """The id of a mailbox."""
        return json.loads(self.node.verb("mailbox", "show", address, "--json"))["id"]

    def grant(self, mailbox_id):
        """(refresh token, access token or None) as they are stored."""

        async def load():
            keyring = KeyRing.read((self.node.root / "keyring.json").read_text())
            password = Secret(self.password.read_text()) if self.password else None
            store = SqlStore(self.node.store, Vault(keyring), WallClock(), node="onlooker", password=password)
            await store.open()
            try:
                grant = await store.grants.load(mailbox_id)
            finally:
                await store.close()
            return grant.refresh_token.reveal(), grant.access_token.reveal() if grant.access_token else None

        with ThreadPoolExecutor(1) as aside:  # a browser's own loop may be running here
            return aside.submit(asyncio.run, load()).result()

    def take_back(self, mailbox_id):
        """The owner ends mailwatch's access in the provider's settings."""
        self.provider.revoke(*(token for token in self.grant(mailbox_id) if token))


@contextlib.contextmanager
def oauth_place(root, authority, *, extra="", **options):
    """All of it below *root*."""
    root.mkdir()
    secret = root / "client-secret"
    secret.write_text(CLIENT_SECRET)
    secret.chmod(0o600)
    with (
        identity_provider() as provider,
        introspecting_dovecot(provider, authority) as dovecot,
        TlsProxy(root / "proxy", authority, provider.url) as front,
    ):
        scopes = ", ".join(f'"{scope}"' for scope in SCOPES)
        app = APP.format(client=CLIENT, root=root, url=front.url, scopes=scopes)
        with Node(root / "node", options.pop("ca_file", dovecot.ca_file), interval=2, extra=extra + app, **options) as node:
            yield OAuthPlace(provider, front, dovecot, node, options.get("password"))
