"""`daemon(…)`: a daemon on a SQLite file of the test's own, with a prober that answers as scripted."""

import asyncio
import random
import socket
from datetime import timedelta

import pytest

from contract.fleet import add, password_mailbox
from fakes.certificates import Certificates
from fakes.ports import FakeLog, FakeProber
from mailwatch import __version__
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import Policy
from mailwatch.daemon import Daemon, Parts, SystemClock
from mailwatch.daemon.parts import Tuning
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from mailwatch.telemetry.metrics import Metrics
from mailwatch.telemetry.systemd import Notifier

FAST = Pace(max_connections=1000, logins_per_minute=60_000.0, burst=1000)


def a_tuning(max_in_flight=100, **policy):
    """Values with which nothing waits for its turn."""
    return Tuning(policy=Policy(**policy), paces={}, other=FAST, max_in_flight=max_in_flight)


class Systemd:
    """systemd's end of the notification socket."""

    def __init__(self, path):
        self._receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._receiver.bind(str(path))
        self._receiver.setblocking(False)
        self.path = str(path)

    def told(self):
        """The datagrams since the last look."""
        datagrams = []
        while True:
            try:
                datagrams.append(self._receiver.recv(4096).decode())
            except BlockingIOError:
                return datagrams

    def close(self):
        self._receiver.close()


class Stage:
    """A database with its key ring, and the daemons made on it."""

    def __init__(self, folder, systemd):
        self.url = f"sqlite:///{folder / 'mailwatch.db'}"
        self.keyring = KeyRing.generate()
        self.systemd = systemd
        self.log, self.prober = FakeLog(), FakeProber()
        self.daemons = []

    def store(self, node="a"):
        return SqlStore(self.url, Vault(self.keyring), SystemClock(), node=node)

    async def fill(self, count):
        """Add mailboxes that are due."""
        store = self.store("setup")
        await store.open()
        await add(store, *(password_mailbox(number) for number in range(count)), due_at=SystemClock().now() - timedelta(minutes=1))
        await store.close()

    def daemon(self, *, watchdog_seconds=None, **parts):
        environ = {"NOTIFY_SOCKET": self.systemd.path}
        if watchdog_seconds is not None:
            environ["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1_000_000))
        values = {
            "store": self.store(),
            "prober": self.prober,
            "metrics": Metrics([], __version__),
            "log": self.log,
            "clock": SystemClock(),
            "tuning": a_tuning(),
            "listen": "127.0.0.1:0",
            "notifier": Notifier(environ),
            "node": "a",
            "rng": random.Random(1),
            "tick_seconds": 0.02,
        } | parts
        self.daemons.append(Daemon(Parts(**values)))
        return self.daemons[-1]

    def is_over(self, daemon):
        """Whether *daemon* needs no stopping: never started, or stopped."""
        return daemon._web is None or daemon._web._task.done()

    async def until(self, condition, what):
        end = asyncio.get_running_loop().time() + 120
        while not condition():
            assert asyncio.get_running_loop().time() < end, f"waited for {what}; log: {self.log.events}"
            await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A root and what it (or a stranger) signs."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def stage(tmp_path, monkeypatch, no_task_left_behind):
    monkeypatch.setattr(Daemon._close, "__defaults__", (120.0,))  # CLOSE_SECONDS: a disk that is slow for a while is no failure
    systemd = Systemd(tmp_path / "notify")
    made = Stage(tmp_path, systemd)
    await migrate(made.url)
    try:
        yield made
    finally:
        for daemon in made.daemons:
            if not made.is_over(daemon):
                await daemon.shutdown()
        systemd.close()
