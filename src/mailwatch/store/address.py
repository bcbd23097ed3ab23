"""Which database a store URL names, and how messages call it without its password."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from mailwatch.core.secret import Secret
from mailwatch.ports import SchemaError

_CURE = "use sqlite:////var/lib/mailwatch/mailwatch.db or postgresql://user@host/database"


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A database: a file of SQLite, or a PostgreSQL server's."""

    url: URL  #: for SQLAlchemy, with the asynchronous driver; a missing file is never created through it
    path: Path | None  #: the file, for SQLite
    where: str  #: for messages: no password in it
    connect_args: dict[str, Any]

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file on this machine."""
        return self.path is not None


def parse_address(text: str, password: Secret | None = None) -> DatabaseAddress:
    """The database that *text* names, with a *password* that does not stand in it; raises SchemaError with the cure."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SchemaError(f"[store] url is no database URL; {_CURE}") from None  # it may hold a password: not shown
    family = url.drivername.partition("+")[0]
    if family == "sqlite":
        return _sqlite(url)
    if family in {"postgresql", "postgres"}:
        return _postgres(url if password is None else url.set(password=password.reveal()))
    raise SchemaError(f"[store] url: mailwatch keeps its data in SQLite or PostgreSQL, not in {family!r}; {_CURE}")


def _sqlite(url: URL) -> DatabaseAddress:
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise SchemaError(f"[store] url must name a file: a database in memory would forget every mailbox; {_CURE}")
    path = Path(url.database).expanduser().absolute()
    # mode=rw: opening never creates, so a file that went missing is noticed instead of replaced by an empty one
    target = URL.create("sqlite+aiosqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"})
    return DatabaseAddress(target, path, str(path), {"isolation_level": None})


def _postgres(url: URL) -> DatabaseAddress:
    arguments: dict[str, Any] = {
        "timeout": 10,
        "command_timeout": 30,
        "server_settings": {"application_name": "mailwatch", "synchronous_commit": "on"},
    }
    query = dict(url.query)
    # libpq's spelling, which everybody knows; asyncpg's parameter has another name
    if "sslmode" in query:
        arguments["ssl"] = query.pop("sslmode")
    target = url.set(drivername="postgresql+asyncpg", query=query)
    where = f"{url.database} at {url.host or 'localhost'}:{url.port or 5432}"
    return DatabaseAddress(target, None, where, arguments)
