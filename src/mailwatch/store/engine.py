"""Transactions: begun, committed, retried as a whole, and their errors told in mailwatch's own words.

SQLite by default begins no transaction before a SELECT, so that two read-modify-write transactions lose an update without any
error; here every writing transaction begins with BEGIN IMMEDIATE, on one connection, while readers have their own.
synchronous=FULL holds for all writes: the cost is one fsync for a batch, and an acknowledged change survives a power cut.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import aiosqlite
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from mailwatch.ports import SchemaError, StoreUnavailableError
from mailwatch.store.address import DatabaseAddress
from mailwatch.store.faults import Fault, fault_of, told

T = TypeVar("T")

ATTEMPTS: Final = 3
BUSY_SECONDS: Final = 3.0
READERS: Final = 4
_CHECKPOINTS: Final = 5
_THREAD_LOOK_SECONDS: Final = 0.002
_AS_DAEMON: Final = "run this as the user mailwatch runs as"

_DATABASE_ERRORS: Final = (DBAPIError, PoolTimeoutError, OSError, TimeoutError)
#: A node that stands still in the middle of a transaction (stopped, suspended) must not keep its rows from the others for long.
_PATIENCE: Final = text("SET LOCAL idle_in_transaction_session_timeout = '20s'")
_PRAGMAS: Final = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is removed is overwritten
    "PRAGMA synchronous=FULL",
    "PRAGMA temp_store=MEMORY",  # no row reaches a temporary file
    "PRAGMA cache_size=-16384",
    "PRAGMA journal_size_limit=67108864",
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a transaction's work."""

    connection: AsyncConnection
    doubtful: bool  #: an earlier run's commit got no answer: it may have gone through


Work = Callable[[Attempt], Awaitable[T]]


class Database:
    """One database: a writer, readers, and the rules by which a transaction is run again."""

    def __init__(self, address: DatabaseAddress) -> None:
        self.address = address
        self._file: tuple[int, int] | None = None
        if address.is_sqlite:
            arguments = {**address.connect_args, "timeout": BUSY_SECONDS}
            self._writer = _sqlite_engine(address, arguments, "BEGIN IMMEDIATE", size=1)
            self._reader = _sqlite_engine(address, arguments, "BEGIN", size=READERS)
        else:
            self._writer = self._reader = create_async_engine(
                address.url, connect_args=address.connect_args, pool_size=8, max_overflow=4, pool_timeout=10
            )

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite: one writer, no locks on rows."""
        return self.address.is_sqlite

    def remember_file(self) -> None:
        """Note which file this is, so that its removal or replacement under the running program is noticed."""
        if self.address.path is not None:
            self._file = self._identity()

    async def write(self, work: Work[T]) -> T:
        """Run *work* in one writing transaction, committed when this returns; raises StoreUnavailableError, SchemaError."""
        return await self._run(self._writer, work)

    async def read(self, work: Work[T]) -> T:
        """Run *work* in one reading transaction; raises StoreUnavailableError, SchemaError."""
        return await self._run(self._reader, work)

    async def outside_transaction(self, statement: str) -> list[Any]:
        """The rows of a statement that runs in no transaction (VACUUM, checkpoints); SQLite only."""
        try:
            async with self._writer.connect() as connection:
                raw = await connection.get_raw_connection()
                driver = raw.driver_connection
                assert driver is not None
                async with driver.execute(statement) as cursor:
                    return list(await cursor.fetchall())
        except OSError as error:
            raise told(fault_of(error), error, self.address.where) from None
        except Exception as error:
            fault = fault_of(error)
            if fault is Fault.BUG:
                raise
            raise told(fault, error, self.address.where) from None

    async def session(self) -> AsyncConnection:
        """A connection of its own, for what lives as long as a session; the caller closes it."""
        try:
            return await self._writer.connect()
        except _DATABASE_ERRORS as error:
            raise told(fault_of(error), error, self.address.where) from error

    async def scrub(self) -> None:
        """Leave nothing of deleted rows in file or log (SQLite; on PostgreSQL autovacuum and the log's recycling do it)."""
        if not self.is_sqlite:
            return
        await self.outside_transaction("PRAGMA incremental_vacuum")
        for _ in range(_CHECKPOINTS):
            # a reader in the middle of a transaction still needs the log: it is waited for
            busy, *_rest = (await self.outside_transaction("PRAGMA wal_checkpoint(TRUNCATE)"))[0]
            if not busy:
                return

    def log_bytes(self) -> int:
        """The size of the write-ahead log (SQLite): it grows without end while a reader keeps an old view of the database open."""
        if self.address.path is None:
            return 0
        try:
            return Path(f"{self.address.path}-wal").stat().st_size
        except OSError:  # gone with the last connection
            return 0

    async def close(self) -> None:
        """Disconnect."""
        await self._writer.dispose()
        await self._reader.dispose()

    async def _run(self, engine: AsyncEngine, work: Work[T]) -> T:
        running = self._retried(engine, work)
        return await (_to_its_end(running) if self.is_sqlite else running)

    async def _retried(self, engine: AsyncEngine, work: Work[T]) -> T:
        doubtful = False

        async def once() -> T:
            nonlocal doubtful
            self._same_file()
            async with engine.connect() as connection:
                try:
                    async with connection.begin() as transaction:
                        if not self.is_sqlite:
                            await connection.execute(_PATIENCE)
                        result = await work(Attempt(connection, doubtful))
                        try:
                            await transaction.commit()
                        except _DATABASE_ERRORS as error:
                            doubtful = doubtful or fault_of(error) is Fault.RECONNECT
                            raise
                        return result
                except _DATABASE_ERRORS as error:
                    if fault_of(error) is Fault.RECONNECT:
                        await self._discard(connection)
                    raise

        try:
            return await _retrying()(once)
        except _DATABASE_ERRORS as error:
            fault = fault_of(error)
            if fault is Fault.BUG:
                raise
            raise told(fault, error, self.address.where) from error

    async def _discard(self, connection: AsyncConnection) -> None:
        """Let no other transaction have this connection."""
        if self.is_sqlite:
            # closed in order when it is given back; invalidating would leave its thread to end by itself, after the loop perhaps
            await connection.run_sync(lambda sync: sync.detach())
        else:
            await connection.invalidate()

    def _identity(self) -> tuple[int, int]:
        assert self.address.path is not None
        found = os.stat(self.address.path)  # noqa: PTH116  # a microsecond on every transaction: no Path in between
        return found.st_dev, found.st_ino

    def _same_file(self) -> None:
        if self._file is None:
            return
        try:
            same = self._identity() == self._file
        except FileNotFoundError:
            same = False
        if not same:
            raise StoreUnavailableError(
                f"the database file {self.address.where} was removed or replaced while in use; put it back and restart mailwatch"
            )


async def _to_its_end(running: Coroutine[Any, Any, T]) -> T:
    """Await *running* to its end even when cancelled meanwhile, and be cancelled then.

    A statement of SQLite runs in a thread that hears of no cancellation: left alone in the middle of a transaction, its
    connection would keep the only write lock there is.
    """
    task = asyncio.create_task(running)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, so that nobody is told it was not
        raise cancelled
    return task.result()


def _retryable(error: BaseException) -> bool:
    return isinstance(error, _DATABASE_ERRORS) and fault_of(error) in {Fault.RETRY, Fault.RECONNECT}


def _retrying() -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception(_retryable),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=1),
        reraise=True,
    )


async def _open_sqlite(*arguments: Any, **named: Any) -> aiosqlite.Connection:
    """A connection made ready, or none: what could not be opened has ended its thread when this raises.

    aiosqlite leaves that thread to end by itself, perhaps after the loop that it then reports to.
    """
    connection = aiosqlite.connect(*arguments, **named)
    connection._thread.daemon = True  # noqa: SLF001  # what SQLAlchemy sets where it makes the connection itself
    try:
        await connection
        for pragma in _PRAGMAS:
            await (await connection.execute(pragma)).close()
    except BaseException:
        with suppress(sqlite3.Error):  # why it could not be made ready is what is told
            await connection.close()
        while connection._thread.is_alive():  # noqa: ASYNC110, SLF001  # there is no other way to wait for the end of its thread
            await asyncio.sleep(_THREAD_LOOK_SECONDS)
        raise
    return connection


def _sqlite_engine(address: DatabaseAddress, arguments: dict[str, Any], begin: str, *, size: int) -> AsyncEngine:
    arguments = {**arguments, "async_creator_fn": _open_sqlite}
    engine = create_async_engine(address.url, connect_args=arguments, pool_size=size, max_overflow=0, pool_timeout=30)

    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "begin", start)
    return engine


def require_file(address: DatabaseAddress) -> None:
    """Refuse a missing database file: an empty one in its place would silently forget every mailbox.

    Raises SchemaError, and PermissionError when it is there but is somebody else's, which no waiting heals.
    """
    if address.path is None:
        return
    try:
        found = address.path.stat()
    except FileNotFoundError:
        raise SchemaError(f"no database at {address.path}; create it with `mailwatch db migrate`") from None
    except PermissionError:
        raise PermissionError(f"{address.path}: permission denied; {_AS_DAEMON}") from None
    if not os.access(address.path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(f"{address.path}: permission denied (it belongs to user id {found.st_uid}); {_AS_DAEMON}")
