"""How acts on campaigns are audited, on SQLite.  What they do, tests/contract shows."""

import pytest
from sqlalchemy import select

from contract.campaigning import ANN, after, away, campaign
from contract.fleet import filled
from mailwatch.core.campaigns import CampaignState
from mailwatch.store.campaigns import _named
from mailwatch.store.schema import audit


async def last_row(store):
    async def work(attempt):
        return (await attempt.connection.execute(select(audit).order_by(audit.c.id.desc()).limit(1))).one()

    return await store._database.read(work)


async def test_each_act_leaves_one_row_with_what_was_before_and_after(store, clock):
    ids = await filled(store, 2)
    await away(store, ids[0])
    await store.campaigns.add(campaign("spring"), ANN)
    clock.time = after(7)
    await store.campaigns.link("spring", ids, ANN)
    row = await last_row(store)
    assert (row.at, row.actor, row.action, row.origin) == (after(7), "user:ann", "campaign.test", "203.0.113.7")
    assert (row.subject, row.mailbox_id, row.state_before, row.state_after) == ("spring", None, "active", "paused")
    assert row.detail == "mb_0000, mb_0001"
    await store.campaigns.amend("spring", ANN, name="Spring!", sender="crm/1", finished=True)
    row = await last_row(store)
    assert (row.state_before, row.state_after, row.detail) == ("paused", "finished", "name, sender")
    await store.campaigns.release_brake(ANN)
    assert ((await last_row(store)).subject, (await last_row(store)).detail) == (None, "0 campaigns paused")


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, None), (1, "mb_00"), (21, ", ".join(f"mb_{n:02}" for n in range(20)) + " and 1 more")],
)
def test_of_very_many_mailboxes_only_some_are_named(number, told):
    assert _named(f"mb_{n:02}" for n in reversed(range(number))) == told


async def test_a_campaign_can_be_registered_as_finished(store):
    (one,) = await filled(store, 1)
    await away(store, one)
    added = await store.campaigns.add(campaign("old", one, state=CampaignState.FINISHED), ANN)
    assert (added.state, added.paused_since_at) == (CampaignState.FINISHED, None)
    assert (await store.campaigns.find("old")).pauses == ()
