"""What mailwatch does about an incident, in words."""

from dataclasses import replace

import pytest

from builders import NOW
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.doing import looks_by_canaries, what_is_done
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind

WHOLE = Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.SERVER_UNAVAILABLE, NOW, NOW, 40, 0.9, size=50)


@pytest.mark.parametrize("kind", [ScopeKind.PROVIDER, ScopeKind.ENDPOINT])
def test_a_place_that_is_down_as_a_whole_is_looked_at_by_canaries_alone(kind):
    words = what_is_done(replace(WHOLE, scope=Scope(kind, "imap.example.org")), 15.0)
    assert words.startswith("Its mailboxes are not retried one by one: every 15 s")


@pytest.mark.parametrize(
    ("incident", "canary_seconds"),
    [
        (WHOLE, None),
        (replace(WHOLE, peak_share=0.3), 15.0),
        (replace(WHOLE, scope=Scope(ScopeKind.DOMAIN, "example.org")), 15.0),
        (replace(WHOLE, scope=Scope(ScopeKind.OAUTH_APP, "outreach")), 15.0),
    ],
)
def test_without_a_circuit_mailboxes_are_retried_one_by_one(incident, canary_seconds):
    assert what_is_done(incident, canary_seconds).startswith("Its mailboxes are retried one by one")


def test_while_our_own_network_is_broken_nobody_is_judged():
    assert "no mailbox is judged" in what_is_done(replace(WHOLE, scope=EGRESS), 15.0)


def test_what_is_over_says_so():
    assert what_is_done(replace(WHOLE, closed_at=NOW), 15.0).startswith("It is over.")


@pytest.mark.parametrize(
    ("scope", "share", "seconds", "expected"),
    [
        (WHOLE.scope, 0.9, 15.0, True),
        (Scope(ScopeKind.ENDPOINT, "imap.example.org"), 0.9, 15.0, True),
        (WHOLE.scope, 0.1, 15.0, False),
        (WHOLE.scope, 0.9, None, False),
        (Scope(ScopeKind.OAUTH_APP, "outreach"), 1.0, 15.0, False),
        (EGRESS, 1.0, 15.0, False),
    ],
)
def test_canaries_look_at_places_that_are_down_as_a_whole(scope, share, seconds, expected):
    assert looks_by_canaries(replace(WHOLE, scope=scope, peak_share=share), seconds) is expected
    assert not looks_by_canaries(replace(WHOLE, scope=scope, peak_share=share, closed_at=NOW), seconds)
