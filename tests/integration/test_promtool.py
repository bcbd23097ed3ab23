"""Prometheus's own linter accepts what is served, empty and after a probe of everything; and its parser accepts the documented queries."""

import re
import subprocess
from datetime import UTC, datetime, timedelta

import promql_parser
import pytest

from mailwatch.core.evidence import Certificate, ChannelReport, Outcome, Phase, Report
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Endpoint, Mailbox, Protocol
from mailwatch.core.standing import Decision, Standing, Transition
from mailwatch.ports import Claim
from mailwatch.telemetry.metrics import Metrics
from servers.presence import need_program

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def probed(metrics: Metrics) -> None:
    """One probe of each protocol and outcome, a recovery, and an endpoint with every character that needs escaping."""
    endpoint = Endpoint.parse("imaps://imap.example.org")
    mailbox = Mailbox("mb_1", "a@example.org", "a", AuthKind.PASSWORD, endpoint, None, "google", NOW)
    down = NOW - timedelta(hours=1)
    standing = Standing("mb_1", State.VERIFYING, NOW, NOW, down_since_at=down)
    certificate = Certificate('[fe80::1%eth0]:993"\\\n{}', NOW, "issuer", "subject")
    channels = tuple(
        ChannelReport(
            protocol, outcome, timings_seconds=dict.fromkeys(Phase, 0.3), certificate=certificate, impairment="ca_store_empty"
        )
        for protocol in Protocol
        for outcome in Outcome
    )
    step = Transition("mb_1", 1, NOW, State.VERIFYING, State.CONNECTED, Trigger.VERIFIED)
    metrics.probed(
        Claim(mailbox, standing, None, "lease", NOW), Report(NOW, NOW, 1, channels), Decision(standing, standing, (step,))
    )


@pytest.mark.parametrize("used", [False, True])
def test_promtool_finds_nothing_to_say_about_the_metrics(used: bool) -> None:
    need_program("promtool", "prometheus")
    metrics = Metrics(["google", "microsoft"], "1.2.3")
    if used:
        probed(metrics)
    body, _ = metrics.exposition("")
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_documented_queries_name_metrics_that_exist(repository) -> None:
    metrics = Metrics(["google"], "1")
    probed(metrics)
    series = {sample.name for family in metrics.instruments.registry.collect() for sample in family.samples}
    text = (repository / "docs" / "metrics.md").read_text()
    queries = [
        line
        for block in re.findall(r"```promql\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line and line[0] != "#"
    ]
    assert queries
    for query in queries:
        promql_parser.parse(query)
        assert set(re.findall(r"mailwatch_[a-z_]+", query)) <= series
