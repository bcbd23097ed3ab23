"""The sending gate: true within a moment, and silent rather than wrong."""

import asyncio

import pytest

from builders import later
from fakes.ports import FakeClock, FakeLog
from fakes.sending import FakeSendingSource, a_change
from mailwatch.core.campaigns import CampaignPolicy, Channel
from mailwatch.core.sending import Reason
from mailwatch.desk.sending import PAGE, PATROL_PAGE, PATROL_SECONDS, STALE_SECONDS, SendingGate
from mailwatch.ports import StoreUnavailableError


@pytest.fixture
def source():
    return FakeSendingSource()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def log():
    return FakeLog()


@pytest.fixture
def gate(source, clock, log):
    return SendingGate(source, clock, CampaignPolicy(), log)


def reason(gate, mailbox="mb_1", campaign=None):
    return gate.answer(mailbox, campaign).reason


async def test_it_allows_nothing_before_it_is_loaded(gate, source):
    source.set(a_change())
    assert reason(gate) is Reason.GATE_STALE
    assert not gate.has_lost_its_source  # it has not begun
    await gate.follow()
    assert reason(gate) is Reason.CONNECTED
    assert gate.answer("MB_1@EXAMPLE.ORG").allowed
    assert reason(gate, "nobody@example.org") is Reason.UNKNOWN_MAILBOX


async def test_it_loads_every_page(gate, source):
    for number in range(2 * PAGE + 1):
        source.set(a_change(f"mb_{number:05}"))
    await gate.follow()
    assert len(gate) == 2 * PAGE + 1


async def test_it_follows_every_change(gate, source):
    source.set(a_change())
    await gate.follow()
    source.set(a_change(state="reconnecting", until_at=later(60)))
    source.set(a_change("mb_2"))
    await gate.follow()
    assert (reason(gate), gate.answer("mb_1").until_at) == (Reason.RECONNECTING, later(60))
    assert gate.answer("mb_2").allowed
    source.set(a_change("mb_2", removed=True))
    await gate.follow()
    assert reason(gate, "mb_2") is reason(gate, "mb_2@example.org") is Reason.UNKNOWN_MAILBOX


async def test_it_catches_up_at_once_however_much_has_happened(gate, source):
    await gate.follow()
    for number in range(3 * PAGE):
        source.set(a_change(f"mb_{number:05}"))
    await gate.follow()
    assert len(gate) == 3 * PAGE


async def test_what_changes_while_it_loads_is_not_missed(gate, source):
    source.set(a_change())
    load = source.all_sending

    async def with_a_change(after, limit):
        page = await load(after, limit)
        if page:
            source.set(a_change(state="held"))
        return page

    source.all_sending = with_a_change
    await gate.follow()
    assert reason(gate) is Reason.HELD


async def test_it_knows_which_campaigns_do_not_run(gate, source):
    source.set(a_change())
    source.set_campaign("c1", "paused")
    await gate.follow()
    assert reason(gate, campaign="c1") is Reason.CAMPAIGN_PAUSED
    assert gate.answer("mb_1", "c2").allowed
    assert gate.answer("mb_1").allowed
    source.set_campaign("c1", "active")
    source.set_campaign("c2", "finished")
    await gate.follow()
    assert gate.answer("mb_1", "c1").allowed
    assert reason(gate, campaign="c2") is Reason.CAMPAIGN_FINISHED


async def test_campaigns_are_read_again_only_when_something_happened_and_only_those(gate, source, clock):
    await gate.follow()
    source.reads.clear()
    await gate.follow()
    assert source.reads == ["since"]
    source.reads.clear()
    source.set_campaign("c1", "paused")
    await gate.follow()
    assert reason(gate, campaign="c1") is Reason.UNKNOWN_MAILBOX
    assert "campaigns" not in source.reads
    assert source.reads.count("campaigns since") == 1


async def test_what_this_process_did_is_true_at_once_and_not_undone_by_an_older_reading(gate, source):
    source.set(a_change())
    await gate.follow()

    def meanwhile():
        source.between = None
        gate.apply(a_change(state="inactive"))

    source.set(a_change(until_at=later(1)))  # read while the next change is made
    source.between = meanwhile
    await gate.follow()
    assert reason(gate) is Reason.INACTIVE
    source.set(a_change(state="inactive"))
    await gate.follow()
    assert reason(gate) is Reason.INACTIVE


async def test_a_change_after_the_one_this_process_did_is_not_lost(gate, source):
    source.set(a_change())
    await gate.follow()

    def meanwhile():
        source.between = None
        gate.apply(a_change(state="inactive"))  # and by the time it is read back, somebody has reconnected it:

    source.set(a_change(state="reconnecting"))
    source.between = meanwhile
    await gate.follow()
    await gate.follow()
    assert reason(gate) is Reason.RECONNECTING


async def test_it_answers_for_a_while_without_its_source_and_then_allows_nothing(gate, source, clock):
    source.set(a_change())
    await gate.follow()
    clock.advance(STALE_SECONDS)
    assert gate.answer("mb_1").allowed
    clock.advance(0.1)
    assert reason(gate) is Reason.GATE_STALE
    assert gate.has_lost_its_source
    await gate.follow()
    assert gate.answer("mb_1").allowed


async def test_an_older_database_in_place_of_the_present_one_is_loaded_anew(gate, source):
    for number in range(5):
        source.set(a_change(f"mb_{number}"))
    await gate.follow()
    source.mailboxes.clear()
    source.events.clear()
    source.sending_since, kept = shrunk(source), source.sending_since
    source.set(a_change("mb_old", "held"))
    await gate.follow()
    source.sending_since = kept
    assert (len(gate), reason(gate, "mb_old")) == (1, Reason.HELD)


def shrunk(source):
    """What a source says whose newest row is older than the mark."""
    real = source.sending_since

    async def sending_since(mark, limit):
        return await real(-1 if mark > len(source.events) else mark, limit)

    return sending_since


async def test_the_patrol_finds_what_nobody_told_of(gate, source, clock):
    for number in range(PAGE + 10):
        source.set(a_change(f"mb_{number:05}"))
    await gate.follow()
    source.set(a_change("mb_00003", "held"), told=False)
    source.set(a_change("mb_00004", removed=True), told=False)
    source.set(a_change("mb_99999"), told=False)
    for _ in range(PAGE // PATROL_PAGE + 3):
        clock.advance(PATROL_SECONDS)
        await gate.follow()
    assert reason(gate, "mb_00003") is Reason.HELD
    assert reason(gate, "mb_00004") is Reason.UNKNOWN_MAILBOX
    assert gate.answer("mb_99999").allowed
    assert len(gate) == PAGE + 10


async def settled(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_run_outlives_faults_of_the_source_and_tells_each_once(gate, source, clock, log):
    source.set(a_change())
    source.errors = [StoreUnavailableError("locked"), StoreUnavailableError("locked"), ValueError("a bad row")]
    running = asyncio.create_task(gate.run())
    await settled(lambda: (gate.rouse(), reason(gate) is Reason.CONNECTED)[1])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert log.levels().count(("warning", "gate.source_lost")) == 1
    assert [name for _, name in log.levels()].count("gate.crashed") == 1
    assert log.levels()[-1] == ("info", "gate.restored")


async def test_a_new_policy_counts_from_the_next_answer_on(gate, source):
    source.set(a_change(since_at=later(0), outage_seconds=7200))
    await gate.follow()
    assert gate.answer("mb_1").allowance_ratio == 0.25
    gate.policy = CampaignPolicy(ramp_start_ratio=0.5)
    assert gate.answer("mb_1").allowance_ratio == 0.5


def partly(sends):
    """A mailbox that lost IMAP alone, as the source judges it by the rule of the moment."""
    return a_change(state="reconnecting", sends=sends)


async def test_another_rule_of_what_counts_is_answered_by_only_after_all_was_read_anew(source, clock, log):
    gate = SendingGate(source, clock, CampaignPolicy(channel=Channel.SMTP), log)
    source.set(partly(sends=True))
    await gate.follow()
    assert reason(gate) is Reason.PARTLY_CONNECTED
    source.set(partly(sends=False), told=False)
    gate.reload(CampaignPolicy(channel=Channel.ANY))
    assert reason(gate) is Reason.GATE_STALE
    assert not gate.has_lost_its_source
    await gate.follow()
    assert reason(gate) is Reason.RECONNECTING


@pytest.mark.parametrize("reading", ["all_sending", "sending_since", "paused_campaigns", "campaigns_since"])
@pytest.mark.parametrize("loaded", [False, True])
async def test_what_was_being_read_by_the_old_rule_is_read_again(source, clock, log, monkeypatch, reading, loaded):
    gate = SendingGate(source, clock, CampaignPolicy(channel=Channel.SMTP), log)
    source.set(partly(sends=True))
    if loaded:
        await gate.follow()
        source.set(a_change("mb_2"))
        source.set_campaign("spring", "paused")
    read = getattr(source, reading)

    async def meanwhile(*asked):
        monkeypatch.setattr(source, reading, read)
        told = await read(*asked)
        source.set(partly(sends=False), told=False)
        gate.reload(CampaignPolicy(channel=Channel.ANY))
        return told

    monkeypatch.setattr(source, reading, meanwhile)
    for _ in range(2):
        await gate.follow()
        assert reason(gate) in {Reason.GATE_STALE, Reason.RECONNECTING} or getattr(source, reading) == meanwhile
    assert reason(gate) is Reason.RECONNECTING or getattr(source, reading) == meanwhile


async def test_other_rules_do_not_stop_the_answers(gate, source):
    source.set(a_change(since_at=later(0), outage_seconds=7200))
    await gate.follow()
    gate.reload(CampaignPolicy(ramp_start_ratio=0.5))
    assert gate.answer("mb_1").allowance_ratio == 0.5
