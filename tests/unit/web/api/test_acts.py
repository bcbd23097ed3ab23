"""Acts over the API: one meaning, one row of the audit log each, upon the version that was read."""

import asyncio
from itertools import pairwise

import pytest


async def act(rig, name, given=None, **options):
    return await rig.ask("POST", f"/api/v1/mailboxes/mb_0000/{name}", given, role="act", **options)


async def test_disconnect_reconnect_hold_release_and_probe(rig):
    await rig.fill(1)
    for name, given, state in (
        ("disconnect", None, "inactive"),
        ("reconnect", None, "reconnecting"),
        ("hold", {"reason": "warmup_pause", "until_at": "2026-12-01T10:00:00+02:00"}, "held"),
        ("release", None, "reconnecting"),
        ("probe", None, "reconnecting"),
    ):
        status, headers, shown = await act(rig, name, given)
        assert (status, shown["state"]) == (200, state)
        assert headers["ETag"].startswith(f'"{shown["version"]}.')
    actors = [(row.actor, row.action) for row in await rig.surface.pages.audit(None, 5)]
    assert actors[0] == ("token:act", "mailbox.probe")
    assert actors[-1] == ("token:act", "mailbox.disconnect")


async def test_a_hold_shows_its_reason_and_end(rig):
    await rig.fill(1)
    _, _, shown = await act(rig, "hold", {"reason": "warmup_pause", "until_at": "2026-12-01T10:00:00+02:00"})
    assert (shown["hold_reason"], shown["hold_until_at"]) == ("warmup_pause", "2026-12-01T08:00:00Z")
    assert (await act(rig, "hold", {"reason": "tired"}))[0] == 422
    assert (await act(rig, "hold", {"reason": "warmup_pause", "until_at": "2020-01-01T00:00:00Z"}))[2]["code"] == "unfit"


@pytest.mark.parametrize("name", ["disconnect", "reconnect", "hold", "probe"])
async def test_an_act_insists_on_the_version_that_was_read(rig, name):
    await rig.fill(1)
    given = {"reason": "warmup_pause"} if name == "hold" else None
    tag = (await rig.ask("GET", "/api/v1/mailboxes/mb_0000"))[1]["ETag"]
    await rig.ask("PUT", "/api/v1/mailboxes/mb_0000/secret", {"secret": "x"})
    await act(rig, "hold", {"reason": "warmup_pause"})
    await act(rig, "release")
    status, _, problem = await act(rig, name, given, headers={"If-Match": tag})
    assert (status, problem["code"]) == (412, "stale")
    for fits in ((await rig.ask("GET", "/api/v1/mailboxes/mb_0000"))[1]["ETag"], "*"):
        assert (await act(rig, name, given, headers={"If-Match": fits}))[0] == 200
        await rig.ask("POST", "/api/v1/mailboxes/mb_0000/" + ("release" if name == "hold" else "reconnect"))
        break


@pytest.mark.parametrize(("header", "status"), [('"1"', 412), ('"nonsense"', 412), ('"9", "8"', 412), ("nonsense", 400), ("", 400)])
async def test_a_version_that_never_was_is_412_and_what_is_no_version_400(rig, header, status):
    await rig.fill(1)
    assert (await act(rig, "disconnect", headers={"If-Match": header}))[0] == status


async def test_a_probe_that_changed_nothing_but_its_moment_does_not_spoil_the_version(rig):
    await rig.fill(1)
    tag = (await rig.ask("GET", "/api/v1/mailboxes/mb_0000"))[1]["ETag"]
    rig.clock.advance(60)
    await act(rig, "probe")  # due_at is another now, and with it the body
    assert (await rig.ask("GET", "/api/v1/mailboxes/mb_0000"))[1]["ETag"] != tag
    assert (await act(rig, "disconnect", headers={"If-Match": tag}))[0] == 200


async def test_a_hundred_at_once_leave_one_chain_and_a_row_each(rig):
    """Two tabs and a program on one mailbox: each answer is the state that its own act led to."""
    await rig.fill(1)
    names = ["disconnect" if number % 2 else "reconnect" for number in range(100)]
    answers = await asyncio.gather(*(act(rig, name) for name in names))
    done = [shown for status, _, shown in answers if status == 200]
    assert {status for status, _, _ in answers} <= {200, 409}
    steps = [step for _, step in await rig.store.history("mb_0000", limit=500)]
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    assert all(former.to_state is latter.from_state for former, latter in pairwise(steps))
    rows = [row for row in await rig.surface.pages.audit(None, 500) if row.actor == "token:act"]
    assert len(rows) == len(done)


async def test_a_blocked_consent_is_begun_anew_only_where_there_is_one(rig):
    await rig.fill(0, oauth=1)
    status, _, problem = await act(rig, "reconnect", {"consent": True})
    assert (status, problem["code"]) == (409, "no_consent_flow")
    assert (await act(rig, "reconnect-link"))[0] == 409
    assert (await act(rig, "reconnect", {"consent": False}))[0] == 200
    assert (await act(rig, "reconnect"))[0] == 200
