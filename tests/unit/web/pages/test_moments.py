"""Moments and durations in words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mailwatch.web.pages.moments import ago, shown, span, stamp

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (119, "1 min"),
        (3600, "1 h"),
        (3700, "1 h 1 min"),
        (7200, "2 h"),
        (7300, "2 h 1 min"),
        (21_595, "5 h 59 min"),
        (36_000 + 1800, "10 h"),
        (86_400, "1 d"),
        (100_800, "1 d 4 h"),
        (900_000, "10 d"),
        (-5, "0 s"),
    ],
)
def test_a_duration_is_told_in_its_largest_unit(seconds, words):
    assert span(seconds) == words


def test_a_moment_is_told_by_its_distance():
    assert ago(NOON - timedelta(minutes=12), NOON) == "12 min ago"
    assert ago(NOON + timedelta(minutes=4), NOON) == "in 4 min"
    assert ago(NOON, NOON) == "now"


def test_moments_are_utc_whatever_zone_they_come_in():
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    assert (stamp(east), shown(east)) == ("2026-03-01T12:00:00Z", "2026-03-01 12:00 UTC")
