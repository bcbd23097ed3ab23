"""`mailwatch key generate|rotate`: the keys that seal the mailboxes' secrets in the database."""

import asyncio
import errno
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mailwatch.cli.opening import ConfigOption, WallClock, database_password, settings_of
from mailwatch.cli.output import CliError, ExitCode, ends_cleanly, say

if TYPE_CHECKING:
    from mailwatch.config import Settings
    from mailwatch.store import KeyRing, SqlStore

#: A running node looks at the file of its ring each second.
_FOLLOW_SECONDS: Final = 5.0
_ASK_SECONDS: Final = 0.1

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.command("generate")
@ends_cleanly
def generate(
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write, readable by its owner only; it must not exist (default: standard output).", show_default=False
        ),
    ] = None,
) -> None:
    """Make a key ring of one new key.  Keep a copy apart from the database's backups: without it no secret can be read."""
    from mailwatch.store import KeyRing  # noqa: PLC0415  # SQLAlchemy is slow to import

    text = KeyRing.generate().text()
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        _write_new(out, text)
    except FileExistsError:
        raise CliError(f"{out} is there already; a key ring is never overwritten: its keys could not be made again") from None
    except (FileNotFoundError, NotADirectoryError):
        raise CliError(f"{out.absolute().parent} is no folder") from None
    except OSError as error:
        told = ExitCode.TEMPORARY if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO) else ExitCode.PERMISSION
        raise CliError(f"{out}: {error.strerror}", told) from None
    say(f"{out} written; keep a copy apart from the database's backups")


@app.command("rotate")
@ends_cleanly
def rotate(
    config: ConfigOption = None,
    keyring: Annotated[
        Path | None, typer.Option(help="The key ring file, when the configuration does not point to a file.", show_default=False)
    ] = None,
    add_only: Annotated[  # noqa: FBT002  # a flag is a bool
        bool, typer.Option("--add-only", help="Add the new key but seal nothing with it yet.")
    ] = False,
    drop_old: Annotated[  # noqa: FBT002  # a flag is a bool
        bool, typer.Option("--drop-old", help="Drop the keys that seal nothing any more; adds none.")
    ] = False,
) -> None:
    """Add a new key to the ring and seal every secret anew with it; run again, it ends what was interrupted.

    A daemon that reads the ring from this file follows by itself.  One that gets it as a systemd credential, or has a copy of its
    own, reads it at start: use --add-only, give it the ring, restart it, and run this again.  When all is sealed anew, --drop-old
    takes the old keys off the ring; whatever node still seals with one is refused by the database then, and says so.
    """
    if add_only and drop_old:
        raise CliError("--add-only and --drop-old: choose one")
    settings = settings_of(config)
    path = keyring or _file_of(settings)
    with _locked(path):
        asyncio.run(_drop_old(settings, path) if drop_old else _rotate(settings, path, add_only=add_only))


async def _rotate(settings: "Settings", path: Path, *, add_only: bool) -> None:
    ring = _read(path)
    async with _store(settings, ring) as store:
        waiting = _waiting(await store.secrets_by_key(), ring)
    if waiting and not add_only:
        say(f"{waiting} secrets are still sealed with older keys: going on with key {ring.active}")
    else:
        ring = ring.with_new_key()
        _replace(path, ring)  # on disk before anything is sealed with it
        say(f"key {ring.active} added to {path}")
    if add_only:
        say("restart the daemon, then run `mailwatch key rotate` to seal everything with it")
        return
    say(_resealed(await _reseal(settings, ring), ring))
    say("older keys seal nothing any more; `mailwatch key rotate --drop-old` takes them off the ring")


async def _drop_old(settings: "Settings", path: Path) -> None:
    ring = _read(path)
    done = await _reseal(settings, ring)  # what a daemon with the older ring has sealed since
    if len(ring.keys) > 1:
        async with _store(settings, ring) as store:
            await store.retire_older_keys()
        done += await _reseal(settings, ring)  # what was sealed until now: from now on the database lets nobody seal with them
        _replace(path, ring.only_active())
    say(_resealed(done, ring))
    say(f"{path} holds only key {ring.active}")


def _resealed(done: int, ring: "KeyRing") -> str:
    return f"{done} secret{'' if done == 1 else 's'} sealed anew with key {ring.active}"


async def _reseal(settings: "Settings", ring: "KeyRing") -> int:
    """How many secrets were sealed anew; raises CliError when one could not be opened."""
    async with _store(settings, ring) as store:
        await _held_by_all(store, ring.active)
        resealed = await store.reseal(lambda done: say(f"  {done} sealed anew") if done % 10_000 == 0 else None)
    if resealed.unreadable:
        say(_resealed(resealed.done, ring))
        listed = "\n  ".join(resealed.unreadable[:20])
        raise CliError(
            f"{len(resealed.unreadable)} secrets could not be read and stay as they are; no key was dropped:\n  {listed}",
            ExitCode.UNHEALTHY,
        )
    return resealed.done


async def _held_by_all(store: "SqlStore", kid: str) -> None:
    """Wait until each running node holds key *kid*, which takes those a moment that read this very file; raises CliError.

    A node without it could open nothing that is sealed anew, and would look at no mailbox any more.
    """
    clock = WallClock()
    until = clock.monotonic() + _FOLLOW_SECONDS
    while lacking := await store.node_keys.lacking(kid, clock.now()):
        if clock.monotonic() > until:
            raise CliError(
                f"nothing was sealed: key {kid} is on the ring, but not yet in the hands of {', '.join(lacking)}. Give each of "
                "these nodes the present ring (an encrypted credential is to be encrypted anew), restart it, and run this again",
                ExitCode.TEMPORARY,
            )
        await asyncio.sleep(_ASK_SECONDS)


def _waiting(by_key: Mapping[str, int], ring: "KeyRing") -> int:
    return sum(number for kid, number in by_key.items() if kid != ring.active)


@asynccontextmanager
async def _store(settings: "Settings", ring: "KeyRing") -> AsyncIterator["SqlStore"]:
    """The store opened with this very ring, for a few statements."""
    from mailwatch.store import SqlStore, Vault  # noqa: PLC0415  # SQLAlchemy is slow to import

    node = f"cli-{os.getpid()}"
    store = SqlStore(settings.store.url, Vault(ring), WallClock(), node=node, password=database_password(settings))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _file_of(settings: "Settings") -> Path:
    from mailwatch.config.references import ReferenceKind  # noqa: PLC0415  # pydantic is slow to import

    reference = settings.secrets.keyring
    if reference.kind is not ReferenceKind.FILE:
        raise CliError(
            f"the key ring comes from {reference}, which cannot be written; name its file with --keyring FILE",
            ExitCode.CONFIGURATION,
        )
    return Path(reference.target[0])


def _read(path: Path) -> "KeyRing":
    from mailwatch.store import KeyRing  # noqa: PLC0415  # SQLAlchemy is slow to import

    return KeyRing.read(path.read_text(encoding="utf-8"))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One rotation at a time: two would each write a ring without the other's key."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CliError(
            f"no key ring at {path}; make one with `mailwatch key generate --out {path}`", ExitCode.CONFIGURATION
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CliError(f"another rotation of {path} is running", ExitCode.TEMPORARY) from None
        yield
    finally:
        os.close(handle)


def _write_new(path: Path, text: str) -> None:
    """A whole file at *path* where there was none, or nothing; raises FileExistsError, OSError."""
    if path.is_symlink() or path.exists():
        raise FileExistsError(path)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o400)
    try:
        _write_through(handle, text)
        os.link(unfinished, path)
    finally:
        unfinished.unlink()
    _sync_folder(path)


def _replace(path: Path, ring: "KeyRing") -> None:
    """The new ring in the old one's place: after a crash at any moment one of the two is there, whole."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    before = path.stat()
    handle = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o400)
    try:
        os.fchmod(handle, before.st_mode & 0o770)
        if os.geteuid() == 0:
            os.fchown(handle, before.st_uid, before.st_gid)
        _write_through(handle, ring.text())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path)


def _write_through(handle: int, text: str) -> None:
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    handle = os.open(path.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
