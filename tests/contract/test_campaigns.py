"""The registry of campaigns and what people do to it, with audit rows and events."""

import asyncio

import pytest
from sqlalchemy import select

from contract.campaigning import ANN, after, away, back, campaign, events_of, goes, open_pauses, running, state_of
from contract.fleet import ADD, NOON, add, filled, password_mailbox
from mailwatch.core import acts
from mailwatch.core.campaigns import CampaignPolicy, CampaignState, Mode, PauseOn, PauseOrigin
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.ports import Act, MailboxFilter, MailboxNotFoundError
from mailwatch.ports.campaigns import CampaignExistsError, CampaignFilter, CampaignNotFoundError, CampaignOverError, StaleError
from mailwatch.ports.pages import CountDiffersError
from mailwatch.store.campaign_reads import LISTED_PAUSES
from mailwatch.store.schema import audit


async def audited(store):
    async def work(attempt):
        return (await attempt.connection.execute(select(audit).where(audit.c.subject.is_not(None)).order_by(audit.c.id))).all()

    return await store._database.read(work)


async def test_a_campaign_is_found_as_it_was_registered(store):
    ids = await filled(store, 3)
    added = await store.campaigns.add(campaign("spring", *ids[:2], sender="crm/17", position="row 9"), ANN)
    view = await store.campaigns.find("spring")
    assert view.campaign == added
    assert (added.sender, added.position, added.mailboxes) == ("crm/17", "row 9", tuple(ids[:2]))
    assert (added.state, added.version, view.pauses) == (CampaignState.ACTIVE, 1, ())
    assert [(row.subject, row.actor, row.origin, row.state_after) for row in await audited(store)] == [
        ("spring", "user:ann", "203.0.113.7", "active")
    ]
    assert [event.content["change"] for event in await events_of(store, "campaign.changed")] == ["added"]


async def test_a_campaign_is_registered_once(store):
    await store.campaigns.add(campaign(), ANN)
    with pytest.raises(CampaignExistsError, match="spring"):
        await store.campaigns.add(campaign(), ANN)
    assert len(await audited(store)) == 1


async def test_a_campaign_of_a_mailbox_nobody_knows_is_refused_and_leaves_nothing(store):
    with pytest.raises(MailboxNotFoundError, match="mb_none"):
        await store.campaigns.add(campaign("spring", "mb_none"), ANN)
    with pytest.raises(CampaignNotFoundError):
        await store.campaigns.find("spring")


async def test_what_is_not_there_is_said_so(store):
    (one,) = await filled(store, 1)
    registry = store.campaigns
    for act in (
        registry.find("x"),
        registry.amend("x", ANN, name="y"),
        registry.link("x", [one], ANN),
        registry.unlink("x", [one], ANN),
        registry.pause("x", "why", ANN),
        registry.resume("x", ANN),
    ):
        with pytest.raises(CampaignNotFoundError, match="mailwatch campaign list"):
            await act


async def test_amending_changes_what_is_given_and_needs_the_version_that_was_seen(store):
    await store.campaigns.add(campaign(sender="crm/17"), ANN)
    first = await store.campaigns.amend("spring", ANN, position="row 2", version=1)
    assert (first.position, first.sender, first.version) == ("row 2", "crm/17", 2)
    with pytest.raises(StaleError, match="version 2"):
        await store.campaigns.amend("spring", ANN, name="late", version=1)
    assert await store.campaigns.amend("spring", ANN, position="row 2") == first, "the same again is no change"
    assert (await store.campaigns.amend("spring", ANN, name="Spring!")).name == "Spring!"


async def test_a_position_is_the_sender_s_own_affair_and_told_to_nobody(store):
    await store.campaigns.add(campaign(), ANN)
    before = await store.outbox.newest()
    await store.campaigns.amend("spring", ANN, position="row 3")
    assert await store.outbox.newest() == before


async def test_a_finished_campaign_has_no_pauses_and_gets_none(store):
    one, _ = await running(store)
    await store.campaigns.pause("spring", "holidays", ANN)
    await away(store, one, at=after(1))
    done = await store.campaigns.amend("spring", ANN, finished=True)
    assert (done.state, done.paused_since_at) == (CampaignState.FINISHED, None)
    assert await open_pauses(store) == ()


async def test_a_finished_campaign_is_neither_paused_nor_resumed_and_no_audit_row_says_so(store):
    await running(store)
    done = await store.campaigns.amend("spring", ANN, finished=True)
    rows = await audited(store)
    with pytest.raises(CampaignOverError, match="'spring' is finished; there is nothing to pause"):
        await store.campaigns.pause("spring", "again", ANN)
    with pytest.raises(CampaignOverError, match="'spring' is finished; there is nothing to resume"):
        await store.campaigns.resume("spring", ANN)
    with pytest.raises(StaleError):  # whoever looked at another version hears of that first
        await store.campaigns.resume("spring", ANN, version=done.version - 1)
    assert await audited(store) == rows


async def test_a_campaign_taken_up_again_is_paused_for_what_is_away_now(store):
    one, _ = await running(store)
    await store.campaigns.amend("spring", ANN, finished=True)
    await away(store, one, at=after(1))
    again = await store.campaigns.amend("spring", ANN, finished=False)
    assert again.state is CampaignState.PAUSED
    assert [(pause.mailbox_id, pause.origin) for pause in await open_pauses(store)] == [(one, PauseOrigin.AUTOMATIC)]


async def test_a_person_s_pause_comes_back_with_the_campaign_that_was_finished_meanwhile(store):
    await running(store)
    await store.campaigns.pause("spring", "wrong price", ANN)
    for _ in range(2):
        await store.campaigns.amend("spring", ADD, finished=True)
        again = await store.campaigns.amend("spring", ADD, finished=False)
        assert again.state is CampaignState.PAUSED
        (pause,) = await open_pauses(store)
        assert (pause.origin, pause.reason, pause.actor) == (PauseOrigin.PERSON, "wrong price", "user:ann")
    assert (await store.campaigns.resume("spring", ANN)).campaign.state is CampaignState.ACTIVE


async def test_what_a_person_lifted_before_the_campaign_was_finished_does_not_come_back(store):
    await running(store)
    await store.campaigns.pause("spring", "wrong price", ANN)
    await store.campaigns.amend("spring", ANN, finished=True)
    await store.campaigns.amend("spring", ANN, finished=False)
    await store.campaigns.resume("spring", ANN)
    await store.campaigns.amend("spring", ANN, finished=True)
    assert (await store.campaigns.amend("spring", ANN, finished=False)).state is CampaignState.ACTIVE
    assert await open_pauses(store) == ()


async def test_linking_a_mailbox_that_is_away_pauses_at_once(store):
    one, two = await filled(store, 2)
    await away(store, one)
    await store.change(two, lambda standing: acts.disconnect(standing, NOON, "user:ann"), Act("user:ann", "disconnect"))
    await store.campaigns.add(campaign(), ANN)
    view = await store.campaigns.link("spring", [one, two], ANN)
    assert (view.campaign.state, view.campaign.mailboxes) == (CampaignState.PAUSED, (one, two))
    assert {(pause.mailbox_id, pause.origin) for pause in view.pauses} == {
        (one, PauseOrigin.AUTOMATIC),
        (two, PauseOrigin.OPERATOR),
    }
    again = await store.campaigns.link("spring", [two, one], ANN)
    assert again == view, "linking what is linked changes nothing"


async def test_linking_an_unknown_mailbox_links_none(store):
    (one,) = await filled(store, 1)
    await store.campaigns.add(campaign(), ANN)
    with pytest.raises(MailboxNotFoundError, match="mb_none"):
        await store.campaigns.link("spring", [one, "mb_none"], ANN)
    assert (await store.campaigns.find("spring")).campaign.mailboxes == ()


async def test_unlinking_lifts_the_pauses_for_what_is_unlinked(store):
    one, two = await running(store)
    await away(store, one, two)
    view = await store.campaigns.unlink("spring", [one, "mb_none"], ANN)
    assert [pause.mailbox_id for pause in view.pauses] == [two]
    view = await store.campaigns.unlink("spring", [two], ANN)
    assert (view.campaign.state, view.campaign.mailboxes, view.pauses) == (CampaignState.ACTIVE, (), ())
    ledger = await store.campaigns.spans("spring", after(-1), after(600))
    assert {entry.lifted_by for entry in ledger} == {"user:ann"}


async def test_unlinking_the_mailbox_that_works_pauses_where_all_others_are_away(store):
    store.campaign_policy = CampaignPolicy(pause_on=PauseOn.ALL)
    one, two = await running(store)
    await away(store, one)
    assert (await store.campaigns.unlink("spring", [two], ANN)).campaign.state is CampaignState.PAUSED


async def test_a_person_s_pause_is_one_however_often_it_is_asked_for(store):
    await store.campaigns.add(campaign(), ANN)
    first = await store.campaigns.pause("spring", "holidays", ANN)
    assert [(pause.origin, pause.reason, pause.actor, pause.mailbox_id) for pause in first.pauses] == [
        (PauseOrigin.PERSON, "holidays", "user:ann", None)
    ]
    assert await store.campaigns.pause("spring", "still", Act("user:bob", "campaign.pause")) == first
    told = (await events_of(store, "campaign.paused"))[-1].content
    assert (told["reason"], told["origin"], told["mailbox"]) == ("holidays", "person", None)
    assert [row.action for row in await audited(store)] == ["campaign.test", "campaign.test", "campaign.pause"]


async def test_resuming_leaves_the_pauses_for_what_is_away(store):
    one, _ = await running(store)
    await store.campaigns.pause("spring", "holidays", ANN)
    await away(store, one)
    view = await store.campaigns.resume("spring", ANN)
    assert (view.campaign.state, [pause.origin for pause in view.pauses]) == (CampaignState.PAUSED, [PauseOrigin.AUTOMATIC])


async def test_opposite_acts_of_people_at_once_end_as_the_pauses_say(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    await one.campaigns.add(campaign(), ANN)

    async def act(store, number):
        if number % 2:
            return await store.campaigns.pause("spring", f"{number}", ANN)
        return await store.campaigns.resume("spring", ANN)

    await asyncio.gather(*(act(store, number) for number in range(16) for store in (one, other)))
    view = await one.campaigns.find("spring")
    assert (view.campaign.state is CampaignState.PAUSED) == bool(view.pauses)
    assert len(view.pauses) <= 1


async def test_campaigns_are_listed_by_id_and_by_what_is_asked(store):
    (one,) = await filled(store, 1)
    for name, fields in (("b", {"sender": "CRM"}), ("a", {}), ("c", {"mailboxes": (one,)})):
        await store.campaigns.add(campaign(name, **fields), ANN)
    await store.campaigns.pause("a", "why", ANN)

    async def ids(**which):
        return [view.campaign.id for view in await store.campaigns.list(CampaignFilter(**which))]

    assert await ids() == ["a", "b", "c"]
    assert await ids(limit=1, after="a") == ["b"]
    assert await ids(states=frozenset({CampaignState.PAUSED})) == ["a"]
    assert await ids(mailbox_id=one) == ["c"]
    assert await ids(text="crm") == ["b"]
    assert await ids(text="%") == []
    (view,) = await store.campaigns.list(CampaignFilter(states=frozenset({CampaignState.PAUSED})))
    assert [pause.reason for pause in view.pauses] == ["why"]


async def test_a_list_shows_the_first_pauses_of_each_campaign_and_counts_the_others(store):
    many = LISTED_PAUSES + 5
    ids = await running(store, many, ("spring", "summer"))
    await store.campaigns.unlink("summer", ids[3:], ANN)
    for number, each in enumerate(ids):
        await away(store, each, at=after(number))
    spring, summer = await store.campaigns.list(CampaignFilter())
    assert ([pause.mailbox_id for pause in spring.pauses], spring.more_pauses) == (ids[:LISTED_PAUSES], 5)
    assert ([pause.mailbox_id for pause in summer.pauses], summer.more_pauses) == (ids[:3], 0)
    (of_the_last,) = await store.campaigns.list(CampaignFilter(mailbox_id=ids[-1]))
    assert ({pause.mailbox_id for pause in of_the_last.pauses} - set(ids[:LISTED_PAUSES]), of_the_last.more_pauses) == (
        {ids[-1]},
        4,
    )
    assert len((await store.campaigns.find("spring")).pauses) == many


async def test_counts_name_the_oldest_pause_in_force(store):
    one, _ = await running(store, names=("spring", "summer", "autumn"))
    await store.campaigns.amend("autumn", ANN, finished=True)
    await store.campaigns.unlink("summer", [one], ANN)
    await away(store, one, at=after(-5))
    await store.campaigns.pause("spring", "holidays", ANN)
    assert await store.campaigns.counts() == {
        (CampaignState.PAUSED, "automatic"): 1,
        (CampaignState.ACTIVE, "none"): 1,
        (CampaignState.FINISHED, "none"): 1,
    }


async def test_the_ledger_tells_every_span_that_touches_the_time_asked_for(store):
    one, _ = await running(store)
    for start in (0, 20, 40):
        await away(store, one, at=after(start))
        await back(store, one, at=after(start + 10))
    await away(store, one, at=after(60))

    async def starts(since, until):
        return [entry.since_at for entry in await store.campaigns.spans("spring", after(since), after(until))]

    assert await starts(0, 100) == [after(0), after(20), after(40), after(60)]
    assert await starts(25, 41) == [after(20), after(40)]
    assert await starts(10, 20) == []
    assert await starts(70, 80) == [after(60)]


async def test_a_mailbox_brings_its_campaigns_into_the_registry_and_shows_them(store):
    await store.campaigns.add(campaign("known", name="A known one"), ANN)
    wanted = password_mailbox(1, campaigns=("known", "new", "new"))
    await add(store, wanted, password_mailbox(2))
    assert (await store.find("mb_0001")).mailbox.campaigns == ("known", "new")
    assert [view.mailbox.campaigns for view in await store.list(MailboxFilter())] == [("known", "new"), ()]
    new = (await store.campaigns.find("new")).campaign
    assert (new.name, new.state, new.mailboxes) == ("new", CampaignState.ACTIVE, ("mb_0001",))
    assert (await store.campaigns.find("known")).campaign.name == "A known one"


async def test_a_transition_is_told_with_the_campaigns_of_its_mailbox(store):
    one, _ = await running(store)
    await away(store, one, at=after(1))
    (told,) = await store.told(after(1), after(2))
    assert told[1].campaigns == ("spring",)


async def test_mailboxes_added_with_campaigns_by_two_nodes_at_once_share_them(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    wanted = [[password_mailbox(10 * n + k, campaigns=("spring", f"c{k}")) for k in range(5)] for n in range(4)]
    stores = (one, other, one, other)
    await asyncio.gather(*(store.add(some, ADD, first_due_at=lambda _: NOON) for store, some in zip(stores, wanted, strict=True)))
    assert len((await one.campaigns.find("spring")).campaign.mailboxes) == 20
    assert len((await one.campaigns.find("c3")).campaign.mailboxes) == 4


# --- the brake ---


async def fleet(store, campaigns, **policy):
    """A connected mailbox for each of some campaigns."""
    store.campaign_policy = CampaignPolicy(**policy)
    ids = await add(store, *(password_mailbox(number, campaigns=(f"c{number:02}",)) for number in range(campaigns)))
    await back(store, *ids)
    return ids


async def paused_count(store):
    return len(await store.campaigns.list(CampaignFilter(states=frozenset({CampaignState.PAUSED}))))


async def test_more_than_a_share_of_the_campaigns_is_not_paused_without_a_person(store):
    ids = await fleet(store, 20, brake_floor=2, brake_ratio=0.25)
    await away(store, *ids, at=after(1))
    assert await paused_count(store) == 5
    held = await store.campaigns.held_back()
    assert await store.campaigns.held_back_counts() == (15, len(held)) == (15, 15)
    pages = [await store.campaigns.held_back(after, 10) for after in (0, held[9].id)]
    assert [*pages[0], *pages[1]] == list(held)
    told = await events_of(store, "campaigns.braked")
    assert len(told) == 15
    assert told[0].content == {
        "campaigns": 1,
        "mailboxes": 1,
        "active": 15,
        "paused_lately": 5,
        "window_seconds": 600.0,
        "at": "2026-11-22T12:01:00Z",
    }
    assert await store.campaigns.release_brake(ANN) == 15
    assert await paused_count(store) == 20
    assert await store.campaigns.held_back() == []
    assert await store.campaigns.held_back_counts() == (0, 0)
    await back(store, *ids, at=after(2))
    assert await paused_count(store) == 0


async def test_the_brake_is_released_for_the_number_that_was_looked_at_or_not_at_all(store):
    ids = await fleet(store, 20, brake_floor=2, brake_ratio=0.25)
    await away(store, *ids, at=after(1))
    with pytest.raises(CountDiffersError, match="of 15 campaigns are held back now, not 14"):
        await store.campaigns.release_brake(ANN, expected=14)
    assert await paused_count(store) == 5
    assert await store.campaigns.release_brake(ANN, expected=15) == 15


async def test_the_brake_forgets_what_is_older_than_its_window(store):
    ids = await fleet(store, 20, brake_floor=2, brake_ratio=0.25)
    await away(store, *ids[:5], at=after(1))
    await away(store, ids[5], at=after(10))
    assert await paused_count(store) == 5
    await away(store, ids[6], at=after(12))
    assert await paused_count(store) == 6


async def test_the_brake_does_not_count_what_was_paused_before_the_clock_was_set_back(store):
    ids = await fleet(store, 20, brake_floor=2, brake_ratio=0.25)
    await away(store, *ids[:5], at=after(24 * 60))
    await away(store, ids[5], at=after(1))
    assert await paused_count(store) == 6
    assert await store.campaigns.held_back() == []


async def test_the_brake_counts_what_a_node_paused_whose_clock_is_a_little_ahead(store):
    ids = await fleet(store, 20, brake_floor=2, brake_ratio=0.25)
    await away(store, *ids[:5], at=after(2))
    await away(store, ids[5], at=after(1))
    assert await paused_count(store) == 5


async def test_a_person_s_own_act_knows_no_brake(store):
    ids = await fleet(store, 6, brake_floor=0, brake_ratio=0.0)
    await away(store, ids[0], at=after(1))
    assert await paused_count(store) == 0
    for one in ids[1:]:
        await store.change(one, lambda s: acts.disconnect(s, after(2), "user:ann"), Act("user:ann", "mailbox.disconnect"))
    assert await paused_count(store) == 5


async def test_a_hold_puts_in_force_what_the_brake_holds_back_and_a_reconnect_does_not(store):
    store.campaign_policy = CampaignPolicy(brake_floor=0, brake_ratio=0.0)
    one, two = await running(store)
    await away(store, one, two)
    await store.change(one, lambda standing: acts.reconnect(standing, after(1), "user:ann"), ANN)
    assert await state_of(store) is CampaignState.ACTIVE
    await store.change(two, lambda s: acts.hold(s, after(2), "user:ann", Cause.WARMUP_PAUSE, None), ANN)
    (pause,) = [each for each in await open_pauses(store) if each.in_force]
    assert (pause.mailbox_id, pause.reason, pause.actor, pause.since_at) == (two, "warmup_pause", "user:ann", after(2))
    assert await state_of(store) is CampaignState.PAUSED


async def test_what_was_held_back_ends_with_the_outage_and_pauses_nothing_later(store):
    (one,) = await fleet(store, 1, brake_floor=0, brake_ratio=0.0)
    await away(store, one, at=after(1))
    await goes(store, one, State.VERIFYING, after(2))
    await back(store, one, at=after(3))
    assert await store.campaigns.held_back() == []
    assert await store.campaigns.release_brake(ANN) == 0


async def test_two_nodes_together_pause_no_more_than_one_would(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    ids = await fleet(one, 20, brake_floor=2, brake_ratio=0.25)
    other.campaign_policy = one.campaign_policy
    await asyncio.gather(*(away((one, other)[number % 2], each, at=after(1)) for number, each in enumerate(ids)))
    assert await paused_count(one) == 5


async def test_a_campaign_that_is_paused_already_takes_no_place_under_the_brake(store):
    store.campaign_policy = CampaignPolicy(brake_floor=1, brake_ratio=0.0)
    ids = await running(store, 4)
    await away(store, *ids, at=after(1))
    assert [pause.in_force for pause in await open_pauses(store)] == [True] * 4


async def test_an_observed_pause_comes_into_force_when_a_person_says_so(store):
    store.campaign_policy = CampaignPolicy(mode=Mode.SUGGEST)
    one, _ = await running(store)
    await away(store, one, at=after(-5))
    assert await state_of(store) is CampaignState.ACTIVE
    assert await store.campaigns.release_brake(ANN) == 1
    (pause,) = await open_pauses(store)
    assert (pause.in_force, pause.since_at, pause.actor, pause.origin) == (True, NOON, "user:ann", PauseOrigin.AUTOMATIC)
    await back(store, one, at=after(1))
    assert await state_of(store) is CampaignState.ACTIVE
