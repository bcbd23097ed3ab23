"""When a delivery is tried again, and what a receiver's answer means."""

import random
from datetime import UTC, datetime

import pytest

from builders import NOW
from mailwatch.core.redelivery import SCHEDULE_SECONDS, Verdict, hint_seconds, rest_seconds, retry_at, verdict_of


class NoChance(random.Random):
    def random(self):
        return 0.0


def test_the_schedule_is_that_of_standard_webhooks():
    hours = [0, 5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24]
    waits = [(retry_at(tries, NOW, NoChance()) - NOW).total_seconds() for tries in range(10)]
    assert waits == pytest.approx([hour * 3600 for hour in hours])
    assert sum(SCHEDULE_SECONDS) > 3 * 86_400
    assert retry_at(10, NOW, NoChance()) is None


def test_a_receiver_may_ask_for_a_longer_wait_but_not_for_a_shorter_one():
    assert (retry_at(1, NOW, NoChance(), hint_seconds=60) - NOW).total_seconds() == 60
    assert (retry_at(2, NOW, NoChance(), hint_seconds=60) - NOW).total_seconds() == 300
    assert (retry_at(1, NOW, NoChance(), hint_seconds=1e9) - NOW).total_seconds() == 86_400


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (301, "failed"),
        (304, "failed"),
        (400, "failed"),
        (410, "gone"),
        (429, "failed"),
        (503, "failed"),
    ],
)
def test_only_success_is_success_and_gone_is_for_good(status, verdict):
    assert verdict_of(status) is Verdict(verdict)


def test_a_hint_is_seconds_or_a_date():
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert hint_seconds("120", now) == 120
    assert hint_seconds(" 120 ", now) == 120
    assert hint_seconds("Sun, 01 Mar 2026 12:02:00 GMT", now) == 120
    assert hint_seconds("Sun, 01 Mar 2026 12:02:00 -0000", now) == 120
    assert hint_seconds("Sun, 01 Mar 2026 11:00:00 GMT", now) == 0


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "1.5", "٣", "Sun, 99 Mar 2026 12:02:00 GMT"])
def test_a_hint_that_cannot_be_read_is_none(header):
    assert hint_seconds(header, NOW) is None


def test_a_receiver_rests_after_several_failures_and_not_before():
    assert rest_seconds(4) == 0
    assert [rest_seconds(failures) for failures in (5, 6, 7, 20)] == [1, 2, 4, 60]
