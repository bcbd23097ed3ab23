"""Bringing a database to this schema, and refusing all others."""

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from contract.fleet import NOON
from mailwatch.core.campaigns import CampaignState
from mailwatch.ports import SchemaError
from mailwatch.store import SqlStore, Vault, migrate, upgrade
from mailwatch.store.address import parse_address
from mailwatch.store.engine import Database
from mailwatch.store.schema import HEAD, to_micros


def revision(path):
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    return found[0]


def set_revision(path, to):
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num=?", (to,))
    connection.commit()
    connection.close()


async def opened(url, keyring, clock):
    store = SqlStore(url, Vault(keyring), clock, node="a")
    await store.open()
    await store.close()


async def test_a_new_database_is_made_private(url, path):
    assert await migrate(url) is None
    assert revision(path) == HEAD
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_migrating_again_changes_nothing(migrated, path):
    assert await migrate(migrated) == HEAD
    assert revision(path) == HEAD


async def test_migrating_keeps_what_is_there(migrated, path):
    connection = sqlite3.connect(path)
    before = connection.execute("SELECT * FROM meta").fetchall()
    await migrate(migrated)
    assert connection.execute("SELECT * FROM meta").fetchall() == before
    connection.close()


async def test_two_who_migrate_together_make_one_database(url):
    assert sorted(await asyncio.gather(migrate(url), migrate(url)), key=str) == [HEAD, None]


async def test_a_missing_database_is_refused_and_not_made(url, path, keyring, clock):
    with pytest.raises(SchemaError, match=r"no database at .*; create it with `mailwatch db migrate`"):
        await opened(url, keyring, clock)
    assert not path.exists()


async def test_an_empty_file_is_refused_with_the_cure(url, path, keyring, clock):
    path.touch()
    with pytest.raises(SchemaError, match="holds no tables of mailwatch; create them with `mailwatch db migrate`"):
        await opened(url, keyring, clock)


async def test_a_newer_schema_is_refused_by_open_and_by_migrate(migrated, path, keyring, clock):
    set_revision(path, "9999")
    for use in (opened(migrated, keyring, clock), migrate(migrated)):
        with pytest.raises(SchemaError, match=r"schema 9999, which this mailwatch .* does not know: install a newer mailwatch"):
            await use
    assert revision(path) == "9999"


async def test_an_older_schema_is_refused_with_the_cure(migrated, path, keyring, clock, monkeypatch):
    monkeypatch.setattr("mailwatch.store.upgrade.REVISIONS", (HEAD, "0002"))
    monkeypatch.setattr("mailwatch.store.upgrade.HEAD", "0002")
    with pytest.raises(SchemaError, match=f"older schema {HEAD}; bring it to 0002 with `mailwatch db migrate`"):
        await opened(migrated, keyring, clock)


@pytest.mark.parametrize("where", [0, 20, 4096])
async def test_a_damaged_file_is_told_in_plain_words(migrated, path, where, keyring, clock):
    await opened(migrated, keyring, clock)
    with path.open("r+b") as file:
        file.seek(where)
        file.write(os.urandom(8192))
    with pytest.raises(SchemaError, match=r"damaged .*restore it from a backup"):
        await opened(migrated, keyring, clock)


async def test_another_programs_file_is_refused(url, path, keyring, clock):
    path.write_text("this is a diary, not a database\n" * 200)
    with pytest.raises(SchemaError, match="damaged"):
        await opened(url, keyring, clock)
    with pytest.raises(SchemaError, match="damaged"):
        await migrate(url)
    assert path.read_text().startswith("this is a diary")


async def test_killed_at_any_moment_it_can_be_run_again(url, path):
    program = f"import asyncio; from mailwatch.store import migrate; print('go', flush=True); asyncio.run(migrate({url!r}))"
    for delay in (0.0, 0.02, 0.05, 0.1, 0.15):
        path.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        await migrate(url)
        assert revision(path) == HEAD


async def at_revision(url, revision, fill):
    """A database as an older mailwatch left it; *fill* puts rows into it."""
    address = parse_address(url)
    if address.path is not None:
        upgrade._create_file(address.path)
    database = Database(address)

    def build(connection):
        config = Config()
        config.set_main_option("script_location", str(upgrade._MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async def work(attempt):
        await attempt.connection.run_sync(build)
        await fill(attempt.connection)

    await database.write(work)
    await database.close()


async def with_campaigns(connection):
    """Mailboxes that name their campaigns themselves."""
    for number, campaigns in enumerate(('["spring","summer","spring"]', '["spring"]', "")):
        values = {"id": f"mb_{number}", "address": f"user{number}@example.org", "campaigns": campaigns}
        await connection.execute(
            text(
                "INSERT INTO mailboxes (id, address, address_key, username, auth, host, provider, labels, campaigns, created_at) "
                "VALUES (:id, :address, :address, 'u', 'password', 'h', 'other', '', :campaigns, 0)"
            ),
            values,
        )
        await connection.execute(
            text(
                "INSERT INTO standings (mailbox_id, provider, gate, state, version, generation, changes, due_at, since_at, rest) "
                "VALUES (:id, 'other', 'g', 'blocked', 0, 1, 0, 0, 0, '')"
            ),
            values,
        )


async def with_answers(connection):
    """A request that was answered, and one that is under way."""
    rows = [{"key": "answered", "status": 201, "body": b'{"address":"user1@example.org"}'}]
    rows += [{"key": "under way", "status": None, "body": None}]
    statement = text("INSERT INTO remembered (key, request_hash, status, body, at) VALUES (:key, 'r', :status, :body, :at)")
    await connection.execute(statement, [{**row, "at": to_micros(NOON)} for row in rows])


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
async def test_the_campaigns_of_an_older_mailwatch_move_into_the_registry(request, kind, url, keyring, clock):
    of = url if kind == "sqlite" else request.getfixturevalue("postgres_url")
    await at_revision(of, "0001", with_campaigns)
    assert await migrate(of) == "0001"
    store = SqlStore(of, Vault(keyring), clock, node="a")
    await store.open()
    assert (await store.find("mb_0")).mailbox.campaigns == ("spring", "summer")
    assert (await store.find("mb_2")).mailbox.campaigns == ()
    view = await store.campaigns.find("spring")
    assert (view.campaign.name, view.campaign.state, view.campaign.mailboxes) == ("spring", CampaignState.ACTIVE, ("mb_0", "mb_1"))
    assert await store.campaigns.reconcile() == 2, "what was away before is paused for"
    assert (await store.campaigns.find("summer")).campaign.state is CampaignState.PAUSED
    await store.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
async def test_answers_of_before_keep_only_that_they_were_given(request, kind, url, keyring, clock):
    """Nobody had noted of which mailboxes they tell, so that no removal would find them."""
    of = url if kind == "sqlite" else request.getfixturevalue("postgres_url")
    await at_revision(of, "0003", with_answers)
    await migrate(of)
    store = SqlStore(of, Vault(keyring), clock, node="a")
    await store.open()
    answered = await store.people.begin_once("answered", "r", NOON)
    assert (answered.status, answered.content_type) == (409, "application/problem+json")
    assert json.loads(answered.body)["code"] == "answer_not_kept"
    assert (await store.people.begin_once("under way", "r", NOON)).status is None
    await store.close()
