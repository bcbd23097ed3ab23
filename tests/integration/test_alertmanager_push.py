"""Alerts pushed to a real Alertmanager with the shipped configuration: one outage, one notification, and one when it is over."""

import asyncio
import contextlib
import json
import time
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from fakes.peer import ScriptedServer
from fakes.ports import FakeLog
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.daemon.parts import SystemClock
from mailwatch.delivery.alertmanager import AlertPusher
from mailwatch.delivery.alerts import WaitingGroup, Wording, incident_alerts, waiting_alerts
from mailwatch.probe import Dialer, EgressPolicy, Resolver, make_ssl_context
from mailwatch.probe.http import JudgedHttp
from servers.alertmanager import PROGRAM, Alertmanager, Receiver
from servers.presence import need_program
from servers.process import private_directory

pytestmark = [pytest.mark.integration, pytest.mark.waiting]

EXAMPLE = Path(__file__).resolve().parents[2] / "alerts/alertmanager.example.yml"
WORDING = Wording({"job": "mailwatch"})
#: In place of the minutes of the example.
_QUICK = {"group_wait": "300ms", "group_interval": "500ms"}


class Counted:
    """Counts what arrived at a peer."""

    def __init__(self) -> None:
        self.arrived = 0

    def delivery(self, kind: str, result: str) -> None:
        self.arrived += result == "delivered"


def configuration(receiver: Receiver) -> str:
    """The shipped example, in a hurry, with its receivers at *receiver*."""
    made = yaml.safe_load(EXAMPLE.read_text())
    for route in [made["route"], *made["route"]["routes"]]:
        route.update(_QUICK)
        if "repeat_interval" in route:
            route["repeat_interval"] = "1h"
    for one in made["receivers"]:
        one["webhook_configs"][0]["url"] = f"{receiver.url}/{one['name']}"
    return yaml.safe_dump(made)


@pytest.fixture
def receiver():
    with Receiver().running() as running:
        yield running


@pytest.fixture
def manager(receiver):
    need_program(PROGRAM, "prometheus-alertmanager")
    with private_directory("alertmanager") as root:
        server = Alertmanager(root, configuration(receiver))
        server.start()
        try:
            yield server
        finally:
            server.process.stop()


@contextlib.asynccontextmanager
async def pushing(*urls, resend_seconds=3.0, counted=None):
    """A pusher to *urls* over real HTTP.  What it does not send again in time resolves by itself: a busy machine is given some."""
    policy = EgressPolicy(allow_private_hosts=True, allowed_ports=None)
    http = JudgedHttp(Dialer(Resolver(None), policy, make_ssl_context(None)), allow_cleartext=True)
    pusher = AlertPusher(http, urls, SystemClock(), FakeLog(), counted or Counted(), resend_seconds=resend_seconds)
    task = asyncio.create_task(pusher.run())
    try:
        yield pusher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await http.close()


def outage(failed=300, name="dovecot"):
    now = datetime.now(UTC)
    place = Scope(ScopeKind.PROVIDER, name)
    return Incident(f"inc_{name}", place, Cause.CONNECTION_REFUSED, now - timedelta(seconds=20), now, failed, 0.9)


def alerts(*opened):
    return incident_alerts(opened, lambda scope: scope.name, WORDING)


async def until(condition, what):
    deadline = time.monotonic() + 120.0
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.02)


def rules_say(manager, name, severity, **labels):
    """Post an alert as Prometheus would of a rule."""
    labels = {"alertname": name, "severity": severity, "job": "mailwatch", "cause": "connection_refused"} | labels
    body = json.dumps([{"labels": labels, "annotations": {}}]).encode()
    request = urllib.request.Request(f"{manager.url}/api/v2/alerts", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(("failed", "silenced"), [(6, {"MailwatchProviderDegraded"}), (300, None)], ids=["small", "large"])
async def test_a_small_incident_does_not_silence_the_outage_of_its_provider_and_a_large_one_does(manager, failed, silenced):
    critical = {"MailwatchProviderOutage", "MailwatchOauthAppFailing"}
    async with pushing(manager.url) as pusher:
        small = replace(outage(failed), peak_share=0.9 if failed > 10 else 0.1)
        pusher.update(alerts(small))
        await until(lambda: len(manager.alerts()) == 1, "the incident did not arrive")
        for name in critical:
            rules_say(manager, name, "critical", provider="dovecot")
        rules_say(manager, "MailwatchProviderDegraded", "warning", provider="dovecot")

        def inhibited():
            # Alertmanager finds out when it is about to notify
            return {one["labels"]["alertname"] for one in manager.alerts() if one["status"]["inhibitedBy"]}

        expected = silenced or critical | {"MailwatchProviderDegraded"}
        await until(lambda: inhibited() == expected, "not the right ones are silenced")
        await asyncio.sleep(1.0)
        assert inhibited() == expected


async def test_an_outage_is_one_notification_and_its_end_one(receiver, manager):
    counted = Counted()
    async with pushing(manager.url, counted=counted) as pusher:
        for failed in (30, 120, 300, 300, 300):
            pusher.update(alerts(outage(failed)))
            await asyncio.sleep(0.4)
        await until(lambda: receiver.told("/pager", "firing"), "nothing was told")
        rounds = counted.arrived
        await until(lambda: counted.arrived >= rounds + 2, "it is not sent again")  # and many of the group's intervals
        pusher.update([])
        await until(lambda: receiver.told(status="resolved"), "its end was not told")
        await asyncio.sleep(1.5)
    (fired,), (over,) = receiver.told(status="firing"), receiver.told(status="resolved")
    assert fired["groupLabels"] == {"alertname": "MailwatchIncident", "provider": "dovecot", "cause": "connection_refused"}
    (alert,) = fired["alerts"]
    assert "mailboxes are disconnected at provider dovecot: connection_refused" in alert["annotations"]["description"]
    assert alert["annotations"]["next_step"]
    assert over["alerts"][0]["labels"] == alert["labels"]
    assert len(receiver.told()) == 2


async def test_who_must_act_is_told_by_owner_and_cause_and_not_to_the_pager(receiver, manager):
    now = datetime.now(UTC)
    groups = [WaitingGroup(Cause.INVALID_CREDENTIALS, 20, now), WaitingGroup(Cause.PROTOCOL_DISABLED, 2, now)]
    async with pushing(manager.url) as pusher:
        pusher.update(waiting_alerts(groups, WORDING))
        await until(lambda: len(receiver.told("/people")) == 2, "nobody was told")
    told = {one["groupLabels"]["cause"]: one["alerts"][0]["annotations"]["count"] for one in receiver.told("/people", "firing")}
    assert told == {"invalid_credentials": "20", "protocol_disabled": "2"}
    assert not receiver.told("/pager")


async def test_what_follows_from_an_incident_is_silent(receiver, manager):
    """Prometheus' own alert of the same outage comes seconds later, and of another provider's is told."""
    async with pushing(manager.url) as pusher:
        pusher.update(alerts(outage()))
        await until(lambda: receiver.told("/pager"), "nothing was told")
        for provider in ("dovecot", "google"):
            post(manager, alertname="MailwatchProviderOutage", provider=provider, cause="connection_refused", severity="critical")
        await until(lambda: len(receiver.told("/pager")) == 2, "the other provider was not told")
        await asyncio.sleep(1.0)
        assert [one["groupLabels"]["provider"] for one in receiver.told()] == ["dovecot", "google"]
        assert {one["labels"]["provider"] for one in manager.alerts() if one["status"]["inhibitedBy"]} == {"dovecot"}


async def test_while_our_own_network_is_broken_nothing_else_is_told(receiver, manager):
    post(manager, alertname="MailwatchSelfOffline", severity="critical")
    await until(lambda: receiver.told("/pager"), "nothing was told")
    async with pushing(manager.url) as pusher:
        waiting = waiting_alerts([WaitingGroup(Cause.MFA_REQUIRED, 3, datetime.now(UTC))], WORDING)
        pusher.update([*alerts(outage()), *waiting])
        await until(lambda: len(manager.alerts()) == 3, "the alerts did not arrive")
        await asyncio.sleep(1.5)
        assert [one["groupLabels"]["alertname"] for one in receiver.told()] == ["MailwatchSelfOffline"]


async def test_when_mailwatch_dies_its_alerts_resolve_by_themselves(receiver, manager):
    async with pushing(manager.url) as pusher:
        pusher.update(alerts(outage()))
        await until(lambda: receiver.told("/pager", "firing"), "nothing was told")
    await until(lambda: receiver.told("/pager", "resolved"), "it fires for ever")
    assert len(receiver.told()) == 2


async def test_an_alertmanager_that_restarts_tells_nothing_twice(receiver, manager):
    async with pushing(manager.url) as pusher:
        pusher.update(alerts(outage()))
        await until(lambda: receiver.told("/pager", "firing"), "nothing was told")
        await until(lambda: manager.notified() == 1, "the notification was not counted")
        await asyncio.sleep(1.0)  # and kept, which comes right after
        await asyncio.to_thread(manager.process.stop)
        await asyncio.to_thread(manager.start)
        await until(manager.alerts, "the alert was not sent again")
        await asyncio.sleep(1.5)
        pusher.update([])
        await until(lambda: receiver.told("/pager", "resolved"), "its end was not told")
    assert [one["status"] for one in receiver.told()] == ["firing", "resolved"]


async def test_a_peer_that_hangs_delays_nobody(receiver, manager, monkeypatch):
    monkeypatch.setattr("mailwatch.delivery.alertmanager.TIMEOUT_SECONDS", 3600.0)  # whoever waited for it would wait for ever

    async def silent(_peer):
        await asyncio.Event().wait()

    async with ScriptedServer(silent).running() as hanging, pushing(f"http://127.0.0.1:{hanging.port}", manager.url) as pusher:
        pusher.update(alerts(outage()))
        await until(lambda: receiver.told("/pager", "firing"), "the well one was not told")
        pusher.update([])
        await until(lambda: receiver.told("/pager", "resolved"), "its end was not told")
    assert hanging.connections >= 1


def post(manager: Alertmanager, **labels: str) -> None:
    """What Prometheus would send."""
    body = json.dumps([{"labels": {"job": "mailwatch", **labels}, "annotations": {}}]).encode()
    request = urllib.request.Request(f"{manager.url}/api/v2/alerts", body, {"content-type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
