"""Prometheus' own linter accepts /metrics/mailboxes, whatever the mailboxes are called, and what is told of incidents."""

import subprocess
from datetime import UTC, datetime

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.circuit import CircuitState
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.telemetry.mailbox_text import MailboxRow, Wanted, mailbox_text
from mailwatch.telemetry.metrics import Metrics
from servers.presence import need_program

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def linted(text: bytes) -> tuple[int, bytes]:
    need_program("promtool", "prometheus")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("most", [3, 1000])
def test_promtool_finds_nothing_to_say_about_mailboxes(most: int) -> None:
    rows = [
        MailboxRow(f'mb_{state}"\\\n{{}}', "google", state, NOW, Cause.MFA_REQUIRED, NOW, address=f"ä{state}@example.org")
        for state in State
    ]
    assert linted(mailbox_text(rows, Wanted(frozenset(State)), most=most)) == (0, b"")


def test_promtool_finds_nothing_to_say_about_no_mailboxes() -> None:
    assert linted(mailbox_text([])) == (0, b"")


def test_promtool_finds_nothing_to_say_about_what_is_wrong_now() -> None:
    metrics = Metrics(["google"], "1")
    place = Scope(ScopeKind.PROVIDER, "google")
    metrics.set_incidents([Incident("inc_1", place, Cause.CONNECTION_TIMEOUT, NOW, NOW, 300, 0.9)], lambda scope: scope.name)
    metrics.circuit_changed("google", CircuitState.OPEN)
    metrics.set_app_secrets({"outreach": NOW})
    metrics.set_webhooks({"crm": True})
    assert linted(metrics.exposition()[0]) == (0, b"")
