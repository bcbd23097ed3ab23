"""How gently a failing place is looked at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailwatch.core.incidents.circuit import Circuit, CircuitPolicy, CircuitState


def opened(now=0.0):
    circuit = Circuit()
    circuit.open(now)
    return circuit


def through(circuit, now, count=3):
    for _ in range(count):
        circuit.start(now)
        circuit.result(now, worked=True)


def test_a_closed_circuit_limits_nothing():
    assert Circuit().room(0.0) is None


def test_an_open_one_lets_one_canary_through_every_few_seconds():
    circuit = opened()
    assert circuit.room(0.0) == 1
    assert circuit.proven_only(0.0)
    circuit.start(0.0)
    assert circuit.room(14.9) == 0
    assert circuit.room(15.0) == 1


def test_where_no_proven_one_comes_any_may_look_after_a_while():
    circuit = opened()
    assert circuit.proven_only(149.0)
    assert not circuit.proven_only(150.0)
    circuit.start(150.0)
    assert circuit.proven_only(151.0)


def test_it_knows_how_much_of_the_last_looks_failed():
    circuit = Circuit()
    assert circuit.failing_share == 0.0
    for number in range(20):
        circuit.result(0.0, worked=number < 4)
    assert (circuit.state, circuit.failing_share) == (CircuitState.OPEN, 0.8)
    for _ in range(4):
        circuit.result(1.0, worked=False)
    assert circuit.failing_share == 1.0


def test_canaries_must_come_through_one_after_the_other():
    circuit = opened()
    for worked in (True, True, False, True, True):
        circuit.result(1.0, worked=worked)
    assert circuit.state is CircuitState.OPEN
    circuit.result(2.0, worked=True)
    assert circuit.state is CircuitState.HALF_OPEN


def test_the_way_back_is_a_ramp_that_doubles():
    circuit = opened()
    through(circuit, 100.0)
    first, later = circuit.room(100.0), circuit.room(130.0)
    assert first == 2
    assert later == 16


def test_at_the_gates_own_pace_it_closes():
    circuit = opened()
    through(circuit, 100.0)
    circuit.result(100.0 + 90.0, worked=True)
    assert circuit.state is CircuitState.CLOSED
    assert circuit.room(200.0) is None


def test_a_relapse_opens_it_anew():
    circuit = opened()
    through(circuit, 100.0)
    for number in range(CircuitPolicy().relapse_looks):
        circuit.result(101.0, worked=number % 2 == 0)
    assert circuit.state is CircuitState.OPEN


def test_opening_an_open_circuit_again_changes_nothing():
    circuit = opened()
    circuit.start(0.0)
    circuit.open(5.0)
    assert circuit.room(10.0) == 0


@given(st.lists(st.tuples(st.floats(0.01, 5.0), st.booleans()), max_size=200))
def test_the_ramp_never_starts_more_than_its_rate_allows(steps):
    circuit = opened()
    through(circuit, 0.0)
    now, started = 0.0, 0
    for wait, worked in steps:
        if circuit.state is not CircuitState.HALF_OPEN:
            break
        now += wait
        for _ in range(circuit.room(now) or 0):
            circuit.start(now)
            started += 1
        circuit.result(now, worked=worked)
    # the area below 2/s that doubles every 10 s, and a second's burst at its end
    area = 2.0 * 10.0 / 0.6931 * (2 ** (now / 10.0) - 1) + 2.0 * 2 ** (now / 10.0)
    assert started <= area + len(steps) + 2


def test_a_run_of_failures_opens_a_closed_circuit_before_any_incident_is_told():
    circuit = Circuit()
    for number in range(CircuitPolicy().trip_looks):
        circuit.result(float(number), worked=number % 5 == 0)
    assert circuit.state is CircuitState.OPEN


def test_failures_among_successes_do_not():
    circuit = Circuit()
    for number in range(200):
        circuit.result(float(number), worked=number % 2 == 0)
    assert circuit.state is CircuitState.CLOSED


def test_failures_count_within_ten_minutes_only():
    circuit = Circuit()
    for look in range(60):
        circuit.result(35.0 * look, worked=False)
    assert circuit.state is CircuitState.CLOSED
    for look in range(20):
        circuit.result(2100.0 + look, worked=False)
    assert circuit.state is CircuitState.OPEN


@pytest.mark.parametrize("use", ["open", "start", "result"])
def test_it_is_unused_when_nothing_came_by_for_two_hours(use):
    circuit = opened(-9000.0)
    assert circuit.is_unused(0.0)
    {"open": lambda: circuit.open(0.0), "start": lambda: circuit.start(0.0), "result": lambda: circuit.result(0.0, worked=False)}[
        use
    ]()
    assert not circuit.is_unused(7200.0)
    assert circuit.is_unused(7201.0)
