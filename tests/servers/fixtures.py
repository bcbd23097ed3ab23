"""The servers as pytest fixtures.  A server whose program is absent is a skip with the reason; in CI it is a failure."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from servers.authority import Authority
from servers.dovecot import Dovecot
from servers.dovecot_config import DovecotOptions
from servers.postfix import Postfix, PostfixOptions
from servers.postgres import Postgres, PostgresOptions
from servers.presence import need_dovecot, need_postfix, need_postgres
from servers.process import private_directory

#: What the fixtures `start_dovecot` and `start_postfix` are.
StartDovecot = Callable[..., Dovecot]
StartPostfix = Callable[..., Postfix]

Server = TypeVar("Server", Dovecot, Postfix, Postgres)

#: Servers that the running test started for itself.
_STARTED: list[Dovecot | Postfix | Postgres] = []


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The certificate authority that all servers of this run are certified by."""
    return Authority()


@pytest.fixture(scope="session")
def ca_file(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority's certificate, for a client's `cafile`."""
    return authority.write_ca(tmp_path_factory.mktemp("authority") / "ca.pem")


@pytest.fixture(scope="session")
def dovecot(authority: Authority) -> Iterator[Dovecot]:
    """A Dovecot for all tests that leave it as it is; those that change or stop it start their own with `start_dovecot`."""
    need_dovecot()
    with private_directory("dovecot") as root, Dovecot(root, authority=authority) as server:
        yield server


@pytest.fixture(scope="session")
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    """A Postfix in front of `dovecot`, for all tests that leave both as they are."""
    need_postfix()
    with private_directory("postfix") as root, Postfix(root, dovecot) as server:
        yield server


def started(running: ExitStack, server: Server) -> Server:
    """Start *server* until *running* is left."""
    _STARTED.append(server)
    running.callback(_STARTED.remove, server)
    return running.enter_context(server)


@pytest.fixture
def start_dovecot(authority: Authority) -> Iterator[StartDovecot]:
    """`start_dovecot(**options)` starts a Dovecot of the test's own; options are the fields of DovecotOptions."""
    need_dovecot()
    with ExitStack() as running:

        def start(*, with_relay: bool = True, **options: Any) -> Dovecot:
            root = running.enter_context(private_directory("dovecot"))
            server = Dovecot(root, DovecotOptions(**options), authority=authority, with_relay=with_relay)
            return started(running, server)

        yield start


@pytest.fixture
def start_postfix(start_dovecot: StartDovecot) -> Iterator[StartPostfix]:
    """`start_postfix(dovecot, **options)` starts a Postfix of the test's own, before *dovecot* or before a new one."""
    need_postfix()
    with ExitStack() as running:

        def start(dovecot: Dovecot | None = None, **options: Any) -> Postfix:
            root = running.enter_context(private_directory("postfix"))
            return started(running, Postfix(root, dovecot or start_dovecot(), PostfixOptions(**options)))

        yield start


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for all tests that leave it running."""
    need_postgres()
    with private_directory("postgres") as root, Postgres(root) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The SQLAlchemy URL (asyncpg) of a database of the test's own, empty."""
    with postgres.database() as url:
        yield url


@pytest.fixture
def start_postgres() -> Iterator[Callable[..., Postgres]]:
    """`start_postgres(**settings)` starts a PostgreSQL of the test's own, which it may stop, crash or freeze."""
    need_postgres()
    with ExitStack() as running:

        def start(**settings: str) -> Postgres:
            root = running.enter_context(private_directory("postgres"))
            return started(running, Postgres(root, PostgresOptions(settings=settings)))

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the end of the logs of the servers it ran against."""
    report = yield
    if report.failed:
        for server in (*_STARTED, *getattr(item, "funcargs", {}).values()):
            if isinstance(server, Dovecot | Postfix | Postgres):
                report.sections.append((f"log of {type(server).__name__}", server.process.log_tail()))
    return report
