"""The closed set of causes and what each means."""

import pytest

from mailwatch.core.causes import (
    NETWORK_CAUSES,
    PLATFORM_CAUSES,
    PROFILES,
    SECRET_REFUSALS,
    WIRE_CAUSES,
    Category,
    Cause,
    Disposition,
    Owner,
    profile_of,
)


def test_every_cause_has_a_profile_and_nothing_else_has():
    assert set(PROFILES) == set(Cause)


def test_wire_and_platform_causes_are_the_whole_set_and_do_not_meet():
    assert set(Cause) == WIRE_CAUSES | PLATFORM_CAUSES
    assert not WIRE_CAUSES & PLATFORM_CAUSES
    assert len(WIRE_CAUSES) == 32


@pytest.mark.parametrize("cause", sorted(Cause))
def test_spelling_is_lower_snake(cause):
    assert str(cause) == cause.name.lower()


@pytest.mark.parametrize("cause", sorted(Cause))
def test_somebody_must_act_on_what_only_a_person_heals(cause):
    profile = profile_of(cause)
    if profile.disposition is Disposition.HUMAN:
        assert profile.owner is not Owner.NOBODY


def test_only_an_announced_end_is_planned_and_only_an_expired_token_is_refreshed():
    assert [c for c in Cause if profile_of(c).disposition is Disposition.PLANNED] == [Cause.SESSION_EXPIRED]
    assert [c for c in Cause if profile_of(c).disposition is Disposition.REFRESH] == [Cause.OAUTH_TOKEN_EXPIRED]


def test_what_our_own_uplink_could_cause_never_counts_as_a_refused_secret():
    assert not NETWORK_CAUSES & SECRET_REFUSALS
    assert NETWORK_CAUSES < WIRE_CAUSES


def test_every_refused_secret_is_of_authentication_or_account():
    assert {profile_of(cause).category for cause in SECRET_REFUSALS} == {Category.AUTHENTICATION, Category.ACCOUNT}


def test_unknown_is_retried():
    assert profile_of(Cause.UNKNOWN).disposition is Disposition.TRANSIENT
