"""Maintenance windows on SQLite: an act whose commit got no answer is done, and noted, once."""

from datetime import timedelta

from contract.fleet import NOON
from fakes.lost_answer import LostAnswer
from mailwatch.core.maintenance import Every, Window
from mailwatch.ports import Act
from mailwatch.store.address import parse_address
from mailwatch.store.engine import Database
from mailwatch.store.maintenance import SqlMaintenance

ADDS, ENDS = Act("cli:test", "maintenance.add"), Act("cli:test", "maintenance.end")


async def audited(store):
    """(action, window, title) of the audit log, oldest first."""
    return [(row.action, row.subject, row.detail) for row in reversed(await store.pages.audit(None, 50))]


async def test_what_was_declared_and_ended_in_doubt_is_there_and_noted_once(store, url, clock):
    database = Database(parse_address(url))
    doubtful = SqlMaintenance(LostAnswer(database), clock)
    window = Window("mw_1", "upgrade", None, NOON, 3600.0, created_by="cli:test", created_at=NOON)
    await doubtful.add(window, ADDS)
    assert await store.maintenance.all(10) == [window]
    ended = await doubtful.end("mw_1", NOON + timedelta(minutes=5), ENDS)
    await database.close()
    assert ended.ended_at == NOON + timedelta(minutes=5)
    assert await audited(store) == [("maintenance.add", "mw_1", "upgrade"), ("maintenance.end", "mw_1", None)]


async def test_a_window_without_a_moment_of_its_own_was_declared_now(store, clock):
    await store.maintenance.add(Window("mw_1", "upgrade", None, NOON, 90.4), ADDS)
    (window,) = await store.maintenance.all(1)
    assert (window.created_at, window.seconds, window.every, window.zone) == (clock.now(), 90, Every.ONCE, "UTC")


async def test_windows_come_by_their_start_and_the_one_that_was_ended_earlier_is_gone(store):
    for number, hours in ((1, 5), (2, 1), (3, 3)):
        await store.maintenance.add(Window(f"mw_{number}", "x", None, NOON + timedelta(hours=hours), 60.0), ADDS)
    await store.maintenance.end("mw_3", NOON, ENDS)
    assert [window.id for window in await store.maintenance.windows(NOON)] == ["mw_2", "mw_1"]
