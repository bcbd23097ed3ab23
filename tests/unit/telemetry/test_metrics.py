"""What is counted, under which labels, and how it is rendered."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from mailwatch.core.campaigns import CampaignState
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Certificate, ChannelReport, Outcome, Phase, Report
from mailwatch.core.incidents.circuit import CircuitState
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Endpoint, Mailbox, Protocol
from mailwatch.core.standing import Decision, Standing, Transition
from mailwatch.ports import Claim
from mailwatch.telemetry.metrics import MAX_REASONS, Metrics

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def metrics():
    return Metrics(["google", "microsoft"], "1.2.3")


def test_open_sessions_and_their_ends_are_counted(metrics):
    metrics.set_watched(7, 2)
    metrics.watch_ended(Cause.SESSION_EXPIRED)
    text = metrics.exposition()[0].decode()
    assert "mailwatch_watched_mailboxes 7.0" in text
    assert "mailwatch_watch_passed_over_mailboxes 2.0" in text
    assert 'mailwatch_watch_ends_total{cause="session_expired"} 1.0' in text
    assert 'mailwatch_watch_ends_total{cause="connection_dropped"} 0.0' in text


def claim(provider="google", **standing):
    mailbox = Mailbox(
        id="mb_1",
        address="a@example.org",
        username="a",
        auth=AuthKind.PASSWORD,
        imap=Endpoint.parse("imaps://imap.example.org"),
        smtp=None,
        provider=provider,
        created_at=NOW,
    )
    held = Standing(mailbox_id="mb_1", state=State.CONNECTED, since_at=NOW, due_at=NOW)
    return Claim(mailbox, held, None, "lease", NOW)


def report(*channels):
    return Report(NOW - timedelta(seconds=1), NOW, 1, channels)


def channel(outcome=Outcome.HEALTHY, protocol=Protocol.IMAP, **fields):
    return ChannelReport(protocol, outcome, **fields)


def decision(*moves, before=State.CONNECTED, note=None, cause=None, down_since_at=None):
    old = Standing(mailbox_id="mb_1", state=before, since_at=NOW, due_at=NOW, down_since_at=down_since_at)
    states = (before, *moves)
    steps = tuple(
        Transition("mb_1", number, NOW, left, entered, Trigger.PROBE_FAILED, cause=cause)
        for number, (left, entered) in enumerate(zip(states, moves, strict=False))
    )
    return Decision(old, old, steps, note=note)


def value(metrics, name, **labels):
    return metrics.instruments.registry.get_sample_value(f"mailwatch_{name}", labels)


def test_every_channel_is_counted_by_how_it_ended(metrics):
    outcomes = [channel(), channel(Outcome.WITHHELD, Protocol.SMTP, withheld_reason="budget")]
    metrics.probed(claim(), report(*outcomes), decision())
    assert value(metrics, "probes_total", provider="google", protocol="imap", result="healthy") == 1
    assert value(metrics, "probes_total", provider="google", protocol="smtp", result="withheld") == 1
    assert value(metrics, "logins_withheld_total", reason="budget") == 1
    assert value(metrics, "probes_total", provider="google", protocol="imap", result="failed") == 0


def test_a_provider_nobody_knows_is_other(metrics):
    metrics.probed(claim("evil.example\n"), report(channel()), decision())
    assert value(metrics, "probes_total", provider="other", protocol="imap", result="healthy") == 1
    metrics.refreshed("evil", "surprising")
    assert value(metrics, "oauth_refreshes_total", provider="other", result="failed") == 1


def test_phases_are_timed(metrics):
    metrics.probed(claim(), report(channel(timings_seconds={Phase.CONNECT: 0.03, Phase.AUTH: 4.0})), decision())
    labels = {"provider": "google", "protocol": "imap"}
    assert value(metrics, "probe_duration_seconds_sum", **labels, phase="auth") == 4.0
    assert value(metrics, "probe_duration_seconds_bucket", **labels, phase="connect", le="0.05") == 1


@pytest.mark.parametrize("to", [State.RECONNECTING, State.BLOCKED])
def test_a_disconnection_counts_when_it_is_confirmed(metrics, to):
    metrics.probed(claim(), report(channel(Outcome.FAILED)), decision(State.SUSPECT, cause=Cause.DNS_FAILURE))
    assert value(metrics, "disconnections_total", provider="google", cause="dns_failure") == 0
    metrics.probed(claim(), report(channel(Outcome.FAILED)), decision(to, before=State.SUSPECT, cause=Cause.DNS_FAILURE))
    assert value(metrics, "disconnections_total", provider="google", cause="dns_failure") == 1
    assert value(metrics, "transitions_total", from_state="suspect", to_state=to.value) == 1


def test_what_no_probe_moved_counts_too(metrics):
    metrics.moved("google", decision(State.RECONNECTING, before=State.SUSPECT, cause=Cause.DNS_FAILURE))
    metrics.moved("evil.example\n", decision(State.INACTIVE))
    assert value(metrics, "disconnections_total", provider="google", cause="dns_failure") == 1
    assert value(metrics, "transitions_total", from_state="connected", to_state="inactive") == 1


def test_two_moves_in_one_decision_count_both(metrics):
    metrics.probed(claim(), report(channel(Outcome.FAILED)), decision(State.SUSPECT, State.BLOCKED))
    assert value(metrics, "transitions_total", from_state="connected", to_state="suspect") == 1
    assert value(metrics, "disconnections_total", provider="google", cause="unknown") == 1


def test_a_verified_mailbox_ends_its_outage(metrics):
    since = NOW - timedelta(minutes=10)
    metrics.probed(claim(), report(channel()), decision(State.CONNECTED, before=State.VERIFYING, down_since_at=since))
    assert value(metrics, "reconnections_total", provider="google", result="verified") == 1
    assert value(metrics, "outage_duration_seconds_sum", provider="google") == 600


def test_a_clock_set_back_makes_no_negative_outage(metrics):
    since = NOW + timedelta(hours=1)
    metrics.probed(claim(), report(channel()), decision(State.CONNECTED, before=State.VERIFYING, down_since_at=since))
    assert value(metrics, "outage_duration_seconds_sum", provider="google") == 0


@pytest.mark.parametrize(
    ("before", "outcome", "note", "count"),
    [
        (State.RECONNECTING, Outcome.FAILED, None, 1),
        (State.VERIFYING, Outcome.FAILED, None, 1),
        (State.VERIFYING, Outcome.HEALTHY, None, 0),
        (State.RECONNECTING, Outcome.FAILED, "egress_down", 0),
        (State.RECONNECTING, Outcome.WITHHELD, None, 0),
        (State.CONNECTED, Outcome.FAILED, None, 0),
        (State.BLOCKED, Outcome.FAILED, None, 0),
    ],
)
def test_a_reconnection_fails_only_by_the_mailboxs_own_failure(metrics, before, outcome, note, count):
    metrics.probed(claim(), report(channel(outcome)), decision(before=before, note=note))
    assert value(metrics, "reconnections_total", provider="google", result="failed") == count


def test_refused_logins_of_both_channels_are_counted(metrics):
    channels = [channel(Outcome.FAILED, rejected_logins=1), channel(Outcome.FAILED, Protocol.SMTP, rejected_logins=1)]
    metrics.probed(claim(), report(*channels), decision())
    assert value(metrics, "logins_rejected_total", provider="google") == 2


def test_faults_of_our_own_are_counted_by_name_and_bounded(metrics):
    for number in range(MAX_REASONS + 5):
        metrics.probed(claim(), report(channel(Outcome.IMPAIRED, impairment=f"fault_{number}")), decision())
    assert value(metrics, "probes_impaired_total", reason="fault_0") == 1
    assert value(metrics, "probes_impaired_total", reason="other") == 5


def test_certificates_are_shown_with_their_expiry(metrics):
    seen = Certificate("imap.example.org:993", NOW + timedelta(days=9), "issuer", "subject")
    metrics.probed(claim(), report(channel(certificate=seen)), decision())
    expiry = value(metrics, "tls_certificate_expiry_timestamp_seconds", endpoint="imap.example.org:993")
    assert expiry == (NOW + timedelta(days=9)).timestamp()


def test_counts_that_are_gone_become_zero(metrics):
    metrics.set_mailboxes({("google", State.BLOCKED): 3, ("x", State.HELD): 1, ("y", State.HELD): 1})
    assert value(metrics, "mailboxes", provider="google", state="blocked") == 3
    assert value(metrics, "mailboxes", provider="other", state="held") == 2
    metrics.set_mailboxes({})
    assert value(metrics, "mailboxes", provider="google", state="blocked") == 0


def test_what_the_daemon_tells_is_shown(metrics):
    metrics.set_due(5, 1.5)
    metrics.in_flight(7)
    metrics.pending_rows(8)
    metrics.stored(0.01)
    metrics.loop_lag(0.2)
    metrics.connectivity(False)
    metrics.fenced()
    shown = {
        "due_mailboxes": 5,
        "probe_lag_seconds": 1.5,
        "probes_in_flight": 7,
        "store_pending_rows": 8,
        "store_write_duration_seconds_count": 1,
        "event_loop_lag_seconds": 0.2,
        "self_connectivity_up": 0,
        "results_fenced_total": 1,
    }
    assert {name: value(metrics, name) for name in shown} == shown


def test_a_failed_reload_keeps_the_moment_of_the_last_good_one(metrics):
    metrics.reloaded(ok=True, at=NOW)
    metrics.reloaded(ok=False, at=NOW + timedelta(hours=1))
    assert value(metrics, "config_last_reload_successful") == 0
    assert value(metrics, "config_last_reload_success_timestamp_seconds") == NOW.timestamp()


async def test_the_rendering_is_text_unless_openmetrics_is_asked_for(metrics):
    body, kind = await metrics.render("")
    assert kind.startswith("text/plain; version=0.0.4")
    assert list(parse_text(body.decode()))
    wanted = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5"
    body, kind = await metrics.render(wanted)
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert list(parse_openmetrics(body.decode()))


@pytest.mark.parametrize("accept", ["*/*", "text/html", ";;,", "application/openmetrics-text;version=nonsense\r\nx: y", "é"])
async def test_no_accept_header_breaks_the_rendering_or_is_echoed(metrics, accept):
    _, kind = await metrics.render(accept)
    assert "nonsense" not in kind


async def test_rendering_takes_a_thread_of_its_own(metrics):
    loop = asyncio.get_running_loop()
    release = threading.Event()
    blocked = [loop.run_in_executor(None, release.wait) for _ in range(64)]  # the default pool is full
    try:
        body, _ = await asyncio.wait_for(metrics.render(""), timeout=120)
    finally:
        release.set()
        await asyncio.gather(*blocked)
    assert b"mailwatch_build_info" in body


async def test_scrapes_at_once_all_get_their_answer(metrics):
    bodies = await asyncio.gather(*(metrics.render("") for _ in range(5)))
    assert all(b"mailwatch_build_info" in body for body, _ in bodies)


async def test_a_scrape_that_is_given_up_disturbs_no_other(metrics):
    given_up = asyncio.create_task(metrics.render(""))
    await asyncio.sleep(0)
    given_up.cancel()
    body, _ = await metrics.render("")
    assert b"mailwatch_build_info" in body


def test_no_series_tells_when_it_was_created(metrics):
    metrics.probed(claim(), report(channel(timings_seconds={Phase.AUTH: 1.0})), decision())
    assert b"_created" not in metrics.exposition("")[0]
    assert b"_created" not in metrics.exposition("application/openmetrics-text")[0]


def test_the_processs_own_metrics_are_there(metrics):
    names = {family.name for family in metrics.instruments.registry.collect()}
    assert {"process_resident_memory_bytes", "process_open_fds", "python_gc_objects_collected"} <= names


def test_campaigns_are_counted_by_state_and_by_who_paused_them(metrics):
    metrics.set_campaigns(
        {(CampaignState.ACTIVE, "none"): 5, (CampaignState.PAUSED, "operator"): 2, (CampaignState.PAUSED, "?"): 1}
    )
    assert value(metrics, "campaigns", state="active", pause_reason="none") == 5
    assert value(metrics, "campaigns", state="paused", pause_reason="operator") == 2
    assert value(metrics, "campaigns", state="paused", pause_reason="person") == 1
    assert value(metrics, "campaigns", state="paused", pause_reason="automatic") == 0
    metrics.set_campaigns({})
    assert value(metrics, "campaigns", state="active", pause_reason="none") == 0


def test_deliveries_and_the_outbox_are_counted(metrics):
    assert value(metrics, "deliveries_total", kind="webhook", result="given_up") == 0
    metrics.delivery("webhook", "delivered")
    metrics.outbox_pending(7)
    assert value(metrics, "deliveries_total", kind="webhook", result="delivered") == 1
    assert value(metrics, "outbox_pending") == 7


def test_what_is_wrong_now_is_told_and_shown(metrics):
    place = Scope(ScopeKind.PROVIDER, "google")
    opened = Incident("inc_1", place, Cause.CONNECTION_TIMEOUT, NOW, NOW, 300, 0.9)
    metrics.set_incidents([opened], lambda scope: scope.name)
    metrics.circuit_changed("google", CircuitState.OPEN)
    metrics.set_waiting({Cause.INVALID_CREDENTIALS: 20})
    metrics.set_flapping({"google": 2})
    metrics.set_paused_longest({"automatic": 60.0})
    metrics.set_app_secrets({"outreach": NOW})
    metrics.set_held_back(5)
    metrics.set_consents_ending({"outreach": 4})
    metrics.set_webhooks({"crm": True})
    metrics.set_stale(3)
    metrics.store_failed()
    assert value(metrics, "incident_mailboxes", scope="provider", provider="google", cause="connection_timeout") == 300
    assert value(metrics, "incidents", scope="provider") == 1
    assert value(metrics, "provider_circuit_state", provider="google", state="open") == 1
    assert value(metrics, "mailboxes_waiting_for_person", owner="mailbox_owner", cause="invalid_credentials") == 20
    assert value(metrics, "flapping_mailboxes", provider="google") == 2
    assert value(metrics, "campaigns_paused_longest_seconds", pause_reason="automatic") == 60
    assert value(metrics, "oauth_app_secret_expiry_timestamp_seconds", oauth_app="outreach") == NOW.timestamp()
    assert value(metrics, "campaigns_held_back") == 5
    assert value(metrics, "oauth_consents_expiring", oauth_app="outreach") == 4
    assert value(metrics, "webhook_disabled", webhook="crm") == 1
    assert value(metrics, "stale_mailboxes") == 3
    assert value(metrics, "store_failures_total") == 1


def test_a_node_that_does_not_probe_says_nothing_of_its_network_and_of_circuits():
    silent = Metrics(["google"], "1", probes=False).exposition()[0].decode()
    assert "mailwatch_self_connectivity_up" not in silent
    assert "mailwatch_provider_circuit_state" not in silent
    assert "mailwatch_due_mailboxes" not in silent
    assert "mailwatch_probe_lag_seconds" not in silent
    assert "mailwatch_incidents{" in silent
    probing = Metrics(["google"], "1").exposition()[0].decode()
    assert "mailwatch_self_connectivity_up 1.0" in probing
    assert "mailwatch_provider_circuit_state{" in probing
