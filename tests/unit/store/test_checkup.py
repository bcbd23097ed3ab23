"""`db check` finds what is broken, and nothing else."""

import re
import sqlite3
from datetime import timedelta

import pytest

from contract.fleet import filled, later, moved
from mailwatch.store import checkup


@pytest.fixture
async def lived(store):
    await filled(store, 3)
    for minute in range(1, 4):
        for claim in await store.claim_due(later(minute), 10, 30):
            await store.record(claim, moved(claim, due_at=later(minute + 1)))
    return store


def broken_by(path, statement):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_a_sound_database_has_no_findings(lived):
    assert await lived.check() == []


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        (
            "DELETE FROM transitions WHERE mailbox_id='mb_0001' AND version=2",
            "mb_0001: transition 3 .* does not follow transition 1",
        ),
        ("UPDATE transitions SET from_state='held' WHERE mailbox_id='mb_0001' AND version=3", r"transition 3 \(from held\)"),
        (
            "UPDATE standings SET state='connected' WHERE mailbox_id='mb_0002'",
            "mb_0002: is connected at version 3, but its history ends suspect",
        ),
        ("UPDATE standings SET version=9 WHERE mailbox_id='mb_0002'", "at version 9"),
        ("UPDATE standings SET due_at=NULL WHERE mailbox_id='mb_0000'", "mb_0000: is suspect and never due again"),
        ("DELETE FROM standings WHERE mailbox_id='mb_0000'", "mb_0000: has no standing"),
        ("DELETE FROM mailboxes WHERE id='mb_0000'", "of standings belongs to no mailbox"),
        ("UPDATE secrets SET sealed='mw1.x.y' WHERE mailbox_id='mb_0000'", "a secret of mb_0000 is not in the form"),
        ("UPDATE secrets SET mailbox_id='mb_0009' WHERE mailbox_id='mb_0000'", "belongs to no mailbox"),
    ],
)
async def test_each_fault_is_found(lived, path, statement, finding):
    broken_by(path, statement)
    assert any(re.search(finding, one) for one in await lived.check())


async def test_a_forgotten_lease_is_found(lived, clock):
    await lived.claim_due(later(10), 1, 60)
    assert await lived.check() == []
    clock.time = later(10) + timedelta(seconds=60) + checkup.FORGOTTEN + timedelta(seconds=1)
    (finding,) = await lived.check()
    assert finding.startswith("mb_0000: a probe's lease ended at 2026-11-22 12:11 UTC")


async def test_a_file_others_can_read_is_found(lived, path):
    path.chmod(0o640)
    (finding,) = await lived.check()
    assert finding == f"{path} can be read by others than its owner; chmod 600 {path}"


async def test_a_damaged_index_is_found(lived, path):
    broken_by(path, "UPDATE standings SET due_at=due_at + 1")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute(
        "UPDATE sqlite_schema SET sql='CREATE INDEX ix_transitions_at ON transitions (version)' WHERE name='ix_transitions_at'"
    )
    connection.close()
    from mailwatch.store import SqlStore

    other = SqlStore(f"sqlite:///{path}", lived._vault, lived._clock, node="b")
    await other.open()
    assert any("the file is damaged" in finding for finding in await other.check())
    await other.close()


async def test_a_held_or_inactive_mailbox_need_not_be_due(lived, path):
    broken_by(path, "UPDATE standings SET due_at=NULL, state='inactive' WHERE mailbox_id='mb_0000'")
    broken_by(path, "UPDATE transitions SET to_state='inactive' WHERE mailbox_id='mb_0000' AND version=3")
    assert await lived.check() == []
