"""What people do: whole or not at all, in the audit log, and never undone by a late probe."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from contract.fleet import ADD, NOON, add, clean, filled, later, moved, oauth_mailbox, password_mailbox, refused
from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import IllegalMoveError, State, Trigger
from mailwatch.core.plan import plan
from mailwatch.core.policy import Policy
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Decision
from mailwatch.ports import Act, MailboxExistsError, MailboxNotFoundError, NewMailbox
from mailwatch.store.schema import audit

DISCONNECT = Act("cli:ann", "disconnect", "cli")


async def audited(store):
    async def work(attempt):
        return (await attempt.connection.execute(select(audit).order_by(audit.c.id))).all()

    return await store._database.read(work)


def disconnecting(standing):
    return acts.disconnect(standing, NOON, "cli:ann")


async def test_what_is_added_is_found_by_id_and_by_address_however_spelt(store):
    (added,) = await add(store, password_mailbox(1, labels={"a": "b"}, oauth_app=None))
    view = await store.find(added)
    assert view.mailbox == password_mailbox(1, labels={"a": "b"}).mailbox
    assert view.standing.state is State.PENDING
    assert view.standing.due_at == NOON
    assert await store.find("USER1@Example.ORG") == view


async def test_all_are_added_or_none(store):
    await add(store, password_mailbox(1))
    with pytest.raises(MailboxExistsError, match=r"user1@example\.org"):
        await add(store, password_mailbox(2), password_mailbox(3, address="USER1@example.org"))
    assert await store.counts() == {("other", State.PENDING): 1}


async def test_an_address_given_twice_is_refused(store):
    with pytest.raises(MailboxExistsError, match="twice"):
        await add(store, password_mailbox(1), password_mailbox(2, address="user1@EXAMPLE.org"))
    assert await store.counts() == {}


async def test_first_looks_are_spread_as_the_caller_wishes(store):
    await store.add([password_mailbox(n) for n in range(3)], ADD, first_due_at=lambda index: NOON + timedelta(hours=index))
    assert (await store.find("mb_0002")).standing.due_at == NOON + timedelta(hours=2)


async def test_many_are_added_in_one_go(store):
    await filled(store, 2500)
    assert await store.counts() == {("other", State.PENDING): 2500}


async def test_a_change_is_written_with_its_transition_and_its_audit_row(store):
    await filled(store, 1)
    decision = await store.change("mb_0000", disconnecting, DISCONNECT)
    assert decision.after.state is State.INACTIVE
    assert (await store.find("mb_0000")).standing == decision.after
    assert [step.trigger for _, step in await store.history("mb_0000")] == [Trigger.DISCONNECT]
    row = (await audited(store))[-1]
    assert (row.actor, row.action, row.origin, row.mailbox_id) == ("cli:ann", "disconnect", "cli", "mb_0000")
    assert (row.state_before, row.state_after) == ("pending", "inactive")


async def test_a_move_the_table_does_not_have_writes_nothing(store):
    await filled(store, 1)
    before, rows = await store.find("mb_0000"), len(await audited(store))
    with pytest.raises(IllegalMoveError):
        await store.change("mb_0000", lambda standing: acts.release(standing, NOON, "x"), DISCONNECT)
    assert await store.find("mb_0000") == before
    assert len(await audited(store)) == rows


async def test_a_change_sees_what_the_last_probe_found(open_store):
    store = await open_store(write_behind_seconds=3600)
    await filled(store, 1)
    (claim,) = await store.claim_due(later(), 1, 60)
    await store.record(claim, clean(claim))
    decision = await store.change("mb_0000", disconnecting, DISCONNECT)
    assert decision.before.proven


async def test_opposite_acts_from_all_sides_end_as_the_last_one_accepted(open_store):
    one, other = await open_store(), await open_store(node="node-b")
    await filled(one, 1)

    async def toggle(store, number):
        decide = acts.disconnect if number % 2 else acts.reconnect
        try:
            return await store.change("mb_0000", lambda standing: decide(standing, NOON, "x"), DISCONNECT)
        except IllegalMoveError:
            return None

    done = await asyncio.gather(*(toggle(store, number) for number in range(20) for store in (one, other)))
    written = [step for _, step in await one.history("mb_0000")]
    assert len(written) == sum(len(decision.transitions) for decision in done if decision)
    assert [step.version for step in written] == list(range(1, len(written) + 1))
    assert (await one.find("mb_0000")).standing.state is written[-1].to_state
    assert await one.check() == []


async def test_a_new_secret_begins_a_new_generation_with_a_budget_of_its_own(store, clock):
    await filled(store, 1)
    await store.claim_due(NOON, 1, 60)
    await store.claim_due(later(), 1, 60)  # the first is counted as lost
    clock.pass_seconds(600)
    decision = await store.set_secret("mb_0000", Secret("new one"), lambda s: acts.new_secret(s, clock.now(), "x"), DISCONNECT)
    assert (decision.after.generation, decision.after.lost_at, decision.after.proven) == (2, (), False)
    (claim,) = await store.claim_due(later(30), 1, 60)
    assert claim.credential.password().reveal() == "new one"
    assert claim.credential.generation == 2
    assert claim.credential_age_seconds == 20 * 60


async def blocked_after_refusals(store, times=2):
    """mb_0000, whose secret was refused so often that only a person can help."""
    for _ in range(times):
        (claim,) = await store.claim_due(later(), 1, 60)
        await store.record(claim, refused(claim, NOON))
    (claim,) = await store.claim_due(later(), 1, 60)
    trigger = Trigger.PERSON_NEEDED
    await store.record(claim, moved(claim, State.BLOCKED, trigger, cause=Cause.INVALID_CREDENTIALS, due_at=later(30)))


async def test_the_same_wrong_password_stored_again_buys_no_login(store, clock):
    await filled(store, 1)
    await blocked_after_refusals(store)
    before = (await store.find("mb_0000")).standing
    clock.pass_seconds(60)
    for _ in range(3):
        decision = await store.set_secret(
            "mb_0000", Secret("password-0"), lambda s: acts.new_secret(s, clock.now(), "x"), DISCONNECT
        )
        assert (decision.after, decision.transitions) == (before, ())
    view = await store.find("mb_0000")
    assert view.standing == before
    assert plan(view.mailbox, view.standing, Policy(), clock.now()).refusals_left == 0
    assert [row.action for row in await audited(store)][-3:] == ["disconnect"] * 3
    another = await store.set_secret("mb_0000", Secret("right"), lambda s: acts.new_secret(s, clock.now(), "x"), DISCONNECT)
    assert (another.after.generation, another.after.rejected_at, another.after.state) == (2, (), State.RECONNECTING)


async def test_the_same_password_is_tried_with_what_is_left_of_its_budget_where_it_was_not_what_stopped_the_mailbox(store):
    await filled(store, 1)
    (claim,) = await store.claim_due(later(), 1, 60)
    await store.record(claim, refused(claim, NOON))
    decision = await store.set_secret("mb_0000", Secret("password-0"), lambda s: acts.new_secret(s, NOON, "x"), DISCONNECT)
    assert (decision.after.generation, decision.after.rejected_at, decision.after.due_at) == (1, (NOON,), NOON)
    (claim,) = await store.claim_due(NOON, 1, 60)
    assert (claim.credential.generation, claim.credential.password().reveal()) == (1, "password-0")


async def test_a_consent_that_brings_the_same_refresh_token_allows_one_login_and_drops_the_old_access_token(store):
    await add(store, oauth_mailbox(0))
    lease = await store.grants.begin_refresh("mb_0000", epoch=1, lease_seconds=30)
    await store.grants.finish_refresh("mb_0000", lease, access_token=Secret("old one"), expires_at=later(60), refresh_token=None)
    await blocked_after_refusals(store)
    decision = await store.set_secret("mb_0000", Secret("refresh-0"), lambda s: acts.new_secret(s, NOON, "x"), DISCONNECT)
    assert (decision.after.generation, len(decision.after.rejected_at)) == (1, 2)
    assert (decision.after.state, decision.after.forced) == (State.RECONNECTING, True)
    assert (await store.find("mb_0000")).standing == decision.after
    grant = await store.grants.load("mb_0000")
    assert (grant.access_token, grant.refresh_token.reveal(), grant.generation) == (None, "refresh-0", 1)
    assert await store.check() == []


async def test_an_act_that_may_not_be_done_is_refused_though_the_secret_is_the_same(store):
    await filled(store, 1)
    await blocked_after_refusals(store)

    def refuse(standing):
        raise IllegalMoveError(standing.state, Trigger.NEW_SECRET)

    with pytest.raises(IllegalMoveError):
        await store.set_secret("mb_0000", Secret("password-0"), refuse, DISCONNECT)


async def test_a_new_secret_ends_what_kept_us_from_reading_the_old_one(store):
    await filled(store, 1)
    (claim,) = await store.claim_due(later(), 1, 60)
    unseen = replace(claim.standing, impairment="secret_unreadable", impaired_since_at=NOON)
    await store.record(claim, Decision(claim.standing, unseen))
    decision = await store.set_secret("mb_0000", Secret("new"), lambda s: acts.new_secret(s, NOON, "x"), DISCONNECT)
    assert (decision.after.impairment, decision.after.impaired_since_at) == (None, None)


async def test_a_refused_act_keeps_the_old_secret(store):
    await filled(store, 1)

    def refuse(standing):
        raise IllegalMoveError(standing.state, Trigger.NEW_SECRET)

    with pytest.raises(IllegalMoveError):
        await store.set_secret("mb_0000", Secret("new"), refuse, DISCONNECT)
    (claim,) = await store.claim_due(later(), 1, 60)
    assert (claim.credential.generation, claim.credential.password().reveal()) == (1, "password-0")


async def test_removal_leaves_the_id_in_the_audit_log_and_nothing_else(store):
    await add(store, password_mailbox(1), oauth_mailbox(2))
    await store.change("mb_0002", disconnecting, DISCONNECT)
    await store.remove("mb_0002", Act("cli:ann", "remove", "cli"))
    with pytest.raises(MailboxNotFoundError):
        await store.find("mb_0002")
    with pytest.raises(MailboxNotFoundError):
        await store.grants.load("mb_0002")
    assert await store.history() == []
    assert await store.secrets_by_key() == {store._vault.active: 1}
    rows = [row for row in await audited(store) if row.mailbox_id == "mb_0002"]
    assert [row.action for row in rows] == ["add", "disconnect", "remove"]
    assert "user2@" not in repr(rows)


async def test_what_is_not_there_cannot_be_changed_or_removed(store):
    for act in (
        store.change("mb_none", disconnecting, DISCONNECT),
        store.remove("mb_none", DISCONNECT),
        store.set_secret("mb_none", Secret("x"), disconnecting, DISCONNECT),
        store.find("mb_none"),
    ):
        with pytest.raises(MailboxNotFoundError):
            await act


async def test_a_mailbox_without_a_secret_can_be_added_and_claimed(store):
    await add(store, NewMailbox(password_mailbox(1).mailbox, None))
    (claim,) = await store.claim_due(later(), 1, 60)
    assert (claim.credential, claim.credential_age_seconds) == (None, None)
