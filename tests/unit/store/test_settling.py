"""What settling costs: nothing for a healthy probe, and as many statements for a hundred moves as for two."""

import pytest
from sqlalchemy import event

from contract.campaigning import ANN, away, campaign, stepped
from contract.fleet import NOON, add, clean, filled, later, password_mailbox
from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Standing
from mailwatch.store.settling import Move, quiet_move, settle


@pytest.fixture
def statements(store):
    """The statements sent to the database since the last look."""
    seen = []

    def note(_connection, _cursor, statement, *_):
        if not statement.startswith("BEGIN"):
            seen.append(statement.split(None, 3)[:2])

    event.listen(store._database._writer.sync_engine, "before_cursor_execute", note)
    return seen


def into(mailbox_id, state, trigger, at=NOON):
    before = Standing(mailbox_id, State.CONNECTED, at, at)
    return Move(stepped(before, state, trigger, at).after, "other", at, (), trigger)


async def settled(store, moves):
    await store._database.write(lambda attempt: settle(attempt, moves, store.campaign_policy))


@pytest.mark.parametrize("to", [(State.RECONNECTING, Trigger.FAILURE_CONFIRMED), (State.CONNECTED, Trigger.VERIFIED)])
async def test_a_hundred_moves_take_as_many_statements_as_two(store, statements, to):
    store.campaign_policy = CampaignPolicy(brake_floor=1000)
    ids = await add(store, *(password_mailbox(number, campaigns=(f"c{number}",)) for number in range(102)))
    if to[0] is State.CONNECTED:
        await settled(store, [into(each, State.RECONNECTING, Trigger.FAILURE_CONFIRMED) for each in ids])
    counts = []
    for some in (ids[:2], ids[2:102]):
        statements.clear()
        await settled(store, [into(each, *to) for each in some])
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert counts[0] <= 10


async def test_a_healthy_probe_pays_nothing_for_campaigns(store, statements):
    await add(store, password_mailbox(1, campaigns=("spring",)))
    (claim,) = await store.claim_due(later(), 1, 60)
    statements.clear()
    await store.record(claim, clean(claim))
    await store.flush()
    assert statements == [["UPDATE", "standings"]] * 2, "the result, and the lease given back"


async def test_a_move_that_asks_nothing_of_campaigns_reads_none(store, statements):
    await add(store, password_mailbox(1, campaigns=("spring",)))
    statements.clear()
    await settled(store, [into("mb_0001", State.SUSPECT, Trigger.PROBE_FAILED)])
    assert statements == []


def test_a_quiet_move_is_one_that_senders_would_miss():
    policy = CampaignPolicy()
    waits = Standing("mb_1", State.RECONNECTING, NOON, NOON)
    sooner = Standing("mb_1", State.RECONNECTING, NOON, later(1))
    works = Standing("mb_1", State.CONNECTED, NOON, NOON)
    assert quiet_move(waits, sooner, "other", NOON, policy, "user:ann").told
    assert quiet_move(waits, waits, "other", NOON, policy, "user:ann") is None
    assert quiet_move(works, Standing("mb_1", State.CONNECTED, NOON, later(1)), "other", NOON, policy, "user:ann") is None


async def test_what_fails_while_settling_leaves_the_move_undone_too(store, monkeypatch):
    await filled(store, 1)
    await store.campaigns.add(campaign("spring", "mb_0000"), ANN)

    async def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("mailwatch.store.ledger.Ledger.write", broken)
    with pytest.raises(ZeroDivisionError):
        await away(store, "mb_0000")
    assert (await store.find("mb_0000")).standing.state is State.PENDING
    assert await store.history() == []
