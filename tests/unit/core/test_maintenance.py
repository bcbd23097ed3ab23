"""Maintenance windows keep to the calendar of those who declare them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailwatch.core.incidents.scopes import Scope, ScopeKind, Traits
from mailwatch.core.maintenance import Every, Window, covering

GOOGLE = Traits("google", ("imap.gmail.com",), "a.test")
START = datetime(2026, 3, 27, 1, 0, tzinfo=UTC)  # 02:00 in Berlin, two days before the clocks change


def window(**changes):
    return Window(**({"id": "mw_1", "title": "upgrade", "scope": None, "starts_at": START, "seconds": 3600.0} | changes))


def hours(count):
    return START + timedelta(hours=count)


def test_a_single_window_runs_from_its_start_to_before_its_end():
    assert window().running(hours(-0.01)) is None
    assert window().running(START) == (START, hours(1))
    assert window().running(hours(1)) is None
    assert window().next_start(hours(-1)) == START
    assert window().next_start(START) is None


def test_one_that_was_ended_runs_no_more():
    assert window(ended_at=hours(0.5)).running(hours(0.6)) is None
    assert window(ended_at=hours(0.5)).running(hours(0.4)) is not None
    assert window(every=Every.DAILY, ended_at=hours(0.5)).next_start(hours(1)) is None


def test_a_daily_one_stays_at_its_time_on_the_wall_clock_when_the_clocks_change():
    daily = window(every=Every.DAILY, zone="Europe/Berlin")
    assert daily.next_start(hours(1)) == datetime(2026, 3, 28, 1, 0, tzinfo=UTC)
    assert daily.next_start(hours(49)) == datetime(2026, 3, 30, 0, 0, tzinfo=UTC)  # 02:00 in summer time
    assert daily.running(datetime(2026, 3, 30, 0, 30, tzinfo=UTC)) is not None


def test_a_start_that_the_change_skips_comes_as_much_later_as_the_clocks_are_set_ahead():
    daily = window(every=Every.DAILY, zone="Europe/Berlin", starts_at=datetime(2026, 3, 27, 1, 30, tzinfo=UTC))
    # on 29 March there is no 02:30 in Berlin: it is 03:30 there
    half_past_three = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert daily.next_start(half_past_three - timedelta(hours=1)) == half_past_three
    assert daily.running(half_past_three - timedelta(minutes=1)) is None
    assert daily.running(half_past_three) == (half_past_three, half_past_three + timedelta(hours=1))


def test_a_weekly_one_ends_with_its_until():
    weekly = window(every=Every.WEEKLY, until_at=START + timedelta(weeks=2))
    assert weekly.running(START + timedelta(weeks=2, minutes=1)) is not None
    assert weekly.next_start(START + timedelta(weeks=2)) is None
    assert weekly.running(START + timedelta(weeks=3, minutes=1)) is None


@pytest.mark.parametrize(
    ("scope", "covers"),
    [(None, True), (Scope(ScopeKind.PROVIDER, "google"), True), (Scope(ScopeKind.DOMAIN, "b.test"), False)],
)
def test_it_covers_the_mailboxes_of_its_scope(scope, covers):
    assert window(scope=scope).covers(GOOGLE) is covers
    assert (covering((window(scope=scope),), GOOGLE, START) is not None) is covers


def test_of_several_the_one_that_ends_last_counts():
    short, long = window(id="mw_short", seconds=600.0), window(id="mw_long")
    assert covering((short, long), GOOGLE, START).id == "mw_long"


@given(
    st.sampled_from([Every.DAILY, Every.WEEKLY]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    st.integers(0, 1000 * 86_400),
)
def test_the_next_start_lies_ahead_within_a_period_and_begins_a_run(every, zone, seconds):
    recurring = window(every=every, zone=zone)
    now = START + timedelta(seconds=seconds)
    following = recurring.next_start(now)
    assert now < following <= now + timedelta(days=1 if every is Every.DAILY else 7, hours=2)
    assert recurring.running(following) is not None
