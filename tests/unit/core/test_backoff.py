"""The waits: the curve, its cap, jitter on top, the server's hint."""

import random

import pytest

from mailwatch.core.backoff import delay, floor_seconds, spread
from mailwatch.core.policy import BackoffPolicy

POLICY = BackoffPolicy(30.0, 900.0)


def test_the_curve_doubles_up_to_its_cap():
    assert [floor_seconds(POLICY, n) for n in range(1, 8)] == [30, 60, 120, 240, 480, 900, 900]


@pytest.mark.parametrize("attempt", [-1, 0])
def test_an_attempt_before_the_first_waits_as_the_first(attempt):
    assert floor_seconds(POLICY, attempt) == 30


def test_a_thousand_million_attempts_wait_no_longer_than_the_cap():
    assert floor_seconds(POLICY, 10**9) == 900
    assert floor_seconds(BackoffPolicy(1.0, 50.0, factor=1e300), 10**9) == 50


def test_jitter_is_added_and_never_taken_off():
    waits = {delay(POLICY, 3, random.Random(seed)).total_seconds() for seed in range(200)}
    assert min(waits) >= 120
    assert max(waits) <= 150
    assert len(waits) > 100


def test_the_longer_of_hint_and_curve_counts():
    rng = random.Random(1)
    assert delay(POLICY, 1, rng, hint_seconds=299.961).total_seconds() >= 299.961
    assert delay(POLICY, 4, rng, hint_seconds=5).total_seconds() >= 240


def test_those_who_failed_together_do_not_come_back_together():
    moments = {spread(15, 45, random.Random(seed)).total_seconds() for seed in range(100)}
    assert all(15 <= moment <= 45 for moment in moments)
    assert max(moments) - min(moments) > 20
