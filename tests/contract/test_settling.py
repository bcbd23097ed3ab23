"""A mailbox goes and comes back, and its campaigns with it: in the same transaction, once, and never against a person's will."""

import asyncio
from dataclasses import replace

import pytest

from contract.campaigning import (
    ANN,
    BY_ITSELF,
    after,
    away,
    back,
    campaign,
    events_of,
    goes,
    open_pauses,
    running,
    state_of,
    stepped,
)
from contract.fleet import ADD, NOON, add, clean, later, moved, password_mailbox
from mailwatch.core import acts
from mailwatch.core.campaigns import CampaignPolicy, CampaignState, Channel, Mode, PauseOn, PauseOrigin
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import ChannelHealth, Standing
from mailwatch.ports import Act, Recorded
from mailwatch.store.settling import move_of, settle

DISCONNECT = Act("user:ann", "mailbox.disconnect", "203.0.113.7")


async def disconnect(store, mailbox_id, at=NOON):
    return await store.change(mailbox_id, lambda standing: acts.disconnect(standing, at, "user:ann"), DISCONNECT)


async def reconnect(store, mailbox_id, at=NOON):
    return await store.change(mailbox_id, lambda standing: acts.reconnect(standing, at, "user:ann"), DISCONNECT)


async def test_a_campaign_pauses_with_a_mailbox_and_goes_on_when_it_is_verified(store):
    one, _ = await running(store)
    await away(store, one, at=after(1))
    (pause,) = await open_pauses(store)
    assert (pause.mailbox_id, pause.origin, pause.reason, pause.actor) == (
        one,
        PauseOrigin.AUTOMATIC,
        "server_unavailable",
        "mailwatch",
    )
    assert (pause.since_at, pause.in_force) == (after(1), True)
    paused = (await store.campaigns.find("spring")).campaign
    assert (paused.state, paused.paused_since_at) == (CampaignState.PAUSED, after(1))
    await goes(store, one, State.VERIFYING, after(2))
    assert await state_of(store) is CampaignState.PAUSED
    await back(store, one, at=after(31))
    assert await open_pauses(store) == ()
    view = await store.campaigns.find("spring")
    assert (view.campaign.state, view.campaign.paused_since_at) == (CampaignState.ACTIVE, None)
    (entry,) = await store.campaigns.spans("spring", NOON, after(60))
    assert (entry.lifted_at, entry.lifted_by) == (after(31), "mailwatch")


async def test_a_suspicion_pauses_nothing(store):
    one, _ = await running(store)
    await goes(store, one, State.SUSPECT)
    assert await state_of(store) is CampaignState.ACTIVE
    assert await open_pauses(store) == ()


async def test_the_results_of_probes_settle_campaigns_alone_and_in_a_group(open_store):
    store = await open_store()
    for group in (1, 12):
        names = [f"c{group}-{number}" for number in range(group)]
        ids = await add(store, *(password_mailbox(100 * group + n, campaigns=(name,)) for n, name in enumerate(names)))
        claims = await store.claim_due(later(), 50, 60)
        assert {claim.mailbox.id for claim in claims} == set(ids)
        policy = CampaignPolicy(brake_floor=1000)
        store.campaign_policy = policy
        decisions = [moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, after(group), after(600)) for claim in claims]
        results = await asyncio.gather(*(store.record(claim, each) for claim, each in zip(claims, decisions, strict=True)))
        assert set(results) == {Recorded.STORED}
        for name in names:
            assert await state_of(store, name) is CampaignState.PAUSED
            assert len(await open_pauses(store, name)) == 1
        again = await asyncio.gather(*(store.record(claim, each) for claim, each in zip(claims, decisions, strict=True)))
        assert set(again) == {Recorded.FENCED}
        assert [len(await open_pauses(store, name)) for name in names] == [1] * group


async def test_a_healthy_probe_makes_neither_event_nor_pause(store):
    await running(store)
    before = await store.outbox.newest()
    for claim in await store.claim_due(later(), 10, 60):
        await store.record(claim, clean(claim))
    await store.flush()
    assert await store.outbox.newest() == before


async def test_a_campaign_goes_on_only_when_all_its_mailboxes_are_back(store):
    one, two = await running(store)
    await away(store, one, at=after(1))
    await away(store, two, at=after(2))
    await back(store, one, at=after(3))
    assert await state_of(store) is CampaignState.PAUSED
    await back(store, two, at=after(4))
    assert await state_of(store) is CampaignState.ACTIVE


async def test_where_all_must_be_away_one_that_works_is_enough(store):
    store.campaign_policy = CampaignPolicy(pause_on=PauseOn.ALL)
    one, two = await running(store)
    await away(store, one)
    assert await state_of(store) is CampaignState.ACTIVE
    await away(store, two)
    assert await state_of(store) is CampaignState.PAUSED
    await back(store, one)
    assert await state_of(store) is CampaignState.ACTIVE
    assert [pause.mailbox_id for pause in await open_pauses(store)] == [two]


async def test_a_new_mailbox_lets_a_campaign_go_on_where_all_must_be_away(store):
    store.campaign_policy = CampaignPolicy(pause_on=PauseOn.ALL)
    (one,) = await running(store, 1)
    await away(store, one)
    assert await state_of(store) is CampaignState.PAUSED
    await add(store, password_mailbox(50, campaigns=("spring",)))
    assert await state_of(store) is CampaignState.ACTIVE


async def test_what_an_operator_paused_waits_for_a_person(store):
    one, _ = await running(store)
    await disconnect(store, one, after(1))
    (pause,) = await open_pauses(store)
    assert (pause.origin, pause.actor, pause.reason) == (PauseOrigin.OPERATOR, "user:ann", "operator_disconnect")
    assert await store.campaigns.resumable(one) == []
    await reconnect(store, one, after(2))
    assert (await open_pauses(store))[0].ready_at is None
    await back(store, one, at=after(20))
    (pause,) = await open_pauses(store)
    assert (pause.ready_at, pause.lifted_at) == (after(20), None)
    assert await state_of(store) is CampaignState.PAUSED
    assert [each.id for each in await store.campaigns.resumable(one)] == ["spring"]
    view = await store.campaigns.resume("spring", ANN)
    assert (view.campaign.state, view.pauses) == (CampaignState.ACTIVE, ())
    assert await store.campaigns.resumable(one) == []


async def test_an_operator_outranks_mailwatch_and_not_the_other_way_about(store):
    one, _ = await running(store)
    await away(store, one, at=after(1))
    await disconnect(store, one, after(2))
    (pause,) = await open_pauses(store)
    assert (pause.origin, pause.actor, pause.since_at) == (PauseOrigin.OPERATOR, "user:ann", after(1))
    await reconnect(store, one, after(3))
    assert [each.origin for each in await open_pauses(store)] == [PauseOrigin.OPERATOR]


async def test_a_mailbox_that_fails_again_before_a_person_resumed_is_no_longer_ready(store):
    one, _ = await running(store)
    await disconnect(store, one, after(1))
    await reconnect(store, one, after(2))
    await back(store, one, at=after(3))
    await away(store, one, at=after(4))
    assert await store.campaigns.resumable(one) == []
    view = await store.campaigns.resume("spring", ANN)
    assert (view.campaign.state, len(view.pauses)) == (CampaignState.PAUSED, 1)


async def test_a_person_s_pause_outlives_every_recovery(store):
    one, _ = await running(store)
    await store.campaigns.pause("spring", "holidays", ANN)
    await away(store, one, at=after(1))
    await back(store, one, at=after(2))
    assert await state_of(store) is CampaignState.PAUSED
    assert [(pause.origin, pause.reason) for pause in await open_pauses(store)] == [(PauseOrigin.PERSON, "holidays")]
    assert (await store.campaigns.resume("spring", ANN)).campaign.state is CampaignState.ACTIVE


async def test_a_hold_pauses_and_its_end_resumes_after_verification(store):
    one, _ = await running(store)
    hold = Act("user:ann", "mailbox.hold")
    await store.change(one, lambda s: acts.hold(s, after(1), "user:ann", Cause.WARMUP_PAUSE, after(60)), hold)
    assert [(pause.origin, pause.reason) for pause in await open_pauses(store)] == [(PauseOrigin.AUTOMATIC, "warmup_pause")]
    await store.change(one, lambda s: acts.hold_ended(s, after(60)), Act("mailwatch", "hold_ended"))
    assert await state_of(store) is CampaignState.PAUSED
    await back(store, one, at=after(80))
    assert await state_of(store) is CampaignState.ACTIVE


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.SUGGEST])
async def test_what_is_only_observed_is_noted_and_pauses_nothing(store, mode):
    store.campaign_policy = CampaignPolicy(mode=mode)
    one, two = await running(store)
    await away(store, one)
    await disconnect(store, two)
    assert await state_of(store) is CampaignState.ACTIVE
    assert [pause.in_force for pause in await store.campaigns.held_back()] == [False, False]
    await back(store, one)
    await reconnect(store, two)
    await back(store, two)
    assert await store.campaigns.held_back() == []


async def test_a_mailbox_that_only_lost_imap_goes_on_where_smtp_alone_counts(store):
    store.campaign_policy = CampaignPolicy(channel=Channel.SMTP)
    one, _ = await running(store)
    well = {protocol: ChannelHealth(healthy=True, since_at=NOON) for protocol in Protocol}
    imap_lost = well | {Protocol.IMAP: ChannelHealth(healthy=False, since_at=after(1), cause=Cause.SERVER_UNAVAILABLE)}
    await away(store, one, at=after(1), channels=imap_lost, down_since_at=after(1), due_at=NOON)
    assert await state_of(store) is CampaignState.ACTIVE
    claim = next(each for each in await store.claim_due(after(2), 10, 60) if each.mailbox.id == one)
    # SMTP is lost too, with no change of state: that cannot wait for company
    both = {protocol: ChannelHealth(healthy=False, since_at=after(2), cause=Cause.SERVER_UNAVAILABLE) for protocol in Protocol}
    decision = clean(claim)
    lost = replace(decision, after=replace(decision.after, channels=both, last_probe_at=after(2)))
    assert await store.record(claim, lost) is Recorded.STORED
    assert await state_of(store) is CampaignState.PAUSED
    assert (await open_pauses(store))[0].since_at == after(2)
    # and SMTP that answers again must be verified like everything else
    smtp_again = both | {Protocol.SMTP: ChannelHealth(healthy=True, since_at=after(3))}
    await goes(store, one, State.VERIFYING, after(3), channels=smtp_again)
    assert await state_of(store) is CampaignState.PAUSED
    await back(store, one, at=after(4))
    assert await state_of(store) is CampaignState.ACTIVE


async def test_the_events_tell_the_story_in_order(store):
    one, _ = await running(store)
    start = await store.outbox.newest()
    await store.campaigns.amend("spring", ANN, position="row 1042")
    await away(store, one, at=after(1))
    await back(store, one, at=after(121))
    told = await store.outbox.events(start, 100)
    assert [event.type for event in told] == [
        "mailbox.transitioned",
        "campaign.paused",
        "mailbox.transitioned",
        "campaign.resumed",
    ]
    gone, paused, _, resumed = told
    assert gone.content["mailbox"] == one
    assert (gone.content["from"], gone.content["to"], gone.content["version"]) == ("connected", "reconnecting", 2)
    assert "provider" in gone.content["sentence"].lower()
    assert (paused.campaign_id, paused.mailbox_id, paused.at) == ("spring", one, after(1))
    assert paused.content == {
        "campaign": "spring",
        "state": "paused",
        "mailbox": one,
        "cause": "server_unavailable",
        "origin": "automatic",
        "since": "2026-11-22T12:01:00Z",
        "position": "row 1042",
        "version": 4,
    }
    assert resumed.content["version"] == (await store.campaigns.find("spring")).campaign.version == 5
    assert resumed.content["position"] == "row 1042"
    assert resumed.content["paused_seconds"] == 7200
    assert resumed.content["ramp"] == [{"after_seconds": 0.0, "ratio": 0.25}, {"after_seconds": 1800.0, "ratio": 1.0}]
    assert "@" not in "".join(map(repr, told))


async def test_adding_and_removing_are_told_too(store):
    await add(store, password_mailbox(1))
    await store.remove("mb_0001", ADD)
    assert [(event.type, event.content["mailbox"]) for event in await events_of(store)] == [("mailbox.removed", "mb_0001")]


async def test_what_a_sender_relies_on_is_told_even_where_the_state_stays(store):
    one, _ = await running(store)
    hold = Act("user:ann", "mailbox.hold")
    await store.change(one, lambda s: acts.hold(s, after(1), "user:ann", Cause.WARMUP_PAUSE, after(60)), hold)
    await store.change(one, lambda s: acts.hold(s, after(2), "user:ann", Cause.WARMUP_PAUSE, after(90)), hold)
    last = (await events_of(store))[-1]
    assert (last.type, last.content["until"]) == ("mailbox.changed", "2026-11-22T13:30:00Z")


async def test_nodes_that_move_mailboxes_of_one_campaign_at_once_leave_it_as_its_pauses_say(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    ids = await running(one, 8)

    async def flutter(store, mailbox_id, rounds=4):
        for turn in range(rounds):
            await away(store, mailbox_id, at=after(2 * turn))
            await back(store, mailbox_id, at=after(2 * turn + 1))

    await asyncio.gather(*(flutter(one if number % 2 else other, each) for number, each in enumerate(ids)))
    assert await state_of(one) is CampaignState.ACTIVE
    assert await open_pauses(one) == ()
    await asyncio.gather(away(one, ids[0]), away(other, ids[1]), back(one, ids[2]))
    view = await one.campaigns.find("spring")
    assert (view.campaign.state, {pause.mailbox_id for pause in view.pauses}) == (CampaignState.PAUSED, {ids[0], ids[1]})


async def test_a_mailbox_that_goes_and_comes_and_goes_in_one_transaction_is_paused_for_once(store):
    one, _ = await running(store)
    turns = (State.RECONNECTING, State.CONNECTED, State.BLOCKED)
    belief = Standing(one, State.CONNECTED, NOON, NOON)
    moves = [move_of(stepped(belief, state, BY_ITSELF[state], after(n)), "other") for n, state in enumerate(turns)]
    await store._database.write(lambda attempt: settle(attempt, moves, store.campaign_policy))
    assert [pause.since_at for pause in await open_pauses(store)] == [after(2)]
    assert len(await store.campaigns.spans("spring", after(-1), after(9))) == 2


async def test_a_mailbox_without_campaigns_moves_without_a_ledger(store):
    (one,) = await add(store, password_mailbox(1))
    await away(store, one)
    assert await store.campaigns.held_back() == []
    assert [event.type for event in await events_of(store)] == ["mailbox.added", "mailbox.transitioned"]


async def test_a_finished_campaign_is_left_alone(store):
    one, _ = await running(store)
    await store.campaigns.amend("spring", ANN, finished=True)
    await away(store, one)
    assert await open_pauses(store) == ()
    assert await state_of(store) is CampaignState.FINISHED
    await store.campaigns.add(campaign("summer", one), ANN)
    assert await state_of(store, "summer") is CampaignState.PAUSED
