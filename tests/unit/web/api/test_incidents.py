"""Outages over the API."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.fleet import moved
from fakes.web import BY
from mailwatch.core.campaigns import Campaign, CampaignState
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger

GOOGLE = Scope(ScopeKind.PROVIDER, "google")


def incident(number, at, scope=GOOGLE, **fields):
    return replace(Incident(f"inc_{number}", scope, Cause.SERVER_UNAVAILABLE, at, at, 40, 0.96, size=50), **fields)


async def test_outages_are_listed_newest_first_and_paged(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([incident(n, now - timedelta(hours=n)) for n in range(5)])
    seen, path = [], "/api/v1/incidents?limit=2"
    while path:
        status, headers, page = await rig.ask("GET", path, role="read")
        assert status == 200
        seen += [each["id"] for each in page["incidents"]]
        path = headers["Link"].partition(">")[0].removeprefix("<") if "Link" in headers else ""
        assert (page["next"] is None) == (not path)
    assert seen == [f"inc_{n}" for n in range(5)]


async def test_those_that_go_on_are_told_from_those_that_are_over(rig):
    now = rig.clock.now()
    gone = incident(1, now - timedelta(hours=3), closed_at=now - timedelta(hours=2))
    await rig.store.incidents.save([gone, incident(2, now)])
    assert [each["id"] for each in (await rig.ask("GET", "/api/v1/incidents?open=true"))[2]["incidents"]] == ["inc_2"]
    assert [each["id"] for each in (await rig.ask("GET", "/api/v1/incidents?open=false"))[2]["incidents"]] == ["inc_1"]
    assert len((await rig.ask("GET", "/api/v1/incidents"))[2]["incidents"]) == 2
    status, _, problem = await rig.ask("GET", "/api/v1/incidents?open=maybe")
    assert (status, problem["code"]) == (422, "invalid")


async def test_an_outage_says_what_it_is_what_is_done_and_where_its_provider_tells(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([incident(1, now)])
    status, headers, shown = await rig.ask("GET", "/api/v1/incidents/inc_1", role="read")
    assert status == 200
    assert (shown["scope"], shown["cause"], shown["closed_at"]) == ({"provider": "google"}, "server_unavailable", None)
    assert (shown["failed"], shown["mailboxes"], shown["peak_share"]) == (40, 48, 0.96)
    assert shown["status_page"] == "https://www.google.com/appsstatus/dashboard/"
    assert "every 15 s one of them" in shown["doing"]
    assert shown["sentence"]
    assert shown["remedy"]
    assert (await rig.ask("GET", "/api/v1/incidents/inc_1", headers={"If-None-Match": headers["ETag"]}))[0] == 304


async def test_an_outage_names_the_mailboxes_and_campaigns_it_took(rig):
    await rig.fill(2)
    now = rig.clock.now()
    campaign = Campaign("spring", "Spring", CampaignState.ACTIVE, now, now, mailboxes=("mb_0000",))
    await rig.store.campaigns.add(campaign, BY)
    claims = await rig.store.claim_due(now, 10, 60)
    (claim,) = [each for each in claims if each.mailbox.id == "mb_0000"]
    await rig.store.record(claim, moved(claim, State.SUSPECT, Trigger.PROBE_FAILED, at=now))
    await rig.store.incidents.save([incident(1, now, Scope(ScopeKind.DOMAIN, "example.org"))])
    _, _, shown = await rig.ask("GET", "/api/v1/incidents/inc_1")
    assert (shown["affected_mailboxes"], shown["affected_campaigns"]) == (["mb_0000"], ["spring"])
    assert shown["status_page"] is None


async def test_one_that_is_over_and_one_of_our_own_network_say_so(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([incident(1, now, closed_at=now), incident(2, now, EGRESS, cause=Cause.LOCAL_NETWORK_DOWN)])
    assert (await rig.ask("GET", "/api/v1/incidents/inc_1"))[2]["doing"].startswith("It is over.")
    shown = (await rig.ask("GET", "/api/v1/incidents/inc_2"))[2]
    assert (shown["scope"], shown["doing"].partition(" is ")[0]) == ({"egress": "own"}, "mailwatch's own network")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"circuits": True, "canary_seconds": 40.0}, "every 40 s"),
        ({"circuits": False, "canary_seconds": 40.0}, "retried one by one"),
    ],
)
async def test_what_is_done_follows_the_configuration(rig, settings, words):
    rig.app.state.surface = replace(rig.surface, describe=lambda: {"incidents": settings})
    await rig.store.incidents.save([incident(1, rig.clock.now())])
    assert words in (await rig.ask("GET", "/api/v1/incidents/inc_1"))[2]["doing"]


async def test_an_outage_that_is_not_there_is_not_found(rig):
    status, _, problem = await rig.ask("GET", "/api/v1/incidents/inc_none")
    assert (status, problem["code"]) == (404, "not_found")
    assert (await rig.ask("GET", "/api/v1/incidents?cursor=inc_none"))[2] == {"incidents": [], "next": None}


async def audited(rig):
    rows = (await rig.ask("GET", "/api/v1/audit"))[2]["audit"]
    return [(row["action"], row["actor"], row["subject"]) for row in rows if row["action"].startswith("incident.")]


async def test_a_person_who_knows_better_closes_one(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([incident(1, now)])
    rig.clock.advance(60)
    status, _, closed = await rig.ask("POST", "/api/v1/incidents/inc_1/close", role="act")
    assert (status, closed["closed_at"]) == (200, (now + timedelta(minutes=1)).isoformat().replace("+00:00", "Z"))
    assert closed["doing"].startswith("It is over.")
    assert (await rig.ask("GET", "/api/v1/incidents?open=true"))[2]["incidents"] == []
    assert await audited(rig) == [("incident.close", "token:act", "inc_1")]


async def test_what_waits_in_it_is_due_once_it_is_closed(rig):
    await rig.fill(1)
    now = rig.clock.now()
    later = now + timedelta(hours=1)
    for to, trigger in ((State.SUSPECT, Trigger.PROBE_FAILED), (State.RECONNECTING, Trigger.FAILURE_CONFIRMED)):
        (claim,) = await rig.store.claim_due(now, 10, 60)
        due_at = now if to is State.SUSPECT else later
        await rig.store.record(claim, moved(claim, to, trigger, at=now, due_at=due_at))
    await rig.store.incidents.save([incident(1, now, Scope(ScopeKind.DOMAIN, "example.org"))])
    assert (await rig.ask("POST", "/api/v1/incidents/inc_1/close"))[0] == 200
    assert (await rig.store.find("mb_0000")).standing.due_at == rig.clock.now()


async def test_one_that_is_over_is_not_closed_again(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([incident(1, now, closed_at=now)])
    status, headers, problem = await rig.ask("POST", "/api/v1/incidents/inc_1/close")
    assert (status, problem["code"], headers["Content-Type"]) == (409, "over", "application/problem+json")
    assert "is over since" in problem["detail"]
    assert (await rig.ask("POST", "/api/v1/incidents/inc_none/close"))[2]["code"] == "not_found"
    assert (await rig.ask("POST", "/api/v1/incidents/inc_none/close", headers={"If-Match": '"1"'}))[2]["code"] == "not_found"
    assert await audited(rig) == []


async def test_what_came_back_since_it_was_looked_at_is_not_closed_by_it(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([incident(1, now)])
    seen = (await rig.ask("GET", "/api/v1/incidents/inc_1"))[1]["ETag"]
    await rig.store.incidents.save([incident(1, now, closed_at=now)])
    await rig.store.incidents.save([incident(1, now, reopened=1)])
    status, _, problem = await rig.ask("POST", "/api/v1/incidents/inc_1/close", headers={"If-Match": seen})
    assert (status, problem["code"]) == (412, "stale")
    seen = (await rig.ask("GET", "/api/v1/incidents/inc_1"))[1]["ETag"]
    assert (await rig.ask("POST", "/api/v1/incidents/inc_1/close", headers={"If-Match": seen}))[0] == 200


async def test_the_same_key_closes_once(rig):
    await rig.store.incidents.save([incident(1, rig.clock.now())])
    for replayed in (None, "true"):
        status, headers, _ = await rig.ask("POST", "/api/v1/incidents/inc_1/close", headers={"Idempotency-Key": "k1"})
        assert (status, headers.get("Idempotent-Replayed")) == (200, replayed)
    assert len(await audited(rig)) == 1


async def test_closing_needs_act(rig):
    await rig.store.incidents.save([incident(1, rig.clock.now())])
    for role, expected in ((None, 401), ("read", 403)):
        assert (await rig.ask("POST", "/api/v1/incidents/inc_1/close", role=role))[0] == expected
    assert (await rig.store.incidents.find("inc_1")).is_open


async def test_nobody_looks_without_a_token(rig):
    for path in ("/api/v1/incidents", "/api/v1/incidents/inc_1"):
        assert (await rig.ask("GET", path, role=None))[0] == 401
