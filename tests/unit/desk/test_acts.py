"""The desk: each act is one decision and one row of the audit log, and nothing is done that was not confirmed."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from fakes.web import BY
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import IllegalMoveError, State
from mailwatch.core.secret import Secret
from mailwatch.desk.acts import Desk, HoldError, NotConfirmedError, Withdrawal
from mailwatch.ports import Act, MailboxNotFoundError, SecretUnreadableError, StoreUnavailableError
from mailwatch.ports.campaigns import StaleError

ANN = Act("user:ann", "mailbox.act", "192.0.2.7")


async def audited(rig):
    return [
        (row.actor, row.action, row.origin, row.state_before, row.state_after) for row in await rig.surface.pages.audit(None, 50)
    ]


async def test_every_act_changes_the_standing_and_tells_who_did_it(rig):
    await rig.fill(1)
    desk = rig.surface.desk
    assert (await desk.disconnect("mb_0000", ANN)).standing.state is State.INACTIVE
    assert (await desk.reconnect("mb_0000", ANN)).standing.state is State.RECONNECTING
    assert (await desk.hold("mb_0000", ANN, Cause.WARMUP_PAUSE, None)).standing.state is State.HELD
    assert (await desk.release("mb_0000", ANN)).standing.state is State.RECONNECTING
    assert (await desk.probe("mb_0000", ANN)).standing.due_at == rig.clock.now()
    assert (await desk.set_secret("mb_0000", Secret("another"), ANN)).standing.generation == 2
    rows = (await audited(rig))[:6]
    assert {row[:3] for row in rows} == {("user:ann", "mailbox.act", "192.0.2.7")}
    assert [row[3:] for row in reversed(rows)][:2] == [("pending", "inactive"), ("inactive", "reconnecting")]


async def test_what_is_not_to_be_looked_at_any_more_is_called_off(rig):
    await rig.fill(2)
    called_off = []
    desk = Desk(rig.store, rig.clock, called_off=called_off.append)
    await desk.probe("mb_0000", ANN)
    with pytest.raises(IllegalMoveError):
        await desk.release("mb_0000", ANN)
    assert called_off == []
    await desk.hold("user0@example.org", ANN, Cause.WARMUP_PAUSE, None)
    await desk.disconnect("mb_0001", ANN)
    await desk.reconnect("mb_0001", ANN)
    await desk.remove("mb_0001", ANN, typed_address="user1@example.org")
    assert called_off == ["mb_0000", "mb_0001", "mb_0001"]


async def test_what_the_state_does_not_allow_is_not_done_and_not_audited(rig):
    await rig.fill(1)
    before = await audited(rig)
    with pytest.raises(IllegalMoveError):
        await rig.surface.desk.release("mb_0000", ANN)
    assert await audited(rig) == before


async def test_an_act_upon_a_version_that_has_passed_is_refused(rig):
    await rig.fill(1)
    desk = rig.surface.desk
    version = (await rig.store.find("mb_0000")).standing.version
    await desk.disconnect("mb_0000", ANN, version=version)
    for act in (
        desk.reconnect("mb_0000", ANN, version=version),
        desk.set_secret("mb_0000", Secret("x"), ANN, version=version),
        desk.remove("mb_0000", ANN, typed_address="user0@example.org", version=version),
    ):
        with pytest.raises(StaleError):
            await act
    assert (await rig.store.find("mb_0000")).standing.state is State.INACTIVE


async def test_a_hold_needs_a_reason_and_an_end_to_come(rig):
    await rig.fill(1)
    desk, now = rig.surface.desk, rig.clock.now()
    with pytest.raises(HoldError, match="no reason for a hold"):
        await desk.hold("mb_0000", ANN, Cause.DNS_FAILURE, None)
    with pytest.raises(HoldError, match="would have ended"):
        await desk.hold("mb_0000", ANN, Cause.WARMUP_PAUSE, now)
    held = await desk.hold("mb_0000", ANN, Cause.WARMUP_PAUSE, now + timedelta(hours=1))
    assert held.standing.hold_until_at == now + timedelta(hours=1)


async def test_a_removal_needs_the_address_in_whatever_case(rig):
    await rig.fill(1)
    desk = rig.surface.desk
    for typed in ("", "mb_0000", "user1@example.org"):
        with pytest.raises(NotConfirmedError):
            await desk.remove("mb_0000", ANN, typed_address=typed)
    await desk.remove("mb_0000", ANN, typed_address=" USER0@example.org ")
    with pytest.raises(MailboxNotFoundError):
        await rig.store.find("mb_0000")


def withdrawing(answer, asked=None):
    """What gives a withdrawal that ends like *answer*, and notes the mailboxes."""

    async def withdraws(view):
        async def withdraw():
            (asked if asked is not None else []).append(view.mailbox.id)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return withdraw

    return withdraws


@pytest.mark.parametrize(
    ("answer", "told"),
    [(each, each) for each in Withdrawal] + [(StoreUnavailableError("away"), Withdrawal.FAILED)],
)
async def test_what_became_of_the_consent_of_a_removed_mailbox_is_told(rig, answer, told):
    await rig.fill(1, oauth=1)
    asked = []
    desk = Desk(rig.store, rig.clock, withdraws=withdrawing(answer, asked))
    assert await desk.remove_confirmed("mb_0000", ANN) is Withdrawal.NONE
    assert await desk.remove_confirmed("mb_0001", ANN) is told
    assert asked == ["mb_0001"]


async def test_a_token_that_cannot_be_read_keeps_nobody_from_removing_and_is_told(rig):
    await rig.fill(0, oauth=1)

    async def unreadable(_):
        raise SecretUnreadableError("sealed by another key")

    assert await Desk(rig.store, rig.clock, withdraws=unreadable).remove_confirmed("mb_0000", ANN) is Withdrawal.FAILED
    with pytest.raises(MailboxNotFoundError):
        await rig.store.find("mb_0000")


async def test_a_provider_that_is_silent_keeps_nobody_from_removing(rig, monkeypatch):
    monkeypatch.setattr("mailwatch.desk.acts.REVOKE_SECONDS", 0.01)
    await rig.fill(0, oauth=1)

    async def withdraws(_):
        return asyncio.Event().wait

    assert await Desk(rig.store, rig.clock, withdraws=withdraws).remove_confirmed("mb_0000", ANN) is Withdrawal.FAILED
    with pytest.raises(MailboxNotFoundError):
        await rig.store.find("mb_0000")


async def test_the_provider_is_asked_only_once_the_mailbox_is_gone(rig):
    await rig.fill(0, oauth=1)

    async def withdraws(view):
        async def withdraw():
            with pytest.raises(MailboxNotFoundError):
                await rig.store.find(view.mailbox.id)
            return Withdrawal.DONE

        return withdraw

    assert await Desk(rig.store, rig.clock, withdraws=withdraws).remove_confirmed("mb_0000", ANN) is Withdrawal.DONE


@pytest.mark.parametrize("fault", [StoreUnavailableError("away"), StaleError("later")])
async def test_a_removal_that_fails_leaves_the_consent_alone(rig, monkeypatch, fault):
    await rig.fill(0, oauth=1)
    asked = []

    async def failing(*_, **__):
        raise fault

    desk = Desk(rig.store, rig.clock, withdraws=withdrawing(Withdrawal.DONE, asked))
    monkeypatch.setattr(rig.store, "remove", failing)
    with pytest.raises(type(fault)):
        await desk.remove("mb_0000", ANN, typed_address="user0@example.org")
    assert not asked


async def test_what_changed_while_its_token_was_read_is_not_removed_unseen(rig):
    await rig.fill(0, oauth=1)
    asked = []

    async def withdraws(view):
        await rig.surface.desk.disconnect("mb_0000", ANN)
        return await withdrawing(Withdrawal.DONE, asked)(view)

    version = (await rig.store.find("mb_0000")).standing.version
    desk = Desk(rig.store, rig.clock, withdraws=withdraws)
    with pytest.raises(StaleError):
        await desk.remove("mb_0000", ANN, typed_address="user0@example.org", version=version)
    assert (await rig.store.find("mb_0000")).standing.state is State.INACTIVE
    assert not asked


async def test_whoever_waits_is_roused_by_each_act_that_was_done(rig):
    await rig.fill(1)
    roused = []
    desk = Desk(rig.store, rig.clock, roused=lambda: roused.append(1))
    with pytest.raises(IllegalMoveError):
        await desk.release("mb_0000", ANN)
    assert not roused
    await desk.disconnect("mb_0000", ANN)
    await desk.set_secret("mb_0000", Secret("x"), ANN)
    await desk.remove_confirmed("mb_0000", ANN)
    assert roused == [1, 1, 1]


async def test_a_hundred_at_once_leave_one_chain_and_a_row_each(rig):
    """Of all that came, each saw the state the one before it had left."""
    await rig.fill(1)
    desk = rig.surface.desk
    acts = [desk.disconnect if number % 2 else desk.reconnect for number in range(100)]
    results = await asyncio.gather(*(act("mb_0000", BY) for act in acts), return_exceptions=True)
    done = [result for result in results if not isinstance(result, Exception)]
    assert all(isinstance(result, IllegalMoveError) for result in results if isinstance(result, Exception))
    steps = [step for _, step in await rig.store.history("mb_0000", limit=500)]
    assert all(former.to_state is latter.from_state for former, latter in pairwise(steps))
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    rows = [row for row in await rig.surface.pages.audit(None, 500) if row.action == BY.action and row.mailbox_id]
    assert len(rows) == len(done)
    ordered = list(reversed(rows))
    assert all(former.state_after == latter.state_before for former, latter in pairwise(ordered))
    assert ordered[-1].state_after == (await rig.store.find("mb_0000")).standing.state
