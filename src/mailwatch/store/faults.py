"""What a database's error means for mailwatch: busy for a moment, unusable for now, damaged, or a bug of ours.

SQLite tells by result code (https://www.sqlite.org/rescode.html), PostgreSQL by SQLSTATE (PostgreSQL manual, appendix A).
"""

import sqlite3
from enum import Enum, unique
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mailwatch.ports import MailwatchError, SchemaError, StoreUnavailableError


@unique
class Fault(Enum):
    """What to do about an error."""

    RETRY = "retry"  #: roll back and run the whole transaction again
    RECONNECT = "reconnect"  #: the same, on a fresh connection; whether a commit went through is not known
    UNAVAILABLE = "unavailable"  #: no use in trying at once
    DAMAGED = "damaged"
    BUG = "bug"


_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: Fault.RETRY,
    sqlite3.SQLITE_LOCKED: Fault.RETRY,
    # after a failed fsync or read the old connection's view of the file is not to be trusted
    sqlite3.SQLITE_IOERR: Fault.RECONNECT,
    sqlite3.SQLITE_FULL: Fault.UNAVAILABLE,
    sqlite3.SQLITE_READONLY: Fault.UNAVAILABLE,
    sqlite3.SQLITE_CANTOPEN: Fault.UNAVAILABLE,
    sqlite3.SQLITE_PERM: Fault.UNAVAILABLE,
    sqlite3.SQLITE_NOMEM: Fault.UNAVAILABLE,
    sqlite3.SQLITE_CORRUPT: Fault.DAMAGED,
    sqlite3.SQLITE_NOTADB: Fault.DAMAGED,
}
_POSTGRES: Final = {
    "40001": Fault.RETRY,  # serialization_failure
    "40P01": Fault.RETRY,  # deadlock_detected
    "55P03": Fault.RETRY,  # lock_not_available
    "25P03": Fault.RECONNECT,  # idle_in_transaction_session_timeout
    "57P01": Fault.RECONNECT,  # admin_shutdown
    "57P02": Fault.RECONNECT,  # crash_shutdown
    "57P03": Fault.RECONNECT,  # cannot_connect_now
    "57P05": Fault.RECONNECT,  # idle_session_timeout
    "53300": Fault.RECONNECT,  # too_many_connections
    "57014": Fault.UNAVAILABLE,  # query_canceled, as by statement_timeout
    "25006": Fault.UNAVAILABLE,  # read_only_sql_transaction: a standby
    "28P01": Fault.UNAVAILABLE,  # invalid_password
    "28000": Fault.UNAVAILABLE,
    "3D000": Fault.UNAVAILABLE,  # invalid_catalog_name
    "42501": Fault.UNAVAILABLE,  # insufficient_privilege
}
_POSTGRES_CLASSES: Final = {"08": Fault.RECONNECT, "53": Fault.UNAVAILABLE, "58": Fault.UNAVAILABLE, "XX": Fault.DAMAGED}


def fault_of(error: BaseException) -> Fault:
    """What *error*, raised while using the database, means."""
    if isinstance(error, PoolTimeoutError):
        return Fault.UNAVAILABLE
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return Fault.RECONNECT
        return _of_driver(error.orig)
    return _of_driver(error)


def _of_driver(error: BaseException | None) -> Fault:
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF, Fault.BUG)
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRES.get(state) or _POSTGRES_CLASSES.get(state[:2], Fault.BUG)
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        return Fault.DAMAGED
    if isinstance(error, (OSError, TimeoutError)) or "connection is closed" in str(error):
        return Fault.RECONNECT
    return Fault.BUG


def told(fault: Fault, error: BaseException, where: str) -> MailwatchError:
    """The error of mailwatch's own surface for *fault*; *where* names the database without its password."""
    cause = getattr(error, "orig", None) or error
    words = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    # asyncpg's adapter puts the driver's class in front: "<class '…'>: words"
    words = words.partition(">: ")[2] or words
    if words == "disk I/O error":
        words += "; the disk may be full, or failing"  # all that SQLite tells where its log or its shared memory finds no room
    if fault is Fault.DAMAGED:
        return SchemaError(
            f"the database {where} is damaged ({words}); restore it from a backup (`mailwatch db backup` makes them)"
        )
    return StoreUnavailableError(f"the database {where} cannot be used now: {words}")
