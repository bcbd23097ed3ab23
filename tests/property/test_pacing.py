"""The pace, under any order of starts and ends."""

from hypothesis import given
from hypothesis import strategies as st

from mailwatch.core.pacing import Pace, Pacer

PACES = st.builds(
    Pace,
    max_connections=st.integers(1, 20),
    logins_per_minute=st.floats(0.5, 6000),
    burst=st.integers(1, 50),
    per_address_bans=st.booleans(),
)
STEPS = st.lists(st.tuples(st.floats(0, 120), st.integers(0, 5), st.integers(0, 5)), max_size=60)


@given(PACES, STEPS)
def test_neither_slots_nor_rate_are_ever_exceeded(pace, steps):
    pacer, now, flying, starts = Pacer(pace), 0.0, 0, []
    for wait, wanted, ended in steps:
        now += wait
        for _ in range(min(ended, flying)):
            pacer.finish()
            flying -= 1
        for _ in range(min(wanted, pacer.room(now))):
            pacer.start(now)
            flying += 1
            starts.append(now)
        assert flying <= pace.max_connections
        assert pacer.flying == flying
    step = 60.0 / pace.logins_per_minute
    for first in range(len(starts)):
        for last in range(first, len(starts)):
            allowed = pace.burst + (starts[last] - starts[first]) / step
            assert last - first + 1 <= allowed * (1 + 1e-6) + 1e-6


@given(PACES, STEPS)
def test_room_is_never_negative_and_after_a_quiet_time_never_missing(pace, steps):
    pacer, now = Pacer(pace), 0.0
    for wait, wanted, _ in steps:
        now += wait
        assert pacer.room(now) >= 0
        for _ in range(wanted):
            pacer.start(now)  # even by a caller who asks no questions
        assert pacer.room(now) >= 0
        for _ in range(wanted):
            pacer.finish()
    quiet = now + 60.0 / pace.logins_per_minute * (pace.burst + 6 * len(steps) + 1)
    assert pacer.room(quiet) == min(pace.max_connections, pace.burst)
    assert pacer.is_idle(quiet)
