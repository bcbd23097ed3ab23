"""Bulk actions: counted first, done a little at a time, each mailbox once, and a restart loses nothing."""

import pytest

from fakes.web import BY
from mailwatch.core.lifecycle import State
from mailwatch.desk import bulk as module
from mailwatch.desk.acts import Desk, HoldError
from mailwatch.desk.bulk import Bulk, BulkError
from mailwatch.ports import Act, StoreUnavailableError
from mailwatch.ports.pages import BulkAction, PageFilter

ALL = PageFilter()


async def finish(rig, bulk=None):
    for _ in range(50):
        if not await (bulk or rig.surface.bulk).run_waiting():
            return


async def states(rig):
    return {view.mailbox.id: view.standing.state for view in (await rig.surface.pages.page(ALL, None, 500)).rows}


async def test_a_job_does_it_to_every_mailbox_the_filter_named(rig):
    await rig.fill(25)
    bulk, by = rig.surface.bulk, Act("user:ann", "bulk.disconnect", "192.0.2.7")
    which = PageFilter(text="user1")
    assert await bulk.preview(which) == 11
    job = await bulk.begin(BulkAction.DISCONNECT, which, {}, by)
    assert (job.total, job.done) == (11, 0)
    await finish(rig)
    job = await rig.store.jobs.job(job.id)
    assert (job.done, job.failed) == (11, 0)
    assert job.ended_at is not None
    assert sum(state is State.INACTIVE for state in (await states(rig)).values()) == 11
    row = next(row for row in await rig.surface.pages.audit(None, 50) if row.action == "mailbox.disconnect")
    assert (row.actor, row.origin) == ("user:ann", "192.0.2.7")


async def test_a_selection_is_done_by_ids(rig):
    await rig.fill(5)
    which = PageFilter(ids=frozenset({"mb_0001", "mb_0003", "mb_9999"}))
    job = await rig.surface.bulk.begin(BulkAction.DISCONNECT, which, {}, BY)
    assert job.total == 2
    await finish(rig)
    assert [key for key, state in (await states(rig)).items() if state is State.INACTIVE] == ["mb_0003", "mb_0001"]


async def test_what_cannot_be_done_is_told_for_each_and_stops_nothing(rig):
    await rig.fill(3)
    await rig.surface.desk.disconnect("mb_0001", BY)
    job = await rig.surface.bulk.begin(BulkAction.PROBE, ALL, {}, BY)
    await finish(rig)
    items = await rig.surface.bulk.items(job.id, None, 10, failed_only=True)
    assert [(item.mailbox_id, item.error) for item in items] == [
        ("mb_0001", "reconnect is not possible while the mailbox is inactive")
    ]
    job = await rig.store.jobs.job(job.id)
    assert (job.failed, job.ended_at is not None) == (1, True)


@pytest.mark.parametrize("action", [BulkAction.DISCONNECT, BulkAction.RELEASE])
async def test_what_is_so_already_counts_as_done(rig, action):
    await rig.fill(2)
    await rig.surface.desk.disconnect("mb_0001", BY)
    job = await rig.surface.bulk.begin(action, ALL, {}, BY)
    await finish(rig)
    assert (await rig.store.jobs.job(job.id)).failed == 0


async def test_a_mailbox_removed_meanwhile_is_told_and_is_no_fault_of_a_removal(rig):
    await rig.fill(2)
    bulk = rig.surface.bulk
    probe = await bulk.begin(BulkAction.PROBE, ALL, {}, BY)
    rig.clock.advance(1)
    removal = await bulk.begin(BulkAction.REMOVE, ALL, {}, BY, expected=2)
    await rig.surface.desk.remove_confirmed("mb_0000", BY)
    await finish(rig)
    assert [item.error for item in await bulk.items(probe.id, None, 9, failed_only=True)] == ["the mailbox was removed meanwhile"]
    assert (await rig.store.jobs.job(removal.id)).failed == 0
    assert await states(rig) == {}


async def test_a_removal_needs_the_number_that_was_confirmed(rig):
    await rig.fill(2)
    bulk = rig.surface.bulk
    with pytest.raises(BulkError, match="confirmed"):
        await bulk.begin(BulkAction.REMOVE, ALL, {}, BY)
    with pytest.raises(BulkError, match="names 2 mailboxes now, not 3"):
        await bulk.begin(BulkAction.REMOVE, ALL, {}, BY, expected=3)
    assert await rig.store.jobs.unfinished() == []


async def test_a_hold_takes_its_reason_and_end(rig):
    await rig.fill(1)
    bulk = rig.surface.bulk
    for arguments in ({}, {"reason": "tired"}, {"reason": "warmup_pause", "until_at": "2020-01-01T00:00:00Z"}):
        with pytest.raises(HoldError):
            await bulk.begin(BulkAction.HOLD, ALL, arguments, BY)
    for until_at in ("tomorrow", "2026-12-01T00:00:00"):
        with pytest.raises(HoldError, match="such as 2026"):
            await bulk.begin(BulkAction.HOLD, ALL, {"reason": "warmup_pause", "until_at": until_at}, BY)
    with pytest.raises(BulkError, match="no arguments"):
        await bulk.begin(BulkAction.PROBE, ALL, {"reason": "warmup_pause"}, BY)
    await bulk.begin(BulkAction.HOLD, ALL, {"reason": "warmup_pause", "until_at": "2026-12-01T01:00:00+01:00"}, BY)
    await finish(rig)
    standing = (await rig.store.find("mb_0000")).standing
    assert (standing.state, standing.hold_until_at.isoformat()) == (State.HELD, "2026-12-01T00:00:00+00:00")


async def test_a_round_ends_in_time_and_the_next_goes_on(rig, monkeypatch):
    monkeypatch.setattr(module, "ROUND_MAILBOXES", 20)
    await rig.fill(50)
    job = await rig.surface.bulk.begin(BulkAction.DISCONNECT, ALL, {}, BY)
    assert await rig.surface.bulk.run_waiting() == 20
    assert (await rig.store.jobs.job(job.id)).done == 20
    again = Bulk(rig.store.jobs, rig.surface.desk, rig.surface.pages, rig.clock)  # the daemon was restarted
    await finish(rig, again)
    assert (await rig.store.jobs.job(job.id)).done == 50


async def test_a_database_that_is_away_fails_no_mailbox_and_what_was_done_is_noted(rig):
    await rig.fill(5)

    class Failing(Desk):
        left = 3

        async def disconnect(self, mailbox_id, by, *, version=None):
            self.left -= 1
            if self.left < 0:
                raise StoreUnavailableError("away")
            return await super().disconnect(mailbox_id, by)

    bulk = Bulk(rig.store.jobs, Failing(rig.store, rig.clock), rig.surface.pages, rig.clock)
    job = await bulk.begin(BulkAction.DISCONNECT, ALL, {}, BY)
    with pytest.raises(StoreUnavailableError):
        await bulk.run_waiting()
    assert (await rig.store.jobs.job(job.id)).done == 3
    await finish(rig)
    job = await rig.store.jobs.job(job.id)
    assert (job.done, job.failed) == (5, 0)


async def test_two_rounds_at_once_are_one(rig):
    await rig.fill(1)
    async with rig.surface.bulk._running:
        assert await rig.surface.bulk.run_waiting() == 0


async def test_a_fault_of_our_own_at_one_keeps_no_other_from_its_turn(rig, monkeypatch):
    await rig.fill(3)
    whole = Desk.disconnect

    async def broken(desk, mailbox_id, by, *, version=None):
        if mailbox_id == "mb_0000":
            raise KeyError("secret words")
        return await whole(desk, mailbox_id, by, version=version)

    monkeypatch.setattr(Desk, "disconnect", broken)
    job = await rig.surface.bulk.begin(BulkAction.DISCONNECT, ALL, {}, BY)
    await finish(rig)
    (item,) = await rig.surface.bulk.items(job.id, None, 10, failed_only=True)
    assert (item.mailbox_id, item.error) == ("mb_0000", "a fault of mailwatch's own: KeyError")
    assert (await rig.store.jobs.job(job.id)).ended_at is not None
