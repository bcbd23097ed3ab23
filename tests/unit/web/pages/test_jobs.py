"""A bulk action on its page."""

from mailwatch.ports import Act
from mailwatch.ports.pages import BulkAction, PageFilter

BY = Act("user:ada", "bulk.probe")


async def test_a_job_shows_how_far_it_is_and_what_failed(rig):
    await rig.fill(2)
    await rig.surface.desk.disconnect("mb_0001", BY)
    job = await rig.surface.bulk.begin(BulkAction.PROBE, PageFilter(), {}, BY)
    _, _, text = await rig.ask("GET", f"/jobs/{job.id}")
    assert "0 done, 0 failed, 2 to go." in text
    await rig.surface.bulk.run_waiting()
    _, _, text = await rig.ask("GET", f"/jobs/{job.id}")
    assert "1 done, 1 failed, 0 to go." in text
    assert "user0@example.org" in text
    _, _, text = await rig.ask("GET", f"/jobs/{job.id}?failed=1")
    assert "user0@example.org" not in text
    assert "user1@example.org" in text


async def test_a_removed_mailbox_is_shown_by_its_id(rig):
    await rig.fill(1)
    job = await rig.surface.bulk.begin(BulkAction.REMOVE, PageFilter(), {}, BY, expected=1)
    await rig.surface.bulk.run_waiting()
    _, _, text = await rig.ask("GET", f"/jobs/{job.id}")
    assert "mb_0000" in text
    assert "user0@example.org" not in text


async def test_a_job_can_be_stopped_while_it_runs_and_says_so_afterwards(rig):
    await rig.fill(3)
    job = await rig.surface.bulk.begin(BulkAction.PROBE, PageFilter(), {}, BY)
    _, _, text = await rig.ask("GET", f"/jobs/{job.id}")
    assert f'data-cancel-job="{job.id}"' in text
    _, _, text = await rig.ask("GET", f"/jobs/{job.id}", role="read")
    assert "data-cancel-job=" not in text
    await rig.surface.bulk.cancel(job.id, BY)
    _, _, text = await rig.ask("GET", f"/jobs/{job.id}")
    assert "0 done, 0 failed, 3 left as they were. Stopped" in text
    assert f'data-cancel-job="{job.id}"' not in text
    assert text.count("left as it was<") == 3
