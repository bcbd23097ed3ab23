"""Bulk actions: which mailboxes are meant is settled at the beginning, and each counts once."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from contract.fleet import NOON, add, filled, later, password_mailbox
from fakes.lost_answer import LostAnswer
from mailwatch.core.lifecycle import State
from mailwatch.core.standing import Decision
from mailwatch.ports import Act
from mailwatch.ports.pages import BulkAction, CountDiffersError, Job, JobItem, Jobs, PageFilter, Turn
from mailwatch.store.address import parse_address
from mailwatch.store.engine import Database
from mailwatch.store.jobs import JobNotFoundError, SqlJobs
from mailwatch.store.pages import SqlPages
from mailwatch.store.schema_people import jobs as table

BY = Act("user:ada", "mailbox.disconnect", "192.0.2.7")
JOB = Job("job_1", BulkAction.HOLD, {"reason": "warmup_pause", "note": "ü"}, "user:ada", "192.0.2.7", NOON, 0)


@pytest.fixture
def jobs(database, clock) -> Jobs:
    return SqlJobs(database, clock)


@pytest.fixture
async def other(store_url, clock):
    """The same jobs as another node sees them."""
    elsewhere = Database(parse_address(store_url))
    yield SqlJobs(elsewhere, clock)
    await elsewhere.close()


def done(number, error=None):
    return JobItem(f"mb_{number:04}", later(1), error)


def disconnected(standing):
    """A decision that is noted, whatever it decides."""
    return Decision(standing, standing)


async def test_a_job_holds_the_mailboxes_the_filter_names_at_its_beginning(jobs, store, database):
    await filled(store, 3)
    await add(store, *(password_mailbox(number, provider="google", host="example.net") for number in range(3, 6)))
    begun = await jobs.begin(JOB, PageFilter(providers=frozenset({"google"})), BY)
    assert begun == replace(JOB, total=3)
    assert await jobs.job("job_1") == begun
    await add(store, password_mailbox(9, provider="google"))
    await store.remove("mb_0004", BY)
    assert await jobs.waiting("job_1", 2) == ["mb_0003", "mb_0004"]
    assert await jobs.unfinished() == [begun]
    (told,) = [row for row in await SqlPages(database).audit(None, 10) if row.subject == "job_1"]
    assert (told.actor, told.origin, told.detail) == ("user:ada", "192.0.2.7", "hold of 3 mailboxes")


async def test_a_job_that_names_nothing_has_ended(jobs, store, clock):
    await filled(store, 1)
    begun = await jobs.begin(JOB, PageFilter(states=frozenset({State.BLOCKED})), BY)
    assert (begun.total, begun.ended_at) == (0, NOON)
    assert await jobs.unfinished() == []
    assert await jobs.job("job_2") is None


async def test_results_are_counted_and_the_last_ends_the_job(jobs, store, clock):
    await filled(store, 4)
    await jobs.begin(JOB, PageFilter(), BY)
    half = await jobs.settle("job_1", [done(1), done(0, "it is inactive")])
    assert (half.done, half.failed, half.ended_at) == (2, 1, None)
    assert await jobs.waiting("job_1", 10) == ["mb_0002", "mb_0003"]
    clock.pass_seconds(90)
    whole = await jobs.settle("job_1", [done(2), done(3)])
    assert (whole.done, whole.failed, whole.ended_at) == (4, 1, clock.now())
    assert await jobs.job("job_1") == whole
    assert await jobs.unfinished() == []


async def test_what_is_told_twice_counts_once_and_the_first_stays(jobs, store):
    await filled(store, 2)
    await jobs.begin(JOB, PageFilter(), BY)
    await jobs.settle("job_1", [done(0, "first"), done(0, "first")])
    again = await jobs.settle("job_1", [done(0), done(77)])
    assert (again.done, again.failed) == (1, 1)
    assert (await jobs.items("job_1", None, 1)) == [done(0, "first")]


async def test_what_many_tell_at_once_counts_once(jobs, other, store):
    await filled(store, 20)
    await jobs.begin(JOB, PageFilter(), BY)
    everything = [done(number, "failed" if number % 2 else None) for number in range(20)]
    tellings = [each.settle("job_1", everything[start:]) for each in (jobs, other) for start in range(8)]
    await asyncio.gather(*tellings)
    ended = await jobs.job("job_1")
    assert (ended.done, ended.failed, ended.ended_at) == (20, 10, NOON)


async def test_results_are_read_page_by_page_and_the_failed_alone(jobs, store):
    await filled(store, 5)
    await jobs.begin(JOB, PageFilter(), BY)
    await jobs.settle("job_1", [done(1, "no"), done(3, "never"), done(0)])
    assert await jobs.items("job_1", None, 2) == [done(0), done(1, "no")]
    assert await jobs.items("job_1", "mb_0001", 9) == [
        JobItem("mb_0002", None, None),
        done(3, "never"),
        JobItem("mb_0004", None, None),
    ]
    assert await jobs.items("job_1", None, 9, failed_only=True) == [done(1, "no"), done(3, "never")]
    assert await jobs.items("job_1", "mb_0001", 9, failed_only=True) == [done(3, "never")]


async def test_two_jobs_at_once_keep_apart(jobs, other, store):
    await filled(store, 3)
    await asyncio.gather(jobs.begin(JOB, PageFilter(), BY), other.begin(replace(JOB, id="job_2"), PageFilter(), BY))
    await jobs.settle("job_2", [done(0), done(1), done(2)])
    assert await other.waiting("job_1", 10) == ["mb_0000", "mb_0001", "mb_0002"]
    assert [job.id for job in await other.unfinished()] == ["job_1"]


async def test_a_mailbox_that_waits_in_an_earlier_job_waits_in_a_later_one(jobs, other, store):
    await filled(store, 4)
    await jobs.begin(JOB, PageFilter(ids=frozenset({"mb_0001", "mb_0002"})), BY)
    await jobs.begin(replace(JOB, id="job_0", created_at=later(1)), PageFilter(), BY)
    assert await other.waiting("job_1", 9) == ["mb_0001", "mb_0002"]
    assert await other.waiting("job_0", 9) == ["mb_0000", "mb_0003"]
    await jobs.settle("job_1", [done(1)])
    assert await other.waiting("job_0", 9) == ["mb_0000", "mb_0001", "mb_0003"]
    await jobs.cancel("job_1", BY)
    assert len(await other.waiting("job_0", 9)) == 4


async def test_no_more_or_fewer_than_were_looked_at_are_meant(jobs, store):
    await filled(store, 3)
    with pytest.raises(CountDiffersError, match="names 3 mailboxes now, not 2"):
        await jobs.begin(JOB, PageFilter(), BY, expected=2)
    assert await jobs.job("job_1") is None
    assert await jobs.waiting("job_1", 9) == []
    assert (await jobs.begin(JOB, PageFilter(), BY, expected=3)).total == 3


async def test_a_cancelled_job_ends_and_what_was_under_way_still_counts(jobs, other, store, database, clock):
    await filled(store, 3)
    begun = await jobs.begin(JOB, PageFilter(text="user"), BY)
    await jobs.settle("job_1", [done(0)])
    clock.pass_seconds(60)
    ended = await other.cancel("job_1", Act("user:eve", "bulk.cancel", "192.0.2.9"))
    assert (ended.ended_at, ended.done, ended.is_cancelled) == (clock.now(), 1, True)
    assert await jobs.waiting("job_1", 9) == await jobs.unfinished() == []
    assert not (await jobs.turn(begun, "mb_0001")).is_open
    counted = await jobs.settle("job_1", [done(1)])
    assert (counted.done, counted.ended_at, counted.is_cancelled) == (2, clock.now(), True)
    clock.pass_seconds(60)
    assert await jobs.cancel("job_1", BY) == counted
    assert await jobs.cancel("job_9", BY) is None
    (told,) = [row for row in await SqlPages(database).audit(None, 10) if row.action == "bulk.cancel"]
    assert (told.actor, told.subject, told.detail) == ("user:eve", "job_1", "hold ended after 1 of 3 mailboxes")


async def test_a_job_that_was_done_is_not_cancelled(jobs, store):
    await filled(store, 1)
    await jobs.begin(JOB, PageFilter(), BY)
    whole = await jobs.settle("job_1", [done(0)])
    assert await jobs.cancel("job_1", BY) == whole
    assert not whole.is_cancelled


async def test_a_turn_tells_who_acted_on_the_mailbox_since_and_what_must_name_it(jobs, store, clock):
    await filled(store, 3)
    which = PageFilter(text="user", labels={}, ids=frozenset({"mb_0000", "mb_0001"}))
    await store.change("mb_0000", disconnected, Act("user:ada", "mailbox.disconnect"))  # before
    job = await jobs.begin(replace(JOB, created_at=clock.now()), which, BY)
    assert await jobs.turn(job, "mb_0000") == Turn(is_open=True, which=PageFilter(text="user"))
    clock.pass_seconds(1)
    await store.change("mb_0000", disconnected, Act("user:ada", "mailbox.disconnect", subject="job_1"))
    await store.change("mb_0000", disconnected, Act("user:eve", "mailbox.probe"))
    assert (await jobs.turn(job, "mb_0000")).acted is None
    await store.change("mb_0000", disconnected, Act("user:eve", "mailbox.hold"))
    assert (await jobs.turn(job, "mb_0000")).acted == ("user:eve", "mailbox.hold")
    assert (await jobs.turn(job, "mb_0001")).acted is None


async def test_of_a_job_that_ended_no_filter_is_left(jobs, store, database):
    """It may hold a part of an address, and outlive its mailbox."""
    await filled(store, 1)
    for number, text in enumerate(("user0", "user0", "nobody")):
        await jobs.begin(replace(JOB, id=f"job_{number}"), PageFilter(text=text), BY)
    await jobs.settle("job_0", [done(0)])
    await jobs.cancel("job_1", BY)

    async def work(attempt):
        return (await attempt.connection.execute(select(table.c.which))).scalars().all()

    assert await database.read(work) == [None, None, None]


async def test_an_unknown_job_is_told(jobs):
    with pytest.raises(JobNotFoundError, match="job_9"):
        await jobs.settle("job_9", [done(0)])
    assert await jobs.items("job_9", None, 5) == await jobs.waiting("job_9", 5) == []


async def test_jobs_that_ended_long_ago_are_pruned_with_their_results(jobs, store, clock):
    await filled(store, 2)
    await jobs.begin(JOB, PageFilter(), BY)
    await jobs.begin(replace(JOB, id="job_2"), PageFilter(), BY)
    await jobs.settle("job_1", [done(0), done(1)])
    assert await jobs.prune(NOON) == 0
    assert await jobs.prune(later(1)) == 1
    assert await jobs.items("job_1", None, 5) == []
    assert [job.id for job in await jobs.unfinished()] == ["job_2"]


async def test_what_was_committed_without_an_answer_counts_once(database, clock, store):
    await filled(store, 3)
    jobs = SqlJobs(LostAnswer(database), clock)
    assert (await jobs.begin(JOB, PageFilter(), BY)).total == 3
    settled = await jobs.settle("job_1", [done(0), done(1, "no")])
    assert (settled.done, settled.failed) == (2, 1)
    assert len([row for row in await SqlPages(database).audit(None, 9) if row.subject == "job_1"]) == 1
