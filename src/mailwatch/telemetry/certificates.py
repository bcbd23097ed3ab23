"""When the certificates of the servers expire, as a metric with a bound on its series."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

MAX_ENDPOINTS: Final = 1000
#: An endpoint nobody has probed for so long is nobody's any more.
FORGET_AFTER: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class _Seen:
    not_after_at: datetime
    seen_at: datetime


class Certificates(Collector):
    """The latest certificate seen at each endpoint; when there are too many, those that last longest are left out."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._truncated = False

    def saw(self, endpoint: str, not_after_at: datetime, now: datetime) -> None:
        """The server at *endpoint* (host:port, as configured) showed a certificate."""
        known = self._seen.get(endpoint)
        if known is None and len(self._seen) >= MAX_ENDPOINTS:
            self._truncated = True
            self._make_room(not_after_at, now)
            if len(self._seen) >= MAX_ENDPOINTS:
                return
        self._seen[endpoint] = _Seen(not_after_at, now)

    def expiries(self) -> dict[str, datetime]:
        """When each known certificate expires, by endpoint (host:port)."""
        return {endpoint: entry.not_after_at for endpoint, entry in self._seen.items()}

    def _make_room(self, not_after_at: datetime, now: datetime) -> None:
        self._forget(now)
        if len(self._seen) < MAX_ENDPOINTS:
            self._truncated = False
            return
        endpoint, last = max(self._seen.items(), key=lambda item: item[1].not_after_at)
        if last.not_after_at > not_after_at:
            del self._seen[endpoint]

    def _forget(self, now: datetime) -> None:
        for endpoint in [endpoint for endpoint, seen in self._seen.items() if now - seen.seen_at > FORGET_AFTER]:
            del self._seen[endpoint]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The series, made anew at each scrape: what is gone is exported no more.  Runs outside the event loop."""
        seen = dict(self._seen)
        latest_at = max((entry.seen_at for entry in seen.values()), default=None)
        family = GaugeMetricFamily(
            "mailwatch_tls_certificate_expiry_timestamp_seconds", "When the server's certificate expires.", labels=["endpoint"]
        )
        for endpoint, entry in sorted(seen.items()):
            if latest_at is not None and latest_at - entry.seen_at <= FORGET_AFTER:
                family.add_metric([endpoint], entry.not_after_at.timestamp())
        yield family
        yield GaugeMetricFamily(
            "mailwatch_tls_certificate_endpoints_truncated",
            f"1 when there are more than {MAX_ENDPOINTS} endpoints, so that those that expire last are left out.",
            value=float(self._truncated),
        )
