"""From counts by traits to shares by scope, signs of an incident, and which scope lies in which."""

from datetime import timedelta

from builders import NOW
from mailwatch.core.incidents.picture import by_scope, holders, signs_of
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


def signs(scope, *, fresh=(), failing=(), recovered=()):
    return signs_of(scope, fresh=fresh, failing=failing, recovered=recovered, now=NOW)


def test_only_what_is_in_the_scope_speaks_for_it():
    found = signs(OWN, fresh=[(AT_A, 2, NOW), (AT_B, 7, NOW)], failing=[(AT_A, 4, 1), (ELSEWHERE, 9, 9)], recovered=[(AT_B, 5)])
    assert (found.fresh, found.failures, found.recovered, found.still_failing) == (2, 2, 0, 4)


def test_every_mailbox_speaks_for_our_own_uplink():
    found = signs(EGRESS, fresh=[(AT_A, 2, NOW)], failing=[(ELSEWHERE, 9, 3)], recovered=[(AT_B, 5)])
    assert (found.fresh, found.failures, found.recovered, found.still_failing) == (2, 3, 5, 9)


def test_the_last_failure_is_now_while_somebody_is_looked_at_in_vain_and_else_the_newest_fresh_one():
    before, long_before = NOW - timedelta(minutes=1), NOW - timedelta(minutes=5)
    fresh = [(AT_A, 1, long_before), (AT_B, 1, before), (AT_A, 0, NOW)]
    assert signs(GOOGLE, fresh=fresh, failing=[(AT_A, 3, 1)]).last_failure_at == NOW
    assert signs(GOOGLE, fresh=fresh, failing=[(AT_A, 3, 0)]).last_failure_at == before
    assert signs(GOOGLE, failing=[(AT_A, 3, 0)]).last_failure_at is None


def test_a_quiet_scope_shows_nothing():
    found = signs(GOOGLE)
    assert (found.fresh, found.failures, found.recovered, found.still_failing, found.last_failure_at) == (0, 0, 0, 0, None)
