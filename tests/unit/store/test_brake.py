"""The brake's own counting; what it holds back in a fleet, tests/contract shows."""

from datetime import timedelta

from contract.campaigning import away, back
from contract.fleet import NOON, add, password_mailbox
from mailwatch.core.campaigns import Campaign, CampaignPolicy, CampaignState, PauseOrigin
from mailwatch.store.brake import Brake
from mailwatch.store.pauses import Because, Book

POLICY = CampaignPolicy(brake_floor=0, brake_ratio=0.5)


def book(number, policy=POLICY):
    return Book(Campaign(f"c{number}", "", CampaignState.ACTIVE, NOON, NOON), policy)


def because(actor="mailwatch"):
    return Because("mb_1", PauseOrigin.AUTOMATIC, "server_unavailable", actor, NOON)


async def asked(store, books, actor="mailwatch", policy=POLICY):
    """What is held back, and what a person is told of it."""

    async def work(attempt):
        brake = Brake(attempt, policy, NOON)
        return await brake.held_back(books, because(actor)), brake.notes()

    return await store._database.write(work)


async def fleet(store, campaigns):
    ids = await add(store, *(password_mailbox(number, campaigns=(f"c{number}",)) for number in range(campaigns)))
    await back(store, *ids)
    return ids


async def test_within_the_share_nothing_is_held_back_and_nobody_told(store):
    await fleet(store, 4)
    assert await asked(store, [book(1), book(2)]) == ((), ())


async def test_beyond_it_all_of_the_move_is_held_back_and_told(store):
    await fleet(store, 4)
    books = [book(1), book(2), book(3)]
    held, (note,) = await asked(store, books)
    assert list(held) == books
    assert (note.type, note.content["campaigns"], note.content["active"]) == ("campaigns.braked", 3, 4)


async def test_a_person_is_not_held_back(store):
    await fleet(store, 4)
    assert await asked(store, [book(1), book(2), book(3)], actor="user:ann") == ((), ())


async def test_what_was_paused_lately_counts_and_what_was_paused_long_ago_does_not(store):
    ids = await fleet(store, 4)
    store.campaign_policy = CampaignPolicy()
    await away(store, ids[0], at=NOON - timedelta(hours=1))
    await away(store, ids[1], at=NOON)
    _, told = await asked(store, [book(2), book(3)])
    assert [(note.content["active"], note.content["paused_lately"]) for note in told] == [(2, 1)]


async def test_what_is_done_in_the_same_transaction_counts_too(store):
    await fleet(store, 4)
    first, second, third = book(1), book(2), book(3)

    async def work(attempt):
        brake = Brake(attempt, POLICY, NOON)
        held = []
        for each in (first, second, third):
            with brake.following([each]):
                held += await brake.held_back([each], because())
                each.enter(because(), in_force=each not in held)
                each.settle(NOON)
        return held

    assert await store._database.write(work) == [third]
