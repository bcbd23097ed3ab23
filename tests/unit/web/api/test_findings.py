"""Figures of the history over the API."""

from datetime import timedelta

from contract.fleet import moved
from mailwatch.core.lifecycle import State, Trigger


async def lost(rig, mailbox_id):
    """The mailbox works, is suspected and then disconnected, all now."""
    now = rig.clock.now()
    for state, trigger in (
        (State.CONNECTED, Trigger.PROBE_SUCCEEDED),
        (State.SUSPECT, Trigger.PROBE_FAILED),
        (State.RECONNECTING, Trigger.FAILURE_CONFIRMED),
    ):
        for claim in await rig.store.claim_due(now, 10, 60):
            if claim.mailbox.id == mailbox_id:
                await rig.store.record(claim, moved(claim, state, trigger, at=now, due_at=now))


async def test_a_quiet_fleet_has_days_and_nothing_else(rig):
    status, headers, found = await rig.ask("GET", "/api/v1/findings", role="read")
    assert status == 200
    assert (found["causes"], found["mailboxes"], found["outages"]) == ([], [], [])
    assert len(found["days"]) == 31
    assert (await rig.ask("GET", "/api/v1/findings", headers={"If-None-Match": headers["ETag"]}))[0] == 304


async def test_disconnections_are_counted_by_cause_and_day(rig):
    await rig.fill(1)
    await lost(rig, "mb_0000")
    _, _, found = await rig.ask("GET", "/api/v1/findings")
    assert found["causes"] == [{"cause": "invalid_credentials", "provider": "other", "disconnections": 1, "mailboxes": 1}]
    (outage,) = found["outages"]
    assert (outage["mailbox"], outage["address"], outage["ended_at"]) == ("mb_0000", "user0@example.org", None)
    assert sum(day["disconnections"] for day in found["days"]) == 1


async def test_what_is_older_than_thirty_days_is_left_out(rig):
    await rig.fill(1)
    await lost(rig, "mb_0000")
    rig.clock.advance(timedelta(days=31).total_seconds())
    assert (await rig.ask("GET", "/api/v1/findings"))[2]["outages"] == []


async def test_it_needs_a_token_and_a_sound_limit(rig):
    assert (await rig.ask("GET", "/api/v1/findings", role=None))[0] == 401
    assert (await rig.ask("GET", "/api/v1/findings?limit=0"))[0] == 422
