"""Jobs: their arguments come back as they were.  What counts, tests/contract shows."""

from dataclasses import replace

import pytest

from contract.fleet import NOON, filled
from mailwatch.ports import Act
from mailwatch.ports.pages import BulkAction, Job, PageFilter
from mailwatch.store.jobs import SqlJobs

JOB = Job("job_1", BulkAction.HOLD, {}, "user:ada", "192.0.2.7", NOON, 0)


@pytest.mark.parametrize("action", BulkAction)
async def test_every_action_and_its_arguments_survive(store, clock, action):
    await filled(store, 1)
    job = replace(JOB, action=action, arguments={"reason": "warmup_pause", "until_at": "ü 2026"})
    jobs = SqlJobs(store._database, clock)
    await jobs.begin(job, PageFilter(), Act("user:ada", "bulk"))
    assert await jobs.job("job_1") == replace(job, total=1)


async def test_a_job_that_cannot_be_stored_whole_is_not_stored(store, clock):
    await filled(store, 1)
    jobs = SqlJobs(store._database, clock)
    with pytest.raises(UnicodeEncodeError):  # the last statement of the transaction fails: the audit row
        await jobs.begin(JOB, PageFilter(), Act("user:\ud800", "bulk"))
    assert await jobs.unfinished() == []
    assert await jobs.waiting("job_1", 5) == []
