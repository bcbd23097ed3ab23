"""How verbs that touch the database find and open it: settings, key ring, store, and who is acting."""

import asyncio
import getpass
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from mailwatch.cli.output import CliError, ExitCode
from mailwatch.ports import Act

if TYPE_CHECKING:
    from mailwatch.config import SecretReference, Settings
    from mailwatch.core.secret import Secret
    from mailwatch.store import KeyRing, SqlStore

T = TypeVar("T")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The configuration file (default: $MAILWATCH_CONFIG, ./mailwatch.toml, /etc/mailwatch/mailwatch.toml).",
        show_default=False,
        readable=False,  # looked at when it is opened: an unreadable file is no wrong usage, and ends with the code of permissions
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


class WallClock:
    """The machine's clocks; implements `ports.Clock`."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never backwards."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Opened:
    """A store, and what a verb needs beside it."""

    store: "SqlStore"
    settings: "Settings"
    clock: WallClock
    actor: str

    def act(self, action: str) -> Act:
        """What the audit log is told of this verb."""
        return Act(self.actor, action, "cli")


def settings_of(config: Path | None) -> "Settings":
    """The settings in force; raises CliError with every fault."""
    from mailwatch.config import ConfigError, load, locate  # noqa: PLC0415  # pydantic is slow to import: verbs that need it pay

    try:
        return load(locate(config))
    except ConfigError as error:
        raise CliError(f"the configuration cannot be used:\n{error}", ExitCode(error.exit_code)) from None


def read_secret(reference: "SecretReference") -> "Secret":
    """What *reference* points to; raises CliError with the cure."""
    from mailwatch.config import SecretReferenceError  # noqa: PLC0415  # as above

    try:
        return reference.read()
    except SecretReferenceError as error:
        raise CliError(str(error), ExitCode(error.exit_code)) from None


def keyring_of(settings: "Settings") -> "KeyRing":
    """The key ring that the settings point to; raises CliError, SecretUnreadableError."""
    from mailwatch.config import SecretReferenceError  # noqa: PLC0415  # as above
    from mailwatch.config.pointing import keyring_words  # noqa: PLC0415  # as above
    from mailwatch.store import KeyRing  # noqa: PLC0415  # SQLAlchemy is slow to import

    try:
        text = settings.secrets.keyring.read()
    except SecretReferenceError as error:
        raise CliError(keyring_words(error, settings), ExitCode(error.exit_code)) from None
    return KeyRing.read(text.reveal())


def database_password(settings: "Settings") -> "Secret | None":
    """PostgreSQL's password, when the settings point to one."""
    return None if settings.store.password is None else read_secret(settings.store.password)


@asynccontextmanager
async def open_store(config: Path | None, *, keys: bool = True) -> AsyncIterator[Opened]:
    """The store that the configuration names, beside a running daemon if there is one; *keys* False opens no secret."""
    from mailwatch.config.policy import to_campaign_policy  # noqa: PLC0415  # as above
    from mailwatch.store import SqlStore, Vault  # noqa: PLC0415  # SQLAlchemy is slow to import

    settings = settings_of(config)
    vault = Vault(keyring_of(settings)) if keys else Vault.closed()
    clock = WallClock()
    store = SqlStore(settings.store.url, vault, clock, node=f"cli-{os.getpid()}", password=database_password(settings))
    store.campaign_policy = to_campaign_policy(settings)
    await store.open()
    try:
        yield Opened(store, settings, clock, actor())
    finally:
        await store.close()


def with_store(config: Path | None, work: Callable[[Opened], Awaitable[T]], *, keys: bool = True) -> T:
    """Run *work* with the store opened; what it returns."""

    async def run() -> T:
        async with open_store(config, keys=keys) as opened:
            return await work(opened)

    return asyncio.run(run())


def actor() -> str:
    """Who is acting, for the audit log: the user of the terminal, also behind sudo."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        user = str(os.getuid())
    return f"cli:{user}"
