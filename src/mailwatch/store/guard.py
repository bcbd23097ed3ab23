"""One daemon to a SQLite file, and one to a node name on PostgreSQL: held for life, let go by the kernel or server at any death."""

import fcntl
import os
from pathlib import Path
from zlib import crc32

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mailwatch.ports import SchemaError, StoreUnavailableError

_NODE_LOCK = 0x6D77_0003


class FileGuard:
    """The lock on `<database>.lock`; the database file itself is left to SQLite's own locks."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._handle: int | None = None

    def hold(self) -> None:
        """Take the lock; raises SchemaError naming the process that has it, StoreUnavailableError where nothing can be written."""
        try:
            handle = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except PermissionError:
            raise  # names the file, and has an exit code of its own
        except OSError as error:
            raise StoreUnavailableError(
                f"{self._path}: {error.strerror}; the daemon must be able to write into the folder of its database"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise SchemaError(
                f"another mailwatch daemon (process {holder}) runs on {self._path.with_suffix('')}: SQLite serves one node only; "
                "stop it, or let several nodes share a PostgreSQL database"
            ) from None
        try:
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
        except OSError as error:
            os.close(handle)
            raise StoreUnavailableError(f"{self._path}: {error.strerror}; free some space there") from None
        self._handle = handle

    def release(self) -> None:
        """Give the lock back; the file stays, for removing it would let two daemons hold two files of one name."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


async def hold_node(connection: AsyncConnection, node: str) -> None:
    """Take the session lock of this node name on PostgreSQL; raises SchemaError when a living daemon has it."""
    statement = text("SELECT pg_try_advisory_lock(:family, :node)")
    number = crc32(node.encode()) - 2**31  # the function takes signed 32-bit numbers
    if not (await connection.execute(statement, {"family": _NODE_LOCK, "node": number})).scalar_one():
        raise SchemaError(
            f"another mailwatch daemon with the node name {node!r} uses this database; give each node a name of its own"
        )
    await connection.commit()
