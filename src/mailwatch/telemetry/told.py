"""Gauges that are told anew every few seconds of what lies in the database, and end when nobody can tell them any more.

The last value would stand for ever while the database is away, and look like the present.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import Gauge
from prometheus_client.metrics_core import Metric

#: So long a telling stands; it is renewed every 15 seconds at the latest.
STALE_SECONDS: Final = 120.0


class ToldGauge(Gauge):
    """Exports no sample once `tell` was not called for STALE_SECONDS; before the first call, what it was initialised with."""

    monotonic: Callable[[], float] = staticmethod(time.monotonic)  #: a clock in seconds
    _told_at: float | None = None

    def tell(self) -> None:
        """It was told anew, all of it."""
        self._told_at = self.monotonic()

    def collect(self) -> Iterable[Metric]:
        """The family, without samples when what was told is too old to stand."""
        families = list(super().collect())
        if self._told_at is not None and self.monotonic() - self._told_at > STALE_SECONDS:
            for family in families:
                family.samples = []
        return families
