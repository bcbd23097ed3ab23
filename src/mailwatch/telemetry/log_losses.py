"""What did not reach the log, as metrics: a log that is silently incomplete would be believed."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from mailwatch.telemetry.logs import losses


class LogLosses(Collector):
    """Reads the counts at each scrape."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The two counters.  Runs outside the event loop."""
        lost = losses()
        yield CounterMetricFamily(
            "mailwatch_log_fields_dropped", "Log fields left out because they are on no list of known fields.", value=lost.fields
        )
        yield CounterMetricFamily(
            "mailwatch_log_lines_dropped", "Log lines lost because stderr's reader was too slow.", value=lost.lines
        )
