"""Maintenance windows over the API."""

from datetime import timedelta

import pytest

PATH = "/api/v1/maintenance"


def later(rig, **span):
    return (rig.clock.now() + timedelta(**span)).isoformat().replace("+00:00", "Z")


async def declare(rig, title="upgrade", *, seconds=3600, **given):
    status, _, window = await rig.ask("POST", PATH, {"title": title, "seconds": seconds, **given}, role="act")
    assert status == 201, window
    return window


async def ids(rig, query=""):
    return [each["id"] for each in (await rig.ask("GET", f"{PATH}{query}", role="read"))[2]["windows"]]


async def test_a_window_is_declared_listed_and_ended(rig):
    await rig.fill(3, oauth=2)
    window = await declare(rig, scope={"provider": "Google"})
    assert (window["scope"], window["every"], window["created_by"]) == ({"provider": "google"}, "once", "token:act")
    assert window["mailboxes"] == 2
    assert (window["running_until_at"], window["next_start_at"]) == (later(rig, hours=1), None)
    assert await ids(rig) == [window["id"]]
    status, _, ended = await rig.ask("POST", f"{PATH}/{window['id']}/end", role="act")
    assert (status, ended["ended_at"], ended["running_until_at"]) == (200, later(rig), None)
    assert (await ids(rig), await ids(rig, "?ended=true")) == ([], [window["id"]])
    rows = (await rig.ask("GET", "/api/v1/audit"))[2]["audit"]
    assert [(row["action"], row["actor"], row["subject"]) for row in rows if row["action"].startswith("maintenance.")] == [
        ("maintenance.end", "token:act", window["id"]),
        ("maintenance.add", "token:act", window["id"]),
    ]


async def test_a_recurring_one_says_when_it_comes_next(rig):
    window = await declare(
        rig, starts_at=later(rig, days=1), every="weekly", zone="Europe/Berlin", until_at=later(rig, days=100), seconds=5400.0
    )
    assert (window["next_start_at"], window["running_until_at"]) == (later(rig, days=1), None)
    assert (window["zone"], window["until_at"], window["seconds"]) == ("Europe/Berlin", later(rig, days=100), 5400)


@pytest.mark.parametrize("query", ["", "&ended=true"])
async def test_windows_are_paged(rig, query):
    declared = []
    for number in range(3):
        declared.append((await declare(rig, starts_at=later(rig, hours=number)))["id"])
        rig.clock.advance(1)
    seen, cursor = [], ""
    while True:
        _, headers, page = await rig.ask("GET", f"{PATH}?limit=2{query}{cursor}")
        seen += [each["id"] for each in page["windows"]]
        assert ("Link" in headers) == (page["next"] is not None)
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == (declared[::-1] if query else declared)
    assert await ids(rig, f"?cursor=mw_none{query}") == []


async def test_the_same_key_declares_once(rig):
    given = {"title": "upgrade", "seconds": 600}
    first = await rig.ask("POST", PATH, given, headers={"Idempotency-Key": "k1"})
    again = await rig.ask("POST", PATH, given, headers={"Idempotency-Key": "k1"})
    assert (first[2]["id"], again[1]["Idempotent-Replayed"]) == (again[2]["id"], "true")
    assert len(await ids(rig)) == 1


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"title": ""}, "invalid", "title"),
        ({"title": " "}, "unfit", "title"),
        ({"seconds": 30}, "invalid", "seconds"),
        ({"seconds": "600"}, "invalid", "seconds"),
        ({"starts_at": "tomorrow"}, "invalid", "starts_at"),
        ({"starts_at": "2001-01-01T00:00:00Z"}, "unfit", "starts_at"),
        ({"every": "hourly"}, "invalid", "every"),
        ({"zone": "Mars/Olympus"}, "unfit", "zone"),
        ({"until_at": "2099-01-01T00:00:00Z"}, "unfit", "until_at"),
        ({"scope": {"egress": "own"}}, "invalid", "scope.egress"),
        ({"scope": {}}, "unfit", "scope"),
        ({"scope": {"domain": "example.org", "provider": "google"}}, "unfit", "scope"),
        ({"scope": {"domain": " "}}, "unfit", "scope"),
        ({"scope": {"domain": "ana@example.org"}}, "unfit", "scope"),
        ({"scope": {"oauth_app": "outreach"}}, "unfit", "scope"),  # no mailbox has it
        ({"colour": "red"}, "invalid", "colour"),
    ],
)
async def test_what_cannot_be_declared_names_the_place_and_stores_nothing(rig, given, code, field):
    status, _, problem = await rig.ask("POST", PATH, {"title": "upgrade", "seconds": 600} | given, role="act")
    assert (status, problem["code"], problem["errors"][0]["field"]) == (422, code, field)
    assert await ids(rig, "?ended=true") == []


async def test_a_scope_without_mailboxes_is_declared_with_a_warning(rig):
    await rig.fill(1)
    window = await declare(rig, scope={"domain": "exmaple.org"})
    assert window["mailboxes"] == 0
    assert window["warning"].startswith("no mailbox there now: no mailbox has the domain 'exmaple.org'")
    assert await ids(rig) == [window["id"]]
    assert (await declare(rig, scope={"domain": "example.org"}))["warning"] is None


async def test_ending_one_that_is_not_there_is_not_found(rig):
    status, _, problem = await rig.ask("POST", f"{PATH}/mw_none/end")
    assert (status, problem["code"]) == (404, "not_found")


async def test_looking_needs_read_and_declaring_act(rig):
    assert (await rig.ask("GET", PATH, role=None))[0] == 401
    for path in (PATH, f"{PATH}/mw_1/end"):
        assert (await rig.ask("POST", path, {"title": "x", "seconds": 60}, role="read"))[0] == 403
