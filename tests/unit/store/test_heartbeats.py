"""Heartbeats: the worst of each hour, whatever the clock did meanwhile."""

from datetime import timedelta

import pytest

from contract.fleet import NOON
from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import ORDER
from mailwatch.store.heartbeats import HOURS, Move, cells

C, S, R, B, P = State.CONNECTED, State.SUSPECT, State.RECONNECTING, State.BLOCKED, State.PENDING
LONG_AGO = NOON - timedelta(days=100)


def ago(hours):
    return NOON - timedelta(hours=hours)


def moves(*steps):
    """Moves out of (hours ago, to), each from where the last one led."""
    states = [C, *(to for _, to in steps)]
    return [Move(ago(hours), states[place], to) for place, (hours, to) in enumerate(steps)]


def test_who_never_moved_has_always_been_so():
    assert cells(LONG_AGO, C, [], NOON) == (C,) * HOURS


def test_before_it_was_added_there_is_nothing():
    assert cells(ago(2.5), P, [], NOON) == (*[None] * 21, P, P, P)
    assert cells(NOON, P, [], NOON) == (*[None] * 23, P)


def test_an_hour_shows_its_worst():
    beat = cells(LONG_AGO, C, moves((30, S), (29, C), (2.9, S), (2.8, R), (2.2, C)), NOON)
    assert beat == (*[C] * 21, R, C, C)


def test_what_began_before_the_day_reaches_into_it():
    assert cells(LONG_AGO, B, moves((40, B)), NOON) == (B,) * HOURS
    assert cells(LONG_AGO, C, moves((40, B), (22.5, C)), NOON) == (B, B, *[C] * 22)


def test_the_first_move_of_the_day_tells_what_was_before_it():
    assert cells(LONG_AGO, C, [Move(ago(1.5), R, C)], NOON) == (*[R] * 23, C)


def test_hours_begin_with_their_first_moment():
    assert cells(LONG_AGO, R, moves((1, R)), NOON) == (*[C] * 23, R)
    assert cells(LONG_AGO, C, moves((24, B), (23, C)), NOON) == (B, *[C] * 23)


def test_what_came_and_went_in_no_time_is_shown():
    assert cells(LONG_AGO, C, moves((5.5, B), (5.5, C)), NOON)[18] is B


def test_what_happened_this_very_moment_or_seems_to_come_is_shown_now():
    assert cells(LONG_AGO, B, moves((0, B)), NOON)[-1] is B
    assert cells(LONG_AGO, B, moves((-1, B)), NOON)[-1] is B


def test_a_clock_that_was_set_back_loses_nothing():
    assert cells(LONG_AGO, C, moves((3.5, B), (4.5, C), (1.5, S)), NOON) == (*[C] * 20, B, C, S, S)


@pytest.mark.parametrize("place", range(len(ORDER) - 1))
def test_what_a_page_shows_first_is_the_worst(place):
    worse, better = ORDER[place], ORDER[place + 1]
    for order in ((worse, better), (better, worse)):
        assert cells(LONG_AGO, C, moves((9.8, order[0]), (9.4, order[1]), (9.2, C)), NOON)[14] is worse
