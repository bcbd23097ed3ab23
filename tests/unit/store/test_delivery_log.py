"""What is read of the outbox, on SQLite.  What is in it, tests/contract shows."""

from sqlalchemy import text

from contract.fleet import NOON, filled
from mailwatch.store.delivery_log import delivery_from_row, with_event


async def test_a_delivery_is_read_beside_its_event(store):
    await filled(store, 1)
    await store.outbox.fan_out({"crm": frozenset()}, 10)

    async def work(attempt):
        return [delivery_from_row(row) for row in (await attempt.connection.execute(with_event())).all()]

    (one,) = await store._database.read(work)
    assert (one.endpoint, one.state, one.attempts, one.due_at) == (
        "crm",
        "pending",
        0,
        NOON,
    )
    (event,) = await store.outbox.events(0, 10)
    assert one.event == event
    assert one.event.id != 0


async def test_the_log_of_one_endpoint_is_read_along_an_index(store):
    async def plan(attempt):
        query = "SELECT id FROM deliveries WHERE endpoint = 'crm' ORDER BY id DESC LIMIT 10"
        return [row.detail for row in (await attempt.connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all()]

    (step,) = await store._database.read(plan)
    assert "INDEX ix_deliveries_endpoint (endpoint=?)" in step
