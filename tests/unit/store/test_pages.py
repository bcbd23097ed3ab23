"""Pages on one machine: read from indexes, whatever the filter.  What they show, tests/contract shows."""

import pytest
from sqlalchemy import event

from contract.fleet import NOON, filled
from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import PageFilter
from mailwatch.store.pages import SqlPages


@pytest.fixture
async def plans(store):
    """`await plans(ask)`: how SQLite answers the statements of *ask*, a line a step."""
    engine = store._database._reader.sync_engine

    async def plans_of(ask):
        asked = []

        def note(_connection, _cursor, statement, parameters, _context, _many):
            asked.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", note)
        await ask
        event.remove(engine, "before_cursor_execute", note)

        async def explained(attempt):
            found = []
            for statement, parameters in asked:
                if statement.startswith("SELECT"):
                    rows = await attempt.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                    found += [row[3] for row in rows.all()]
            return found

        return await store._database.read(explained)

    return plans_of


@pytest.mark.parametrize(
    ("which", "index"),
    [
        (PageFilter(), "ix_standings_state (state=?)"),
        (PageFilter(providers=frozenset({"google"})), "ix_standings_provider (provider=? AND state=?)"),
        (PageFilter(causes=frozenset({"mfa_required"})), "ix_standings_cause (cause=? AND state=?)"),
    ],
)
async def test_a_page_is_walked_along_an_index_and_nothing_is_sorted(store, plans, which, index):
    await filled(store, 5)
    steps = await plans(SqlPages(store._database).page(which, None, 100))
    walked = [step for step in steps if "COVERING INDEX" in step]
    assert len(walked) >= 8
    assert all(index in step for step in walked[:8])
    assert not [step for step in steps if "TEMP B-TREE FOR ORDER" in step and "campaign" not in step and step in steps[:8]]
    assert not [step for step in steps if step.startswith("SCAN")]


async def test_the_next_page_begins_where_the_last_one_ended(store, plans):
    await filled(store, 5)
    pages = SqlPages(store._database)
    which = PageFilter(states=frozenset({State.PENDING}))
    cursor = (await pages.page(which, None, 2)).next_cursor
    steps = await plans(pages.page(which, cursor, 2))
    assert "ix_standings_state (state=? AND (since_at,mailbox_id)<(?,?))" in steps[0]


@pytest.mark.parametrize(
    "which", [PageFilter(), PageFilter(providers=frozenset({"google"})), PageFilter(causes=frozenset({"mfa_required"}))]
)
async def test_counters_are_read_from_an_index_alone(store, plans, which):
    steps = await plans(SqlPages(store._database).counters(which))
    assert "USING COVERING INDEX" in steps[0]


async def test_a_heartbeat_reads_no_older_history(store, plans):
    steps = await plans(SqlPages(store._database).heartbeats(["mb_1", "mb_2"], NOON))
    assert any("transitions USING INDEX" in step and "(mailbox_id=? AND version>?)" in step for step in steps)
    assert not [step for step in steps if step.startswith("SCAN")]
