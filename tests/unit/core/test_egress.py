"""Is it us?  What is concluded from what was reached and what was not."""

import pytest

from builders import FAILURES, NOW, TOKEN_ENDPOINT_DOWN, later
from mailwatch.core.causes import NETWORK_CAUSES, Cause
from mailwatch.core.egress import Egress, EgressWatch, may_be_ours
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
    assert watch.canary_knows(NOW)
    assert watch.is_down is not up


def test_a_canary_tried_before_decides_nothing():
    watch = EgressWatch()
    watch.canary(later(-1), up=False)
    assert watch.verdict(MINE, NOW) is Egress.UNCLEAR
    assert not watch.canary_knows(NOW)


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


def test_an_answer_after_a_silent_canary_ends_the_incident():
    watch = EgressWatch()
    watch.canary(NOW, up=False)
    assert watch.is_down
    watch.reached("other:993", later(1))
    assert not watch.is_down


@pytest.mark.parametrize("cause", sorted(Cause))
def test_only_network_causes_may_be_our_own_fault(cause):
    assert may_be_ours(Evidence("imap", Phase.CONNECT), cause) is (cause in NETWORK_CAUSES)


def test_a_token_endpoint_that_gave_no_answer_may_be_our_own_fault_and_one_that_answered_503_may_not():
    silent = Evidence("oauth", Phase.TOKEN, "Cannot connect")
    assert may_be_ours(silent, Cause.SERVER_UNAVAILABLE)
    assert not may_be_ours(TOKEN_ENDPOINT_DOWN, Cause.SERVER_UNAVAILABLE)
    assert not may_be_ours(FAILURES[Cause.OAUTH_GRANT_REVOKED], Cause.OAUTH_GRANT_REVOKED)


def test_a_target_that_our_own_policy_denies_says_nothing_about_the_uplink():
    denied = Evidence("network", Phase.RESOLVE, "the host resolves to no address", exception="TargetDeniedError")
    assert not may_be_ours(denied, Cause.DNS_FAILURE)
    assert may_be_ours(Evidence("network", Phase.RESOLVE, exception="dns.resolver.NXDOMAIN"), Cause.DNS_FAILURE)
