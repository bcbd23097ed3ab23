"""A reload is whole: what is in force is acted upon, at once or as soon as the database allows."""

from dataclasses import replace

import pytest

from mailwatch.core.campaigns import CampaignPolicy, Mode
from mailwatch.daemon.parts import Role
from mailwatch.ports import MailwatchError, StoreUnavailableError
from unit.daemon.conftest import a_tuning

OBSERVING = replace(a_tuning(), campaigns=CampaignPolicy(mode=Mode.OBSERVE))


class Busy:
    """Campaigns whose bringing in line fails as often as it is told to, and is counted when it does not."""

    def __init__(self, daemon, *faults):
        self.faults, self.done = list(faults), 0
        daemon.parts.store.campaigns.reconcile = self.reconcile

    async def reconcile(self):
        if self.faults:
            raise self.faults.pop(0)
        self.done += 1


def reading(*answers):
    """`Parts.reload` that gives one answer after the other; errors are raised."""
    left = list(answers)

    async def read():
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return read


def in_order(daemon):
    """What the metric of reloads says."""
    return daemon.parts.metrics.instruments.registry.get_sample_value("mailwatch_config_last_reload_successful")


async def test_new_rules_are_brought_to_the_campaigns_once(stage):
    daemon = stage.daemon(reload=reading(OBSERVING, OBSERVING))
    busy = Busy(daemon)
    assert await daemon.reload() is None
    assert await daemon.reload() is None
    await daemon.reloading.catch_up()
    assert busy.done == 1


async def test_a_database_that_is_busy_at_a_reload_leaves_the_file_in_force_and_says_what_is_left_to_do(stage):
    daemon = stage.daemon(reload=reading(OBSERVING))
    Busy(daemon, StoreUnavailableError("locked"))
    told = await daemon.reload()
    assert told.startswith("the new configuration is in force, but campaigns are not yet brought in line")
    assert "locked" in told
    assert daemon._tuning is OBSERVING
    assert in_order(daemon) == 1.0
    assert [event for _, event in stage.log.levels()] == ["config.reloaded", "campaigns.not_reconciled"]


async def test_what_a_reload_left_undone_is_done_by_the_next_one_though_nothing_changed_since(stage):
    daemon = stage.daemon(reload=reading(OBSERVING, OBSERVING))
    busy = Busy(daemon, StoreUnavailableError("locked"))
    assert await daemon.reload() is not None
    assert await daemon.reload() is None
    assert busy.done == 1


async def test_what_a_reload_left_undone_is_done_by_itself_as_soon_as_it_can_be(stage):
    daemon = stage.daemon(reload=reading(OBSERVING))
    busy = Busy(daemon, StoreUnavailableError("locked"), StoreUnavailableError("locked"))
    await daemon.reload()
    job = next(job for job in daemon._jobs() if job.name == "campaigns")
    with pytest.raises(StoreUnavailableError):
        await job.run()
    await job.run()
    await job.run()
    assert busy.done == 1


async def test_a_file_that_is_refused_meanwhile_forgets_nothing_of_what_is_left_to_do(stage):
    daemon = stage.daemon(reload=reading(OBSERVING, MailwatchError("line 3: unknown key")))
    busy = Busy(daemon, StoreUnavailableError("locked"))
    await daemon.reload()
    assert await daemon.reload() == "line 3: unknown key"
    assert busy.done == 1
    assert in_order(daemon) == 0.0


async def test_a_bug_in_bringing_campaigns_in_line_is_told_and_ends_nothing(stage):
    daemon = stage.daemon(reload=reading(OBSERVING))
    busy = Busy(daemon, ZeroDivisionError())
    assert "ZeroDivisionError" in await daemon.reload()
    await daemon.reloading.catch_up()
    assert busy.done == 1


async def test_nodes_of_every_role_catch_up(stage):
    for role in Role:
        daemon = stage.daemon(role=role)
        assert "campaigns" in {job.name for job in daemon._jobs()}
