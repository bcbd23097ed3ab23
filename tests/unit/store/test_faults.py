"""What a database's error means."""

import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mailwatch.ports import SchemaError, StoreUnavailableError
from mailwatch.store.faults import Fault, fault_of, told


def sqlite_error(code, words="as SQLite says"):
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode = code
    return OperationalError("SELECT 1", {}, error)


class DriverError(Exception):
    def __init__(self, sqlstate, words="as PostgreSQL says"):
        super().__init__(words)
        self.sqlstate = sqlstate


def postgres_error(sqlstate):
    return DBAPIError("SELECT 1", {}, DriverError(sqlstate))


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (sqlite3.SQLITE_BUSY, Fault.RETRY),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Fault.RETRY),
        (sqlite3.SQLITE_FULL, Fault.UNAVAILABLE),
        (sqlite3.SQLITE_IOERR_FSYNC, Fault.RECONNECT),
        (sqlite3.SQLITE_READONLY_DBMOVED, Fault.UNAVAILABLE),
        (sqlite3.SQLITE_CORRUPT, Fault.DAMAGED),
        (sqlite3.SQLITE_NOTADB, Fault.DAMAGED),
        (sqlite3.SQLITE_ERROR, Fault.BUG),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, Fault.BUG),
    ],
)
def test_sqlite_tells_by_its_result_code(code, fault):
    assert fault_of(sqlite_error(code)) is fault


@pytest.mark.parametrize(
    ("sqlstate", "fault"),
    [
        ("40001", Fault.RETRY),
        ("40P01", Fault.RETRY),
        ("57P01", Fault.RECONNECT),
        ("08006", Fault.RECONNECT),
        ("53300", Fault.RECONNECT),
        ("53100", Fault.UNAVAILABLE),
        ("28P01", Fault.UNAVAILABLE),
        ("XX001", Fault.DAMAGED),
        ("42P01", Fault.BUG),
        ("23505", Fault.BUG),
    ],
)
def test_postgresql_tells_by_its_sqlstate(sqlstate, fault):
    assert fault_of(postgres_error(sqlstate)) is fault


def test_a_lost_connection_is_worth_another_one():
    assert fault_of(ConnectionResetError()) is Fault.RECONNECT
    assert fault_of(TimeoutError()) is Fault.RECONNECT
    assert fault_of(DBAPIError("x", {}, Exception("?"), connection_invalidated=True)) is Fault.RECONNECT


def test_a_pool_without_a_free_connection_is_no_bug():
    assert fault_of(PoolTimeoutError()) is Fault.UNAVAILABLE


def test_what_nobody_knows_is_a_bug():
    assert fault_of(ValueError("odd")) is Fault.BUG


def test_the_person_is_told_where_and_why_but_no_statement():
    error = told(Fault.UNAVAILABLE, sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full"), "/var/lib/a.db")
    assert isinstance(error, StoreUnavailableError)
    assert str(error) == "the database /var/lib/a.db cannot be used now: database or disk is full"


def test_damage_is_told_with_its_cure():
    error = told(Fault.DAMAGED, sqlite_error(sqlite3.SQLITE_CORRUPT, "malformed"), "/var/lib/a.db")
    assert isinstance(error, SchemaError)
    assert "restore it from a backup" in str(error)


def test_an_error_without_words_is_told_by_its_class():
    assert str(told(Fault.UNAVAILABLE, TimeoutError(), "x")).endswith("TimeoutError")


def test_an_input_or_output_error_of_sqlite_is_told_to_be_perhaps_a_full_disk():
    error = told(Fault.RECONNECT, sqlite_error(sqlite3.SQLITE_IOERR, "disk I/O error"), "/var/lib/a.db")
    assert str(error).endswith("disk I/O error; the disk may be full, or failing")
