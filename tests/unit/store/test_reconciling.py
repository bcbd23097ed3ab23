"""What reconciling costs where all is in line, on SQLite.  What it does, tests/contract shows."""

from sqlalchemy import event

from contract.campaigning import after, away, running
from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.store.reconciling import reconcile


async def test_where_all_is_in_line_it_writes_nothing(store):
    one, _ = await running(store, names=tuple(f"c{number}" for number in range(20)))
    await away(store, one)
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement.split(None, 1)[0])

    event.listen(store._database._writer.sync_engine, "before_cursor_execute", note)
    assert await reconcile(store._database, CampaignPolicy(), after(1)) == 0
    assert set(seen) == {"BEGIN", "SELECT"}


async def test_an_empty_database_has_nothing_to_reconcile(store):
    assert await reconcile(store._database, CampaignPolicy(), after(1)) == 0
