"""Campaigns brought in line with their mailboxes, after an upgrade or another policy."""

import pytest
from sqlalchemy import delete, update

from contract.campaigning import ANN, after, away, back, events_of, goes, open_pauses, running, state_of
from contract.fleet import NOON, add, password_mailbox
from mailwatch.core import acts
from mailwatch.core.campaigns import CampaignPolicy, CampaignState, Mode, PauseOn, PauseOrigin
from mailwatch.core.lifecycle import State
from mailwatch.store.schema_campaigns import campaigns, pauses


async def without_ledger(store):
    """The database as an upgrade leaves it: links, and no pause."""

    async def work(attempt):
        await attempt.connection.execute(delete(pauses))
        await attempt.connection.execute(update(campaigns).values(state="active", paused_since_at=None))

    await store._database.write(work)


async def test_where_all_is_in_line_nothing_is_done(store):
    one, _ = await running(store)
    await away(store, one)
    before = await store.outbox.newest()
    assert await store.campaigns.reconcile() == 0
    assert await store.outbox.newest() == before


async def test_an_upgrade_s_campaigns_are_paused_for_what_is_away(store):
    one, two = await running(store)
    await goes(store, one, State.BLOCKED, after(-60))
    await store.change(two, lambda s: acts.disconnect(s, after(-30), "user:ann"), ANN)
    await without_ledger(store)
    assert await store.campaigns.reconcile() == 2
    assert {(pause.mailbox_id, pause.origin, pause.since_at) for pause in await open_pauses(store)} == {
        (one, PauseOrigin.AUTOMATIC, NOON),
        (two, PauseOrigin.OPERATOR, NOON),
    }
    assert await state_of(store) is CampaignState.PAUSED
    assert (await events_of(store))[-1].type == "campaign.paused"
    assert await store.campaigns.reconcile() == 0


async def test_the_brake_holds_here_too(store):
    store.campaign_policy = CampaignPolicy(brake_floor=1, brake_ratio=0.5)
    ids = await add(store, *(password_mailbox(number, campaigns=(f"c{number}",)) for number in range(10)))
    await away(store, *ids)
    await without_ledger(store)
    assert await store.campaigns.reconcile() == 10
    assert len(await store.campaigns.held_back()) == 5


async def test_another_policy_draws_the_states_anew(store):
    one, two = await running(store)
    await away(store, one)
    store.campaign_policy = CampaignPolicy(pause_on=PauseOn.ALL)
    assert await store.campaigns.reconcile() == 1
    assert await state_of(store) is CampaignState.ACTIVE
    store.campaign_policy = CampaignPolicy()
    assert await store.campaigns.reconcile() == 1
    assert await state_of(store) is CampaignState.PAUSED
    await back(store, one, at=after(1))
    await away(store, two, at=after(2))
    assert await store.campaigns.reconcile() == 0


async def test_many_are_worked_through_in_portions(store):
    store.campaign_policy = CampaignPolicy(brake_floor=10_000)
    names = tuple(f"c{number:04}" for number in range(1100))
    (one,) = await add(store, password_mailbox(1, campaigns=names))
    await away(store, one)
    await without_ledger(store)
    assert await store.campaigns.reconcile() == 1
    assert await store.campaigns.counts() == {(CampaignState.PAUSED, "automatic"): 1100}
    store.campaign_policy = CampaignPolicy(pause_on=PauseOn.ALL)
    await add(store, password_mailbox(2, campaigns=names[:600]))
    assert await store.campaigns.counts() == {(CampaignState.PAUSED, "automatic"): 500, (CampaignState.ACTIVE, "none"): 600}
    store.campaign_policy = CampaignPolicy()
    assert await store.campaigns.reconcile() == 600


async def enforced(store, **policy):
    """Pauses are enforced from now on, as a reload does it; how much that changed."""
    store.campaign_policy = CampaignPolicy(**policy)
    return await store.campaigns.reconcile()


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.SUGGEST])
async def test_what_was_only_noted_comes_into_force_once_pauses_are_enforced(store, mode):
    store.campaign_policy = CampaignPolicy(mode=mode)
    one, two = await running(store)
    await away(store, one, at=after(-60))
    await store.change(two, lambda standing: acts.disconnect(standing, after(-60), "user:ann"), ANN)
    assert await state_of(store) is CampaignState.ACTIVE
    assert await enforced(store) == 2
    assert await state_of(store) is CampaignState.PAUSED
    found = {pause.mailbox_id: pause for pause in await open_pauses(store)}
    assert [(found[each].in_force, found[each].since_at) for each in (one, two)] == [(True, NOON)] * 2
    assert (found[one].origin, found[two].origin) == (PauseOrigin.AUTOMATIC, PauseOrigin.OPERATOR)
    assert found[two].actor == "user:ann", "who disconnected it is not forgotten"
    assert [event.type for event in await events_of(store, "campaign.paused")] == ["campaign.paused"]
    assert await store.campaigns.reconcile() == 0
    await back(store, one, at=after(1))
    assert await state_of(store) is CampaignState.PAUSED, "what a person's act paused waits for a person"


async def test_the_brake_is_on_while_what_was_noted_comes_into_force_and_what_it_holds_back_stays_so(store):
    store.campaign_policy = CampaignPolicy(mode=Mode.OBSERVE)
    ids = await add(store, *(password_mailbox(number, campaigns=(f"c{number}",)) for number in range(6)))
    await back(store, *ids)
    await away(store, *ids)
    braking = {"brake_floor": 2, "brake_ratio": 0.1}
    await enforced(store, **braking)
    assert await store.campaigns.counts() == {(CampaignState.PAUSED, "automatic"): 2, (CampaignState.ACTIVE, "none"): 4}
    assert await enforced(store, **braking) == 0
    assert await enforced(store, brake_ratio=1.0) == 0, "what the brake holds back waits for a person"
    await goes(store, ids[5], State.BLOCKED, after(1))
    assert len(await store.campaigns.held_back()) == 4
    assert await store.campaigns.release_brake(ANN) == 4


async def test_a_mailbox_that_moves_on_takes_what_was_noted_of_it_into_force(store):
    """Another node may have noted it while this one enforced already."""
    store.campaign_policy = CampaignPolicy(mode=Mode.OBSERVE)
    one, _ = await running(store)
    await away(store, one)
    store.campaign_policy = CampaignPolicy()
    await goes(store, one, State.BLOCKED, after(1))
    (pause,) = await open_pauses(store)
    assert (pause.in_force, pause.since_at) == (True, after(1))
    assert await state_of(store) is CampaignState.PAUSED


async def test_another_rule_brings_no_move_in_trouble_before_all_is_in_line(store):
    """Between a reload and the reconciling after it, mailboxes move on."""
    store.campaign_policy = CampaignPolicy(pause_on=PauseOn.ALL)
    one, two, three = await running(store, 3)
    await away(store, one, two)
    assert await state_of(store) is CampaignState.ACTIVE
    store.campaign_policy = CampaignPolicy()
    await back(store, two, at=after(1))
    assert await state_of(store) is CampaignState.PAUSED
    (told,) = await events_of(store, "campaign.paused")
    assert told.content["mailbox"] == one
    await back(store, one, at=after(2))
    await away(store, three, at=after(3))
    assert await store.campaigns.reconcile() == 0
