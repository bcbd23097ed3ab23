"""What the sending gate is told: the present of every mailbox, at once after each change, whoever made it."""

import asyncio

from contract.campaigning import ANN, after, away, back, goes, running
from contract.fleet import ADD, NOON, add, filled, moved, password_mailbox
from mailwatch.core import acts
from mailwatch.core.campaigns import CampaignPolicy, Channel
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import ChannelHealth
from mailwatch.ports import Act

HOLD = Act("user:ann", "mailbox.hold")


async def since(store, mark, limit=1000):
    return await store.sending.sending_since(mark, limit)


async def marked(store):
    mark, nothing = await since(store, -1)
    assert nothing == ()
    return mark


async def test_all_mailboxes_are_told_page_by_page(store):
    ids = await filled(store, 7)
    first = await store.sending.all_sending(None, 4)
    rest = await store.sending.all_sending(first[-1].mailbox_id, 4)
    assert [each.mailbox_id for each in (*first, *rest)] == ids
    assert await store.sending.all_sending(ids[-1], 4) == []
    one = first[0]
    assert (one.address_key, one.state, one.sends, one.removed, one.outage_seconds) == (
        "user0@example.org",
        "pending",
        False,
        False,
        0.0,
    )


async def test_what_changes_is_told_once_behind_the_mark(store):
    one, two = await running(store)
    mark = await marked(store)
    assert await since(store, mark) == (mark, ())
    await away(store, one, at=after(1), due_at=after(3))
    await away(store, two, at=after(1))
    await back(store, two, at=after(2), returned_after_seconds=7200.0)
    mark, changes = await since(store, mark)
    assert [(each.mailbox_id, each.state, each.sends, each.cause) for each in changes] == [
        (one, "reconnecting", False, "server_unavailable"),
        (two, "connected", True, None),
    ]
    assert (changes[0].since_at, changes[0].until_at) == (after(1), after(3))
    assert (changes[1].until_at, changes[1].outage_seconds) == (None, 7200.0)
    assert await since(store, mark) == (mark, ())


async def test_a_probe_s_transition_is_told(store):
    await filled(store, 1)
    mark = await marked(store)
    (claim,) = await store.claim_due(NOON, 1, 60)
    await store.record(claim, moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED))
    _, (change,) = await since(store, mark)
    assert (change.state, change.sends) == ("blocked", False)


async def test_what_another_node_does_is_told(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    ids = await running(one)
    mark = await marked(one)
    await other.change(ids[0], lambda s: acts.disconnect(s, NOON, "user:ann"), ANN)
    _, (change,) = await since(one, mark)
    assert (change.mailbox_id, change.state, change.cause) == (ids[0], "inactive", "operator_disconnect")


async def test_the_end_of_a_hold_is_told_and_told_again_when_it_is_moved(store):
    one, _ = await running(store)
    mark = await marked(store)
    for until in (60, 90):
        await store.change(one, lambda s, end=until: acts.hold(s, NOON, "user:ann", Cause.WARMUP_PAUSE, after(end)), HOLD)
        mark, (change,) = await since(store, mark)
        assert (change.state, change.until_at) == ("held", after(until))


async def test_what_is_added_and_removed_is_told(store):
    mark = await marked(store)
    await add(store, password_mailbox(1), password_mailbox(2))
    mark, changes = await since(store, mark)
    assert [each.mailbox_id for each in changes] == ["mb_0001", "mb_0002"]
    await store.remove("mb_0001", ADD)
    _, (gone,) = await since(store, mark)
    assert (gone.mailbox_id, gone.removed, gone.sends, gone.address_key) == ("mb_0001", True, False, "")


async def test_a_crowd_of_changes_comes_in_portions_and_none_is_missed(store):
    ids = await filled(store, 25)
    mark, told = 0, []
    while True:
        mark, changes = await since(store, mark, limit=10)
        told += [each.mailbox_id for each in changes]
        if len(changes) < 10:
            break
    assert told == ids
    assert mark == await store.outbox.newest()


async def test_the_mark_passes_events_of_campaigns_alone(store):
    await running(store)
    mark = await marked(store)
    await store.campaigns.pause("spring", "holidays", ANN)
    later, changes = await since(store, mark)
    assert later > mark
    assert changes == []


async def test_a_mark_outlives_the_pruning_of_all_events(store):
    await filled(store, 2)
    mark = await marked(store)
    await store.outbox.fan_out({}, 10)
    await store.outbox.prune_events(after(60))
    assert await since(store, mark) == (mark, ())
    await add(store, password_mailbox(50))
    later, (change,) = await since(store, mark)
    assert (later > mark, change.mailbox_id) == (True, "mb_0050")


async def test_campaigns_that_do_not_run_are_told(store):
    await running(store, names=("spring", "summer", "autumn"))
    assert await store.sending.paused_campaigns() == {}
    await store.campaigns.pause("spring", "why", ANN)
    await store.campaigns.amend("autumn", ANN, finished=True)
    assert await store.sending.paused_campaigns() == {"spring": "paused", "autumn": "finished"}


async def test_a_mailbox_that_lost_what_does_not_count_sends_until_it_was_paused_for(store):
    store.campaign_policy = CampaignPolicy(channel=Channel.SMTP)
    one, _ = await running(store)
    lost = ChannelHealth(healthy=False, since_at=after(1), cause=Cause.SERVER_UNAVAILABLE)
    channels = {Protocol.SMTP: ChannelHealth(healthy=True, since_at=NOON), Protocol.IMAP: lost}
    mark = await marked(store)
    await away(store, one, at=after(1), channels=channels, down_since_at=after(1))
    mark, (change,) = await since(store, mark)
    assert (change.state, change.sends) == ("reconnecting", True)
    await goes(store, one, State.BLOCKED, after(2), channels=channels)
    mark, (change,) = await since(store, mark)
    assert change.sends is False
    await goes(store, one, State.RECONNECTING, after(3), channels=channels)
    mark, (change,) = await since(store, mark)
    assert change.sends is False, "its campaigns are paused, and verification comes first"


async def test_a_follower_misses_nothing_while_many_write(open_store):
    stores = [await open_store(node=f"node-{number}") for number in range(3)]
    ids = await filled(stores[0], 9)
    believed, mark = {}, await marked(stores[0])

    async def follow():
        nonlocal mark
        mark, changes = await since(stores[0], mark)
        believed.update({each.mailbox_id: each.state for each in changes})

    async def flutter(store, mailbox_id, rounds):
        for turn in range(rounds):
            await away(store, mailbox_id, at=after(turn))
            await back(store, mailbox_id, at=after(turn))
        await goes(store, mailbox_id, State.BLOCKED, after(rounds))

    writing = asyncio.gather(*(flutter(stores[number % 3], each, number) for number, each in enumerate(ids)))
    while not writing.done():
        await follow()
    await writing
    await follow()
    assert believed == dict.fromkeys(ids, "blocked")


async def test_of_campaigns_only_those_are_told_that_something_happened_to(store):
    await running(store, names=("spring", "summer", "autumn"))
    await store.campaigns.amend("autumn", ANN, finished=True)
    mark = await marked(store)
    assert await store.sending.campaigns_since(mark) == {}
    await store.campaigns.pause("spring", "why", ANN)
    await store.campaigns.pause("summer", "why", ANN)
    await store.campaigns.resume("summer", ANN)
    assert await store.sending.campaigns_since(mark) == {"spring": "paused", "summer": "active"}


async def test_many_finished_campaigns_are_read_in_pieces(store, monkeypatch):
    monkeypatch.setattr("mailwatch.store.sending._CAMPAIGNS_AT_ONCE", 2)
    names = ("Birch", "alder", "cedar", "Douglas", "elm")
    await running(store, names=names)
    for name in names:
        await store.campaigns.amend(name, ANN, finished=True)
    assert set(await store.sending.paused_campaigns()) == set(names)
