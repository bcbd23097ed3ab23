"""Bringing a database to this program's schema, and refusing one that is not there yet or is beyond it."""

import errno
import os
from pathlib import Path
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, insert, inspect, select, text
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random

from mailwatch.core.secret import Secret
from mailwatch.ports import SchemaError, StoreUnavailableError
from mailwatch.store.address import DatabaseAddress, parse_address
from mailwatch.store.engine import BUSY_SECONDS, Attempt, Database
from mailwatch.store.schema import HEAD, REVISIONS, meta

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_MIGRATE_LOCK: Final = 0x6D77_0001  # an advisory lock's number: two nodes migrate one after the other


async def migrate(url: str, password: Secret | None = None) -> str | None:
    """Create the database or bring it up to date; the revision it had before (None: it was empty).

    One transaction: killed in the middle, it has done nothing, and can be run again.  Raises SchemaError, StoreUnavailableError.
    """
    address = parse_address(url, password)
    if address.path is not None and not address.path.exists():
        _create_file(address.path)
    if address.path is not None:
        _require_access(address.path)
    database = Database(address)
    try:
        if address.is_sqlite:
            # before the first table, or never; DELETE -> WAL is kept in the file itself
            await _set(database, "PRAGMA auto_vacuum=INCREMENTAL")
            await _set(database, "PRAGMA journal_mode=WAL")
        return await database.write(_migrate)
    finally:
        await database.close()


async def _set(database: Database, pragma: str) -> None:
    """SQLite waits for nobody where two change the journal's mode at once: the later one tries again."""
    again = AsyncRetrying(
        retry=retry_if_exception_type(StoreUnavailableError),
        stop=stop_after_delay(BUSY_SECONDS),
        wait=wait_random(0.01, 0.1),
        reraise=True,
    )
    await again(database.outside_transaction, pragma)


def _require_access(path: Path) -> None:
    """Raise PermissionError where file or folder may not be written: SQLite would call it read-only, as if that could pass."""
    for place in (path, path.parent):
        if not os.access(place, os.R_OK | os.W_OK, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))


def _create_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return  # another process was quicker; the transaction below waits for it


async def _migrate(attempt: Attempt) -> str | None:
    connection = attempt.connection
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATE_LOCK})
    before = await connection.run_sync(_revision)
    if before is not None and before not in REVISIONS:
        raise SchemaError(_newer(str(connection.engine.url.database), before))
    await connection.run_sync(_upgrade)
    if (await connection.execute(select(meta.c.content).where(meta.c.name == "instance"))).first() is None:
        await connection.execute(insert(meta).values(name="instance", content=uuid4().hex))
    return before


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  # only this verb needs Alembic: the daemon starts without it
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])


def _newer(where: str, revision: str) -> str:
    return (
        f"the database {where} has schema {revision}, which this mailwatch (schema {HEAD}) does not know: install a newer mailwatch"
    )


async def check_revision(database: Database) -> None:
    """Raise SchemaError unless the database has exactly this program's schema."""

    async def look(attempt: Attempt) -> str | None:
        return await attempt.connection.run_sync(_revision)

    address: DatabaseAddress = database.address
    revision = await database.read(look)
    if revision == HEAD:
        return
    if revision is None:
        raise SchemaError(f"the database {address.where} holds no tables of mailwatch; create them with `mailwatch db migrate`")
    if revision in REVISIONS:
        raise SchemaError(
            f"the database {address.where} has the older schema {revision}; bring it to {HEAD} with `mailwatch db migrate`"
        )
    raise SchemaError(_newer(address.where, revision))
