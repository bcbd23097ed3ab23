"""`db backup`: a consistent copy while the daemon works; the key ring is never in it, so a stolen copy opens no mailbox."""

import os
from pathlib import Path

from mailwatch.ports import SchemaError, StoreUnavailableError
from mailwatch.store.engine import Database


async def backup(database: Database, target: Path) -> None:
    """Copy the database to *target*, which must not exist; raises SchemaError on PostgreSQL, StoreUnavailableError."""
    if not database.is_sqlite:
        raise SchemaError("PostgreSQL has its own tools: pg_dump --format=custom --file FILE DATABASE, or continuous archiving")
    unfinished = _prepared(target)
    try:
        # VACUUM INTO reads one snapshot and copies neither free pages nor what was deleted (sqlite.org/lang_vacuum.html)
        quoted = str(unfinished).replace("'", "''")
        await database.outside_transaction(f"VACUUM INTO '{quoted}'")
        _make_durable(unfinished)
        os.link(unfinished, target)  # fails if somebody made it meanwhile; rename would replace it
    except FileExistsError:
        raise StoreUnavailableError(f"{target} is there already; name another file") from None
    finally:
        unfinished.unlink(missing_ok=True)
    _make_durable(target.parent)


def _prepared(target: Path) -> Path:
    if target.exists():
        raise StoreUnavailableError(f"{target} is there already; name another file")
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    # made here, empty and private, because SQLite would make it readable by others
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return unfinished


def _make_durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
