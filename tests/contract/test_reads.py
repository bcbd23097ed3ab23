"""What people and gauges read."""

from datetime import timedelta

import pytest

from contract.fleet import NOON, add, filled, later, moved, password_mailbox, refused
from mailwatch.core import acts
from mailwatch.core.lifecycle import State
from mailwatch.ports import Act, MailboxFilter, MailboxNotFoundError

REMOVE = Act("cli:test", "remove")


async def suspect(store, *numbers):
    for claim in await store.claim_due(later(), 100, 600):
        if int(claim.mailbox.id[-4:]) in numbers:
            await store.record(claim, moved(claim, at=NOON + timedelta(minutes=int(claim.mailbox.id[-4:]))))


def ids(views):
    return [view.mailbox.id for view in views]


async def test_pages_follow_each_other_by_id(store):
    await filled(store, 5)
    first = await store.list(MailboxFilter(limit=3))
    second = await store.list(MailboxFilter(limit=3, after=first[-1].mailbox.id))
    assert ids(first) + ids(second) == [f"mb_{number:04}" for number in range(5)]


async def test_filters_narrow_by_state_provider_and_part_of_the_address(store):
    await add(store, password_mailbox(1), password_mailbox(2, provider="google"), password_mailbox(3, address="Sales_3@x.example"))
    await suspect(store, 1)
    assert ids(await store.list(MailboxFilter(states=frozenset({State.SUSPECT})))) == ["mb_0001"]
    assert ids(await store.list(MailboxFilter(providers=frozenset({"google"})))) == ["mb_0002"]
    assert ids(await store.list(MailboxFilter(text="SALES_"))) == ["mb_0003"]
    assert ids(await store.list(MailboxFilter(text="%"))) == []


async def test_counts_are_by_provider_and_state(store):
    await add(store, password_mailbox(1), password_mailbox(2), password_mailbox(3, provider="google"))
    await suspect(store, 1)
    assert await store.counts() == {("other", State.SUSPECT): 1, ("other", State.PENDING): 1, ("google", State.PENDING): 1}


async def test_who_is_looked_at_every_interval_is_counted_by_gate_where_there_are_many(store):
    await add(store, *(password_mailbox(number) for number in range(3)), password_mailbox(3, provider="google"))
    await suspect(store, 1)
    assert await store.watched_by_gate(0) == {"host:imap.example.org": 3, "google": 1}
    assert await store.watched_by_gate(1) == {"host:imap.example.org": 3}
    await store.change("mb_0000", lambda standing: acts.disconnect(standing, NOON, "x"), Act("cli:test", "mailbox.disconnect"))
    assert await store.watched_by_gate(0) == {"host:imap.example.org": 2, "google": 1}
    assert await store.watched_by_gate(2) == {}


async def test_history_is_read_on_from_any_row(store):
    await filled(store, 4)
    await suspect(store, 0, 1, 2, 3)
    rows = await store.history(limit=3)
    rest = await store.history(after=rows[-1][0])
    assert len(rows) == 3
    assert len(rest) == 1
    assert [number for number, _ in [*rows, *rest]] == sorted(number for number, _ in [*rows, *rest])


async def test_history_is_told_with_its_mailboxes_between_two_moments(store):
    await filled(store, 4)
    await suspect(store, 0, 1, 2, 3)
    told = await store.told(NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
    assert [(mailbox.address, step.mailbox_id) for _, mailbox, step in told] == [
        ("user1@example.org", "mb_0001"),
        ("user2@example.org", "mb_0002"),
    ]


async def test_taken_addresses_are_told_however_spelt(store):
    await filled(store, 3)
    asked = [f"USER{number}@example.org" for number in range(2000)]
    assert await store.taken(asked) == {"user0@example.org", "user1@example.org", "user2@example.org"}


async def test_old_history_goes_but_the_latest_change_of_each_mailbox_stays(store):
    await filled(store, 1)
    for minute in range(4):
        (claim,) = await store.claim_due(later(minute), 1, 30)
        await store.record(claim, moved(claim, at=later(minute), due_at=later(minute)))
    gone = await store.prune(NOON + timedelta(days=10), audit_before=NOON)
    assert gone == 3
    assert [step.version for _, step in await store.history()] == [4]
    assert await store.check() == []


async def test_what_is_younger_stays(store):
    await filled(store, 1)
    (claim,) = await store.claim_due(later(), 1, 30)
    await store.record(claim, moved(claim))
    assert await store.prune(NOON) == 0


async def test_pruning_never_forgets_a_login_refused_within_two_days(store, clock):
    await filled(store, 1)
    (claim,) = await store.claim_due(later(), 1, 30)
    await store.record(claim, refused(claim))
    await store.prune(NOON + timedelta(days=30), audit_before=NOON)
    assert len(await store.refusals_since(NOON)) == 1
    clock.pass_seconds(3 * 86_400)
    assert await store.prune(NOON + timedelta(days=30), audit_before=NOON) == 1
    assert await store.refusals_since(NOON) == {}


@pytest.mark.parametrize("text", ["_", "\\", "'", '"', "%%"])
async def test_a_search_text_is_taken_literally(store, text):
    await filled(store, 2)
    assert await store.list(MailboxFilter(text=text)) == []


async def test_mailboxes_are_found_by_ids_and_addresses_at_once(store):
    await filled(store, 3)
    names = ["mb_0002", "USER0@example.org", "user1@example.org", "mb_0000"]
    assert await store.ids_of(names) == ["mb_0002", "mb_0000", "mb_0001"]
    assert await store.ids_of([]) == []
    with pytest.raises(MailboxNotFoundError, match="nobody@example"):
        await store.ids_of(["mb_0001", "nobody@example.org", "mb_none"])
