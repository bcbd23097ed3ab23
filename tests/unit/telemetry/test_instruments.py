"""The declared metrics: names, bounds, and that the documentation lists exactly these."""

import re

from prometheus_client import generate_latest

from mailwatch.core.causes import WIRE_CAUSES
from mailwatch.core.lifecycle import State
from mailwatch.telemetry.instruments import Instruments, moves
from mailwatch.telemetry.metrics import Metrics


def families(providers=("google",)):
    registry = Metrics(providers, "1").instruments.registry
    return [family for family in registry.collect() if family.name.startswith("mailwatch_")]


def test_names_follow_the_rules_of_prometheus():
    for family in families():
        assert re.fullmatch(r"mailwatch_[a-z]+(_[a-z]+)*", family.name)
        assert family.documentation.endswith(".")
        assert not family.name.endswith(("_ms", "_count", "_sum", "_bucket", "_total"))


def test_series_are_there_before_the_first_event():
    made = Instruments()
    made.initialise(["google"])
    text = generate_latest(made.registry).decode()
    for state in State:
        assert f'mailwatch_mailboxes{{provider="google",state="{state}"}} 0.0' in text
    for cause in WIRE_CAUSES:
        assert f'mailwatch_disconnections_total{{cause="{cause}",provider="google"}} 0.0' in text
    for old, new in moves():
        assert f'mailwatch_transitions_total{{from_state="{old}",to_state="{new}"}} 0.0' in text


def test_the_number_of_series_is_bounded_by_the_table_of_providers():
    few, many = (sum(len(family.samples) for family in families([f"p{n}" for n in range(count)])) for count in (10, 20))
    assert many - few < 10 * 60


def test_the_documentation_lists_exactly_these_metrics(repository):
    text = (repository / "docs" / "metrics.md").read_text()
    listed = set(re.findall(r"^\| `(mailwatch_[a-z_]+)`", text, re.MULTILINE))
    suffix = {"counter": "_total", "info": "_info"}
    assert listed == {family.name + suffix.get(family.type, "") for family in families()}
