"""One outage, one alert, with everything real: the daemon over Dovecot and Postfix, Prometheus with the shipped rules, Alertmanager
with the shipped example.

Mailboxes are looked at each ten seconds in place of each five minutes, and what rules, routes and pushes wait for is scaled down
alike; nothing else is.
"""

import os
import re
import signal
import socket
import time
from collections import Counter
from contextlib import ExitStack

import pytest
import yaml

from integration.node import Node
from integration.recording_daemon import looks, most_within, recording
from servers.alertmanager import PROGRAM as ALERTMANAGER
from servers.alertmanager import Alertmanager, Receiver
from servers.presence import need_program
from servers.process import private_directory
from servers.prometheus import ALERTS, OF_THE_MACHINE, Prometheus
from servers.prometheus import PROGRAM as PROMETHEUS

pytestmark = [pytest.mark.integration, pytest.mark.waiting]

MAILBOXES = 300
INTERVAL = 10
#: How much faster than with the default interval.
FACTOR = 300 / INTERVAL
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_PULSE = "MailwatchWatchdog"
_PUSH = """
[budget]
host_rejected_logins = 100
[alertmanager]
urls = ["{url}"]
resend_seconds = 5
linger_seconds = {linger}
"""


class Uplink:
    """A server of somebody else's that is always there, as long as our own network is."""

    def __init__(self):
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.place = f"127.0.0.1:{self._server.getsockname()[1]}"

    def cut(self):
        self._server.close()

    def mend(self):
        host, port = self.place.split(":")
        self._server = socket.create_server((host, int(port)), backlog=64)


class Stage:
    """All of it, and what the receivers heard."""

    def __init__(self, dovecot, postfix, node, receiver, prometheus, uplink):
        self.dovecot, self.postfix, self.node = dovecot, postfix, node
        self.receiver, self.prometheus, self.uplink = receiver, prometheus, uplink
        self.looks = node.root / "looks"
        self.users = [f"u{number:05d}" for number in range(1, MAILBOXES + 1)]
        self._before = 0
        self._moment = 0

    def heard(self, status=None):
        """(alert, firing or resolved) of every notification since `settle`, as `notes` has them."""
        return [(one["groupLabels"]["alertname"], one["status"]) for one in self.notes() if status in (None, one["status"])]

    def notes(self):
        """Every notification since `settle` but the pulse, and but what a busy machine brings about."""
        heard = [one for one in self.receiver.told() if one["groupLabels"]["alertname"] not in {_PULSE, *OF_THE_MACHINE}]
        return heard[self._before :]

    def missed(self):
        """Whether the last that was told of the daemon itself is that it is away."""
        told = [one["status"] for one in self.receiver.told() if one["groupLabels"]["alertname"] == "MailwatchDown"]
        return told[-1:] == ["firing"]

    def settle(self):
        """All are connected, and nothing but the pulse fires: scaled down, the time before the first scrape looks like an outage."""
        self.until(lambda: self.node.states() == {"connected": MAILBOXES}, "all to be connected")
        self.until(lambda: self.receiver.told("/heartbeat"), "the pulse")
        self.until(lambda: not self.missed(), "it to be missed no more")
        self.until(lambda: {one["alertname"] for one in self.prometheus.firing()} == {_PULSE}, "quiet")
        time.sleep(2)
        self.until(lambda: len(self.heard("firing")) == len(self.heard("resolved")), "what fired meanwhile to be over")
        self.listen()
        self._moment = int(time.time() * 1e6)

    def listen(self):
        """What was heard until now is of no interest any more."""
        self._before += len(self.notes())

    def until(self, condition, what):
        self.node.wait(condition, f"{what}; heard {self.heard()}, firing {self.prometheus.firing()}")

    def moves(self):
        """{(from, to, cause): how many} since `settle`."""
        rows = self.node.query("SELECT from_state, to_state, cause FROM transitions WHERE at > ?", self._moment)
        return Counter((before, after, cause) for before, after, cause in rows)

    def incidents(self):
        """(kind, name, cause, times reopened, still open) of those opened since `settle`."""
        rows = "SELECT kind, name, cause, reopened, closed_at IS NULL FROM incidents WHERE opened_at > ?"
        return self.node.query(rows, self._moment)

    def campaigns(self):
        """{state: how many}."""
        return dict(self.node.query("SELECT state, count(*) FROM campaigns GROUP BY state"))


def shorter(duration):
    """A duration of Alertmanager's, so many times shorter."""
    amount, unit = re.fullmatch(r"(\d+)([smh])", duration).groups()
    return f"{max(1, round(int(amount) * _UNITS[unit] * 1000 / FACTOR))}ms"


def routes(receiver):
    """The shipped example for Alertmanager, in the same hurry, with its receivers at *receiver*."""
    made = yaml.safe_load((ALERTS / "alertmanager.example.yml").read_text())
    made["global"]["resolve_timeout"] = shorter(made["global"]["resolve_timeout"])
    for route in [made["route"], *made["route"]["routes"]]:
        route |= {key: shorter(value) for key, value in route.items() if key in ("group_wait", "group_interval", "repeat_interval")}
    for one in made["receivers"]:
        one["webhook_configs"][0]["url"] = f"{receiver.url}/{one['name']}"
    return yaml.safe_dump(made)


@pytest.fixture
def stage(start_dovecot, start_postfix, tmp_path):
    """All of it, at work; the mailboxes have been connected for long."""
    need_program(PROMETHEUS, "prometheus")
    need_program(ALERTMANAGER, "prometheus-alertmanager")
    dovecot = start_dovecot(users=MAILBOXES, with_relay=False)
    # What cannot ask Dovecot ends, and Postfix by default waits a minute before it starts it anew.
    postfix = start_postfix(dovecot, settings={"service_throttle_time": "1s"})
    with ExitStack() as running:
        root = {name: running.enter_context(private_directory(name)) for name in ("manager", "prometheus")}
        receiver = running.enter_context(Receiver().running())
        manager = Alertmanager(root["manager"], routes(receiver))
        manager.start()
        running.callback(manager.process.stop)
        uplink = Uplink()
        running.callback(uplink.cut)
        extra = _PUSH.format(url=manager.url, linger=180 / FACTOR)
        options = {"interval": INTERVAL, "max_in_flight": 400, "circuits": "true"}
        options |= {"canary_seconds": 1, "ramp_doubles_seconds": 3}
        node = running.enter_context(Node(tmp_path, dovecot.ca_file, canaries=[uplink.place], extra=extra, **options))
        target, told = node.url.removeprefix("http://"), manager.url.removeprefix("http://")
        prometheus = Prometheus(root["prometheus"], target=target, alertmanager=told, factor=FACTOR)
        made = Stage(dovecot, postfix, node, receiver, prometheus, uplink)
        imap, smtp = f"imaps://localhost:{dovecot.imaps_port}", f"smtps://localhost:{postfix.submissions_port}"
        node.add_users(made.users, imap, smtp)
        node.verb("campaign", "add", "spring", *(f"--mailbox={user}@mail.test" for user in made.users))
        node.long_watched(overdue_seconds=INTERVAL)
        node.start(**recording(made.looks))
        prometheus.start()
        running.callback(prometheus.process.stop)
        made.settle()
        yield made


def test_an_outage_is_told_once_with_what_to_do_and_its_end_once(stage):
    node, dovecot = stage.node, stage.dovecot
    dovecot.crash()
    stage.until(lambda: stage.heard("firing"), "the outage to be told")
    stage.until(lambda: stage.campaigns() == {"paused": 1}, "campaigns to be paused")
    time.sleep(15)
    assert stage.heard() == [("MailwatchIncident", "firing")]
    (fired,) = stage.notes()
    assert fired["groupLabels"] == {"alertname": "MailwatchIncident", "provider": "lab", "cause": "connection_refused"}
    assert fired["receiver"] == "pager"
    words = fired["alerts"][0]["annotations"]
    found = re.match(r"(\d+) mailboxes are disconnected at provider lab: connection_refused\.", words["description"])
    assert 0.8 * MAILBOXES <= int(found[1]) <= MAILBOXES
    assert "status page" in words["next_step"]
    stage.until(
        lambda: node.metric("mailwatch_incident_mailboxes", scope="provider", provider="lab") >= 0.95 * MAILBOXES, "all to count"
    )
    stage.until(
        lambda: node.metric("mailwatch_provider_circuit_state", provider="lab", state="open") == 1, "the circuit to be open"
    )
    # A few have looked, for all others: it was found out before half of an interval's looks, two and a half minutes of the default.
    assert sum(count for move, count in stage.moves().items() if move[1] == "suspect") < MAILBOXES / 2

    back = time.monotonic()
    dovecot.start()
    stage.until(lambda: stage.heard("resolved"), "the end to be told")
    stage.until(lambda: stage.campaigns() == {"active": 1} and set(node.states()) == {"connected"}, "all to go on")
    # 300 mailboxes in 10 s are 30 looks a second, the ramp for all allows half as many again, and a second's worth of them at once.
    # When the servers get round to them is not mailwatch's to say: Postfix lets those go at once that had hung in it.
    after = looks(stage.looks, back)
    print(f"looks a second after the return: {[count for _, count in sorted(Counter(map(int, after)).items())]}")
    assert len(after) >= MAILBOXES
    for seconds in (1, 3, 10):
        assert most_within(after, seconds) <= 45 * (seconds + 1) + 5, seconds
    time.sleep(5)
    assert stage.heard() == [("MailwatchIncident", "firing"), ("MailwatchIncident", "resolved")]
    assert stage.incidents() == [("provider", "lab", "connection_refused", 0, 0)]
    assert stage.dovecot.rejected() == 0


def suspicions(stage):
    """How many looks raised one: those under way when the cable goes, beside one that just got through, and nothing worse."""
    moves = Counter(move[:2] for move in stage.moves().elements())
    assert set(moves) <= {("connected", "suspect"), ("suspect", "connected")}, moves
    return moves["connected", "suspect"]


def test_our_own_network_cut_changes_nothing_and_is_told_alone_and_a_killed_daemon_is_missed(stage):
    stage.uplink.cut()
    for server in (stage.dovecot, stage.postfix):
        os.killpg(server.process.pid, signal.SIGKILL)  # both in a moment, as a cable takes everything
    stage.dovecot.stop()
    stage.postfix.stop()
    stage.until(lambda: stage.heard("firing"), "the cut to be told")
    time.sleep(15)
    assert stage.heard() == [("MailwatchSelfOffline", "firing")]
    raised = suspicions(stage)
    assert raised <= 10, "a third of a second's looks: more were not under way"
    stage.dovecot.start()
    stage.postfix.start()
    stage.uplink.mend()
    stage.until(lambda: stage.heard("resolved"), "its end to be told")
    healthy = stage.node.metric("mailwatch_probes_total", result="healthy")
    stage.until(
        lambda: stage.node.metric("mailwatch_probes_total", result="healthy") > healthy + 2 * MAILBOXES, "all to be watched"
    )
    stage.until(lambda: stage.node.states() == {"connected": MAILBOXES}, "all to be as they were")
    assert suspicions(stage) == raised, "none while it is known that it is us, and none by the return"
    assert stage.heard() == [("MailwatchSelfOffline", "firing"), ("MailwatchSelfOffline", "resolved")]
    assert stage.incidents() == [("egress", "own", "local_network_down", 0, 0)]

    # Thereafter it is killed.
    stage.listen()
    stage.until(lambda: not stage.missed(), "it to be there")
    stage.node.stop(signal.SIGKILL)
    beats = len(stage.receiver.told("/heartbeat"))
    stage.until(stage.missed, "it to be missed")
    stage.until(lambda: len(stage.receiver.told("/heartbeat")) > beats + 1, "the pulse to go on")
    assert stage.heard() == []


def test_twenty_dead_passwords_are_one_message_to_people_and_no_outage(stage):
    node, dovecot = stage.node, stage.dovecot
    gone = stage.users[::15]
    dovecot.set_passwords(dict.fromkeys(gone, "another"))
    stage.until(lambda: node.states().get("blocked") == len(gone), "all of them to be blocked")
    stage.until(stage.heard, "people to be told")
    time.sleep(12)
    assert stage.heard() == [("MailwatchMailboxesNeedPerson", "firing")]
    (told,) = stage.notes()
    assert told["receiver"] == "people"
    assert told["groupLabels"]["owner"] == "mailbox_owner"
    assert told["groupLabels"]["cause"] == "invalid_credentials"
    labels = {"owner": "mailbox_owner", "cause": "invalid_credentials"}
    stage.until(lambda: node.metric("mailwatch_mailboxes_waiting_for_person", **labels) == len(gone), "the gauge to follow")
    stage.until(lambda: node.metric("mailwatch_provider_circuit_state", provider="lab", state="closed") == 1, "the circuit's gauge")
    assert stage.incidents() == []
    stage.until(lambda: set(dovecot.rejected_by_user()) == set(gone), "the server's log to have them all")
    assert max(dovecot.rejected_by_user().values()) <= 2


def test_declared_maintenance_is_nobodys_alarm_and_what_it_took_is_proven_afterwards(stage):
    node = stage.node
    node.verb("maintenance", "add", "upgrade of the lab", "--minutes", "60", "--scope", "provider:lab")
    time.sleep(20)  # the daemon learns of it each five seconds, and nothing tells that it has
    stage.dovecot.stop()
    stage.until(lambda: "reconnecting" in node.states(), "the outage to be noticed")
    time.sleep(15)
    stage.dovecot.start()
    # Postfix hangs for a while in those that it was asked for meanwhile; the window lasts until work is done
    stage.until(lambda: set(node.states()) <= {"verifying", "connected"}, "all to get through again")
    ((window,),) = node.query("SELECT id FROM maintenance")
    node.verb("maintenance", "end", window)
    stage.until(lambda: set(node.states()) == {"connected"} and not node.status()["incidents"], "all to be connected again")
    moves = stage.moves()
    print(f"moves: {moves}")
    assert {cause for (_, _, cause) in moves if cause is not None} == {"platform_maintenance"}
    taken = moves["suspect", "reconnecting", "platform_maintenance"]
    assert taken >= 10
    assert sum(count for (before, after, _), count in moves.items() if (before, after) == ("verifying", "connected")) == taken
    assert stage.campaigns() == {"active": 1}
    assert stage.heard() == []
