"""From counts by traits to shares by scope, signs of an incident, and which scope lies in which."""

from dataclasses import replace
from datetime import timedelta

from builders import NOW
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.belonging import LEAD
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.picture import (
    Failing,
    FreshFailures,
    Recent,
    Recovered,
    begins,
    by_scope,
    holders,
    signs_of,
    signs_of_uplink,
)
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind, Traits

GOOGLE, IMAP = Scope(ScopeKind.PROVIDER, "google"), Scope(ScopeKind.ENDPOINT, "imap.gmail.com")
OWN, OTHER = Scope(ScopeKind.DOMAIN, "a.example"), Scope(ScopeKind.DOMAIN, "b.example")
AT_A = Traits("google", ("imap.gmail.com",), "a.example")
AT_B = Traits("google", ("imap.gmail.com",), "b.example")
ELSEWHERE = Traits("other", ("mail.b.example",), "b.example")


def test_a_mailbox_counts_in_each_of_its_scopes_and_all_of_them_under_our_own_uplink():
    totals = by_scope([(AT_A, 3), (AT_B, 2), (ELSEWHERE, 5)])
    assert (totals[EGRESS], totals[GOOGLE], totals[IMAP], totals[OWN], totals[OTHER]) == (10, 5, 5, 3, 7)


def test_a_heap_of_unlisted_hosts_is_no_provider():
    assert Scope(ScopeKind.PROVIDER, "other") not in by_scope([(ELSEWHERE, 5)])


def test_a_host_lies_within_its_provider_and_the_provider_within_its_only_host():
    within = holders([(AT_A, 3), (AT_B, 2)])
    assert GOOGLE in within[IMAP]
    assert IMAP in within[GOOGLE]
    assert set(within[OWN]) == {GOOGLE, IMAP}
    assert OWN not in within[GOOGLE]


def test_a_scope_that_is_mostly_elsewhere_lies_within_nothing_here():
    assert GOOGLE not in holders([(AT_B, 2), (ELSEWHERE, 5)])[OTHER]
    assert GOOGLE in holders([(AT_B, 9), (ELSEWHERE, 1)])[OTHER]


OUTAGE = Incident("inc_1", GOOGLE, Cause.SERVER_UNAVAILABLE, NOW, NOW, 9, 0.2)


def lately(traits, count, at=NOW):
    return FreshFailures(traits, Cause.SERVER_UNAVAILABLE, count, count, at)


def away(traits, count, in_vain=0, **fields):
    return Failing(traits, count, in_vain, **{"cause": Cause.SERVER_UNAVAILABLE, "after": NOW, **fields})


def back(traits, count, **fields):
    return Recovered(traits, count, **{"after": NOW, **fields})


def signs(scope, *, fresh=(), failing=(), recovered=(), cause=Cause.SERVER_UNAVAILABLE, of=signs_of):
    incident = replace(OUTAGE, scope=scope, cause=cause)
    return of(incident, Recent(fresh, failing, recovered), NOW)


def test_only_what_is_in_the_scope_speaks_for_it():
    found = signs(
        OWN,
        fresh=[lately(AT_A, 2), lately(AT_B, 7)],
        failing=[away(AT_A, 4, 1), away(ELSEWHERE, 9, 9)],
        recovered=[back(AT_B, 5)],
    )
    assert (found.fresh, found.failures, found.recovered, found.still_failing) == (2, 2, 0, 4)


def test_every_mailbox_speaks_for_our_own_uplink():
    found = signs(EGRESS, fresh=[lately(AT_A, 2)], failing=[away(ELSEWHERE, 9, 3)], recovered=[back(AT_B, 5)])
    assert (found.fresh, found.failures, found.recovered, found.still_failing) == (2, 3, 5, 9)


def test_the_last_failure_is_now_while_somebody_is_looked_at_in_vain_and_else_the_newest_fresh_one():
    before, long_before = NOW - timedelta(minutes=1), NOW - timedelta(minutes=5)
    fresh = [lately(AT_A, 1, long_before), lately(AT_B, 1, before), lately(AT_A, 0)]
    assert signs(GOOGLE, fresh=fresh, failing=[away(AT_A, 3, 1)]).last_failure_at == NOW
    assert signs(GOOGLE, fresh=fresh, failing=[away(AT_A, 3, 0)]).last_failure_at == before
    assert signs(GOOGLE, failing=[away(AT_A, 3, 0)]).last_failure_at is None


def test_a_quiet_scope_shows_nothing():
    found = signs(GOOGLE)
    assert (found.fresh, found.failures, found.recovered, found.still_failing, found.last_failure_at) == (0, 0, 0, 0, None)


def test_what_was_away_long_before_says_nothing_of_an_incident():
    long_before = NOW - LEAD - timedelta(seconds=1)
    found = signs(
        GOOGLE,
        failing=[away(AT_A, 2, 1, after=NOW - LEAD), away(AT_A, 7, 7, after=long_before), away(AT_B, 3, 3, after=None)],
        recovered=[back(AT_A, 1), back(AT_A, 6, after=long_before), back(AT_B, 4, after=None)],
    )
    assert (found.failures, found.recovered, found.still_failing) == (1, 1, 2)


def test_what_waits_for_its_owner_is_not_away_with_an_incident_that_refuses_no_secrets():
    own = away(AT_A, 5, cause=Cause.INVALID_CREDENTIALS, blocked=True)
    assert signs(GOOGLE, failing=[own]).still_failing == 0
    assert signs(GOOGLE, failing=[own], cause=Cause.RATE_LIMITED).still_failing == 5


def test_where_nearly_all_were_stopped_for_good_who_was_merely_suspected_is_no_sign_of_its_end():
    stopped = away(AT_A, 20, cause=Cause.OAUTH_MISCONFIGURED, blocked=True)
    recovered = [back(AT_A, 3, confirmed=False), back(AT_A, 1)]
    assert signs(GOOGLE, failing=[stopped], recovered=recovered, cause=Cause.OAUTH_MISCONFIGURED).recovered == 1
    assert signs(GOOGLE, failing=[away(AT_A, 20)], recovered=recovered).recovered == 4


def test_one_place_that_is_well_again_acquits_our_uplink():
    yahoo = Traits("yahoo", ("imap.yahoo.com",), "y.example")
    failing = [away(AT_A, 40, 40), away(yahoo, 1, 1)]
    found = signs(EGRESS, failing=failing, recovered=[back(AT_A, 2), back(yahoo, 9)], of=signs_of_uplink)
    assert (found.failures, found.recovered, found.still_failing) == (1, 9, 41)
    found = signs(EGRESS, failing=failing, recovered=[back(AT_A, 2), back(yahoo, 3)], of=signs_of_uplink)
    assert (found.failures, found.recovered) == (41, 5)
    assert signs(EGRESS, failing=failing, of=signs_of_uplink).failures == 41


def test_from_when_on_failures_are_of_an_incident():
    assert begins([OUTAGE, replace(OUTAGE, id="inc_2")]) == {NOW - LEAD}
