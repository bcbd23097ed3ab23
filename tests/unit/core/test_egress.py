"""Is it us?  What is concluded from what was reached and what was not."""

import pytest

from builders import FAILURES, NOW, TOKEN_ENDPOINT_DOWN, later
from mailwatch.core.causes import NETWORK_CAUSES, Cause
from mailwatch.core.egress import Egress, EgressWatch, Fault, Matter, Opinion, matter_of, may_be_ours
from mailwatch.core.evidence import Evidence, Phase

MINE = "imap.example.org:993"


def test_with_nothing_known_it_is_unclear():
    assert EgressWatch().verdict(MINE, NOW) is Egress.UNCLEAR


def test_another_endpoint_that_answered_since_shows_that_the_uplink_works():
    watch = EgressWatch()
    watch.reached("other:993", later(1))
    assert watch.verdict(MINE, NOW) is Egress.UP


def test_an_answer_from_before_shows_nothing():
    watch = EgressWatch()
    watch.reached("other:993", later(-1))
    assert watch.verdict(MINE, NOW) is Egress.UNCLEAR


def test_the_failing_endpoint_is_no_witness_for_itself():
    watch = EgressWatch()
    watch.reached(MINE, later(1))
    assert watch.verdict(MINE, NOW) is Egress.UNCLEAR


def test_a_busy_endpoint_of_ones_own_does_not_hide_another_that_answered():
    watch = EgressWatch()
    watch.reached("other:993", later(1))
    for second in range(2, 20):
        watch.reached(MINE, later(second))
    assert watch.verdict(MINE, NOW) is Egress.UP


def test_three_providers_failing_with_no_answer_between_mean_we_are_offline():
    watch = EgressWatch()
    for provider in ("google", "microsoft", "zoho"):
        assert watch.verdict(MINE, NOW) is not Egress.DOWN
        watch.failed(provider, NOW)
    assert watch.verdict(MINE, NOW) is Egress.DOWN
    assert watch.is_down


def test_one_provider_failing_often_is_one_provider():
    watch = EgressWatch()
    for second in range(50):
        watch.failed("google", later(second))
    assert not watch.is_down


def test_an_answer_in_between_starts_the_count_anew():
    watch = EgressWatch()
    for provider in ("google", "microsoft", "zoho"):
        watch.failed(provider, NOW)
    watch.reached("other:993", later(1))
    assert not watch.is_down


@pytest.mark.parametrize(("up", "verdict"), [(True, Egress.UP), (False, Egress.DOWN)])
def test_a_canary_tried_since_decides(up, verdict):
    watch = EgressWatch()
    watch.canary(later(1), up=up)
    assert watch.verdict(MINE, NOW) is verdict
    assert watch.knows(Matter.REACH, NOW)
    assert watch.is_down is not up


def test_a_canary_that_answered_before_decides_nothing():
    watch = EgressWatch()
    watch.canary(later(-1), up=True)
    assert watch.verdict(MINE, NOW) is Egress.UNCLEAR
    assert not watch.knows(Matter.REACH, NOW)


def test_a_canary_that_failed_has_failed_until_it_answers():
    watch = EgressWatch()
    watch.canary(later(-1), up=False)
    assert watch.verdict(MINE, NOW) is Egress.DOWN
    assert not watch.knows(Matter.REACH, NOW), "it is asked again for whoever fails now"


def test_a_canary_that_answers_ends_the_incident_of_many_providers():
    watch = EgressWatch()
    for provider in ("google", "microsoft", "zoho"):
        watch.failed(provider, NOW)
    watch.canary(later(1), up=True)
    assert not watch.is_down


def test_while_the_canaries_answer_no_number_of_dead_providers_is_an_incident_of_ours():
    watch = EgressWatch()
    watch.canary(NOW, up=True)
    for provider in ("google", "microsoft", "zoho", "yahoo"):
        watch.failed(provider, later(1))
    assert not watch.is_down


@pytest.mark.parametrize("nearby", [False, True])
def test_canaries_that_fail_are_disproved_by_nobody_but_themselves(nearby):
    watch = EgressWatch()
    watch.canary(NOW, up=False)
    watch.reached("other:993", later(1), nearby=nearby)
    assert watch.fault is Fault.UPLINK
    assert watch.verdict(MINE, NOW) is Egress.DOWN
    watch.canary(later(15), up=True)
    assert watch.fault is None


@pytest.mark.parametrize("cause", sorted(Cause))
def test_only_network_causes_may_be_our_own_fault(cause):
    assert may_be_ours(Evidence("imap", Phase.CONNECT), cause) is (cause in NETWORK_CAUSES)


def test_a_token_endpoint_that_gave_no_answer_may_be_our_own_fault_and_one_that_answered_503_may_not():
    silent = Evidence("oauth", Phase.TOKEN, "Cannot connect")
    assert may_be_ours(silent, Cause.SERVER_UNAVAILABLE)
    assert not may_be_ours(TOKEN_ENDPOINT_DOWN, Cause.SERVER_UNAVAILABLE)
    assert not may_be_ours(FAILURES[Cause.OAUTH_GRANT_REVOKED], Cause.OAUTH_GRANT_REVOKED)


def test_a_name_that_does_not_resolve_may_be_our_own_fault():
    assert may_be_ours(Evidence("network", Phase.RESOLVE, exception="dns.resolver.NXDOMAIN"), Cause.DNS_FAILURE)


# --- servers in our own network ---


def test_a_server_in_our_own_network_says_nothing_of_the_way_out():
    watch = EgressWatch()
    for gate in ("google", "microsoft", "zoho"):
        watch.failed(gate, NOW)
        watch.reached("mail.lan:993", later(1), nearby=True)
        assert watch.verdict(MINE, NOW) is not Egress.UP
    assert watch.fault is Fault.UPLINK


def test_servers_of_a_fleet_that_is_all_in_our_own_network_vouch_for_each_other():
    watch = EgressWatch()
    watch.reached("mail2.lan:993", later(1), nearby=True)
    assert watch.verdict("mail1.lan:993", NOW, nearby=True) is Egress.UP
    for host in ("one", "two", "three"):
        watch.failed(host, later(2), nearby=True)
    assert watch.verdict("mail1.lan:993", later(2), nearby=True) is Egress.DOWN
    watch.reached("mail2.lan:993", later(3), nearby=True)
    assert watch.fault is None


def test_who_is_well_out_there_vouches_for_those_in_here_too():
    watch = EgressWatch()
    watch.reached("imap.gmail.com:993", later(1))
    assert watch.verdict("mail.lan:993", NOW, nearby=True) is Egress.UP


# --- name servers ---


def test_a_canary_that_needs_no_name_says_nothing_of_name_servers():
    watch = EgressWatch()
    watch.canary(later(1), up=True)
    assert watch.verdict(MINE, NOW, matter=Matter.NAMES) is Egress.UNCLEAR
    for gate in ("google", "microsoft", "zoho"):
        watch.failed(gate, later(1), matter=Matter.NAMES)
    assert watch.fault is Fault.RESOLVER
    assert watch.verdict(MINE, NOW, matter=Matter.NAMES) is Egress.DOWN


def test_an_address_that_was_kept_says_nothing_of_name_servers_and_one_that_was_looked_up_does():
    watch = EgressWatch()
    watch.reached("other:993", later(1), looked_up=False)
    assert watch.verdict(MINE, NOW, matter=Matter.NAMES) is Egress.UNCLEAR
    assert watch.verdict(MINE, NOW) is Egress.UP
    watch.reached("other:993", later(2), looked_up=True)
    assert watch.verdict(MINE, NOW, matter=Matter.NAMES) is Egress.UP


# --- clock and CA store ---


def test_a_connection_says_nothing_of_certificates():
    watch = EgressWatch()
    watch.canary(later(1), up=True)
    watch.reached("other:993", later(1))
    assert watch.verdict(MINE, NOW, matter=Matter.TRUST) is Egress.UNCLEAR
    for gate in ("google", "microsoft", "zoho"):
        watch.failed(gate, later(1), matter=Matter.TRUST)
    assert watch.fault is Fault.CERTIFICATES
    watch.canary(later(2), up=True)
    watch.reached("other:993", later(2))
    assert watch.verdict(MINE, NOW, matter=Matter.TRUST) is Egress.DOWN


def test_a_certificate_accepted_elsewhere_shows_that_clock_and_authorities_are_right():
    watch = EgressWatch()
    for gate in ("google", "microsoft", "zoho"):
        watch.failed(gate, NOW, matter=Matter.TRUST)
    watch.reached("other:993", later(1), accepted=True)
    assert watch.verdict(MINE, NOW, matter=Matter.TRUST) is Egress.UP
    assert not watch.is_down


@pytest.mark.parametrize(
    ("matter", "said"), [(Matter.NAMES, Opinion.RESOLVER), (Matter.TRUST, Opinion.CLOCK), (Matter.TRUST, Opinion.AUTHORITIES)]
)
def test_what_the_canaries_say_on_a_close_look_decides_whoever_answers_meanwhile(matter, said):
    watch = EgressWatch()
    watch.opinion(matter, NOW, said)
    watch.reached("other:993", later(1))
    assert watch.fault is Fault(said)
    assert watch.verdict(MINE, NOW, matter=matter) is Egress.DOWN
    watch.opinion(matter, later(15), Opinion.SOUND)
    assert watch.fault is None
    assert watch.verdict(MINE, NOW, matter=matter) is Egress.UP


def test_canaries_that_cannot_tell_leave_it_to_the_others():
    watch = EgressWatch()
    watch.opinion(Matter.TRUST, later(1), Opinion.UNKNOWN)
    assert watch.verdict(MINE, NOW, matter=Matter.TRUST) is Egress.UNCLEAR


def test_authorities_of_ones_own_do_not_make_strangers_of_the_internets_a_fault():
    watch = EgressWatch()
    watch.reached("mail.lan:993", NOW, nearby=True, accepted=True)
    watch.opinion(Matter.TRUST, later(1), Opinion.AUTHORITIES)
    assert watch.fault is None
    watch.opinion(Matter.TRUST, later(2), Opinion.SOUND)
    watch.opinion(Matter.TRUST, later(3), Opinion.AUTHORITIES)
    assert watch.fault is Fault.AUTHORITIES, "they were trusted before"


def test_a_token_endpoint_that_calls_our_time_wrong_is_believed_for_two_minutes():
    watch = EgressWatch()
    watch.reached("other:993", NOW, accepted=True)
    watch.failed("google", NOW, matter=Matter.TIME)
    assert watch.fault is Fault.CLOCK
    assert watch.verdict(MINE, NOW, matter=Matter.TIME) is Egress.DOWN
    watch.forget(later(121))
    assert watch.fault is None


# --- what is let go of ---


def test_failures_that_nobody_has_seen_again_for_ten_minutes_count_no_more():
    watch = EgressWatch()
    for gate in ("google", "microsoft", "zoho"):
        watch.failed(gate, NOW)
    watch.forget(later(599))
    assert watch.is_down
    watch.forget(later(601))
    assert not watch.is_down


def test_a_gate_that_is_well_again_has_not_failed():
    watch = EgressWatch()
    for gate in ("google", "microsoft", "zoho"):
        watch.failed(gate, NOW)
    watch.well("google")
    assert not watch.is_down


def test_what_the_clock_noted_before_it_was_set_back_a_day_vouches_for_nobody():
    watch = EgressWatch()
    watch.reached("first:993", later(86_400))
    watch.reached("other:993", later(86_401))
    watch.canary(later(86_400), up=True)
    watch.opinion(Matter.TRUST, later(86_400), Opinion.SOUND)
    watch.forget(NOW)
    assert watch.verdict(MINE, NOW) is Egress.UNCLEAR
    assert watch.verdict(MINE, NOW, matter=Matter.TRUST) is Egress.UNCLEAR


# --- which matter ---


@pytest.mark.parametrize(
    "words", ["Token must be a short-lived token (60 minutes) and in a reasonable timeframe.", "AADSTS700024: …"]
)
def test_an_assertion_that_is_not_of_now_tells_of_our_clock_alone(words):
    refused = Evidence("oauth", Phase.TOKEN, "{}", oauth_error="invalid_grant", oauth_description=words, http_status=400)
    assert matter_of(refused, Cause.OAUTH_MISCONFIGURED) is Matter.TIME
    assert matter_of(FAILURES[Cause.OAUTH_MISCONFIGURED], Cause.OAUTH_MISCONFIGURED) is None


@pytest.mark.parametrize(
    ("cause", "matter"),
    [
        (Cause.DNS_FAILURE, Matter.NAMES),
        (Cause.TLS_CERTIFICATE_EXPIRED, Matter.TRUST),
        (Cause.TLS_CERTIFICATE_UNTRUSTED, Matter.TRUST),
        (Cause.TLS_HANDSHAKE_FAILED, Matter.REACH),
        (Cause.CONNECTION_TIMEOUT, Matter.REACH),
        (Cause.INVALID_CREDENTIALS, None),
    ],
)
def test_each_cause_has_its_matter(cause, matter):
    assert matter_of(Evidence("network", Phase.TLS), cause) is matter
