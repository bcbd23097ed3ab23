"""A rate for each key: a burst, then one at a time, and no memory without end."""

from fakes.ports import FakeClock
from mailwatch.desk import attempts
from mailwatch.desk.attempts import Rate


def test_a_burst_is_taken_and_then_one_for_each_step():
    clock = FakeClock()
    rate = Rate(60, burst=3, clock=clock)
    assert [rate.take("a") for _ in range(3)] == [0, 0, 0]
    assert rate.take("a") == 1.0
    assert rate.take("b") == 0
    clock.advance(1)
    assert rate.take("a") == 0
    assert rate.take("a") == 1.0


def test_being_refused_costs_nothing_more():
    clock = FakeClock()
    rate = Rate(60, burst=1, clock=clock)
    rate.take("a")
    assert {rate.take("a") for _ in range(10)} == {1.0}


def test_what_is_given_back_may_be_taken_again():
    rate = Rate(60, burst=2, clock=FakeClock())
    assert (rate.take("a"), rate.take("a")) == (0, 0)
    rate.give_back("a")
    assert (rate.take("a"), rate.take("a")) == (0, 1.0)
    rate.give_back("nobody")


def test_idle_keys_are_forgotten_and_a_flood_of_them_does_not_grow(monkeypatch):
    monkeypatch.setattr(attempts, "_MOST_KEYS", 10)
    clock = FakeClock()
    rate = Rate(60, burst=1, clock=clock)
    for number in range(25):
        rate.take(str(number))
        assert len(rate._theoretical) <= 10
    clock.advance(60)
    rate.take("x")
    assert rate.take("x") > 0
