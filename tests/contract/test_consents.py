"""Running consents: one browser, one use, one flow a mailbox; and a verifier that only its own flow can open."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from contract.fleet import NOON, add, later, oauth_mailbox
from fakes.lost_answer import LostAnswer
from mailwatch.core.secret import Secret
from mailwatch.ports import Act, MailboxNotFoundError, SecretUnreadableError
from mailwatch.ports.consents import ConsentSession, ConsentSessions, ConsentState
from mailwatch.store import SqlStore, Vault
from mailwatch.store.address import parse_address
from mailwatch.store.consents import KEPT, SqlConsents
from mailwatch.store.engine import Database
from mailwatch.store.pages import SqlPages
from mailwatch.store.schema import audit
from mailwatch.store.schema_people import consents as table

FLOW = ConsentSession("oas_1", "mb_0001", "outreach", ConsentState.WAITING, NOON, later(10), "user:ada")


@pytest.fixture
async def mailbox(store):
    await add(store, oauth_mailbox(1), oauth_mailbox(2))


@pytest.fixture
def consents(database, keyring, clock, mailbox) -> ConsentSessions:
    return SqlConsents(database, Vault(keyring), clock)


@pytest.fixture
async def other(store_url, keyring, clock, mailbox):
    """The same consents as another node sees them."""
    elsewhere = Database(parse_address(store_url))
    yield SqlConsents(elsewhere, Vault(keyring), clock)
    await elsewhere.close()


@pytest.fixture
async def under(store_url, clock):
    """`await under(ring)`: a store with that key ring."""
    async with AsyncExitStack() as stack:

        async def open_one(ring):
            opened = SqlStore(store_url, Vault(ring), clock, node="rotation")
            await opened.open()
            stack.push_async_callback(opened.close)
            return opened

        yield open_one


async def begun(consents, number=1, **fields):
    flow = replace(FLOW, id=f"oas_{number}", **fields)
    await consents.begin(flow, state_hash=f"state-{number}", browser_hash="browser", verifier=Secret(f"verifier-{number}"))
    return flow


async def stored(database, number=1):
    async def work(attempt):
        return (await attempt.connection.execute(select(table).where(table.c.id == f"oas_{number}"))).one()

    return await database.read(work)


async def test_a_flow_is_taken_once_with_its_verifier(consents):
    flow = await begun(consents, user_code="WDJB-MJHT", verification_url="https://login.example/device")
    assert await consents.find("oas_1", NOON) == flow
    taken, verifier = await consents.take("state-1", "browser", later(9))
    assert taken == replace(flow, state=ConsentState.EXCHANGING)
    assert verifier.reveal() == "verifier-1"
    assert await consents.take("state-1", "browser", later(9)) is None


async def test_of_many_who_bring_the_code_back_at_once_one_gets_the_flow(consents, other):
    await begun(consents)
    taken = await asyncio.gather(*(each.take("state-1", "browser", NOON) for each in (consents, other) for _ in range(8)))
    assert len([each for each in taken if each is not None]) == 1


async def test_another_browser_an_unknown_state_and_a_late_return_get_nothing_and_use_nothing_up(consents):
    await begun(consents)
    assert await consents.take("state-1", "another browser", NOON) is None
    assert await consents.take("state-2", "browser", NOON) is None
    assert await consents.take("state-1", "browser", later(10)) is None
    assert await consents.take("state-1", "browser", NOON) is not None


async def test_the_verifier_is_sealed_and_wiped_once_it_is_taken_or_replaced(consents, database):
    await begun(consents)
    sealed = (await stored(database)).verifier
    assert sealed.startswith("mw1.")
    assert "verifier-1" not in sealed
    await begun(consents, 2)
    assert (await stored(database)).verifier == ""
    await consents.take("state-2", "browser", NOON)
    row = await stored(database, 2)
    assert row.verifier.startswith("taken.")
    assert row.kid == ""


async def test_a_verifier_moved_to_another_flow_does_not_open(consents, database):
    await begun(consents)
    await begun(consents, 2, mailbox_id="mb_0002")
    moved = (await stored(database)).verifier
    await database.write(
        lambda attempt: attempt.connection.execute(update(table).where(table.c.id == "oas_2").values(verifier=moved))
    )
    with pytest.raises(SecretUnreadableError):
        await consents.take("state-2", "browser", NOON)
    assert (await consents.find("oas_2", NOON)).state is ConsentState.WAITING


async def test_a_newer_flow_ends_the_waiting_one_of_the_same_mailbox_alone(consents):
    await begun(consents)
    await begun(consents, 2, mailbox_id="mb_0002")
    await begun(consents, 3, created_at=later(1))
    states = {flow.id: flow.state for of in ("mb_0001", "mb_0002") for flow in await consents.of_mailbox(of)}
    assert states == {"oas_1": ConsentState.EXPIRED, "oas_2": ConsentState.WAITING, "oas_3": ConsentState.WAITING}
    assert await consents.take("state-1", "browser", NOON) is None
    assert "another consent" in (await consents.find("oas_1", NOON)).error


async def test_of_flows_begun_at_once_one_is_left_waiting(consents, other):
    await asyncio.gather(*(begun(consents if n % 2 else other, n) for n in range(8)))
    flows = await consents.of_mailbox("mb_0001")
    assert [flow.state for flow in flows].count(ConsentState.WAITING) == 1
    assert len(flows) == 8


async def test_one_that_is_being_exchanged_is_let_finish(consents):
    await begun(consents)
    await consents.take("state-1", "browser", NOON)
    await begun(consents, 2)
    assert (await consents.find("oas_1", NOON)).state is ConsentState.EXCHANGING
    await consents.finish("oas_1", ConsentState.STORED)
    assert (await consents.find("oas_1", NOON)).state is ConsentState.STORED


async def test_how_it_went_is_told_once(consents):
    await begun(consents)
    await consents.take("state-1", "browser", NOON)
    await consents.finish("oas_1", ConsentState.FAILED, "the person said no")
    await consents.finish("oas_1", ConsentState.STORED)
    flow = await consents.find("oas_1", later(60))
    assert (flow.state, flow.error) == (ConsentState.FAILED, "the person said no")


async def test_what_is_under_way_past_its_end_reads_expired(consents, clock):
    await begun(consents)
    assert (await consents.find("oas_1", later(10) - timedelta(seconds=1))).state is ConsentState.WAITING
    assert (await consents.find("oas_1", later(10))).state is ConsentState.EXPIRED
    await consents.take("state-1", "browser", NOON)
    assert (await consents.find("oas_1", later(10))).state is ConsentState.EXPIRED
    clock.pass_seconds(600)
    assert [flow.state for flow in await consents.of_mailbox("mb_0001")] == [ConsentState.EXPIRED]


async def test_flows_are_listed_newest_first_and_old_ones_forgotten(consents):
    for number in range(3):
        await begun(consents, number, created_at=later(number), expires_at=later(number + 10))
    assert [flow.id for flow in await consents.of_mailbox("mb_0001")] == ["oas_2", "oas_1", "oas_0"]
    await begun(consents, 9, created_at=later(11) + KEPT, expires_at=later(21) + KEPT)
    assert [flow.id for flow in await consents.of_mailbox("mb_0001")] == ["oas_9", "oas_2", "oas_1"]


async def test_an_unknown_flow_or_mailbox_is_told(consents):
    assert await consents.find("oas_9", NOON) is None
    await consents.finish("oas_9", ConsentState.STORED)
    with pytest.raises(MailboxNotFoundError):
        await begun(consents, mailbox_id="mb_9999")


async def test_a_removed_mailbox_takes_its_flows_along(consents, store):
    await begun(consents)
    await store.remove("mb_0001", Act("cli:test", "mailbox.remove"))
    assert await consents.find("oas_1", NOON) is None
    assert await consents.take("state-1", "browser", NOON) is None


async def test_a_flow_outlives_a_rotation_of_the_key(consents, under, database, keyring, clock):
    await begun(consents)
    both = keyring.with_new_key()
    rotating = await under(both)
    resealed = await rotating.reseal()
    assert (resealed.done, resealed.unreadable) == (3, ())
    assert await rotating.secrets_by_key() == {both.active: 3}
    assert await rotating.check() == []
    taken = await SqlConsents(database, Vault(both.only_active()), clock).take("state-1", "browser", NOON)
    assert taken[1].reveal() == "verifier-1"


async def test_a_key_that_seals_nothing_but_a_verifier_is_not_forgotten(consents, under, database, keyring, clock):
    await begun(consents)
    await database.write(
        lambda attempt: attempt.connection.execute(update(table).values(verifier="mw1.gone.AAAA.AAAA", kid="gone"))
    )
    both = keyring.with_new_key()
    rotating = await under(both)
    resealed = await rotating.reseal()
    assert resealed.done == 2
    assert "key gone" in resealed.unreadable[0]
    assert await rotating.secrets_by_key() == {both.active: 2, "gone": 1}


async def test_a_flow_committed_without_an_answer_is_begun_and_taken_once(database, keyring, clock, mailbox, consents):
    doubtful = SqlConsents(LostAnswer(database), Vault(keyring), clock)
    flow = await begun(doubtful)
    taken, verifier = await doubtful.take("state-1", "browser", NOON)
    assert (taken, verifier.reveal()) == (replace(flow, state=ConsentState.EXCHANGING), "verifier-1")
    assert await doubtful.take("state-1", "browser", NOON) is None
    assert len(await consents.of_mailbox("mb_0001")) == 1


async def test_acts_on_a_flow_are_told_with_its_mailbox(consents, database):
    act = Act("user:ada", "consent.begin", "192.0.2.7")
    await consents.begin(FLOW, state_hash="s", browser_hash="b", verifier=Secret("v"), act=act)
    await consents.finish("oas_1", ConsentState.STORED, act=replace(act, action="consent.stored"))
    await consents.finish("oas_1", ConsentState.FAILED, act=replace(act, action="consent.failed"))
    rows = [row for row in await SqlPages(database).audit(None, 9, mailbox_id="mb_0001") if row.subject == "oas_1"]
    assert [(row.action, row.actor) for row in rows] == [("consent.stored", "user:ada"), ("consent.begin", "user:ada")]


async def test_begin_and_end_are_audited_with_who_and_from_where(consents, database):
    ada = Act("user:ada", "consent.begin", "192.0.2.7")
    await consents.begin(FLOW, state_hash="s", browser_hash="b", verifier=Secret("v"), act=ada)
    await consents.finish(FLOW.id, ConsentState.FAILED, "no", act=replace(ada, action="consent.refused"))
    await consents.finish(FLOW.id, ConsentState.FAILED, "again", act=replace(ada, action="consent.refused"))  # told already
    await consents.finish("oas_unknown", ConsentState.FAILED, "no", act=ada)

    async def work(attempt):
        rows = await attempt.connection.execute(select(audit.c.actor, audit.c.action, audit.c.origin, audit.c.mailbox_id))
        return [tuple(row) for row in rows if row.action.startswith("consent.")]

    who = ("user:ada", "192.0.2.7", "mb_0001")
    found = await database.read(work)
    assert [(actor, origin, of) for actor, _, origin, of in found] == [who, who]
    assert [action for _, action, _, _ in found] == ["consent.begin", "consent.refused"]
