"""The defaults fit together."""

import dataclasses

import pytest

from mailwatch.core.policy import BudgetPolicy, Policy


def test_the_default_budget_is_the_promised_one():
    assert BudgetPolicy() == BudgetPolicy(rejected_logins=2, window_seconds=86_400, host_rejected_logins=3, host_window_seconds=600)


def test_a_refused_secret_is_shown_again_no_sooner_than_a_minute_later():
    assert Policy().confirm.secret_seconds >= 60


def test_a_second_look_is_sooner_than_the_next_regular_one():
    policy = Policy()
    assert policy.confirm.min_seconds < policy.confirm.max_seconds < policy.interval_seconds
    assert policy.timeout_seconds < policy.interval_seconds


def test_throttled_waits_longer_than_transient():
    policy = Policy()
    assert policy.throttled.first_seconds >= policy.transient.max_seconds


def test_a_policy_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Policy().interval_seconds = 1
