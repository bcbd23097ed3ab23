"""A mailbox is removed: its campaigns learn of it, and nothing that was stored of it is left, in whatever table."""

from dataclasses import replace

import pytest
from sqlalchemy import LargeBinary, Text, cast, insert, select

from contract.campaigning import ANN, after, away, back, campaign, events_of, open_pauses, running, state_of
from contract.fleet import NOON, add, clean, filled, later, moved, oauth_mailbox, password_mailbox
from mailwatch.core import acts
from mailwatch.core.campaigns import CampaignPolicy, CampaignState, Mode, PauseOn, PauseOrigin
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.ports import Act, MailboxNotFoundError, NewMailbox
from mailwatch.ports.campaigns import StaleError
from mailwatch.ports.people import Remembered
from mailwatch.store import schema_campaigns, schema_incidents, schema_people
from mailwatch.store.schema import metadata, refusals
from mailwatch.store.schema_people import consents, conversations, job_items, jobs, latencies, links, remembered

REMOVE = Act("user:ann", "mailbox.remove", "203.0.113.7")
#: Each adds its tables to the same metadata when it is imported.
PARTS = (schema_campaigns, schema_incidents, schema_people)


async def test_a_campaign_that_waited_for_it_waits_for_a_person(store):
    one, _ = await running(store)
    await away(store, one, at=after(-3))
    await store.remove(one, REMOVE)
    (pause,) = await open_pauses(store)
    assert (pause.mailbox_id, pause.origin, pause.ready_at, pause.in_force) == (None, PauseOrigin.OPERATOR, NOON, True)
    assert await state_of(store) is CampaignState.PAUSED
    assert (await store.campaigns.resume("spring", ANN)).campaign.state is CampaignState.ACTIVE


async def test_a_campaign_that_ran_goes_on_with_the_others(store):
    one, two = await running(store)
    await store.remove(one, REMOVE)
    view = await store.campaigns.find("spring")
    assert (view.campaign.state, view.campaign.mailboxes, view.pauses) == (CampaignState.ACTIVE, (two,), ())


async def test_removing_what_was_away_pauses_nothing_that_ran(store):
    store.campaign_policy = CampaignPolicy(pause_on=PauseOn.ALL)
    one, _ = await running(store)
    await away(store, one)
    await store.remove(one, REMOVE)
    assert await state_of(store) is CampaignState.ACTIVE
    assert await open_pauses(store) == ()


async def test_removing_the_one_that_worked_pauses_where_all_others_are_away(store):
    store.campaign_policy = CampaignPolicy(pause_on=PauseOn.ALL)
    one, two = await running(store)
    await away(store, one)
    await store.remove(two, REMOVE)
    assert await state_of(store) is CampaignState.PAUSED
    await back(store, one, at=after(1))
    assert await state_of(store) is CampaignState.ACTIVE


async def test_what_was_only_noted_of_it_is_over(store):
    store.campaign_policy = CampaignPolicy(mode=Mode.OBSERVE)
    one, _ = await running(store)
    await away(store, one)
    await store.remove(one, REMOVE)
    assert await store.campaigns.held_back() == []


async def test_what_people_typed_of_it_names_it_no_more(store):
    one, _ = await running(store)
    address = (await store.find(one)).mailbox.address
    typed = f"waits for {address.upper()}, see {address}"
    await store.campaigns.pause("spring", typed, ANN)
    await store.remove(one, REMOVE)
    (pause,) = await open_pauses(store)
    assert pause.reason == "waits for [removed], see [removed]"


@pytest.mark.parametrize("address", ["Zaphod@heartofgold.example", "Zoé.Ünal@heartofgold.example"])
async def test_what_people_said_of_its_campaigns_is_told_without_its_address(store, address):
    await add(store, password_mailbox(7, address=address, campaigns=("spring",)))
    await store.campaigns.pause("spring", f"waits for {address.upper()}, “see” {address}", ANN)
    assert any("heartofgold" in str(event.content).lower() for event in await events_of(store))
    await store.remove("mb_0007", REMOVE)
    (told,) = [event for event in await events_of(store, "campaign.paused") if event.mailbox_id is None]
    assert "waits for [removed], “see” [removed]" in told.content.values()
    assert await places_of(store, "heartofgold") == set()


async def test_a_removal_that_is_refused_costs_no_result_that_waits(open_store):
    store = await open_store(write_behind_seconds=3600)
    await filled(store, 1)
    (claim,) = await store.claim_due(later(), 1, 60)
    await store.record(claim, clean(claim))
    with pytest.raises(StaleError):
        await store.remove("mb_0000", REMOVE, version=99)
    assert store.pending == 1
    await store.remove("mb_0000", REMOVE)
    assert store.pending == 0


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ({"username": "User1"}, True),
        ({"username": "user1@example.org"}, True),
        ({"username": "user1", "oauth_app": "elsewhere"}, False),
        ({"username": "user10"}, False),
        ({"username": "u.s.e.r.1"}, False),
        ({"address": "us.er1@googlemail.com"}, False),
        ({}, False),
    ],
)
async def test_who_shares_a_login_is_known_before_and_after_the_removal(store, other, shared):
    await add(store, oauth_mailbox(1), NewMailbox(replace(oauth_mailbox(2).mailbox, **other), None))
    mailbox = (await store.find("mb_0001")).mailbox
    assert await store.shares_login(mailbox, {"outreach", "another"}) is shared
    await store.remove("mb_0001", REMOVE)
    assert await store.shares_login(mailbox, {"outreach", "another"}) is shared


async def test_a_login_is_the_same_with_and_without_the_dots_of_gmail(store):
    await add(store, oauth_mailbox(1, address="a.b.c@gmail.com", username="a.b.c@gmail.com"))
    await add(store, oauth_mailbox(2, address="info@example.org", username="abc@GoogleMail.com"))
    assert await store.shares_login((await store.find("mb_0001")).mailbox, {"outreach"})


async def test_what_was_told_of_its_campaigns_is_still_delivered(store):
    one, _ = await running(store)
    await away(store, one)
    await store.remove(one, REMOVE)
    told = [(event.type, event.mailbox_id) for event in await events_of(store) if event.mailbox_id == one]
    assert told == [("campaign.paused", one), ("mailbox.removed", one)]


async def test_a_version_that_no_longer_holds_removes_nothing(store):
    one, _ = await running(store)
    seen = (await store.find(one)).standing.version
    await away(store, one)
    with pytest.raises(StaleError, match="nothing was removed"):
        await store.remove(one, REMOVE, version=seen)
    await store.remove(one, REMOVE, version=(await store.find(one)).standing.version)


async def test_removing_twice_is_not_possible(store):
    one, _ = await running(store)
    await store.remove(one, REMOVE)
    with pytest.raises(MailboxNotFoundError):
        await store.remove(one, REMOVE)
    assert len(await events_of(store, "mailbox.removed")) == 1


async def with_everything(store):
    """An OAuth mailbox of which something is in every table that can hold something of one."""
    wanted = oauth_mailbox(
        7,
        address="Zaphod.Beeblebrox@heartofgold.example",
        username="zaphod-login",
        campaigns=("spring",),
        labels={"crew": "zaphod"},
    )
    await add(store, wanted, password_mailbox(8))
    (claim, _) = await store.claim_due(later(), 2, 600)
    told = Evidence("imap", Phase.AUTH, "NO zaphod-login at Zaphod.Beeblebrox@heartofgold.example is refused", status="NO")
    decision = moved(claim)
    step = replace(decision.transitions[0], evidence=told)
    await store.record(claim, replace(decision, transitions=(step,)))
    await store.change("mb_0007", lambda s: acts.disconnect(s, NOON, "user:ann"), ANN)
    lease = await store.grants.begin_refresh("mb_0007", epoch=1, lease_seconds=30)
    await store.grants.abandon_refresh("mb_0007", lease)
    await store.campaigns.add(campaign("summer", "mb_0007"), ANN)
    await store.outbox.fan_out({"crm": frozenset()}, 100)
    text = "zaphod.beeblebrox@heartofgold.example"
    rows = [
        (
            consents,
            {**dict.fromkeys(("app", "state", "state_hash", "browser_hash", "kid", "verifier", "actor"), "x"), "id": "oas_1"},
        ),
        (latencies, {"newest_at": NOON, "samples": "{}"}),
        (conversations, {"at": NOON, "lines": f'["LOGIN {text}"]'}),
        (jobs, {"id": "job_1", "action": "probe", "arguments": "{}", "actor": "user:ann", "origin": "local", "created_at": NOON}),
        (job_items, {"job_id": "job_1", "done_at": NOON, "error": f"{text} is on hold"}),
        (links, {"hashed": "h", "kind": "reconnect", "subject": "mb_0007", "expires_at": NOON}),
        (refusals, {"host": "imap.heartofgold.test", "generation": 1, "at": NOON, "kind": "refused", "operation": "x"}),
    ]

    async def work(attempt):
        for table, values in rows:
            more = {"created_at": NOON, "expires_at": NOON} if table is consents else {}
            more |= {"total": 1, "done": 1, "failed": 1} if table is jobs else {}
            more |= {"mailbox_id": "mb_0007"} if "mailbox_id" in table.c else {}
            await attempt.connection.execute(insert(table), values | more)

    await store._database.write(work)
    bodies = (f'{{"address": "{text}"}}'.encode(), b'{"id": "mb_0007"}', b'{"id": "mb_0008"}')
    for key, body in zip(("k1", "k2", "k3"), bodies, strict=True):
        await store.people.begin_once(key, "r", NOON)
        await store.people.finish_once(key, Remembered("r", 200, body, "application/json"))


async def places_of(store, *words):
    """Every column of every table in which one of *words* stands."""

    async def work(attempt):
        found = set()
        for table in metadata.tables.values():
            for column in table.c:
                if isinstance(column.type, Text | LargeBinary):
                    texts = (await attempt.connection.execute(select(cast(column, column.type)))).scalars()
                    plain = [text.decode() if isinstance(text, bytes) else text for text in texts if text is not None]
                    found |= {f"{table.name}.{column.name}" for text in plain if any(word in text.lower() for word in words)}
        return found

    return await store._database.read(work)


async def test_no_table_holds_its_address_or_its_user_name_any_more(store):
    await with_everything(store)
    assert {
        "mailboxes.address",
        "transitions.evidence",
        "conversations.lines",
        "job_items.error",
        "remembered.body",
    } <= await places_of(store, "zaphod")
    await store.remove("mb_0007", REMOVE)
    assert await places_of(store, "zaphod", "heartofgold.example") == set()


async def test_its_id_is_left_only_where_it_is_meant_to_be(store):
    await with_everything(store)
    await store.remove("mb_0007", REMOVE)
    assert await places_of(store, "mb_0007") == {
        "audit.mailbox_id",
        "audit.detail",
        "events.mailbox_id",
        "events.content",
        "job_items.mailbox_id",
    }
    assert await store.check() == []


async def test_answers_that_told_of_others_are_remembered(store):
    await with_everything(store)
    await store.remove("mb_0007", REMOVE)

    async def work(attempt):
        rows = (await attempt.connection.execute(select(remembered).order_by(remembered.c.key))).all()
        return [(row.key, row.status, bytes(row.body)) for row in rows]

    kept = {key: (status, body) for key, status, body in await store._database.read(work)}
    assert kept["k3"] == (200, b'{"id": "mb_0008"}')
    assert {kept["k1"][0], kept["k2"][0]} == {410}


async def test_what_a_bulk_job_did_to_it_is_still_counted(store):
    await with_everything(store)
    await store.remove("mb_0007", REMOVE)

    async def work(attempt):
        return (await attempt.connection.execute(select(job_items.c.mailbox_id, job_items.c.error))).all()

    assert [tuple(row) for row in await store._database.read(work)] == [("mb_0007", "the mailbox was removed")]


def test_every_part_of_the_schema_is_looked_through():
    for part in PARTS:
        assert any(table in vars(part).values() for table in metadata.tables.values())
