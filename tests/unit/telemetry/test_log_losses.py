"""Losses of the log are metrics."""

from mailwatch.telemetry.log_fields import FieldFilter
from mailwatch.telemetry.log_losses import LogLosses
from mailwatch.telemetry.logs import _Configured


def test_the_counts_are_read_at_each_scrape(monkeypatch):
    fields = FieldFilter()
    monkeypatch.setattr(_Configured, "fields", fields)
    collector = LogLosses()

    def shown():
        return [family.samples[0].value for family in collector.collect()]

    before = shown()
    fields(None, "info", {"unknown": 1})
    assert shown() == [before[0] + 1, before[1]]
