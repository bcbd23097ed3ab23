"""What is told of the database ends when nobody can tell it any more."""

import pytest

from mailwatch.core.campaigns import CampaignState
from mailwatch.core.lifecycle import State
from mailwatch.telemetry.metrics import Metrics
from mailwatch.telemetry.told import STALE_SECONDS, ToldGauge

TOLD = ("mailboxes", "campaigns", "due_mailboxes", "probe_lag_seconds", "outbox_pending")


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(ToldGauge, "monotonic", staticmethod(clock))
    return clock


def shown(metrics):
    """Those of TOLD that have samples."""
    found = {family.name: family.samples for family in metrics.instruments.registry.collect()}
    assert set(found) >= {f"mailwatch_{name}" for name in TOLD}  # the family itself stays: what it was about is known
    return {name for name in TOLD if found[f"mailwatch_{name}"]}


def tell(metrics):
    metrics.set_mailboxes({("google", State.CONNECTED): 7})
    metrics.set_campaigns({(CampaignState.ACTIVE, "none"): 2})
    metrics.set_due(3, 4.0)
    metrics.outbox_pending(5)


def test_what_was_counted_last_does_not_stand_for_ever(clock):
    metrics = Metrics(["google"], "1")
    assert shown(metrics) == set(TOLD)  # nothing was told yet: the zeros that rules need to see the first event
    tell(metrics)
    clock.seconds = STALE_SECONDS
    assert shown(metrics) == set(TOLD)
    clock.seconds += 1
    assert shown(metrics) == set()
    tell(metrics)
    assert shown(metrics) == set(TOLD)
    labels = {"provider": "google", "state": "connected"}
    assert metrics.instruments.registry.get_sample_value("mailwatch_mailboxes", labels) == 7


def test_each_ends_by_itself(clock):
    metrics = Metrics(["google"], "1")
    tell(metrics)
    clock.seconds = STALE_SECONDS + 1
    metrics.set_due(0, 0.0)
    assert shown(metrics) == {"due_mailboxes", "probe_lag_seconds"}
