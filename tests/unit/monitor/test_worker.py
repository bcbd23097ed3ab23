"""One probe from start to record, whatever breaks on the way."""

import asyncio
import random

import pytest

from builders import IMAP, NOW, a_claim, a_failure, a_mailbox, a_report, a_standing, failed, impaired, later, withheld
from fakes.ports import FakeCanary, FakeClock, FakeLive, FakeLog, FakeMeter, FakeProber, FakeStore
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Depth
from mailwatch.core.maintenance import Window
from mailwatch.core.policy import Policy
from mailwatch.core.standing import Refusal
from mailwatch.monitor import worker as worker_module
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.worker import POISON_SECONDS, UNSTORED_SECONDS, Voices, Worker
from mailwatch.ports import StoreUnavailableError


class Bench:
    """A worker among fakes."""

    def __init__(self, canary=None):
        self.clock, self.store, self.prober = FakeClock(), FakeStore(), FakeProber()
        self.meter, self.log, self.live = FakeMeter(), FakeLog(), FakeLive()
        self.connectivity = Connectivity(self.clock, canary or FakeCanary(up=True))
        self.worker = Worker(
            store=self.store,
            prober=self.prober,
            connectivity=self.connectivity,
            policy=Policy(),
            clock=self.clock,
            rng=random.Random(1),
            voices=Voices(self.meter, self.log, self.live),
        )

    async def run(self, standing=None, answer=None, mailbox=None):
        """One probe of a mailbox that answers with *answer*."""
        claim = a_claim(mailbox, standing)
        if answer is not None:
            self.prober.script[claim.mailbox.id] = answer
        return await self.worker.run(claim)

    def waited(self):
        """How far the mailbox was pushed ahead, in seconds."""
        return (self.store.postponed["mb_1"] - NOW).total_seconds()


@pytest.fixture
def bench():
    return Bench()


async def test_a_success_is_recorded_and_counted_and_nothing_is_said(bench):
    decision = await bench.run()
    assert [recorded for _, recorded in bench.store.recorded] == [decision]
    assert len(bench.meter.reports) == 1
    assert (bench.log.events, bench.live.published) == ([], [])


async def test_a_transition_is_recorded_logged_with_its_cause_and_published(bench):
    await bench.run(answer=a_failure(Cause.CONNECTION_DROPPED))
    assert bench.live.published == [("mb_1", State.SUSPECT)]
    (fields,) = bench.log.named("mailbox.transitioned")
    assert fields["mailbox"] == "mb_1"
    assert (fields["from_state"], fields["to_state"]) == (State.CONNECTED, State.SUSPECT)
    assert (fields["cause"], fields["trigger"]) == (Cause.CONNECTION_DROPPED, "probe_failed")
    assert fields["rule"]


async def test_what_needs_a_person_is_a_warning_and_what_heals_by_itself_is_not(bench):
    await bench.run(answer=a_failure(Cause.INVALID_CREDENTIALS))
    await bench.run(answer=a_failure(Cause.CONNECTION_DROPPED))
    assert [level for level, name in bench.log.levels() if name == "mailbox.transitioned"] == ["warning", "info"]


async def test_the_prober_is_told_what_the_plan_allows(bench):
    await bench.run(a_standing(State.BLOCKED), a_report(withheld(IMAP)))
    await bench.run(a_standing(generation=7))
    blocked, well = bench.prober.assignments
    assert (blocked.depth, blocked.refusals_left, blocked.withheld_reason) == (Depth.REACH, 0, "blocked")
    assert blocked.credential is None
    assert (well.depth, well.refusals_left, well.generation) == (Depth.LOGIN, 2, 7)


async def test_a_held_mailbox_whose_hold_has_ended_is_not_probed_but_sent_to_reconnect(bench):
    decision = await bench.run(a_standing(State.HELD, hold_reason="warmup_pause", hold_until_at=NOW))
    assert bench.prober.assignments == []
    assert decision.after.state is State.RECONNECTING
    assert bench.live.published == [("mb_1", State.RECONNECTING)]
    assert bench.meter.reports == []
    assert bench.meter.moves == [("other", State.HELD, State.RECONNECTING)]


async def test_a_fault_of_our_own_is_logged_as_ours(bench):
    await bench.run(answer=a_report(impaired()))
    assert bench.log.named("probe.impaired") == [{"mailbox": "mb_1", "reason": "impaired: ca_store_empty"}]
    assert bench.store.recorded[0][1].transitions == ()


async def test_a_poison_mailbox_without_a_login_is_pushed_ahead_and_its_bug_reported(bench):
    assert await bench.run(a_standing(State.BLOCKED), ZeroDivisionError("bug")) is None
    assert POISON_SECONDS <= bench.waited() <= 1.25 * POISON_SECONDS
    (fields,) = bench.log.named("probe.crashed")
    assert (fields["mailbox"], fields["exception"]) == ("mb_1", "ZeroDivisionError")
    assert isinstance(fields["exc_info"], ZeroDivisionError)


async def test_a_poison_mailbox_that_was_to_log_in_keeps_its_state_but_the_login_counts_as_lost(bench):
    decision = await bench.run(answer=ZeroDivisionError("bug"))
    ((_, recorded),) = bench.store.recorded
    assert recorded == decision
    assert (recorded.after.state, recorded.transitions) == (State.CONNECTED, ())
    assert recorded.after.lost_at == (NOW,)
    assert recorded.refusals == (Refusal("imap.example.org", NOW),)
    assert later(POISON_SECONDS) <= recorded.after.due_at <= later(1.25 * POISON_SECONDS)
    assert bench.live.published == []


async def test_a_mailbox_that_is_poison_for_ever_costs_no_more_logins_than_the_budget(bench):
    standing = a_standing()
    for _ in range(10):
        decision = await bench.run(standing, ZeroDivisionError("bug"))
        standing = decision.after if decision else standing
    depths = [assignment.depth for assignment in bench.prober.assignments]
    assert depths.count(Depth.LOGIN) == Policy().budget.rejected_logins
    assert depths[-1] is Depth.REACH


async def test_a_bug_after_the_probe_loses_none_of_its_refused_logins(bench):
    bench.connectivity.judge = None  # the bug
    decision = await bench.run(answer=a_failure(Cause.INVALID_CREDENTIALS))
    assert decision.after.rejected_at == (NOW,)
    assert decision.after.state is State.CONNECTED
    assert bench.store.recorded[0][1] == decision


async def test_a_database_out_of_reach_is_no_mailboxs_failure(bench):
    bench.store.errors["record"] = [StoreUnavailableError("disk full")]
    assert await bench.run() is None
    assert UNSTORED_SECONDS <= bench.waited() <= 1.25 * UNSTORED_SECONDS
    assert bench.log.levels() == [("error", "store.unavailable")]
    assert bench.meter.reports == []


async def test_a_refused_login_that_could_not_be_stored_is_stored_as_soon_as_the_database_is_back(bench):
    bench.store.errors["record"] = [StoreUnavailableError("locked")]
    decision = await bench.run(answer=a_failure(Cause.INVALID_CREDENTIALS))
    ((_, recorded),) = bench.store.recorded
    assert recorded == decision
    assert recorded.refusals == (Refusal("imap.example.org", NOW),)
    assert recorded.after.rejected_at == (NOW,)


async def test_while_the_database_stays_away_the_lease_is_left_to_end_so_that_the_login_counts(bench):
    bench.store.errors["record"] = [StoreUnavailableError("gone")] * 2
    decision = await bench.run(answer=a_failure(Cause.INVALID_CREDENTIALS))
    assert bench.store.recorded == []
    assert bench.store.postponed == {}
    assert len(decision.refusals) == 1
    assert bench.log.levels() == [("error", "store.unavailable"), ("error", "mailbox.not_postponed")]


async def test_a_result_that_comes_too_late_tells_nobody_but_its_refused_logins_are_not_forgotten(bench):
    bench.store.fenced = {"mb_1"}
    decision = await bench.run(answer=a_failure(Cause.INVALID_CREDENTIALS))
    assert bench.meter.fenced_results == 1
    assert (bench.meter.reports, bench.live.published) == ([], [])
    assert bench.log.levels() == [("warning", "result.fenced")]
    assert len(decision.refusals) == 1


async def test_a_bug_in_telling_does_not_undo_what_is_recorded(bench):
    bench.live.publish = None  # the bug
    decision = await bench.run(answer=a_failure(Cause.CONNECTION_DROPPED))
    assert [recorded for _, recorded in bench.store.recorded] == [decision]
    assert bench.store.postponed == {}
    assert bench.log.named("probe.crashed")


async def test_a_prober_that_never_ends_is_a_bug_that_holds_no_place_for_ever(bench, monkeypatch):
    bench.worker.policy = Policy(timeout_seconds=0.01)
    monkeypatch.setattr(worker_module, "LATE_SECONDS", 0.01)

    async def never(_):
        await asyncio.Event().wait()

    await bench.run(a_standing(State.BLOCKED), never)
    assert bench.prober.running == 0
    assert bench.log.named("probe.crashed")[0]["exception"] == "TimeoutError"


async def cut_short(bench, *, secret_sent, standing=None):
    """A probe that is cancelled while its server hangs."""
    started = asyncio.Event()

    async def slow(assignment):
        assignment.sent.secret = secret_sent
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(bench.run(standing, slow))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_probe_cancelled_before_any_secret_left_gives_its_lease_back_and_costs_no_login(bench):
    await cut_short(bench, secret_sent=False)
    assert (bench.store.recorded, bench.store.postponed, bench.log.events) == ([], {"mb_1": NOW}, [])


async def test_a_probe_cancelled_after_its_secret_left_counts_one_lost_login(bench):
    await cut_short(bench, secret_sent=True)
    ((_, recorded),) = bench.store.recorded
    assert (recorded.after.lost_at, recorded.after.state, recorded.transitions) == ((NOW,), State.CONNECTED, ())
    assert recorded.refusals == (Refusal("imap.example.org", NOW),)
    assert bench.store.postponed == {}


async def test_a_probe_cancelled_while_its_report_is_judged_loses_no_refusal(bench):
    judging = asyncio.Event()

    async def judge(*_):
        judging.set()
        await asyncio.Event().wait()

    bench.connectivity.judge = judge
    task = asyncio.create_task(bench.run(answer=a_failure(Cause.INVALID_CREDENTIALS)))
    await judging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ((_, recorded),) = bench.store.recorded
    assert (recorded.after.rejected_at, recorded.after.lost_at) == ((NOW,), ())


async def test_a_probe_cancelled_while_its_result_is_written_says_nothing_else(bench):
    writing = asyncio.Event()

    async def record(*_):
        writing.set()
        await asyncio.Event().wait()

    bench.store.record = record
    task = asyncio.create_task(bench.run())
    await writing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.store.postponed == {}


async def test_a_database_that_hangs_does_not_hold_up_a_cancelled_probe(bench, monkeypatch):
    monkeypatch.setattr(worker_module, "GIVE_BACK_SECONDS", 0.01)
    answer = asyncio.Event()
    postpone = bench.store.postpone

    async def slowly(claim, due_at):
        await answer.wait()
        await postpone(claim, due_at)

    bench.store.postpone = slowly
    await cut_short(bench, secret_sent=False)
    assert bench.store.postponed == {}
    answer.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert bench.store.postponed == {"mb_1": NOW}  # the writing of it went on


async def test_network_failures_change_nothing_while_our_own_uplink_is_down():
    bench = Bench(FakeCanary(up=False))
    decision = await bench.run(answer=a_report(failed(Cause.CONNECTION_TIMEOUT)), mailbox=a_mailbox(smtp=None))
    assert decision.note == "egress_down"
    assert decision.after.state is State.CONNECTED


async def test_a_secret_never_reaches_the_log(bench):
    answer = a_failure(Cause.INVALID_CREDENTIALS)
    await bench.run(answer=answer)
    assert all("conversation" not in fields and "evidence" not in fields for _, _, fields in bench.log.events)


async def test_a_disconnection_inside_a_declared_window_is_attributed_to_it(bench):
    bench.worker.windows = (Window("mw_1", "upgrade", None, NOW, 3600.0),)
    decision = await bench.run(a_standing(State.SUSPECT, cause=Cause.CONNECTION_REFUSED), a_failure(Cause.CONNECTION_REFUSED))
    assert decision.after.cause is Cause.PLATFORM_MAINTENANCE


async def test_a_window_of_another_scope_changes_nothing(bench):
    bench.worker.windows = (Window("mw_1", "upgrade", Scope(ScopeKind.DOMAIN, "elsewhere.test"), NOW, 3600.0),)
    decision = await bench.run(a_standing(State.SUSPECT, cause=Cause.CONNECTION_REFUSED), a_failure(Cause.CONNECTION_REFUSED))
    assert decision.after.cause is Cause.CONNECTION_REFUSED
