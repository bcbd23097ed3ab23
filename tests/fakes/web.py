"""The whole web side over a real database: store, desk, accounts, gate and the application, served on a real socket."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import aiohttp
from argon2 import PasswordHasher
from sqlalchemy import insert

from contract.fleet import add, oauth_mailbox, password_mailbox
from fakes.ports import FakeClock, FakeLog
from mailwatch.config import Settings
from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import Policy
from mailwatch.core.secret import Secret
from mailwatch.desk.accounts import Accounts
from mailwatch.desk.acts import Desk
from mailwatch.desk.bulk import Bulk
from mailwatch.desk.newcomers import Newcomers
from mailwatch.desk.passwords import Passwords
from mailwatch.desk.quiet_hosts import QuietHosts
from mailwatch.desk.sending import SendingGate
from mailwatch.ports import Act
from mailwatch.ports.people import Role
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from mailwatch.store.schema import refusals
from mailwatch.web.app import make_app
from mailwatch.web.server import WebServer, listen
from mailwatch.web.surface import Probing, Surface, WebSettings

BY = Act("cli:test", "test", "cli")
PASSWORD = Secret("a long enough password")
#: As quick as argon2 can be: what is tested is not how hard it is.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Daemon:
    """What the process tells of itself."""

    def __init__(self):
        self.reason, self.fault, self.reloads, self.accepted = None, None, 0, []

    async def metrics(self, accept):
        self.accepted.append(accept)
        return b"mailwatch_up 1\n", "text/plain; version=1.0.0; charset=utf-8"

    async def reload(self):
        self.reloads += 1
        return self.fault

    def probing(self):
        return Probing(self.metrics, lambda: self.reason, lambda: {"version": "1", "states": {"connected": 3}}, self.reload)


@dataclass
class Rig:
    """An application, what is behind it, and a client in front."""

    store: SqlStore
    surface: Surface
    clock: FakeClock
    log: FakeLog
    daemon: Daemon
    app: Any
    tokens: dict[str, str]
    client: aiohttp.ClientSession | None = None
    url: str = ""

    def bearer(self, role="admin"):
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    async def ask(self, method, path, given=None, *, role="admin", headers=None, **options):
        """Status, headers and document of the answer to a request with a token of *role* (None: without one)."""
        sent = {**(self.bearer(role) if role else {}), **(headers or {})}
        async with self.client.request(method, path, json=given, headers=sent, allow_redirects=False, **options) as answer:
            text = await answer.text()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return answer.status, answer.headers, (await answer.json(content_type=None)) if is_json and text else text

    async def fill(self, count=3, *, oauth=0):
        """Mailboxes mb_0000 …, the last *oauth* of them with consents."""
        await add(self.store, *(password_mailbox(n) for n in range(count)), due_at=self.clock.now())
        await add(self.store, *(oauth_mailbox(n) for n in range(count, count + oauth)), due_at=self.clock.now())

    async def gate_follows(self):
        await self.surface.gate.follow()


async def make_rig(path, *, settings=None, consents=None, endpoints=None):
    """A rig on a database file at *path*; close `rig.store` at the end."""
    url = f"sqlite:///{path}"
    await migrate(url)
    clock, log, daemon = FakeClock(), FakeLog(), Daemon()
    store = SqlStore(url, Vault(KeyRing.generate()), clock, node="web")
    await store.open()
    desk = Desk(store, clock)
    config = Settings.model_validate({"oauth": {"outreach": {"kind": "google", "client_id": "x"}}})
    surface = Surface(
        probing=daemon.probing(),
        store=store,
        pages=store.pages,
        campaigns=store.campaigns,
        outbox=store.outbox,
        people=store.people,
        jobs=store.jobs,
        desk=desk,
        bulk=Bulk(store.jobs, desk, store.pages, clock),
        accounts=Accounts(store.people, clock, passwords=Passwords(QUICK)),
        consents=None if consents is None else consents(store, clock),
        gate=SendingGate(store.sending, clock, CampaignPolicy(), log),
        clock=clock,
        log=log,
        settings=settings or WebSettings(),
        newcomers=Newcomers(store, clock, lambda: config),
        endpoints=lambda: endpoints or {},
        findings=store.findings,
        incidents=store.incidents,
        maintenance=store.maintenance,
        quiet_hosts=QuietHosts(store, clock, lambda: SimpleNamespace(policy=Policy(), pace_of=lambda _gate: Pace())),
    )
    tokens = {role.value: (await surface.accounts.create_token(role.value, role, None, BY))[1] for role in Role}
    return Rig(store, surface, clock, log, daemon, make_app(surface), tokens)


@asynccontextmanager
async def served(path, **options):
    """A rig, served on loopback, with a client that keeps cookies."""
    async with AsyncExitStack() as stack:
        rig = await make_rig(path, **options)
        stack.push_async_callback(rig.store.close)
        server = WebServer(rig.app, listen("127.0.0.1:0"))
        server.start()
        stack.push_async_callback(server.stop)
        rig.url = server.url
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an IP address
        rig.client = await stack.enter_async_context(aiohttp.ClientSession(server.url, cookie_jar=jar))
        yield rig
        await asyncio.sleep(0)


def with_settings(rig, **changes):
    """The same surface under other settings."""
    return replace(rig.surface, settings=replace(rig.surface.settings, **changes))


async def refused(store, at, times):
    """So many logins were refused at the host of the mailboxes, by whatever node saw it."""
    row = {"host": "imap.example.org", "mailbox_id": None, "generation": 1, "at": at, "kind": "refused"}
    rows = [{**row, "operation": f"refused {number}"} for number in range(times)]

    async def work(attempt):
        await attempt.connection.execute(insert(refusals), rows)

    await store._database.write(work)
