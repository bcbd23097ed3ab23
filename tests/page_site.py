"""A real site for the tests of the page: the application over SqlStore on SQLite, served by uvicorn on loopback, in a thread.

Nothing is stood in for but the probes: mailboxes change state by the same decisions that probes bring.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final, Self

from mailwatch.core import acts
from mailwatch.core.campaigns import Campaign, CampaignState
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Evidence
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Endpoint, Mailbox, Protocol
from mailwatch.core.secret import Secret
from mailwatch.core.standing import ChannelHealth, Decision, Standing
from mailwatch.core.walk import Why, walk
from mailwatch.desk.accounts import Accounts
from mailwatch.desk.acts import Desk
from mailwatch.desk.bulk import Bulk
from mailwatch.desk.passwords import Passwords
from mailwatch.desk.sending import SendingGate
from mailwatch.ports import Act, NewMailbox
from mailwatch.ports.people import Role
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from mailwatch.web.app import make_app
from mailwatch.web.server import WebServer, listen
from mailwatch.web.surface import Probing, Surface, WebSettings

ADMIN, PASSWORD = "ada", "correct-horse-battery-staple"
BY = Act("cli:test", "test")
IMAP, SMTP = Protocol.IMAP, Protocol.SMTP


class WallClock:
    """The time, as the daemon's own clock gives it."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()


class QuietLog:
    """Keeps what was told, for a look when a test fails."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.events.append(("info", event, fields))

    def warning(self, event: str, **fields: Any) -> None:
        self.events.append(("warning", event, fields))

    def error(self, event: str, **fields: Any) -> None:
        self.events.append(("error", event, fields))


@dataclass(frozen=True)
class World:
    """What the application was made of, for tests to change underneath it."""

    store: SqlStore
    surface: Surface
    accounts: Accounts
    status: dict[str, Any]


class Site:
    """The running application; its methods are called from the test's thread."""

    def __init__(self, folder: Path, **surface: Any) -> None:
        self._folder = folder
        self._changes = surface
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="page-site", daemon=True)
        self.log = QuietLog()
        self.world: World
        self._server: WebServer
        self._duties: list[asyncio.Task[None]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.do(self._start)
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._stop)
        self.do(self._loop.shutdown_default_executor)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=120)
        self._loop.close()

    @property
    def url(self) -> str:
        return self._server.url

    def do(self, work: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """Run a coroutine function in the site's loop; its result."""

        async def whole() -> Any:
            return await work(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(whole(), self._loop).result(timeout=180)

    # --- life ---

    async def _start(self) -> None:
        url = f"sqlite:///{self._folder / 'mailwatch.db'}"
        await migrate(url)
        clock, keyring = WallClock(), KeyRing.generate()
        store = SqlStore(url, Vault(keyring), clock, node="page-site")
        await store.open()
        desk = Desk(store, clock)
        bulk = Bulk(store.jobs, desk, store.pages, clock)
        gate = SendingGate(store.sending, clock, store.campaign_policy, self.log)
        status: dict[str, Any] = {"sentence": "", "states": {}, "self_connectivity": "up"}
        accounts = Accounts(store.people, clock, passwords=self._changes.pop("passwords", None) or Passwords())

        async def render(_: str) -> tuple[bytes, str]:
            return b"", "text/plain"

        async def reload() -> str | None:
            return None

        surface = Surface(
            probing=Probing(render, lambda: None, lambda: status, reload),
            store=store,
            pages=store.pages,
            campaigns=store.campaigns,
            outbox=store.outbox,
            people=store.people,
            jobs=store.jobs,
            desk=desk,
            bulk=bulk,
            accounts=accounts,
            consents=None,
            gate=gate,
            clock=clock,
            log=self.log,
            settings=WebSettings(requests_per_minute=60_000),
            findings=store.findings,
            incidents=store.incidents,
            maintenance=store.maintenance,
        )
        surface = replace(surface, **{name: make(surface) if callable(make) else make for name, make in self._changes.items()})
        self.world = World(store, surface, accounts, status)
        self.app = make_app(surface)
        self._server = WebServer(self.app, listen("127.0.0.1:0"))
        self._server.start()
        self._duties = [asyncio.create_task(duty) for duty in (gate.run(), self._work_off(bulk), self._count(store, status))]

    async def _stop(self) -> None:
        for duty in self._duties:
            duty.cancel()
        await asyncio.gather(*self._duties, return_exceptions=True)
        close = getattr(self.app.state, "close_streams", None)
        if close is not None:
            close()
        await self._server.stop()
        await self.world.store.close()

    async def _work_off(self, bulk: Bulk) -> None:
        while True:
            if not await bulk.run_waiting():
                await asyncio.sleep(0.05)

    async def _count(self, store: SqlStore, status: dict[str, Any]) -> None:
        while True:
            with suppress(Exception):
                states: dict[str, int] = {}
                for (_, state), number in (await store.counts()).items():
                    states[state.value] = states.get(state.value, 0) + number
                told = ", ".join(f"{number} {state}" for state, number in states.items())
                status.update(states=states, sentence=f"{sum(states.values())} mailboxes: {told}" if states else "no mailboxes yet")
            await asyncio.sleep(0.2)

    # --- what tests fill it with ---

    def add_user(self, name: str = ADMIN, role: Role = Role.ADMIN, password: str = PASSWORD) -> None:
        self.do(self.world.accounts.add_user, name, Secret(password), role, BY)

    def cookie(self, name: str = ADMIN, password: str = PASSWORD) -> str:
        """The session cookie of somebody who has just signed in."""
        secret, _ = self.do(self.world.accounts.sign_in, name, Secret(password))
        return str(secret)

    def add(self, address: str, state: State = State.CONNECTED, failure: Evidence | None = None, **fields: Any) -> str:
        """A mailbox that came to *state* as probes would bring it there; its id."""
        return str(self.do(self._add, address, state, failure, fields))

    async def _add(self, address: str, state: State, failure: Evidence | None, fields: dict[str, Any]) -> str:
        host = address.rpartition("@")[2]
        values = {
            "id": "mb_" + address.replace("@", "_at_").replace(".", "_").replace("+", "_")[:50],
            "address": address,
            "username": address,
            "auth": AuthKind.PASSWORD,
            "imap": Endpoint.parse(f"imaps://imap.{host}"),
            "smtp": Endpoint.parse(f"smtps://smtp.{host}"),
            "provider": "other",
            "created_at": datetime.now(UTC) - timedelta(days=3),
        } | fields
        (mailbox_id,) = await self.world.store.add(
            [NewMailbox(Mailbox(**values), Secret("hunter2-never-shown"))], BY, first_due_at=lambda _: datetime.now(UTC)
        )
        for trigger in WAYS[state]:
            await self._move(mailbox_id, trigger, failure)
        return mailbox_id

    def move(self, mailbox_id: str, *triggers: Trigger, failure: Evidence | None = None) -> None:
        """Let something happen to a mailbox, as a probe or a person would."""
        for trigger in triggers:
            self.do(self._move, mailbox_id, trigger, failure)

    async def _move(self, mailbox_id: str, trigger: Trigger, failure: Evidence | None) -> None:
        now = datetime.now(UTC)
        diagnosis = diagnose(failure) if failure is not None and trigger in FAILING else None

        def decide(standing: Standing) -> Decision:
            if trigger in BY_HAND:
                return BY_HAND[trigger](standing, now)
            cause = diagnosis.cause if diagnosis is not None else None
            channels = {one: ChannelHealth(healthy=cause is None or one is SMTP, since_at=now, cause=cause) for one in (IMAP, SMTP)}
            after = replace(standing, cause=cause, channels=channels, last_probe_at=now, due_at=now + timedelta(minutes=5))
            if diagnosis is None:
                after = replace(after, last_success_at=now, proven=True)
            evidence = failure if diagnosis is not None else None
            why = Why(protocol=IMAP if evidence else None, diagnosis=diagnosis, evidence=evidence)
            return Decision(standing, *walk(after, (trigger,), now, why))

        await self.world.store.change(mailbox_id, decide, Act("mailwatch", f"test.{trigger}"))

    def add_campaign(self, campaign_id: str, *mailbox_ids: str, name: str | None = None) -> None:
        now = datetime.now(UTC)
        campaign = Campaign(
            campaign_id, name or campaign_id, CampaignState.ACTIVE, now, now, position="row 17", mailboxes=mailbox_ids
        )
        self.do(self.world.store.campaigns.add, campaign, BY)

    def state(self, mailbox_id: str) -> State:
        return self.do(self.world.store.find, mailbox_id).standing.state

    def campaign(self, campaign_id: str) -> Any:
        return self.do(self.world.store.campaigns.find, campaign_id)


FAILING: Final = (Trigger.PROBE_FAILED, Trigger.FAILURE_CONFIRMED, Trigger.PERSON_NEEDED)
BY_HAND: Final[dict[Trigger, Callable[[Standing, datetime], Decision]]] = {
    Trigger.DISCONNECT: lambda standing, now: acts.disconnect(standing, now, "cli:test"),
    Trigger.RECONNECT: lambda standing, now: acts.reconnect(standing, now, "cli:test"),
    Trigger.RELEASE: lambda standing, now: acts.release(standing, now, "cli:test"),
    Trigger.HOLD: lambda standing, now: acts.hold(standing, now, "cli:test", Cause.WARMUP_PAUSE, None),
}
#: How a mailbox comes to each state.
WAYS: Final = {
    State.PENDING: (),
    State.CONNECTED: (Trigger.PROBE_SUCCEEDED,),
    State.SUSPECT: (Trigger.PROBE_SUCCEEDED, Trigger.PROBE_FAILED),
    State.RECONNECTING: (Trigger.PROBE_SUCCEEDED, Trigger.PROBE_FAILED, Trigger.FAILURE_CONFIRMED),
    State.VERIFYING: (Trigger.PROBE_SUCCEEDED, Trigger.PROBE_FAILED, Trigger.FAILURE_CONFIRMED, Trigger.PROBE_SUCCEEDED),
    State.BLOCKED: (Trigger.PROBE_SUCCEEDED, Trigger.PROBE_FAILED, Trigger.PERSON_NEEDED),
    State.HELD: (Trigger.PROBE_SUCCEEDED, Trigger.HOLD),
    State.INACTIVE: (Trigger.PROBE_SUCCEEDED, Trigger.DISCONNECT),
}
