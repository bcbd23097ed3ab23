"""Moments and durations as people type and read them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mailwatch.cli.moments import moment, shown, span, stamp
from mailwatch.cli.output import CliError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:00:00Z", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01T08:00:00+02:00", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("2026-11-01 08:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_utc_unless_it_says_otherwise(text, meant):
    assert moment(text, "--since") == meant


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "1"])
def test_what_is_no_moment_is_told_with_the_option(text):
    with pytest.raises(CliError, match=r"--since .*a moment is needed"):
        moment(text, "--since")


def test_moments_are_shown_in_utc():
    there = datetime(2026, 11, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert (shown(there), stamp(there)) == ("2026-11-01 00:00:00 UTC", "2026-11-01T00:00:00Z")
    assert (shown(None), stamp(None)) == ("-", None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (-5, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_661, "1 h 1 min"), (90_061, "1 d 1 h"), (86_400, "1 d")],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds, text):
    assert span(seconds) == text
