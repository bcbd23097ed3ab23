"""The shipped rules in a real Prometheus, before a real Alertmanager: what is told of an outage, of people's work, of a dead daemon.

What is scraped is a daemon's own exposition; only the waits of rules and routes are scaled down.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.circuit import CircuitState
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.telemetry.metrics import Metrics
from servers.alertmanager import PROGRAM as ALERTMANAGER
from servers.alertmanager import Alertmanager, Receiver
from servers.presence import need_program
from servers.process import private_directory
from servers.prometheus import OF_THE_MACHINE, Prometheus
from servers.prometheus import PROGRAM as PROMETHEUS

pytestmark = [pytest.mark.integration, pytest.mark.waiting]

EXAMPLE = Path(__file__).resolve().parents[2] / "alerts/alertmanager.example.yml"
WATCHDOG = "/heartbeat"


class Exporter:
    """A daemon's exposition over HTTP, until it is killed."""

    def __init__(self) -> None:
        self.metrics = metrics = Metrics(["dovecot"], "1")

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body, kind = metrics.exposition(self.headers.get("accept", ""))
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.target = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="exporter")
        self._thread.start()

    def kill(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class Stage:
    """All of it, and what the receivers heard."""

    def __init__(self, exporter: Exporter, receiver: Receiver, prometheus: Prometheus) -> None:
        self.exporter, self.metrics, self.receiver, self.prometheus = exporter, exporter.metrics, receiver, prometheus
        self._before = 0

    def heard(self, status: str | None = None) -> list[tuple[str, str]]:
        """(alert, firing or resolved) of every notification but the pulse, and but what a busy machine brings about."""
        told = [(one["groupLabels"]["alertname"], one["status"]) for one in self.receiver.told()]
        others = [one for one in told if one[0] not in {"MailwatchWatchdog", *OF_THE_MACHINE}][self._before :]
        return [one for one in others if status in (None, one[1])]

    def missed(self) -> bool:
        """Whether the last that was told of the daemon itself is that it is away."""
        told = [one["status"] for one in self.receiver.told() if one["groupLabels"]["alertname"] == "MailwatchDown"]
        return told[-1:] == ["firing"]

    def firing(self) -> set[str]:
        """The alerts that fire, but those of a busy machine."""
        return {one["alertname"] for one in self.prometheus.firing()} - OF_THE_MACHINE

    def settle(self) -> None:
        """Wait for the first scrapes: scaled down, the time before them looks like a dead daemon."""
        self.until(lambda: self.receiver.told(WATCHDOG), "the pulse did not arrive")
        self.until(lambda: not self.missed(), "it is missed still")
        self.until(lambda: {one["alertname"] for one in self.prometheus.firing()} == {"MailwatchWatchdog"}, "it is not quiet")
        time.sleep(2.0)
        self._before = len(self.heard())

    def pass_time(self, seconds: float) -> None:
        """Time in which canaries look, as they do."""
        for _ in range(int(seconds * 5)):
            self.metrics.instruments.probes.labels("dovecot", "imap", "failed").inc()
            time.sleep(0.2)

    def until(self, condition: Callable[[], object], what: str, seconds: float = 180.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}; heard {self.heard()}, firing {self.prometheus.firing()}"
            time.sleep(0.05)


def fleet(metrics: Metrics, **states: int) -> None:
    metrics.set_mailboxes({("dovecot", State(state)): count for state, count in states.items()})


@pytest.fixture
def stage() -> Iterator[Stage]:
    need_program(PROMETHEUS, "prometheus")
    need_program(ALERTMANAGER, "prometheus-alertmanager")
    routes = yaml.safe_load(EXAMPLE.read_text())
    for route in [routes["route"], *routes["route"]["routes"]]:
        route.update({"group_wait": "300ms", "group_interval": "500ms"})
    with ExitStack() as running:
        receiver = running.enter_context(Receiver().running())
        for one in routes["receivers"]:
            one["webhook_configs"][0]["url"] = f"{receiver.url}/{one['name']}"
        manager = Alertmanager(running.enter_context(private_directory("alertmanager")), yaml.safe_dump(routes))
        manager.start()
        running.callback(manager.process.stop)
        exporter = Exporter()
        running.callback(exporter.kill)
        fleet(exporter.metrics, connected=300)
        root = running.enter_context(private_directory("prometheus"))
        prometheus = Prometheus(root, target=exporter.target, alertmanager=f"127.0.0.1:{manager.port}")
        prometheus.start()
        running.callback(prometheus.process.stop)
        made = Stage(exporter, receiver, prometheus)
        made.settle()
        yield made


def outage(failed: int) -> Incident:
    now = datetime.now(UTC)
    return Incident("inc_1", Scope(ScopeKind.PROVIDER, "dovecot"), Cause.CONNECTION_REFUSED, now, now, failed, failed / 300)


def test_an_outage_is_one_notification_and_one_when_it_is_over(stage: Stage) -> None:
    metrics = stage.metrics
    for failed in (90, 200, 300):
        fleet(metrics, connected=300 - failed, reconnecting=failed)
        metrics.set_incidents([outage(failed)], lambda scope: scope.name)
        stage.pass_time(0.6)
    metrics.circuit_changed("dovecot", CircuitState.OPEN)
    stage.until(lambda: stage.heard("firing"), "nothing was told")
    metrics.set_due(2, 4.0)  # what waits behind the circuit is in neither gauge (Upkeep): unit/daemon/test_upkeep.py
    metrics.set_stale(0)
    stage.pass_time(20.0)  # the scaled waits of all other alerts are long over: what would follow from the outage has had its time
    assert stage.heard() == [("MailwatchProviderOutage", "firing")]
    fleet(metrics, connected=300)
    metrics.set_due(0, 0.0)
    metrics.circuit_changed("dovecot", CircuitState.CLOSED)
    metrics.set_incidents([], lambda scope: scope.name)
    stage.until(lambda: stage.heard("resolved"), "its end was not told")
    time.sleep(3.0)
    assert stage.heard() == [("MailwatchProviderOutage", "firing"), ("MailwatchProviderOutage", "resolved")]
    paged = [one for one in stage.receiver.told("/pager", "firing") if one["groupLabels"]["alertname"] not in OF_THE_MACHINE]
    (told,) = paged
    words = told["alerts"][0]["annotations"]["description"]
    assert "mailboxes at dovecot are disconnected: connection_refused" in words
    assert "Next: " in words


def test_our_own_network_down_is_one_notification_and_hides_the_rest(stage: Stage) -> None:
    stage.metrics.connectivity(False)
    stage.until(lambda: stage.heard("firing"), "nothing was told")
    fleet(stage.metrics, connected=100, reconnecting=200)
    stage.metrics.set_incidents([outage(200)], lambda scope: scope.name)
    stage.metrics.set_waiting({Cause.MFA_REQUIRED: 5})
    fired = {"MailwatchProviderOutage", "MailwatchMailboxesNeedPerson"}
    stage.until(lambda: fired <= stage.firing(), "the rest does not even fire")
    time.sleep(2.0)
    assert stage.heard() == [("MailwatchSelfOffline", "firing")]


def test_people_are_told_once_of_all_that_waits_for_one_reason(stage: Stage) -> None:
    fleet(stage.metrics, connected=280, blocked=20)
    stage.metrics.set_waiting({Cause.INVALID_CREDENTIALS: 20})
    stage.until(lambda: stage.receiver.told("/people"), "nobody was told")
    time.sleep(2.0)
    assert stage.heard() == [("MailwatchMailboxesNeedPerson", "firing")]
    (told,) = stage.receiver.told("/people")
    assert told["groupLabels"] == {
        "alertname": "MailwatchMailboxesNeedPerson",
        "owner": "mailbox_owner",
        "cause": "invalid_credentials",
    }
    assert "20 mailboxes are stopped by invalid_credentials" in told["alerts"][0]["annotations"]["description"]


def test_a_daemon_that_is_killed_is_missed_while_the_pulse_goes_on(stage: Stage) -> None:
    stage.until(lambda: not stage.missed(), "it is missed before")
    stage.exporter.kill()
    stage.until(stage.missed, "nobody misses it")
    beats = len(stage.receiver.told(WATCHDOG))
    stage.until(lambda: len(stage.receiver.told(WATCHDOG)) > beats, "the pulse does not go on")
    assert stage.heard() == []
    assert stage.firing() == {"MailwatchWatchdog"}
    assert "MailwatchDown" in {one["alertname"] for one in stage.prometheus.firing()}
