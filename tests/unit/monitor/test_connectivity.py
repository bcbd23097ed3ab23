"""Is it us?  When the canaries are asked, and what is made of the answer."""

import asyncio

import pytest

from builders import IMAP, SMTP, a_failure, a_mailbox, a_report, failed, healthy, impaired, later, withheld
from fakes.ports import FakeCanary, FakeClock
from mailwatch.core.causes import Cause
from mailwatch.core.egress import Egress
from mailwatch.core.evidence import ChannelReport, Evidence, Outcome, Phase
from mailwatch.monitor.connectivity import FRESH_SECONDS, Connectivity

DOWN = a_report(failed(Cause.CONNECTION_TIMEOUT), failed(Cause.CONNECTION_TIMEOUT, SMTP))


def mailbox(number=1, provider="other"):
    return a_mailbox(
        f"mb_{number}",
        imap=f"imaps://imap{number}.example",
        smtp=f"smtps://smtp{number}.example",
        provider=provider,
        address=f"me@domain{number}.example",
    )


async def test_a_healthy_report_needs_no_canary():
    canary = FakeCanary()
    connectivity = Connectivity(FakeClock(), canary)
    assert await connectivity.judge(mailbox(), a_report()) is Egress.UP
    assert canary.asked == 0
    assert connectivity.is_up


async def test_a_servers_refusal_needs_no_canary():
    canary = FakeCanary(up=False)
    assert await Connectivity(FakeClock(), canary).judge(mailbox(), a_failure(Cause.INVALID_CREDENTIALS)) is Egress.UP
    assert canary.asked == 0


@pytest.mark.parametrize(("up", "verdict"), [(True, Egress.UP), (False, Egress.DOWN)])
async def test_a_network_failure_with_no_witness_is_decided_by_the_canary(up, verdict):
    canary = FakeCanary(up=up)
    assert await Connectivity(FakeClock(), canary).judge(mailbox(), DOWN) is verdict
    assert canary.asked == 1


async def test_without_canaries_it_stays_unclear():
    assert await Connectivity(FakeClock()).judge(mailbox(), DOWN) is Egress.UNCLEAR


async def test_another_endpoint_that_answered_just_now_is_witness_enough():
    canary = FakeCanary(up=False)
    connectivity = Connectivity(FakeClock(), canary)
    await connectivity.judge(mailbox(2), a_report(at=later(-1)))
    assert await connectivity.judge(mailbox(1), DOWN) is Egress.UP
    assert canary.asked == 0


async def test_the_other_channel_of_the_same_mailbox_is_a_witness():
    report = a_report(failed(Cause.CONNECTION_TIMEOUT), healthy(SMTP))
    assert await Connectivity(FakeClock()).judge(mailbox(), report) is Egress.UP


async def test_an_answer_from_before_the_uplink_may_have_broken_is_no_witness_even_if_it_came_during_the_probe():
    connectivity = Connectivity(FakeClock(), FakeCanary(up=False))
    await connectivity.judge(mailbox(2), a_report(at=later(-FRESH_SECONDS - 1)))
    timed_out = a_report(failed(Cause.CONNECTION_TIMEOUT), took_seconds=30.0)
    assert await connectivity.judge(mailbox(1), timed_out) is Egress.DOWN


@pytest.mark.parametrize(
    "channel",
    [
        impaired(IMAP),
        ChannelReport(IMAP, Outcome.FAILED, Phase.CONNECT, Evidence("imap", Phase.CONNECT, "odd")),
        ChannelReport(IMAP, Outcome.WITHHELD, Phase.TOKEN),
        ChannelReport(IMAP, Outcome.WITHHELD, None),
    ],
    ids=["impaired", "connect", "token", "nowhere"],
)
async def test_a_channel_that_heard_from_nobody_is_no_witness(channel):
    connectivity = Connectivity(FakeClock(), FakeCanary(up=False))
    await connectivity.judge(mailbox(2), a_report(channel))
    assert await connectivity.judge(mailbox(1), DOWN) is Egress.DOWN


async def test_a_refusal_is_a_witness_as_good_as_a_success():
    connectivity = Connectivity(FakeClock(), FakeCanary(up=False))
    await connectivity.judge(mailbox(2), a_report(failed(Cause.INVALID_CREDENTIALS), withheld(SMTP)))
    assert await connectivity.judge(mailbox(1), DOWN) is Egress.UP


async def test_many_domains_of_one_dead_hoster_are_told_from_our_own_outage_by_the_canary():
    connectivity = Connectivity(FakeClock(), FakeCanary(up=True))
    verdicts = {await connectivity.judge(mailbox(number), DOWN) for number in range(20)}
    assert verdicts == {Egress.UP}
    assert connectivity.is_up


async def test_a_canary_just_asked_is_not_asked_again_for_every_failing_probe():
    canary = FakeCanary(up=False)
    connectivity = Connectivity(FakeClock(), canary)
    for number in range(50):
        assert await connectivity.judge(mailbox(number), DOWN) is Egress.DOWN
    assert canary.asked == 1


async def test_whoever_asks_meanwhile_shares_the_answer():
    canary = FakeCanary(gated=True)
    connectivity = Connectivity(FakeClock(), canary)
    asking = [asyncio.create_task(connectivity.judge(mailbox(number), DOWN)) for number in range(10)]
    await asyncio.sleep(0)
    canary.gate.set()
    assert set(await asyncio.gather(*asking)) == {Egress.UP}
    assert canary.asked == 1


async def test_a_canary_that_crashes_blocks_nobody_who_waits_for_it():
    canary = FakeCanary(up=RuntimeError("bug"), gated=True)
    connectivity = Connectivity(FakeClock(), canary)
    first, second = (asyncio.create_task(connectivity.judge(mailbox(number), DOWN)) for number in (1, 2))
    await asyncio.sleep(0)
    canary.gate.set()
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert isinstance(outcomes[0], RuntimeError)
    assert outcomes[1] is Egress.UNCLEAR
    canary.up = True
    assert await connectivity.judge(mailbox(3), DOWN) is Egress.UP


async def test_whoever_waits_for_the_canary_may_be_cancelled_alone():
    canary = FakeCanary(gated=True)
    connectivity = Connectivity(FakeClock(), canary)
    first, second = (asyncio.create_task(connectivity.judge(mailbox(number), DOWN)) for number in (1, 2))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    canary.gate.set()
    assert await first is Egress.UP


async def test_an_incident_is_told_once_when_it_opens_and_once_when_it_closes():
    told, clock, canary = [], FakeClock(), FakeCanary(up=False)
    connectivity = Connectivity(clock, canary, told.append)
    for number in range(3):
        await connectivity.judge(mailbox(number), DOWN)
    assert told == [False]
    assert not connectivity.is_up
    clock.advance(60)
    await connectivity.judge(mailbox(9), a_report(at=clock.now()))
    await connectivity.judge(mailbox(9), a_report(at=clock.now()))
    assert told == [False, True]
    assert connectivity.is_up


async def test_the_periodic_question_opens_and_closes_an_incident_too():
    told, canary = [], FakeCanary(up=False)
    connectivity = Connectivity(FakeClock(), canary, told.append)
    await connectivity.ask_canary()
    canary.up = True
    await connectivity.ask_canary()
    assert told == [False, True]


async def test_without_canaries_the_periodic_question_does_nothing():
    connectivity = Connectivity(FakeClock())
    await connectivity.ask_canary()
    assert connectivity.is_up


async def test_a_token_endpoint_out_of_reach_is_a_network_failure():
    silent = Evidence("oauth", Phase.TOKEN, exception="TimeoutError")
    report = a_report(failed(silent), ChannelReport(SMTP, Outcome.WITHHELD, Phase.TOKEN))
    assert await Connectivity(FakeClock(), FakeCanary(up=False)).judge(mailbox(), report) is Egress.DOWN


async def test_one_dead_server_with_many_domains_on_it_is_not_our_own_network():
    connectivity = Connectivity(FakeClock())
    for number in range(5):
        shared = a_mailbox(
            f"mb_{number}", imap="imaps://shared.example", smtp="smtps://shared.example", address=f"me@domain{number}.example"
        )
        assert await connectivity.judge(shared, DOWN) is Egress.UNCLEAR
    assert connectivity.is_up


async def test_a_time_out_while_we_stood_still_ourselves_is_held_against_nobody():
    clock = FakeClock()
    connectivity = Connectivity(clock)
    connectivity.alive()
    await connectivity.judge(mailbox(2), a_report(at=clock.now()))  # a witness that our uplink works
    clock.advance(6.0)
    timed_out = a_report(failed(Cause.CONNECTION_TIMEOUT), at=clock.now(), took_seconds=6.0)
    assert await connectivity.judge(mailbox(1), timed_out) is Egress.DOWN  # before anybody noticed
    connectivity.alive()
    assert await connectivity.judge(mailbox(1), timed_out) is Egress.DOWN  # and after
    assert connectivity.is_up  # it says nothing of the uplink


async def test_a_time_out_of_a_probe_begun_after_we_stood_still_counts():
    clock = FakeClock()
    connectivity = Connectivity(clock)
    connectivity.alive()
    clock.advance(6.0)
    connectivity.alive()
    for _ in range(3):
        clock.advance(1.0)
        connectivity.alive()
    await connectivity.judge(mailbox(2), a_report(at=clock.now()))
    timed_out = a_report(failed(Cause.CONNECTION_TIMEOUT), at=clock.now(), took_seconds=1.0)
    assert await connectivity.judge(mailbox(1), timed_out) is Egress.UP
