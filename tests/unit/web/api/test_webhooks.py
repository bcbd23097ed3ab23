"""Webhooks over the API: the endpoints without their secrets, the log, once more, again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.outbox import SECRET, an_endpoint
from fakes.web import BY, served

#: What an endpoint tells while nothing it was sent was refused.
WELL = {"failing_since_at": None, "last_error": None}


@pytest.fixture
async def rig(tmp_path, no_task_left_behind):
    endpoints = {"crm": an_endpoint("crm"), "pager": an_endpoint("pager", types=("campaign.paused",))}
    async with served(tmp_path / "mailwatch.db", endpoints=endpoints) as rig:
        await rig.fill(1)
        await rig.surface.desk.disconnect("mb_0000", BY)
        await rig.store.outbox.fan_out({"crm": frozenset(), "pager": frozenset({"campaign.paused"})}, 100)
        yield rig


async def test_endpoints_are_shown_without_their_secrets(rig):
    await rig.store.outbox.disable("pager", "410 Gone")
    status, _, found = await rig.ask("GET", "/api/v1/webhooks", role="read")
    assert status == 200
    assert found["webhooks"] == [
        {"name": "crm", "host": "crm.example.org", "types": [], "disabled": None, **WELL},
        {"name": "pager", "host": "pager.example.org", "types": ["campaign.paused"], "disabled": "410 Gone", **WELL},
    ]
    assert SECRET not in str(found)
    assert found["pending"] > 0
    assert (await rig.ask("POST", "/api/v1/webhooks/pager/enable"))[0] == 204
    assert (await rig.store.outbox.disabled()) == {}
    assert (await rig.ask("POST", "/api/v1/webhooks/none/enable"))[0] == 404


async def test_deliveries_are_listed_and_sent_again(rig):
    _, headers, log = await rig.ask("GET", "/api/v1/webhooks/deliveries?webhook=crm&limit=1")
    (newest,) = log["deliveries"]
    assert (newest["webhook"], newest["state"], newest["type"]) == ("crm", "pending", "mailbox.transitioned")
    assert newest["event"].startswith("evt_")
    _, _, older = await rig.ask("GET", headers["Link"].partition(">")[0].removeprefix("<"))
    assert older["deliveries"][0]["type"] == "mailbox.added"
    assert (await rig.ask("GET", "/api/v1/webhooks/deliveries?state=failed"))[2]["deliveries"] == []
    woken = []
    rig.app.state.surface = replace(rig.surface, wake=woken.append)
    assert (await rig.ask("POST", f"/api/v1/webhooks/deliveries/{newest['id']}/replay"))[0] == 202
    assert woken == [newest["webhook"]]
    assert (await rig.ask("POST", "/api/v1/webhooks/deliveries/99999/replay"))[0] == 404
    assert (await rig.ask("POST", f"/api/v1/webhooks/deliveries/{newest['id']}/replay", role="act"))[0] == 403


async def test_an_endpoint_that_fails_does_not_look_well(rig):
    now = rig.clock.now()
    first, *_ = await rig.store.outbox.claim_deliveries(now, 10, 60, excluding=frozenset({"pager"}))
    await rig.store.outbox.put_off(first, now + timedelta(minutes=5), 500, "HTTP 500")
    crm, pager = (await rig.ask("GET", "/api/v1/webhooks", role="read"))[2]["webhooks"]
    assert (crm["failing_since_at"], crm["last_error"]) == (first.event.at.strftime("%Y-%m-%dT%H:%M:%SZ"), "HTTP 500")
    assert {key: pager[key] for key in WELL} == WELL
    page = (await rig.ask("GET", "/settings", role="read"))[2]
    assert ": HTTP 500</td>" in page
    assert page.count("in use</td>") == 1
    await rig.store.outbox.delivered(first, 200)
    assert (await rig.ask("GET", "/settings", role="read"))[2].count("in use</td>") == 2
