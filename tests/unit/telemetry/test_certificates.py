"""The bound on certificate series, and what is left out first."""

from datetime import UTC, datetime, timedelta

from mailwatch.telemetry import certificates
from mailwatch.telemetry.certificates import FORGET_AFTER, Certificates

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def series(held):
    expiry, truncated = held.collect()
    return {sample.labels["endpoint"]: sample.value for sample in expiry.samples}, truncated.samples[0].value


def days(count):
    return NOW + timedelta(days=count)


def test_the_latest_certificate_of_an_endpoint_is_shown():
    held = Certificates()
    held.saw("a:993", days(1), NOW)
    held.saw("a:993", days(90), NOW)
    assert series(held) == ({"a:993": days(90).timestamp()}, 0)


def test_when_there_are_too_many_those_that_last_longest_are_left_out(monkeypatch):
    monkeypatch.setattr(certificates, "MAX_ENDPOINTS", 2)
    held = Certificates()
    for name, count in (("a", 10), ("b", 20), ("c", 5), ("d", 99)):
        held.saw(name, days(count), NOW)
    assert series(held) == ({"a": days(10).timestamp(), "c": days(5).timestamp()}, 1)


def test_an_endpoint_nobody_probes_any_more_is_forgotten(monkeypatch):
    monkeypatch.setattr(certificates, "MAX_ENDPOINTS", 1)
    held = Certificates()
    held.saw("gone", days(1), NOW)
    later = NOW + FORGET_AFTER + timedelta(seconds=1)
    held.saw("here", days(30), later)
    assert series(held) == ({"here": days(30).timestamp()}, 0)


def test_an_endpoint_of_long_ago_is_not_exported():
    held = Certificates()
    held.saw("gone", days(1), NOW)
    held.saw("here", days(30), NOW + FORGET_AFTER + timedelta(seconds=1))
    assert list(series(held)[0]) == ["here"]
