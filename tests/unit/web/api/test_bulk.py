"""Bulk actions over the API: looked at, begun, followed."""

import pytest


async def finish(rig):
    while await rig.surface.bulk.run_waiting():
        pass


async def batch(rig, given, **options):
    return await rig.ask("POST", "/api/v1/mailboxes:batch", given, **options)


async def test_a_filter_is_counted_and_then_acted_upon(rig):
    await rig.fill(12)
    given = {"action": "disconnect", "filter": {"q": "user1"}}
    assert (await batch(rig, {**given, "dry_run": True}))[::2] == (200, {"count": 3})
    status, headers, job = await batch(rig, {**given, "expected": 3}, role="act")
    assert (status, job["total"], job["done"]) == (202, 3, 0)
    assert headers["Location"] == f"/api/v1/jobs/{job['id']}"
    await finish(rig)
    _, _, job = await rig.ask("GET", headers["Location"])
    assert (job["done"], job["failed"], bool(job["ended_at"])) == (3, 0, True)
    seen, path = [], f"/api/v1/jobs/{job['id']}/items?limit=2"
    while path:
        _, headers, page = await rig.ask("GET", path)
        seen += [item["mailbox"] for item in page["items"]]
        path = headers["Link"].partition(">")[0].removeprefix("<") if "Link" in headers else None
    assert seen == ["mb_0001", "mb_0010", "mb_0011"]
    assert (await rig.ask("GET", f"/api/v1/jobs/{job['id']}/items?failed=true"))[2]["items"] == []


async def test_a_selection_is_acted_upon(rig):
    await rig.fill(3)
    given = {"action": "hold", "ids": ["mb_0000", "mb_0002"], "reason": "warmup_pause", "until_at": "2026-12-01T08:00:00Z"}
    status, _, job = await batch(rig, given)
    assert (status, job["total"], job["arguments"]["reason"]) == (202, 2, "warmup_pause")
    await finish(rig)
    assert [(await rig.store.find(f"mb_000{number}")).standing.state for number in range(3)] == ["held", "pending", "held"]


async def test_a_removal_needs_an_admin_and_the_number(rig):
    await rig.fill(2)
    given = {"action": "remove", "filter": {"q": ""}}
    assert (await batch(rig, {**given, "expected": 2}, role="act"))[0] == 403
    assert (await batch(rig, given))[2]["code"] == "bulk"
    assert (await batch(rig, {**given, "expected": 1}))[2]["code"] == "bulk"
    assert (await batch(rig, {**given, "expected": 2}))[0] == 202
    await finish(rig)
    assert (await rig.ask("GET", "/api/v1/mailboxes:count"))[2]["total"] == 0


@pytest.mark.parametrize(
    "given",
    [
        {"action": "probe"},
        {"action": "probe", "filter": {}},
        {"action": "probe", "filter": {"q": "a"}, "ids": ["mb_0000"]},
        {"action": "dance", "filter": {"q": "a"}},
        {"action": "hold", "filter": {"q": "a"}},
        {"action": "probe", "ids": []},
        {"action": "probe", "ids": ["0000"]},
        {"action": "probe", "filter": {"sql": "1"}},
        {"action": "probe", "filter": {"q": "a"}, "expected": "3"},
        {"action": "probe", "filter": {"q": "a"}, "expected": True},
    ],
)
async def test_what_does_not_say_clearly_what_it_wants_is_refused(rig, given):
    assert (await batch(rig, given))[0] == 422


async def test_a_job_is_stopped_and_what_was_done_stays_done(rig, monkeypatch):
    monkeypatch.setattr("mailwatch.desk.bulk.ROUND_MAILBOXES", 20)
    await rig.fill(30)
    _, _, job = await batch(rig, {"action": "disconnect", "filter": {"q": "user"}})
    await rig.surface.bulk.run_waiting()
    path = f"/api/v1/jobs/{job['id']}"
    assert (await rig.ask("POST", f"{path}/cancel", role="read"))[0] == 403
    status, _, stopped = await rig.ask("POST", f"{path}/cancel", role="act")
    assert (status, stopped["cancelled"], stopped["done"], bool(stopped["ended_at"])) == (200, True, 20, True)
    await finish(rig)
    assert (await rig.ask("GET", path))[2] == stopped == (await rig.ask("POST", f"{path}/cancel"))[2]
    states = (await rig.ask("GET", "/api/v1/mailboxes:count"))[2]["states"]
    assert (states["inactive"], states["pending"]) == (20, 10)
    row = next(row for row in await rig.surface.pages.audit(None, 50) if row.action == "bulk.cancel")
    assert (row.actor, row.subject, row.detail) == ("token:act", job["id"], "disconnect ended after 20 of 30 mailboxes")


async def test_a_job_that_is_done_cannot_be_stopped_any_more(rig):
    await rig.fill(1)
    _, _, job = await batch(rig, {"action": "disconnect", "filter": {"q": "user"}})
    await finish(rig)
    assert (await rig.ask("POST", f"/api/v1/jobs/{job['id']}/cancel"))[2]["cancelled"] is False


async def test_there_is_no_other_job(rig):
    assert (await rig.ask("POST", "/api/v1/jobs/job_x/cancel"))[0] == 404
    assert (await rig.ask("GET", "/api/v1/jobs/job_x"))[0] == 404
    assert (await rig.ask("GET", "/api/v1/jobs/job_x/items"))[0] == 404
