"""The waits that servers name in words."""

import pytest

from mailwatch.core.hints import MAX_SECONDS, seconds_named


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("try again in 10 minutes", 600),
        ("Try again in 1 minute.", 60),
        ("blocked for 30 minutes", 1800),
        ("retry after 90s", 90),
        ("please wait 2 hours", 7200),
        ("wait 1 hr", 3600),
        ("Suggested Backoff Time: 299961 milliseconds", 299.961),
        ("Relay quota will reset in 21.99 hours.", 79164),
        ("Greylisted for 5 min", 300),
        ("bitte in 15 Minuten erneut versuchen", 900),
        ("bitte in 2 Stunden erneut versuchen", 7200),
        ("réessayez dans 10 secondes", 10),
        ("réessayez dans 3 heures", 10800),
        ("intente en 5 minutos", 300),
        ("повторите через 20 минут", 1200),
        ("请在5分钟后重试", 300),
        ("try again in 400 days", MAX_SECONDS),
    ],
)
def test_a_wait_is_understood(text, seconds):
    assert seconds_named(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "try again later",
        "421 4.7.0 busy",
        "100 messages a day",
        "limit of 500 mails per hour",
        "Error 15",
        "in 10 parsecs",
        "idle 30 minutes",
    ],
)
def test_no_wait_is_made_up(text):
    assert seconds_named(text) is None
