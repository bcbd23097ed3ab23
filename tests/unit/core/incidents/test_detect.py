"""Which scopes fail, and which failures are chance."""

from hypothesis import given
from hypothesis import strategies as st

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.detect import DetectPolicy, Finding, Group, Look, detect, log_likelihood_ratio
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind, Traits

GOOGLE = Scope(ScopeKind.PROVIDER, "google")


def google(domain, host="imap.gmail.com"):
    return Traits("google", (host,), domain)


def observed(*groups, all_of=None):
    """How many were looked at in every scope: *groups* are (traits, how many)."""
    counts = {}
    for traits, count in groups:
        counts[EGRESS] = counts.get(EGRESS, 0) + count
        for scope in traits.scopes():
            counts[scope] = counts.get(scope, 0) + count
    return counts | (all_of or {})


def scopes(findings):
    return [finding.scope for finding in findings]


def test_a_failing_provider_is_one_finding_not_one_for_each_domain():
    domains = [google(f"d{number}.test") for number in range(20)]
    look = Look([Group(each, Cause.SERVER_UNAVAILABLE, 15) for each in domains], observed(*((each, 20) for each in domains)))
    assert scopes(detect(look)) == [GOOGLE]


def test_a_failing_host_of_a_well_provider_is_blamed_alone():
    bad, good = google("bad.test", "mx1"), google("good.test", "mx2")
    look = Look([Group(bad, Cause.CONNECTION_REFUSED, 40)], observed((bad, 40), (google("bad2.test", "mx1"), 5), (good, 900)))
    assert scopes(detect(look))[0].name in {"mx1", "bad.test"}
    assert GOOGLE not in scopes(detect(look))


def test_two_outages_at_once_are_two_findings():
    yahoo = Traits("yahoo", ("imap.yahoo",), "y.test")
    small = Traits("other", ("mail.h.test",), "h.test")
    well = google("w.test")
    look = Look(
        [Group(yahoo, Cause.CONNECTION_TIMEOUT, 60), Group(small, Cause.SERVER_UNAVAILABLE, 20)],
        observed((yahoo, 100), (small, 20), (well, 1000)),
    )
    assert {finding.scope.name for finding in detect(look)} & {"yahoo"}
    assert {finding.scope.name for finding in detect(look)} & {"mail.h.test", "h.test"}
    assert len(detect(look)) == 2


def test_a_dead_client_secret_is_the_apps_finding():
    domains = [Traits("microsoft", ("outlook",), f"d{n}.test", "ours") for n in range(10)]
    others = [Traits("microsoft", ("outlook",), f"e{n}.test", "theirs") for n in range(10)]
    look = Look(
        [Group(each, Cause.OAUTH_MISCONFIGURED, 30) for each in domains],
        observed(*((each, 30) for each in domains), *((each, 30) for each in others)),
    )
    assert scopes(detect(look)) == [Scope(ScopeKind.OAUTH_APP, "ours")]
    assert detect(look)[0].cause is Cause.OAUTH_MISCONFIGURED


def test_many_refused_secrets_at_one_host_blame_no_credentials():
    host = Traits("other", ("mail.h.test",), "h.test")
    look = Look([Group(host, Cause.INVALID_CREDENTIALS, 30)], observed((host, 60)))
    assert [finding.cause for finding in detect(look)] == [Cause.RATE_LIMITED]


def test_everybody_failing_over_the_network_is_our_own_uplink():
    fleets = [Traits(name, (f"imap.{name}",), f"{name}.test") for name in ("google", "microsoft", "yahoo", "zoho")]
    look = Look([Group(each, Cause.CONNECTION_TIMEOUT, 50) for each in fleets], observed(*((each, 60) for each in fleets)))
    assert scopes(detect(look)) == [EGRESS]


def test_one_provider_that_is_well_meanwhile_acquits_our_uplink():
    fleets = [Traits(name, (f"imap.{name}",), f"{name}.test") for name in ("google", "microsoft", "yahoo", "zoho")]
    look = Look([Group(each, Cause.CONNECTION_TIMEOUT, 50) for each in fleets[:3]], observed(*((each, 60) for each in fleets)))
    assert EGRESS not in scopes(detect(look))
    assert len(detect(look)) == 3


def test_answers_of_servers_never_blame_our_uplink():
    fleets = [Traits(name, (f"imap.{name}",), f"{name}.test") for name in ("google", "microsoft", "yahoo")]
    look = Look([Group(each, Cause.INVALID_CREDENTIALS, 50) for each in fleets], observed(*((each, 60) for each in fleets)))
    assert EGRESS not in scopes(detect(look))


def test_a_handful_of_failures_is_no_incident():
    look = Look([Group(google("a.test"), Cause.CONNECTION_TIMEOUT, 4)], observed((google("a.test"), 4)))
    assert detect(look) == []


def test_a_place_that_often_fails_by_itself_needs_more_to_be_an_incident():
    host = Traits("other", ("mail.h.test",), "h.test")
    groups = [Group(host, Cause.CONNECTION_TIMEOUT, 10)]
    usual = dict.fromkeys(host.scopes(), 0.08)
    assert detect(Look(groups, observed((host, 100)))) != []
    assert detect(Look(groups, observed((host, 100)), usual)) == []


@given(st.integers(0, 500), st.integers(0, 500), st.floats(1e-6, 0.5))
def test_the_ratio_is_never_negative_and_nothing_below_the_baseline_counts(failed, observed_count, expected):
    score = log_likelihood_ratio(min(failed, observed_count), observed_count, expected)
    assert score >= 0
    if observed_count and min(failed, observed_count) / observed_count <= expected:
        assert score == 0


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.sampled_from(["google", "yahoo", "other"]), st.integers(0, 60), st.integers(0, 200)),
        max_size=12,
    )
)
def test_no_failure_is_explained_twice(rows):
    groups, seen = [], {}
    for domain, provider, failed, well in rows:
        traits = Traits(provider, (f"mx.{provider}",), f"{domain}.test")
        groups.append(Group(traits, Cause.SERVER_UNAVAILABLE, failed))
        for scope in (EGRESS, *traits.scopes()):
            seen[scope] = seen.get(scope, 0) + failed + well
    findings = detect(Look(groups, seen), DetectPolicy())
    assert sum(finding.failed for finding in findings) <= sum(group.count for group in groups)
    assert len({finding.scope for finding in findings}) == len(findings)


def test_the_share_of_a_finding_without_looks_is_nothing():
    assert Finding(GOOGLE, 0, 0, 0.0, {Cause.DNS_FAILURE: 1}).share == 0.0


def test_a_few_percent_whose_secrets_are_refused_may_as_well_have_changed_them():
    host = Traits("other", ("mail.h.test",), "h.test")
    for count, found in ((20, 0), (40, 1)):
        look = Look([Group(host, Cause.INVALID_CREDENTIALS, count)], observed((host, 300)))
        assert len(detect(look)) == found
    assert detect(Look([Group(host, Cause.SERVER_UNAVAILABLE, 20)], observed((host, 300))))


def test_where_very_many_fail_together_no_share_is_too_small():
    for cause in (Cause.SERVER_UNAVAILABLE, Cause.INVALID_CREDENTIALS):
        look = Look([Group(google("a.test"), cause, 2000)], observed((google("a.test"), 50_000)), dict.fromkeys([GOOGLE], 0.0004))
        assert scopes(detect(look)) == [GOOGLE]


def test_a_large_place_that_fails_as_it_does_by_itself_is_none():
    usual = dict.fromkeys(google("a.test").scopes(), 0.009)
    look = Look([Group(google("a.test"), Cause.SERVER_UNAVAILABLE, 2000)], observed((google("a.test"), 50_000)), usual)
    assert detect(look) == []


def test_a_tenth_of_fifty_that_fail_together_is_found():
    host = Traits("other", ("mail.h.test",), "h.test")
    usual = dict.fromkeys(host.scopes(), 0.0005)
    assert detect(Look([Group(host, Cause.CONNECTION_REFUSED, 5)], observed((host, 50)), usual))
    assert not detect(Look([Group(host, Cause.CONNECTION_REFUSED, 5)], observed((host, 101)), usual))


def test_a_dead_client_secret_is_the_apps_also_where_it_serves_all_of_its_provider():
    theirs = Traits("microsoft", ("outlook",), "d.test", "ours")
    found = [
        detect(Look([Group(theirs, cause, 40)], observed((theirs, 60)))) for cause in (Cause.OAUTH_MISCONFIGURED, Cause.DNS_FAILURE)
    ]
    assert [scopes(each) for each in found] == [[Scope(ScopeKind.OAUTH_APP, "ours")], [Scope(ScopeKind.PROVIDER, "microsoft")]]


def test_a_place_of_which_too_little_fails_yet_is_not_told_by_those_of_its_domains_that_chance_hit_most():
    domains = [google(f"d{number}.test") for number in range(40)]
    hit = [Group(each, Cause.CONNECTION_TIMEOUT, 5 if number < 3 else 1) for number, each in enumerate(domains)]
    looked_at = observed(*((each, 50) for each in domains))
    assert detect(Look(hit, looked_at, usual=0.0004)) == []
    assert detect(Look(hit[:1], looked_at, usual=0.0004))  # by itself it would be told
    more = [Group(each, Cause.CONNECTION_TIMEOUT, 5 if number < 3 else 3) for number, each in enumerate(domains)]
    assert scopes(detect(Look(more, looked_at))) == [GOOGLE]


def test_a_domain_that_fails_far_more_than_its_ailing_provider_is_told():
    domains = [google(f"d{number}.test") for number in range(40)]
    hit = [Group(each, Cause.CONNECTION_TIMEOUT, 40 if number == 0 else 1) for number, each in enumerate(domains)]
    found = detect(Look(hit, observed(*((each, 50) for each in domains))))
    assert scopes(found) == [Scope(ScopeKind.DOMAIN, "d0.test")]
