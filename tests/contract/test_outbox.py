"""Events and their deliveries: nothing is lost, nothing is claimed twice at once, and no receiver takes the place of another."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from contract.campaigning import ANN, after, away, back, running
from contract.fleet import NOON, add, filled, password_mailbox
from mailwatch.ports.delivery import DeliveryNotFoundError, Failing
from mailwatch.store.outbox import FEW
from mailwatch.store.schema import audit

ALL = frozenset()
NONE = frozenset()


async def claimed(store, now=NOON, limit=100, lease_seconds=60, excluding=NONE):
    return await store.outbox.claim_deliveries(now, limit, lease_seconds, excluding=excluding)


async def waiting(store, count, *endpoints):
    """Deliveries of *count* events to each of *endpoints*."""
    await filled(store, count)
    return await store.outbox.fan_out(dict.fromkeys(endpoints, ALL), 1000)


async def test_events_are_read_in_their_order_behind_a_cursor(store):
    await filled(store, 5)
    found = await store.outbox.events(0, 3)
    assert [event.content["mailbox"] for event in found] == ["mb_0000", "mb_0001", "mb_0002"]
    assert [event.mailbox_id for event in await store.outbox.events(found[-1].id, 10)] == ["mb_0003", "mb_0004"]
    assert await store.outbox.newest() == found[-1].id + 2
    assert found[0].webhook_id == f"evt_{found[0].id}"
    assert found[0].at == NOON


async def test_an_empty_outbox_has_nothing(store):
    assert await store.outbox.newest() == 0
    assert await store.outbox.events(0, 10) == []
    assert await claimed(store) == ()
    assert await store.outbox.pending() == 0
    assert await store.outbox.fan_out({"crm": ALL}, 10) == 0


async def test_each_event_goes_once_to_each_endpoint_that_wants_it(store):
    one, _ = await running(store)
    await away(store, one)
    events = await store.outbox.events(0, 100)
    endpoints = {
        "all": ALL,
        "campaigns": frozenset({"campaign.paused", "campaign.resumed"}),
        "none": frozenset({"incident.opened"}),
    }
    assert await store.outbox.pending() == len(events)
    assert await store.outbox.fan_out(endpoints, 1000) == len(events)
    assert await store.outbox.fan_out(endpoints, 1000) == 0
    log = await store.outbox.deliveries(None, None, None, 100)
    assert sorted((each.endpoint, each.event.id) for each in log) == sorted(
        [("all", event.id) for event in events] + [("campaigns", event.id) for event in events if event.type == "campaign.paused"]
    )
    assert await store.outbox.pending() == len(log)


async def test_without_webhooks_events_do_not_pile_up_as_waiting(store):
    await filled(store, 3)
    assert await store.outbox.fan_out({}, 2) == 2
    assert await store.outbox.fan_out({}, 2) == 1
    assert await store.outbox.pending() == 0


async def test_many_nodes_fan_out_each_event_once(open_store):
    stores = [await open_store(node=f"node-{number}") for number in range(3)]
    await filled(stores[0], 60)

    async def fan(store):
        return sum([await store.outbox.fan_out({"crm": ALL, "log": ALL}, 7) for _ in range(10)])

    assert sum(await asyncio.gather(*(fan(store) for store in stores))) == 60
    log = await stores[0].outbox.deliveries(None, None, None, 1000)
    assert len({(each.endpoint, each.event.id) for each in log}) == len(log) == 120


async def test_a_claimed_delivery_is_nobody_elses_until_its_lease_ends(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    await waiting(one, 3, "crm")
    mine = await claimed(one)
    assert [(each.event.mailbox_id, each.attempts, each.state) for each in mine] == [
        (f"mb_{number:04}", 0, "pending") for number in range(3)
    ]
    assert await claimed(other, NOON + timedelta(seconds=59)) == ()
    again = await claimed(other, NOON + timedelta(seconds=60))
    assert [each.id for each in again] == [each.id for each in mine]


async def test_many_claim_each_delivery_once(open_store):
    stores = [await open_store(node=f"node-{number}") for number in range(3)]
    await waiting(stores[0], 30, "a", "b")
    found = []

    async def work(store):
        while some := await claimed(store, limit=5):
            found.extend(each.id for each in some)
            for each in some:
                await store.outbox.delivered(each, 200)

    await asyncio.gather(*(work(store) for store in stores))
    while some := await claimed(stores[0]):  # what another held locked for the moment was passed over
        found.extend(each.id for each in some)
        for each in some:
            await stores[0].outbox.delivered(each, 200)
    assert len(found) == len(set(found)) == 60
    assert await stores[0].outbox.pending() == 0


async def test_what_was_taken_is_not_due_again(store):
    await waiting(store, 1, "crm")
    (one,) = await claimed(store)
    await store.outbox.delivered(one, 204)
    assert await claimed(store, after(10_000)) == ()
    (logged,) = await store.outbox.deliveries("crm", "delivered", None, 10)
    assert (logged.last_status, logged.last_error, logged.attempts, logged.delivered_at, logged.due_at) == (
        204,
        None,
        1,
        NOON,
        None,
    )


async def test_what_was_put_off_is_due_at_its_time(store):
    await waiting(store, 1, "crm")
    (one,) = await claimed(store)
    await store.outbox.put_off(one, after(5), 503, "busy")
    assert await claimed(store, after(4)) == ()
    (again,) = await claimed(store, after(5))
    assert (again.id, again.attempts, again.last_status, again.last_error) == (one.id, 1, 503, "busy")
    await store.outbox.put_off(again, None, None, "no answer")
    assert await claimed(store, after(10_000)) == ()
    (logged,) = await store.outbox.deliveries("crm", "failed", None, 10)
    assert (logged.attempts, logged.last_status, logged.last_error) == (2, None, "no answer")


async def test_a_late_failure_does_not_undo_what_another_node_did(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    await waiting(one, 1, "crm")
    (late,) = await claimed(one)
    (mine,) = await claimed(other, after(2))
    await one.outbox.put_off(late, after(60), 500, "late")
    assert (await one.outbox.deliveries("crm", None, None, 1))[0].attempts == 0, "somebody else is at it"
    await other.outbox.delivered(mine, 200)
    await one.outbox.put_off(late, after(60), 500, "late")
    assert (await one.outbox.deliveries("crm", None, None, 1))[0].state == "delivered"


async def test_a_late_success_is_a_success(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    await waiting(one, 1, "crm")
    (late,) = await claimed(one)
    (mine,) = await claimed(other, after(2))
    await one.outbox.delivered(late, 200)
    await other.outbox.put_off(mine, after(60), 500, "no")
    (logged,) = await one.outbox.deliveries("crm", None, None, 1)
    assert (logged.state, logged.last_status) == ("delivered", 200)


async def test_a_receiver_that_hangs_takes_no_place_from_the_others(store):
    await waiting(store, 50, "hanging", "well")
    first = await claimed(store, limit=1000)
    assert {each.endpoint: sum(one.endpoint == each.endpoint for one in first) for each in first} == {"hanging": FEW, "well": FEW}
    done = FEW
    for each in first:
        if each.endpoint == "well":
            await store.outbox.delivered(each, 200)
    while some := await claimed(store, limit=1000):
        assert {each.endpoint for each in some} == {"well"}
        done += len(some)
        for each in some:
            await store.outbox.delivered(each, 200)
    assert done == 50


async def test_excluded_and_disabled_endpoints_are_passed_over(store):
    await waiting(store, 2, "a", "b", "c")
    await store.outbox.disable("b", "410 Gone")
    assert {each.endpoint for each in await claimed(store, excluding=frozenset({"a"}))} == {"c"}
    assert await store.outbox.disabled() == {"b": "410 Gone"}
    await store.outbox.disable("b", "again")
    assert await store.outbox.disabled() == {"b": "410 Gone"}, "the first reason stays"


async def test_enabling_delivers_what_waited_at_once(store):
    await waiting(store, 2, "b")
    for each in await claimed(store):
        await store.outbox.put_off(each, after(600), 410, "gone")
    await store.outbox.disable("b", "410 Gone")
    await store.outbox.enable("b", ANN)
    assert len(await claimed(store)) == 2

    async def work(attempt):
        return (await attempt.connection.execute(select(audit.c.actor, audit.c.subject).where(audit.c.subject == "b"))).all()

    assert [tuple(row) for row in await store._database.read(work)] == [("user:ann", "b")]


async def test_a_delivery_is_sent_again_when_a_person_asks(store):
    await waiting(store, 1, "crm")
    (one,) = await claimed(store)
    await store.outbox.put_off(one, None, 500, "gave up")
    await store.outbox.replay(one.id, ANN)
    (again,) = await claimed(store)
    assert (again.id, again.attempts, again.event) == (one.id, 0, one.event)
    await store.outbox.delivered(again, 200)
    await store.outbox.replay(one.id, ANN)
    assert [each.id for each in await claimed(store)] == [one.id]
    with pytest.raises(DeliveryNotFoundError, match="999999"):
        await store.outbox.replay(999_999, ANN)


async def test_the_delivery_log_is_read_newest_first_in_pages(store):
    await waiting(store, 5, "a")
    await add(store, password_mailbox(50))
    await store.outbox.fan_out({"b": ALL}, 10)
    newest = await store.outbox.deliveries(None, None, None, 4)
    assert [each.endpoint for each in newest] == ["b", "a", "a", "a"]
    assert [each.id for each in await store.outbox.deliveries(None, None, newest[-1].id, 10)] == [
        newest[-1].id - 1,
        newest[-1].id - 2,
    ]
    assert len(await store.outbox.deliveries("a", "pending", None, 10)) == 5


async def test_pruning_leaves_what_is_young_or_still_to_be_delivered(store):
    one, _ = await running(store)
    await away(store, one, at=after(10))
    await store.outbox.fan_out({"crm": ALL}, 1000)
    old = {event.id for event in await store.outbox.events(0, 100) if event.at < after(5)}
    first = (await claimed(store, after(20)))[0]
    for each in await claimed(store, after(30), limit=1000, lease_seconds=0):
        if each.id != first.id:
            await store.outbox.delivered(each, 200)
    assert await store.outbox.prune_events(after(5)) == len(old) - 1
    left = await store.outbox.events(0, 100)
    assert [event.id for event in left if event.at < after(5)] == [first.event.id]
    await store.outbox.delivered(first, 200)
    assert await store.outbox.prune_events(after(5)) == 1
    assert {each.event.id for each in await store.outbox.deliveries(None, None, None, 100)} == {
        event.id for event in await store.outbox.events(0, 100)
    }


async def test_events_nobody_has_looked_at_are_never_pruned(store):
    await filled(store, 3)
    assert await store.outbox.prune_events(after(10_000)) == 0


async def test_the_store_s_own_pruning_covers_events_and_lifted_pauses(store):
    one, two = await running(store)
    await away(store, one, two, at=after(1))
    await back(store, one, at=after(2))
    await store.outbox.fan_out({}, 1000)
    await store.prune(after(5))
    assert await store.outbox.events(0, 10) == []
    assert [entry.mailbox_id for entry in await store.campaigns.spans("spring", NOON, after(100))] == [two]


async def test_row_numbers_of_events_become_visible_in_their_order(open_store):
    """A reader that goes on behind the highest number it saw must miss nothing, however many write at once."""
    stores = [await open_store(node=f"node-{number}") for number in range(3)]
    ids = await filled(stores[0], 12)
    seen, mark = [], 0
    writing = asyncio.gather(
        *(_flutter(stores[number % 3], each) for number, each in enumerate(ids)),
    )
    while not writing.done():
        for event in await stores[0].outbox.events(mark, 1000):
            seen.append(event.id)
            mark = event.id
        await asyncio.sleep(0)
    await writing
    seen += [event.id for event in await stores[0].outbox.events(mark, 1000)]
    assert seen == [event.id for event in await stores[0].outbox.events(0, 10_000)]


async def _flutter(store, mailbox_id):
    for turn in range(5):
        await away(store, mailbox_id, at=after(turn))
        await back(store, mailbox_id, at=after(turn))


async def test_what_waits_for_a_disabled_endpoint_is_kept_no_longer_than_events_are(store):
    count = await waiting(store, 3, "crm", "gone")
    await store.outbox.disable("gone", "410")
    for each in await claimed(store, after(20)):
        await store.outbox.delivered(each, 200)
    assert await store.outbox.prune_events(NOON) == 0
    assert await store.outbox.prune_events(after(5)) == count
    assert await store.outbox.pending() == 0


async def test_an_endpoint_that_takes_what_is_sent_or_was_sent_nothing_yet_does_not_fail(store):
    await waiting(store, 2, "crm", "log")
    for each in await claimed(store):
        if each.endpoint == "crm":
            await store.outbox.delivered(each, 200)
    assert await store.outbox.failing(["crm", "log", "none"]) == {}


async def test_an_endpoint_fails_since_the_oldest_event_that_it_refused(store, clock):
    await waiting(store, 1, "crm", "log")
    first, other = sorted(await claimed(store), key=lambda each: each.endpoint)
    await store.outbox.put_off(first, after(50), 500, "HTTP 500")
    await store.outbox.delivered(other, 200)
    clock.time = after(3)
    await add(store, password_mailbox(7))
    await store.outbox.fan_out({"crm": ALL}, 1000)
    (second,) = await claimed(store, after(3))
    await store.outbox.put_off(second, after(60), None, "no answer within 15 s")
    await add(store, password_mailbox(8))  # waits, but was not tried yet
    await store.outbox.fan_out({"crm": ALL}, 1000)
    assert await store.outbox.failing(["crm", "log"]) == {"crm": Failing(NOON, "no answer within 15 s")}
    assert await store.outbox.failing(["log"]) == {}
    for each in await claimed(store, after(60)):
        await store.outbox.delivered(each, 200)
    assert await store.outbox.failing(["crm", "log"]) == {}


async def test_an_endpoint_whose_last_events_were_given_up_fails_until_it_takes_one(store):
    await waiting(store, 3, "crm")
    one, two, three = sorted(await claimed(store), key=lambda each: each.id)
    await store.outbox.put_off(one, None, 404, "HTTP 404")
    await store.outbox.delivered(two, 200)
    assert await store.outbox.failing(["crm"]) == {}
    await store.outbox.put_off(three, None, 410, "HTTP 410")
    assert await store.outbox.failing(["crm"]) == {"crm": Failing(three.event.at, "HTTP 410")}
