"""The stage: a whole daemon against the simulated world."""

import asyncio
import re
from collections import Counter

import pytest

from mailwatch.cli.demo_stage import FaultNotes, compose, policy, raise_world
from mailwatch.core.lifecycle import State
from mailwatch.core.policy import Policy
from mailwatch.sim import World


@pytest.mark.slow
async def test_the_whole_fleet_is_found_well_and_logged_in_by_nobody_twice_at_once(tmp_path):
    async with World(tmp_path / "world", seed=2) as world:
        newcomers = await raise_world(world, 20)
        notes = FaultNotes()
        daemon = await compose(world, newcomers, tmp_path, 0, notes)
        await daemon.start()
        try:
            async with asyncio.timeout(240):
                while (await daemon.parts.store.counts()).keys() != {(name, State.CONNECTED) for name in world.providers}:
                    await asyncio.sleep(0.2)
        finally:
            await daemon.shutdown()
        assert not notes.errors
        for provider in world.providers.values():
            assert not provider.ledger.rejected
            assert {gauge.peak for gauge in provider.ledger.sessions.values()} == {1}


def test_a_larger_fleet_is_looked_at_less_often():
    assert policy(50).interval_seconds == policy(200).interval_seconds < policy(2000).interval_seconds


def test_all_patience_is_as_much_shorter_as_the_rest():
    # a mailbox that comes and goes must be calm for no longer than a story lasts, or a long demo ends with all of them verifying
    hasty, real = policy(200), Policy()
    assert hasty.flap.window_seconds == real.flap.window_seconds / 30
    assert hasty.flap.calm_seconds == real.flap.calm_seconds / 30
    assert hasty.flap.episodes == real.flap.episodes


def test_a_fault_of_our_own_is_kept_with_the_way_to_it_and_without_values():
    def inner(secret):
        raise RuntimeError("opaque " + secret)

    notes = FaultNotes()
    try:
        inner("hunter2")
    except RuntimeError as error:
        notes.error("probe.crashed", exception="RuntimeError", exc_info=error)
    (told,) = notes.errors
    assert re.search(r"test_demo_stage\.py:\d+ inner < \S+test_demo_stage\.py:\d+ test_a_fault", told)
    assert "hunter2" not in told


def test_faults_of_our_own_are_kept_once_with_how_often_they_came():
    notes = FaultNotes()
    for _ in range(3):
        notes.error("probe.crashed", mailbox="mb_1", exception="ValueError", exc_info=None)
    notes.info("daemon.started")
    notes.warning("mailbox.transitioned")
    assert notes.errors == Counter({"probe.crashed exception=ValueError": 3})
