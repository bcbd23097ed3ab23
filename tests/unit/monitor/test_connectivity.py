"""Is it us?  When the canaries are asked, and what is made of the answer."""

import asyncio
import random
from dataclasses import replace

import pytest

from builders import IMAP, NOW, SMTP, a_failure, a_mailbox, a_report, a_standing, failed, healthy, impaired, later, withheld
from fakes.ports import FakeCanary, FakeClock
from mailwatch.core.causes import Cause
from mailwatch.core.decide import decide
from mailwatch.core.egress import Egress, Fault, Matter, Opinion
from mailwatch.core.evidence import ChannelReport, Evidence, Outcome, Phase
from mailwatch.core.lifecycle import State
from mailwatch.core.policy import Policy
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
    canary.up = True
    await connectivity.judge(mailbox(9), DOWN)
    await connectivity.ask_canary()
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


# --- faults of our own that a connection does not show ---

PROVIDERS = ("google", "microsoft", "yahoo", "zoho")
UNRESOLVED = failed(Evidence("network", Phase.RESOLVE, exception="dns.resolver.NoNameservers"))


async def after_looks(canary, failure, *, providers=PROVIDERS, looks=4, witness=None):
    """Each provider's mailbox looked at a few times, all of them failing: their states, and the connectivity."""
    clock = FakeClock()
    connectivity = Connectivity(clock, canary)
    standings = {provider: a_standing() for provider in providers}
    for _ in range(looks):
        for number, provider in enumerate(providers):
            if witness is not None:
                await connectivity.judge(mailbox(99), a_report(witness, at=clock.now()))
            box = mailbox(number, provider)
            report = a_report(failure, replace(failure, protocol=SMTP), at=clock.now())
            egress = await connectivity.judge(box, report)
            decided = decide(box, standings[provider], report, Policy(), clock.now(), random.Random(1), egress=egress)
            standings[provider] = decided.after
        clock.advance(60)
    return {standing.state for standing in standings.values()}, connectivity


@pytest.mark.parametrize("opinion", [Opinion.CLOCK, Opinion.AUTHORITIES])
@pytest.mark.parametrize("providers", [PROVIDERS, ("google",)])
async def test_certificates_that_our_own_clock_or_authorities_refuse_are_held_against_nobody(opinion, providers):
    canary = FakeCanary(up=True, opinions={Matter.TRUST: opinion})
    states, connectivity = await after_looks(canary, failed(Cause.TLS_CERTIFICATE_EXPIRED), providers=providers)
    assert states == {State.CONNECTED}
    assert connectivity.fault is Fault(opinion)
    assert not connectivity.is_up


async def test_canaries_that_only_show_that_they_are_reached_do_not_make_everybodys_certificate_bad():
    states, connectivity = await after_looks(FakeCanary(up=True), failed(Cause.TLS_CERTIFICATE_EXPIRED))
    assert states == {State.CONNECTED}
    assert connectivity.fault is Fault.CERTIFICATES


async def test_a_certificate_that_has_really_expired_is_held_against_its_own_place():
    canary = FakeCanary(up=True, opinions={Matter.TRUST: Opinion.SOUND})
    states, connectivity = await after_looks(canary, failed(Cause.TLS_CERTIFICATE_EXPIRED))
    assert states == {State.BLOCKED}
    assert connectivity.is_up


async def test_a_clock_that_is_off_a_little_is_seen_though_some_certificates_still_pass():
    canary = FakeCanary(up=True, opinions={Matter.TRUST: Opinion.CLOCK})
    states, _ = await after_looks(canary, failed(Cause.TLS_CERTIFICATE_EXPIRED), witness=healthy())
    assert states == {State.CONNECTED}


async def test_without_canaries_a_good_certificate_elsewhere_is_witness_enough():
    states, connectivity = await after_looks(None, failed(Cause.TLS_CERTIFICATE_EXPIRED), providers=("google",), witness=healthy())
    assert states == {State.BLOCKED}
    assert connectivity.is_up


async def test_a_channel_without_encryption_is_no_witness_of_certificates():
    bare = a_mailbox("mb_7", imap="imap://plain.example", smtp=None)
    connectivity = Connectivity(FakeClock())
    await connectivity.judge(bare, a_report(healthy()))
    expired = a_report(failed(Cause.TLS_CERTIFICATE_EXPIRED))
    assert await connectivity.judge(mailbox(1), expired) is Egress.UNCLEAR


async def test_names_that_our_own_resolver_does_not_find_are_held_against_nobody_whoever_is_still_reached():
    canary = FakeCanary(up=True, opinions={Matter.NAMES: Opinion.RESOLVER})
    states, connectivity = await after_looks(canary, UNRESOLVED, witness=healthy(looked_up=False))
    assert states == {State.CONNECTED}
    assert connectivity.fault is Fault.RESOLVER


async def test_canaries_that_need_no_names_leave_dead_name_servers_to_be_seen_by_who_fails():
    states, connectivity = await after_looks(FakeCanary(up=True), UNRESOLVED, witness=healthy(looked_up=False))
    assert states == {State.CONNECTED}
    assert connectivity.fault is Fault.RESOLVER


async def test_a_name_that_is_gone_is_held_against_its_owner_while_others_are_found():
    canary = FakeCanary(up=True, opinions={Matter.NAMES: Opinion.SOUND})
    states, connectivity = await after_looks(canary, UNRESOLVED, providers=("zoho",))
    assert states == {State.RECONNECTING}
    assert connectivity.is_up


async def test_an_assertion_that_a_token_endpoint_calls_not_of_now_blocks_nobody():
    words = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
    refused = Evidence("oauth", Phase.TOKEN, words, oauth_error="invalid_grant", oauth_description=words, http_status=400)
    states, connectivity = await after_looks(FakeCanary(up=True), failed(refused), providers=("google",))
    assert states == {State.CONNECTED}
    assert connectivity.fault is Fault.CLOCK


async def test_a_channel_that_our_own_machine_impaired_changes_no_state():
    states, _ = await after_looks(FakeCanary(up=True), impaired(IMAP, "out_of_descriptors"))
    assert states == {State.CONNECTED}


async def test_what_the_canaries_said_was_broken_is_asked_again_until_it_is_over():
    told, clock = [], FakeClock()
    canary = FakeCanary(up=True, opinions={Matter.TRUST: Opinion.CLOCK})
    connectivity = Connectivity(clock, canary, told.append)
    await connectivity.judge(mailbox(1), a_report(failed(Cause.TLS_CERTIFICATE_EXPIRED)))
    assert not connectivity.is_up
    clock.advance(15)
    canary.opinions[Matter.TRUST] = Opinion.SOUND
    await connectivity.ask_canary()
    assert connectivity.is_up
    assert told == [False, True]
    await connectivity.ask_canary()
    assert canary.examined == [Matter.TRUST, Matter.TRUST], "nobody is looked at closely without need"


async def test_a_close_look_serves_all_who_fail_within_seconds():
    canary = FakeCanary(up=True, opinions={Matter.TRUST: Opinion.SOUND})
    connectivity = Connectivity(FakeClock(), canary)
    for number in range(50):
        assert await connectivity.judge(mailbox(number), a_report(failed(Cause.TLS_CERTIFICATE_EXPIRED))) is Egress.UP
    assert canary.examined == [Matter.TRUST]


# --- servers in our own network ---


async def test_a_server_in_our_own_network_does_not_hide_that_the_uplink_is_dead():
    canary = FakeCanary(up=False)
    states, connectivity = await after_looks(canary, failed(Cause.CONNECTION_TIMEOUT), witness=healthy(nearby=True))
    assert states == {State.CONNECTED}
    assert connectivity.fault is Fault.UPLINK


async def test_a_fleet_that_is_all_in_our_own_network_is_judged_by_itself():
    connectivity = Connectivity(FakeClock())
    await connectivity.judge(mailbox(2), a_report(healthy(nearby=True), at=NOW))
    refused = a_report(failed(Cause.CONNECTION_REFUSED, nearby=True))
    assert await connectivity.judge(mailbox(1), refused) is Egress.UP
    unknown = a_report(failed(Cause.DNS_FAILURE))
    assert await connectivity.judge(mailbox(1), unknown) is Egress.UP, "it was seen nearby before"


async def test_an_answer_from_before_the_other_channel_began_to_time_out_is_no_witness():
    late = replace(failed(Cause.CONNECTION_TIMEOUT, SMTP), timings_seconds={Phase.CONNECT: 20.0})
    report = a_report(healthy(), late, took_seconds=21.0)
    assert await Connectivity(FakeClock()).judge(mailbox(), report) is Egress.UNCLEAR


# --- doubts of correlation ---


async def test_while_correlation_blames_us_no_failure_counts_whoever_answers():
    told, clock = [], FakeClock()
    connectivity = Connectivity(clock, FakeCanary(up=True), told.append)
    connectivity.doubt(60.0)
    assert not connectivity.is_up
    assert connectivity.fault is None, "nothing that was seen says so"
    assert await connectivity.judge(mailbox(1), DOWN) is Egress.DOWN
    assert await connectivity.judge(mailbox(1), a_failure(Cause.INVALID_CREDENTIALS)) is Egress.UP
    clock.advance(61)
    assert connectivity.is_up
    await connectivity.ask_canary()
    assert told == [False, True]


async def test_a_doubt_ends_at_once_when_it_is_taken_back():
    told = []
    connectivity = Connectivity(FakeClock(), changed=told.append)
    connectivity.doubt(3600.0)
    connectivity.doubt(0)
    assert connectivity.is_up
    assert told == [False, True]


async def test_without_canaries_a_doubt_that_lapsed_is_told_by_the_periodic_question():
    told, clock = [], FakeClock()
    connectivity = Connectivity(clock, changed=told.append)
    connectivity.doubt(30.0)
    clock.advance(31)
    await connectivity.ask_canary()
    assert told == [False, True]


async def test_failures_of_mailboxes_that_are_gone_are_let_go_of_in_time():
    told, clock = [], FakeClock()
    connectivity = Connectivity(clock, changed=told.append)
    for number in range(3):
        await connectivity.judge(mailbox(number), a_report(failed(Cause.CONNECTION_TIMEOUT), at=clock.now()))
    for _ in range(601):
        clock.advance(1)
        connectivity.alive()
    assert told == [False, True]


async def test_a_clock_set_back_a_day_leaves_no_witness_of_tomorrow():
    clock = FakeClock()
    connectivity = Connectivity(clock)
    for number in (2, 3):
        await connectivity.judge(mailbox(number), a_report(at=later(86_400)))
    connectivity.alive()
    assert await connectivity.judge(mailbox(1), DOWN) is Egress.UNCLEAR
