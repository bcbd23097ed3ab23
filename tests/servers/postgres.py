"""A throw-away PostgreSQL cluster on loopback, and a fresh database for each test.  As root it runs as the user `postgres`."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from servers.process import ServerFailedError, ServerProcess, free_port, wait_until

_OWNER, _PASSWORD = "mailwatch", "a password for tests"
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "64MB",
    # A killed process loses nothing by this, a power cut would; tests that cut the power set it.
    "fsync": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
}


def programs() -> Path | None:
    """The directory of the newest PostgreSQL's programs, which Debian keeps off the path; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("postgres")
    return Path(elsewhere).resolve().parent if elsewhere else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOptions:
    """Settings of postgresql.conf that differ."""

    settings: Mapping[str, str] = field(default_factory=dict)


class Postgres:
    """One PostgreSQL cluster below *root*; a context manager that starts and ends it."""

    def __init__(self, root: Path, options: PostgresOptions | None = None) -> None:
        bin_directory = programs()
        if bin_directory is None:
            msg = "PostgreSQL is not installed"
            raise ServerFailedError(msg)
        self.root, self.options, self.port = root, options or PostgresOptions(), free_port()
        self.log = root / "postgres.log"
        self._bin, self._data = bin_directory, root / "data"
        as_whom = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        self._as_owner = as_whom
        self.process = ServerProcess("PostgreSQL", [*as_whom, str(self._bin / "postgres"), "-D", str(self._data)], log=self.log)
        self._prepare()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, or start again on the same port; returns when it takes queries."""
        self.process.start(self.port)
        wait_until(lambda: self._run("pg_isready", "-q", check=False).returncode == 0, "PostgreSQL ready")

    def stop(self) -> None:
        """End it, cutting connections after rolling back what they had not committed (fast shutdown)."""
        self.process.stop(with_signal=signal.SIGINT)

    def crash(self) -> None:
        """End it as a crash does: nothing is flushed, and the next start recovers from the log (immediate shutdown)."""
        self.process.stop(with_signal=signal.SIGQUIT)

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """What psql answers to *statement*, by the superuser, unaligned and without headings."""
        return self._run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement).stdout.strip()

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new, empty database, dropped afterwards with every connection to it: its URL for SQLAlchemy with asyncpg."""
        name = f"test_{secrets.token_hex(6)}"
        self.sql(f'create database "{name}" owner {_OWNER}')
        try:
            yield self.url(name)
        finally:
            if self.process.running:
                self.sql(f'drop database "{name}" with (force)')

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of *database*, as its owner."""
        return f"postgresql+asyncpg://{_OWNER}:{_PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def _prepare(self) -> None:
        self.log.touch()
        if os.geteuid() == 0:
            shutil.chown(self.root, "postgres", "postgres")
        initdb = ("initdb", "-D", str(self._data), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self._run_program(*initdb, "--auth-local=trust", "--auth-host=scram-sha-256")
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.root), **self.options.settings}
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self.start()
        self.sql(f"create role {_OWNER} login password '{_PASSWORD}'")

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run_program(program, "-h", str(self.root), "-p", str(self.port), "-U", "postgres", *arguments, check=check)

    def _run_program(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command: Sequence[str] = [*self._as_owner, str(self._bin / program), *arguments]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "60"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.root, env=environment)
        if check and done.returncode:
            raise ServerFailedError(f"{program}: {done.stderr.strip()}\n{self.process.log_tail()}")
        return done
