"""The people of the demo set right what only they can."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailwatch.cli import demo_stage
from mailwatch.cli.demo_people import People
from mailwatch.cli.demo_stage import FaultNotes, compose, raise_world
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Mailbox
from mailwatch.core.policy import BackoffPolicy, ConfirmPolicy, VerifyPolicy
from mailwatch.core.standing import Transition
from mailwatch.ports import MailboxFilter
from mailwatch.sim import ActionKind, Fault, FaultKind, Step, World

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def hurried(monkeypatch):
    """The demo's policy with shorter waits: nobody watches here."""

    def policy(mailboxes):
        return replace(
            demo_stage_policy(mailboxes),
            interval_seconds=1.5,
            confirm=ConfirmPolicy(min_seconds=0.2, max_seconds=0.4, secret_seconds=0.5),
            transient=BackoffPolicy(0.3, 1.0),
            verify=VerifyPolicy(successes=3, min_seconds=0.6, spacing_seconds=0.3),
            recheck_seconds=2.0,
        )

    demo_stage_policy = demo_stage.policy
    monkeypatch.setattr(demo_stage, "policy", policy)


@pytest.fixture
async def stage(tmp_path, hurried):
    async with World(tmp_path / "world", seed=2) as world:
        newcomers = await raise_world(world, 10)
        daemon = await compose(world, newcomers, tmp_path, 0, FaultNotes())
        people = People(world, daemon.parts, reaction_seconds=0.1)

        async def listen():
            async for mailbox, transition in daemon.parts.live.subscribe():
                people.hear(mailbox, transition)

        listening = asyncio.create_task(listen())
        await daemon.start()
        yield world, daemon
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await people.leave()
        await daemon.shutdown()


async def reach(daemon, address, *states):
    """Wait until the mailbox has gone through *states* in this order."""
    wanted = list(states)
    async with asyncio.timeout(300):
        while wanted:
            view = await daemon.parts.store.find(address)
            history = [t.to_state for _, t in await daemon.parts.store.history(view.mailbox.id)]
            wanted = list(states)
            for state in history:
                if wanted and state is wanted[0]:
                    wanted.pop(0)
            await asyncio.sleep(0.2)


BLOCKED_AND_BACK = (State.CONNECTED, State.BLOCKED, State.RECONNECTING, State.VERIFYING, State.CONNECTED)


async def connected(daemon, count):
    async with asyncio.timeout(300):
        while len(await daemon.parts.store.list(MailboxFilter(states=frozenset({State.CONNECTED})))) < count:
            await asyncio.sleep(0.2)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "action"), [("hoster-b", ActionKind.CHANGE_PASSWORD), ("google", ActionKind.REVOKE_GRANT)])
async def test_an_owner_gives_a_new_secret_and_the_mailbox_comes_back_verified(stage, provider, action):
    world, daemon = stage
    await connected(daemon, 10)
    (address,) = await world.carry_out(Step(0, action, provider, count=1))
    await reach(daemon, address, *BLOCKED_AND_BACK)
    assert world[provider].ledger.rejected[address] <= 2


@pytest.mark.slow
async def test_an_administrator_presses_reconnect_once_it_is_set_right(stage):
    world, daemon = stage
    await connected(daemon, 10)
    address = next(account.address for account in world.accounts if account.provider == "hoster-a")
    fault = Fault(FaultKind.ACCOUNT_DISABLED, "hoster-a", addresses=frozenset({address}))
    await world.begin(fault)
    await reach(daemon, address, State.BLOCKED)
    await world.end(fault)
    await reach(daemon, address, *BLOCKED_AND_BACK)


async def test_what_is_told_twice_is_acted_on_once(no_task_left_behind):
    box = Mailbox("mb_1", "a@a.example", "a", AuthKind.PASSWORD, None, None, "google", NOW)
    blocked = Transition(box.id, 2, NOW, State.SUSPECT, State.BLOCKED, Trigger.PERSON_NEEDED, Cause.INVALID_CREDENTIALS)
    people = People(None, None, reaction_seconds=3600)
    people.notice(box, State.BLOCKED, Cause.INVALID_CREDENTIALS, 2)  # seen in the store …
    people.hear(box, blocked)  # … before the transition was told
    assert len(people._acting) == 1
    people.hear(box, replace(blocked, version=6))
    assert len(people._acting) == 2
    await people.leave()
