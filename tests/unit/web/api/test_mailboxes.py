"""/api/v1/mailboxes: what is listed, found, added, removed - and that no secret ever comes back."""

import pytest
from yarl import URL

from builders import NOW, a_mailbox, a_standing
from fakes.web import BY as _BY
from fakes.web import refused
from mailwatch.core.lifecycle import State
from mailwatch.ports import MailboxView
from mailwatch.web.api.shapes import actions_of, mailbox_shown


async def test_pages_follow_one_another_and_hold_every_mailbox_once(rig):
    await rig.fill(7)
    seen, path = [], "/api/v1/mailboxes?limit=3"
    while path:
        status, headers, page = await rig.ask("GET", path, role="read")
        assert status == 200
        seen += [mailbox["id"] for mailbox in page["mailboxes"]]
        path = headers["Link"].partition(">")[0].removeprefix("<") if "Link" in headers else None
        assert bool(path) == bool(page["next"])
    assert sorted(seen) == [f"mb_{number:04}" for number in range(7)]
    status, _, counted = await rig.ask("GET", "/api/v1/mailboxes:count")
    assert (status, counted["total"], counted["states"]["pending"]) == (200, 7, 7)


async def test_filters_are_taken_together(rig):
    await rig.fill(4, oauth=2)
    await rig.surface.desk.disconnect("mb_0001", _BY)

    async def ids(query):
        return [each["id"] for each in (await rig.ask("GET", f"/api/v1/mailboxes?{query}"))[2]["mailboxes"]]

    assert await ids("state=inactive") == ["mb_0001"]
    assert sorted(await ids("state=inactive&state=pending&provider=other")) == ["mb_0000", "mb_0001", "mb_0002", "mb_0003"]
    assert sorted(await ids("provider=google")) == ["mb_0004", "mb_0005"]
    assert await ids("q=USER3") == ["mb_0003"]
    assert await ids("cause=operator_disconnect") == ["mb_0001"]
    assert await ids("label=team%3Dnorth") == []
    assert (await rig.ask("GET", "/api/v1/mailboxes:count?state=inactive"))[2]["total"] == 1
    assert (await rig.ask("GET", "/api/v1/mailboxes?state=happy"))[0] == 422


async def test_one_is_found_by_id_or_address_and_says_what_may_be_done(rig):
    await rig.fill(1)
    by_id = await rig.ask("GET", "/api/v1/mailboxes/mb_0000")
    by_address = await rig.ask("GET", "/api/v1/mailboxes/USER0@example.org")
    assert by_id[2] == by_address[2]
    assert by_id[2]["actions"] == ["disconnect", "reconnect", "hold", "probe", "remove"]
    assert (by_id[2]["created_at"], by_id[2]["cause"]) == ("2026-11-22T12:00:00Z", None)
    await rig.surface.desk.disconnect("mb_0000", _BY)
    shown = (await rig.ask("GET", "/api/v1/mailboxes/mb_0000"))[2]
    assert (shown["state"], shown["actions"]) == ("inactive", ["reconnect", "remove"])
    assert shown["owner"] == "us"
    assert shown["sentence"]


def test_a_mailbox_that_we_cannot_look_at_says_why_since_when_and_what_heals_it():
    unseen = a_standing(impairment="oauth_app_unknown", impaired_since_at=NOW)
    shown = mailbox_shown(MailboxView(a_mailbox(), unseen)).impairment
    assert shown is not None
    assert (shown.name, shown.since_at) == ("oauth_app_unknown", NOW)
    assert "[oauth.NAME]" in shown.remedy[0]
    assert shown.sentence.startswith("mailwatch cannot look at it: ")
    assert mailbox_shown(MailboxView(a_mailbox(), a_standing())).impairment is None


async def test_what_is_known_already_is_not_sent_again(rig):
    await rig.fill(1)
    for path in ("/api/v1/mailboxes", "/api/v1/mailboxes/mb_0000", "/api/v1/mailboxes:count"):
        tag = (await rig.ask("GET", path))[1]["ETag"]
        assert (await rig.ask("GET", path, headers={"If-None-Match": f'"x", W/{tag}'}))[::2] == (304, "")
    await rig.surface.desk.disconnect("mb_0000", _BY)
    assert (await rig.ask("GET", "/api/v1/mailboxes", headers={"If-None-Match": tag}))[0] == 200


async def test_one_is_added_and_its_secret_never_comes_back(rig):
    given = {"address": "ann@gmail.com", "secret": "hunter2", "labels": {"team": "north"}, "campaigns": ["spring"]}
    status, headers, added = await rig.ask("POST", "/api/v1/mailboxes", given)
    assert (status, added["provider"], added["labels"], added["state"]) == (201, "google", {"team": "north"}, "pending")
    assert headers["Location"] == f"/api/v1/mailboxes/{added['id']}"
    assert "hunter2" not in str(added)
    assert (await rig.ask("POST", "/api/v1/mailboxes", given))[2]["code"] == "exists"
    assert (await rig.ask("POST", "/api/v1/mailboxes", given, role="act"))[0] == 403
    (claim,) = await rig.store.claim_due(rig.clock.now(), 1, 1)
    assert claim.credential.password().reveal() == "hunter2"


async def test_many_are_added_or_none(rig):
    rows = [{"address": f"user{number}@gmail.com", "secret": "s"} for number in range(3)]
    status, _, answer = await rig.ask("POST", "/api/v1/mailboxes:import", {"mailboxes": rows, "dry_run": True})
    assert (status, answer) == (200, {"count": 3, "ids": []})
    assert (await rig.ask("POST", "/api/v1/mailboxes:import", {"mailboxes": [*rows, {"address": "x"}]}))[0] == 422
    assert (await rig.ask("GET", "/api/v1/mailboxes:count"))[2]["total"] == 0
    status, _, answer = await rig.ask("POST", "/api/v1/mailboxes:import", {"mailboxes": rows})
    assert (status, answer["count"], len(answer["ids"])) == (201, 3, 3)


async def test_one_is_removed_when_its_address_is_typed(rig):
    await rig.fill(1)
    path = "/api/v1/mailboxes/mb_0000"
    assert (await rig.ask("DELETE", path, {"address": "mb_0000"}))[2]["code"] == "not_confirmed"
    assert (await rig.ask("DELETE", path))[0] == 422
    assert (await rig.ask("DELETE", path, {"address": "user0@example.org"}, role="act"))[0] == 403
    assert (await rig.ask("DELETE", path, {"address": "user0@example.org"}, headers={"If-Match": '"9"'}))[0] == 412
    assert (await rig.ask("DELETE", path, {"address": "User0@Example.org"}))[0] == 204
    assert (await rig.ask("GET", path))[0] == 404


async def test_a_new_secret_starts_a_new_generation(rig):
    await rig.fill(1)
    status, _, shown = await rig.ask("PUT", "/api/v1/mailboxes/mb_0000/secret", {"secret": "hunter2"})
    assert (status, shown["generation"]) == (200, 2)
    assert "hunter2" not in str(shown)


async def test_the_history_is_told_newest_first_page_by_page(rig):
    await rig.fill(1)
    for _ in range(3):
        await rig.surface.desk.disconnect("mb_0000", _BY)
        await rig.surface.desk.reconnect("mb_0000", _BY)
    seen, path = [], "/api/v1/mailboxes/mb_0000/history?limit=2"
    while path:
        _, headers, page = await rig.ask("GET", path)
        seen += [step["version"] for step in page["transitions"]]
        path = headers["Link"].partition(">")[0].removeprefix("<") if "Link" in headers else None
    assert seen == [6, 5, 4, 3, 2, 1]


async def test_the_gate_answers_from_memory(rig, monkeypatch):
    await rig.fill(1)
    await rig.gate_follows()
    await rig.ask("GET", "/api/v1/me")  # the token is known now

    async def asked(*_, **__):
        raise AssertionError("the database was asked")

    monkeypatch.setattr(rig.store._database, "read", asked)
    monkeypatch.setattr(rig.store._database, "write", asked)
    status, headers, permit = await rig.ask("GET", "/api/v1/mailboxes/User0@example.org/sending?campaign=spring")
    assert (status, permit["allowed"], permit["reason"], permit["allowance_ratio"]) == (200, False, "pending", 0.0)
    assert headers["Cache-Control"] == "no-store"


async def test_a_gate_that_knows_nothing_allows_nothing(rig):
    status, _, problem = await rig.ask("GET", "/api/v1/mailboxes/mb_0000/sending")
    assert (status, problem["code"], problem["allowed"]) == (503, "gate_stale", False)
    await rig.gate_follows()
    status, _, problem = await rig.ask("GET", "/api/v1/mailboxes/mb_0000/sending")
    assert (status, problem["reason"], problem["allowed"]) == (404, "unknown_mailbox", False)


@pytest.mark.parametrize("mailbox", ["%00", "a%20b", "x" * 321])
async def test_what_is_no_name_of_a_mailbox_is_refused(rig, mailbox):
    assert (await rig.client.get(URL(f"{rig.url}/api/v1/mailboxes/{mailbox}", encoded=True), headers=rig.bearer())).status == 422


def test_every_state_has_its_actions():
    assert {state: "disconnect" in actions_of(state) for state in State}[State.INACTIVE] is False
    assert "release" in actions_of(State.HELD)
    assert "probe" not in actions_of(State.HELD)


async def test_a_look_that_waits_for_its_host_says_until_when_and_why(rig):
    await rig.fill(1)
    path = "/api/v1/mailboxes/mb_0000"
    known = (await rig.ask("GET", path))[2]
    assert (known["waits_until_at"], known["waits_for"]) == (None, None)
    await refused(rig.store, rig.clock.now(), 3)
    shown = (await rig.ask("PUT", f"{path}/secret", {"secret": "another"}))[2]
    assert shown["waits_until_at"] == "2026-03-01T12:10:00Z"
    assert shown["waits_for"].startswith("imap.example.org refused 3 logins within 10 min")
