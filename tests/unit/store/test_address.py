"""Which database a URL names."""

from pathlib import Path

import pytest

from mailwatch.core.secret import Secret
from mailwatch.ports import SchemaError
from mailwatch.store.address import parse_address


def test_a_sqlite_url_names_a_file_that_opening_never_creates():
    address = parse_address("sqlite:////var/lib/mailwatch/odd name%3F.db")
    assert address.is_sqlite
    assert address.path == Path("/var/lib/mailwatch/odd name?.db")
    assert address.url.query["mode"] == "rw"


def test_a_relative_file_is_meant_from_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert parse_address("sqlite:///a.db").path == tmp_path / "a.db"


def test_a_postgresql_url_is_told_without_its_password():
    address = parse_address("postgresql://ann@db.example.org/mail?sslmode=require", Secret("hunter2"))
    assert (address.path, address.where) == (None, "mail at db.example.org:5432")
    assert address.url.password == "hunter2"
    assert address.url.drivername == "postgresql+asyncpg"
    assert address.connect_args["ssl"] == "require"
    assert "hunter2" not in repr(address)


@pytest.mark.parametrize(
    "text",
    ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nothing at all", "postgresql://u:hunter2@h:port/x", "sqlite:///file:x"],
)
def test_another_url_is_refused_with_the_cure_and_without_its_text(text):
    with pytest.raises(SchemaError, match=r"url.*postgresql://user@host/database") as refused:
        parse_address(text)
    assert "hunter2" not in str(refused.value)
