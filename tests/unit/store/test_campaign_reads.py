"""Reading campaigns, on SQLite.  What is read, tests/contract shows."""

import pytest
from sqlalchemy import text

from contract.campaigning import ANN, campaign
from mailwatch.core.campaigns import CampaignState
from mailwatch.ports.campaigns import CampaignFilter, CampaignNotFoundError


async def test_an_empty_registry_has_nothing(store):
    assert await store.campaigns.list(CampaignFilter()) == []
    assert await store.campaigns.held_back() == []
    assert await store.campaigns.counts() == {}
    assert await store.campaigns.resumable("mb_none") == []
    with pytest.raises(CampaignNotFoundError, match="spring"):
        await store.campaigns.find("spring")


@pytest.mark.parametrize("wanted", ["%", "_", "\\", "'", '"', "spring'; DROP TABLE campaigns"])
async def test_what_is_searched_for_is_text_and_no_pattern(store, wanted):
    await store.campaigns.add(campaign(), ANN)
    assert await store.campaigns.list(CampaignFilter(text=wanted)) == []
    assert len(await store.campaigns.list(CampaignFilter(text="PRING"))) == 1


async def test_a_filter_of_several_kinds_asks_for_all_of_them(store):
    for name in ("a", "b"):
        await store.campaigns.add(campaign(name, sender="crm"), ANN)
    await store.campaigns.pause("b", "why", ANN)
    which = CampaignFilter(states=frozenset({CampaignState.PAUSED}), text="crm", after="a")
    assert [view.campaign.id for view in await store.campaigns.list(which)] == ["b"]


async def test_the_oldest_pause_of_a_campaign_is_found_along_its_ledger(store):
    async def plan(attempt):
        query = "SELECT id FROM pauses WHERE campaign_id = 'a' AND lifted_at IS NULL AND in_force ORDER BY since_at, id LIMIT 1"
        return [row.detail for row in (await attempt.connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all()]

    steps = await store._database.read(plan)
    assert steps[0].startswith("SEARCH pauses USING INDEX")
