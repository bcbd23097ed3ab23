"""Tries of a delivery, whatever a receiver asks for: they come in time, they come to an end, and no header breaks them."""

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import NOW
from mailwatch.core.redelivery import (
    JITTER_RATIO,
    LONGEST_HINT_SECONDS,
    LONGEST_REST_SECONDS,
    SCHEDULE_SECONDS,
    hint_seconds,
    rest_seconds,
    retry_at,
    verdict_of,
)

HINTS = st.none() | st.floats(0, 1e9)


@given(st.integers(1, 50), HINTS, st.randoms(use_true_random=False))
def test_a_wait_is_its_schedules_or_the_hints_and_a_little_more(tries, hint, rng):
    due_at = retry_at(tries, NOW, rng, hint_seconds=hint)
    if tries >= len(SCHEDULE_SECONDS):
        assert due_at is None
        return
    least = max(SCHEDULE_SECONDS[tries], min(hint or 0.0, LONGEST_HINT_SECONDS))
    assert (
        timedelta(seconds=least) - timedelta(milliseconds=1) <= due_at - NOW <= timedelta(seconds=least * (1 + JITTER_RATIO) + 1e-3)
    )


@given(HINTS)
def test_every_delivery_ends_after_as_many_tries_as_the_schedule_has(hint):
    tries = 0
    while retry_at(tries, NOW, random.Random(1), hint_seconds=hint) is not None:
        tries += 1
    assert tries == len(SCHEDULE_SECONDS)


@given(st.text() | st.integers().map(str))
def test_no_header_breaks_it(header):
    hint = hint_seconds(header, NOW)
    assert hint is None or hint >= 0


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_rest_grows_with_the_failures_up_to_its_longest(one, other):
    few, many = sorted((one, other))
    assert 0 <= rest_seconds(few) <= rest_seconds(many) <= LONGEST_REST_SECONDS


@given(st.integers(100, 599))
def test_only_a_success_is_delivered(status):
    assert (verdict_of(status) == "delivered") is (200 <= status < 300)
