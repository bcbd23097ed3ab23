"""The backoff, for any policy and any attempt."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from mailwatch.core.backoff import delay, floor_seconds, spread
from mailwatch.core.policy import BackoffPolicy

SECONDS = st.floats(0.001, 86_400)
ATTEMPTS = st.one_of(st.integers(-5, 80), st.integers(10**6, 10**12))
POLICIES = st.builds(
    lambda first, more, factor, jitter: BackoffPolicy(first, first + more, factor, jitter),
    SECONDS,
    SECONDS,
    st.floats(1.0, 10.0),
    st.floats(0.0, 1.0),
)


@given(POLICIES, ATTEMPTS)
def test_the_floor_is_between_the_first_wait_and_the_cap(policy, attempt):
    assert policy.first_seconds <= floor_seconds(policy, attempt) <= policy.max_seconds


@given(POLICIES, ATTEMPTS, ATTEMPTS)
def test_a_later_attempt_never_waits_less(policy, one, other):
    sooner, later = sorted((one, other))
    assert floor_seconds(policy, sooner) <= floor_seconds(policy, later)


@given(POLICIES)
def test_the_cap_is_reached_if_the_wait_grows_at_all(policy):
    if policy.factor >= 2:
        assert floor_seconds(policy, 64) == policy.max_seconds


@given(POLICIES, ATTEMPTS, st.integers(), st.one_of(st.none(), st.floats(0, 1e6)))
def test_jitter_only_adds_and_the_hint_is_kept(policy, attempt, seed, hint):
    wait = delay(policy, attempt, random.Random(seed), hint_seconds=hint).total_seconds()
    floor = max(floor_seconds(policy, attempt), hint or 0.0)
    tiny = 1e-6  # timedelta counts whole microseconds
    assert floor - tiny <= wait <= floor * (1 + policy.jitter_ratio) + tiny
    assert math.isfinite(wait)


@given(SECONDS, SECONDS, st.integers())
def test_a_spread_stays_between_its_ends(low, more, seed):
    assert low - 1e-6 <= spread(low, low + more, random.Random(seed)).total_seconds() <= low + more + 1e-6


@given(POLICIES, ATTEMPTS, st.integers())
def test_the_same_chance_gives_the_same_wait(policy, attempt, seed):
    assert delay(policy, attempt, random.Random(seed)) == delay(policy, attempt, random.Random(seed))
