"""The pace at one provider: slots, rate, burst."""

from mailwatch.core.pacing import Pace, Pacer

PACE = Pace(max_connections=3, logins_per_minute=60.0, burst=2)


def test_after_a_quiet_time_a_burst_may_start_and_then_one_each_step():
    pacer = Pacer(PACE)
    assert pacer.room(100.0) == 2
    pacer.start(100.0)
    pacer.start(100.0)
    assert pacer.room(100.0) == 0
    assert pacer.room(100.9) == 0
    assert pacer.room(101.0) == 1


def test_slots_are_counted_beside_the_rate():
    pacer = Pacer(PACE)
    for moment in (0.0, 10.0, 20.0):
        pacer.start(moment)
    assert pacer.room(1000.0) == 0
    pacer.finish()
    assert pacer.room(1000.0) == 1


def test_a_long_quiet_time_saves_up_no_more_than_the_burst():
    pacer = Pacer(Pace(max_connections=100, logins_per_minute=60.0, burst=4))
    pacer.start(0.0)
    assert pacer.room(1e9) == 4


def test_a_slower_pace_counts_at_once():
    pacer = Pacer(PACE)
    pacer.start(0.0)
    pacer.pace = Pace(max_connections=1, logins_per_minute=1.0, burst=1)
    assert pacer.room(10.0) == 0


def test_it_is_idle_when_nothing_is_in_flight_and_the_rate_is_repaid():
    pacer = Pacer(PACE)
    assert pacer.is_idle(0.0)
    pacer.start(0.0)
    assert not pacer.is_idle(10.0)
    pacer.finish()
    assert not pacer.is_idle(0.5)
    assert pacer.is_idle(1.0)
