"""Which mailboxes that are away belong to an incident."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, a_standing
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.belonging import LEAD, belongs, stops_with
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State

TIMEOUT = Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.CONNECTION_TIMEOUT, NOW, NOW, 9, 0.9)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.SUSPECT, True),
        (State.RECONNECTING, True),
        (State.VERIFYING, True),
        (State.CONNECTED, False),
        (State.HELD, False),
        (State.INACTIVE, False),
        (State.PENDING, False),
    ],
)
def test_what_is_away_by_itself_belongs_to_it_and_what_people_stopped_does_not(state, expected):
    assert belongs(a_standing(state, cause=Cause.CONNECTION_TIMEOUT, since_at=NOW), TIMEOUT) is expected


def test_what_was_away_long_before_does_not_belong_though_it_changed_state_since():
    away = a_standing(State.RECONNECTING, cause=Cause.CONNECTION_TIMEOUT, since_at=NOW)
    assert belongs(replace(away, down_since_at=NOW - LEAD), TIMEOUT)
    assert not belongs(replace(away, down_since_at=NOW - LEAD - timedelta(seconds=1)), TIMEOUT)


def test_a_mailbox_that_waits_for_its_own_owner_does_not_belong():
    refused = a_standing(State.BLOCKED, cause=Cause.INVALID_CREDENTIALS, since_at=NOW)
    assert not belongs(refused, TIMEOUT)
    # a place that throttles refuses good passwords
    assert belongs(refused, replace(TIMEOUT, cause=Cause.RATE_LIMITED))
    assert belongs(replace(refused, cause=Cause.IP_BLOCKED), replace(TIMEOUT, cause=Cause.IP_BLOCKED))


def test_only_throttling_makes_secrets_look_wrong():
    assert stops_with(TIMEOUT) == {Cause.CONNECTION_TIMEOUT}
    assert Cause.INVALID_CREDENTIALS in stops_with(replace(TIMEOUT, cause=Cause.RATE_LIMITED))
