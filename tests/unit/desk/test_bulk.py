"""Bulk actions: counted first, done a little at a time, each mailbox once, and a restart loses nothing."""

from datetime import timedelta

import pytest

from contract.fleet import add, moved, password_mailbox
from fakes.web import BY
from mailwatch.core.lifecycle import State
from mailwatch.desk import bulk as module
from mailwatch.desk.acts import Desk, HoldError, Withdrawal
from mailwatch.desk.bulk import Bulk, BulkError
from mailwatch.ports import Act, StoreUnavailableError
from mailwatch.ports.pages import BulkAction, PageFilter
from mailwatch.store.engine import Database

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
        ("mb_0001", "probe is not possible while the mailbox is inactive; reconnect it first")
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


async def test_what_was_asked_for_last_stands(rig):
    """A job begun later is not overtaken by the one that was there before it."""
    await rig.fill(60)
    bulk, few = rig.surface.bulk, frozenset({"mb_0057", "mb_0058", "mb_0059"})
    await bulk.begin(BulkAction.DISCONNECT, ALL, {}, BY)
    rig.clock.advance(5)
    later = await bulk.begin(BulkAction.RECONNECT, PageFilter(ids=few), {}, BY)
    await finish(rig)
    found = await states(rig)
    assert {found[each] for each in few} == {State.RECONNECTING}
    assert sum(state is State.INACTIVE for state in found.values()) == 57
    assert (await rig.store.jobs.job(later.id)).failed == 0


async def test_a_job_that_shares_no_mailbox_does_not_wait_for_a_long_one(rig, monkeypatch):
    monkeypatch.setattr(module, "ROUND_MAILBOXES", 20)
    await rig.fill(60)
    bulk = rig.surface.bulk
    long = await bulk.begin(BulkAction.PROBE, PageFilter(ids=frozenset(f"mb_{n:04}" for n in range(50))), {}, BY)
    rig.clock.advance(1)
    short = await bulk.begin(BulkAction.DISCONNECT, PageFilter(ids=frozenset({"mb_0055"})), {}, BY)
    await bulk.run_waiting()
    assert (await rig.store.jobs.job(short.id)).ended_at is not None
    assert (await rig.store.jobs.job(long.id)).ended_at is None


@pytest.mark.parametrize(("action", "stands"), [("mailbox.reconnect", True), ("mailbox.probe", False)])
async def test_what_a_person_did_by_itself_meanwhile_stands_and_is_told(rig, action, stands):
    await rig.fill(3)
    job = await rig.surface.bulk.begin(BulkAction.DISCONNECT, ALL, {}, BY)
    rig.clock.advance(5)
    act = rig.surface.desk.reconnect if stands else rig.surface.desk.probe
    await act("mb_0001", Act("user:eve", action))
    await finish(rig)
    told = await rig.surface.bulk.items(job.id, None, 10, failed_only=True)
    expected = "left as it is: user:eve acted on it (mailbox.reconnect) after this had begun"
    assert [(item.mailbox_id, item.error) for item in told] == ([("mb_0001", expected)] if stands else [])
    assert ((await states(rig))["mb_0001"] is State.INACTIVE) is not stands


async def test_a_restart_takes_its_own_work_for_nobodys(rig):
    """Done, and not yet noted: it comes again, and is not left alone as if a person had acted."""
    await rig.fill(1)
    job = await rig.surface.bulk.begin(BulkAction.DISCONNECT, ALL, {}, BY)
    rig.clock.advance(5)
    await rig.surface.desk.disconnect("mb_0000", Act(BY.actor, "mailbox.disconnect", subject=job.id))
    await finish(rig)
    assert (await rig.store.jobs.job(job.id)).failed == 0
    rows = [row for row in await rig.surface.pages.audit(None, 50) if row.action == "mailbox.disconnect"]
    assert {row.subject for row in rows} == {job.id}


async def test_a_cancelled_job_stops_within_one_mailbox(rig):
    await rig.fill(10)
    bulk = rig.surface.bulk

    class Stopping(Desk):
        left = 3

        async def disconnect(self, mailbox_id, by, *, version=None):
            self.left -= 1
            if not self.left:
                await bulk.cancel(job.id, BY)
            return await super().disconnect(mailbox_id, by)

    job = await bulk.begin(BulkAction.DISCONNECT, ALL, {}, BY)
    await finish(rig, Bulk(rig.store.jobs, Stopping(rig.store, rig.clock), rig.surface.pages, rig.clock))
    ended = await rig.store.jobs.job(job.id)
    assert (ended.done, ended.is_cancelled) == (3, True)
    assert sum(state is State.INACTIVE for state in (await states(rig)).values()) == 3


async def test_mailboxes_that_came_after_the_number_was_counted_are_not_removed(rig, monkeypatch):
    """Between the count and the job's beginning is a moment: what counts is what the job would take."""
    await rig.fill(2)
    bulk, count = rig.surface.bulk, rig.surface.pages.count

    async def counted(which):
        present = await count(which)
        await add(rig.store, password_mailbox(7))
        return present

    monkeypatch.setattr(rig.surface.pages, "count", counted)
    with pytest.raises(BulkError, match="names 3 mailboxes now, not 2"):
        await bulk.begin(BulkAction.REMOVE, ALL, {}, BY, expected=2)
    assert await rig.store.jobs.unfinished() == []


async def test_a_mailbox_that_no_longer_fits_is_not_removed(rig):
    await rig.fill(3)
    bulk = rig.surface.bulk
    job = await bulk.begin(BulkAction.REMOVE, PageFilter(states=frozenset({State.PENDING})), {}, BY, expected=3)
    (claim, *_) = await rig.store.claim_due(rig.clock.now() + timedelta(minutes=5), 1, 60)
    await rig.store.record(claim, moved(claim, to=State.VERIFYING))
    await finish(rig)
    assert await states(rig) == {claim.mailbox.id: State.VERIFYING}
    (item,) = await bulk.items(job.id, None, 9, failed_only=True)
    assert (item.mailbox_id, item.error) == (claim.mailbox.id, "it no longer fits the filter it was chosen by; it was not removed")


async def test_the_files_are_scrubbed_once_for_many_removals(rig, monkeypatch):
    await rig.fill(30)
    scrubbed, scrub = [], Database.scrub

    async def counting(database):
        scrubbed.append(database)
        await scrub(database)

    monkeypatch.setattr(Database, "scrub", counting)
    await rig.surface.bulk.begin(BulkAction.REMOVE, ALL, {}, BY, expected=30)
    await finish(rig)
    assert await states(rig) == {}
    assert len(scrubbed) == 2  # a chunk each


async def test_a_consent_that_could_not_be_withdrawn_is_told_in_the_job(rig):
    await rig.fill(0, oauth=2)

    async def withdraws(view):
        async def withdraw():
            return Withdrawal.FAILED if view.mailbox.id == "mb_0000" else Withdrawal.SHARED

        return withdraw

    desk = Desk(rig.store, rig.clock, withdraws=withdraws)
    bulk = Bulk(rig.store.jobs, desk, rig.surface.pages, rig.clock)
    job = await bulk.begin(BulkAction.REMOVE, ALL, {}, BY, expected=2)
    await finish(rig, bulk)
    told = [(item.mailbox_id, item.error) for item in await bulk.items(job.id, None, 9, failed_only=True)]
    assert told == [("mb_0000", "removed; its consent could not be withdrawn at the provider")]
    assert await states(rig) == {}
