"""Incidents on SQLite: scopes are told apart by their exact names, and an answer that was lost tells nothing twice."""

import pytest

from contract.campaigning import away, back, events_of, goes
from contract.fleet import NOON, add, oauth_mailbox, password_mailbox
from fakes.lost_answer import LostAnswer
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.baseline import Baseline
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.store.address import parse_address
from mailwatch.store.engine import Database
from mailwatch.store.incidents import SqlIncidents

DOMAIN = Scope(ScopeKind.DOMAIN, "example.org")


def incident(scope=DOMAIN, **fields):
    values = {"id": "inc_1", "scope": scope, "cause": Cause.SERVER_UNAVAILABLE, "opened_at": NOON, "last_failure_at": NOON}
    return Incident(**(values | {"failed": 5, "peak_share": 0.8} | fields))


@pytest.fixture
async def fleet(store):
    """Mailboxes at hosts whose names hold each other, all of which were away."""
    hosts = ("example.org", "an-example.org", "example.org.evil.example", "e_ample.org")
    ids = await add(store, *(password_mailbox(number, host=host) for number, host in enumerate(hosts)), oauth_mailbox(4))
    await back(store, *ids)
    for mailbox_id in ids:
        await goes(store, mailbox_id, State.SUSPECT)
    return store.incidents


@pytest.mark.parametrize(
    ("scope", "ids"),
    [
        (DOMAIN, ["mb_0000", "mb_0004"]),
        (Scope(ScopeKind.ENDPOINT, "imap.example.org"), ["mb_0000", "mb_0004"]),
        (Scope(ScopeKind.ENDPOINT, "imap.e_ample.org"), ["mb_0003"]),
        (Scope(ScopeKind.ENDPOINT, "example.org"), []),
        (Scope(ScopeKind.PROVIDER, "google"), ["mb_0004"]),
        (Scope(ScopeKind.OAUTH_APP, "outreach"), ["mb_0004"]),
        (EGRESS, ["mb_0000", "mb_0001", "mb_0002", "mb_0003", "mb_0004"]),
    ],
)
async def test_a_scope_is_its_exact_name_and_no_part_of_another(fleet, scope, ids):
    assert (await fleet.affected(incident(scope), 100))[0] == ids
    assert sorted(await fleet.suspects(incident(scope), 100)) == ids


async def test_no_more_are_named_than_asked_for(fleet):
    assert (await fleet.affected(incident(EGRESS), 2))[0] == ["mb_0000", "mb_0001"]
    assert len(await fleet.suspects(incident(EGRESS), 3)) == 3


async def test_what_is_told_of_an_incident_names_no_mailbox(store):
    await store.incidents.save([incident(size=10)])
    (event,) = await events_of(store, "incident.")
    assert event.content["scope"] == {"domain": "example.org"}
    assert (event.content["mailboxes"], event.content["share"], event.content["closed_at"]) == (8, 0.8, None)
    assert (event.mailbox_id, event.campaign_id) == (None, None)


async def test_saving_nothing_writes_nothing(store):
    await store.incidents.save([])
    assert await events_of(store, "incident.") == []


async def test_one_whose_commit_got_no_answer_is_opened_once(store, url):
    database = Database(parse_address(url))
    await SqlIncidents(LostAnswer(database), node="a").save([incident()])
    await database.close()
    assert [event.type for event in await events_of(store, "incident.")] == ["incident.opened"]
    assert await store.incidents.find("inc_1") == incident()
    assert await store.incidents.find("inc_2") is None


async def test_many_baselines_are_learnt_and_learnt_anew(store):
    learnt = {Scope(ScopeKind.DOMAIN, f"d{number}.example"): Baseline(number, 10.0 * number) for number in range(1, 1100)}
    await store.incidents.learn(learnt)
    await store.incidents.learn({DOMAIN: Baseline(1.0, 2.0), Scope(ScopeKind.DOMAIN, "d1.example"): Baseline(7.0, 8.0)})
    known = await store.incidents.baselines()
    assert len(known) == 1100
    assert (known[DOMAIN], known[Scope(ScopeKind.DOMAIN, "d1.example")]) == (Baseline(1.0, 2.0), Baseline(7.0, 8.0))


async def test_campaigns_of_what_it_took_are_named_once(store):
    ids = await add(store, *(password_mailbox(number, campaigns=("spring", "autumn")) for number in range(2)))
    await back(store, *ids)
    for mailbox_id in ids:
        await goes(store, mailbox_id, State.SUSPECT)
    await away(store, *ids)
    assert (await store.incidents.affected(incident(), 100))[1] == ["autumn", "spring"]
