"""Signals in the worst moments, and standard streams that nobody reads: the daemon ends, reloads or goes on as promised."""

import contextlib
import fcntl
import json
import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from integration.simulated import Simulation
from integration.systemd_socket import SystemdSocket

pytestmark = [pytest.mark.slow, pytest.mark.waiting]

MUTE = {"at": 0, "kind": "mute", "provider": "hoster-a"}
#: Of a probe, in seconds.  A stop that waited for probes that hang would take as long, and longer than the test waits for a stop.
TIMEOUT = 300


def events(node, name):
    """What the daemon's log says under this name."""
    whole, _, _ = node.log.read_text(errors="replace").rpartition("\n")  # without what is being written
    lines = [line[line.index("{") :] for line in whole.splitlines() if f'"{name}"' in line]
    return [json.loads(line) for line in lines]


def test_a_stop_under_load_with_peers_that_hang_is_in_time_and_a_second_signal_is_immediate(tmp_path):
    with (
        Simulation(tmp_path, [MUTE], mailboxes=400) as simulation,
        SystemdSocket(tmp_path) as systemd,
        simulation.node(tmp_path, interval=4, timeout=TIMEOUT, max_in_flight=250) as node,
    ):

        def hung():
            return node.metric("mailwatch_probes_in_flight") > 100

        node.long_watched()
        node.start(environment=systemd.environment())
        node.wait(hung, "many probes to hang")
        node.process.send_signal(signal.SIGTERM)
        node.wait(lambda: events(node, "daemon.stopping"), "the first signal to be heeded")
        time.sleep(1)
        assert node.process.poll() is None, "the first signal waits for what is in flight"
        assert node.stop(signal.SIGTERM) == 128 + signal.SIGTERM
        assert not events(node, "daemon.stopped"), "the second did not wait until all was in order"
        node.verb("db", "check")

        node.start(environment=systemd.environment())
        node.wait(hung, "many probes to hang again")
        systemd.heard.clear()
        node.process.send_signal(signal.SIGTERM)
        node.wait(lambda: systemd.told("STOPPING=1"), "systemd to be told")
        assert node.get("/-/ready") == (503, "not ready: stopping\n")
        in_flight = [node.metric("mailwatch_probes_in_flight")]
        with contextlib.suppress(OSError):  # what is told of them ends with the grace they have
            while True:
                time.sleep(0.5)
                in_flight.append(node.metric("mailwatch_probes_in_flight"))
        assert in_flight == sorted(in_flight, reverse=True), "no probe begins once it is stopping"
        assert node.process.wait(180) == 0
        assert events(node, "daemon.stopped")[-1]["cancelled"] > 0
        assert not events(node, "loop.exception")
        node.verb("db", "check")
        assert node.query("SELECT mailbox_id FROM standings WHERE cause IS NOT NULL") == [], "a probe broken off judges nobody"


def test_a_storm_of_reloads_is_a_few_and_a_bad_file_changes_nothing_but_the_metric(tmp_path):
    with Simulation(tmp_path, [], mailboxes=60) as simulation, simulation.node(tmp_path, interval=2) as node:
        node.long_watched()
        node.start()
        began, sent = time.monotonic(), 0
        while sent < 1000 or time.monotonic() < began + 4:
            node.process.send_signal(signal.SIGHUP)
            sent += 1
            time.sleep(0.001)
        node.wait(lambda: node.metric("mailwatch_probe_lag_seconds") < 4, "the schedule to be kept")
        node.wait(lambda: len(events(node, "config.reloaded")) >= 3, "some to be heeded")
        # a second lies between two of them, at the least
        assert len(events(node, "config.reloaded")) <= time.monotonic() - began + 2

        good = node.config.read_text()
        node.config.write_text(good.replace("interval_seconds = 2", "interval_seconds = 0\nmax_in_flihgt = 5"))
        node.process.send_signal(signal.SIGHUP)
        node.wait(lambda: node.metric("mailwatch_config_last_reload_successful") == 0, "the metric to tell")
        node.wait(lambda: events(node, "config.not_reloaded"), "the log to tell")
        (told, *_) = events(node, "config.not_reloaded")
        assert "interval_seconds" in told["error"]
        assert "max_in_flight" in told["error"], "the name that was meant is suggested"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(node.url + "/-/reload", method="POST"), timeout=60)
        assert refused.value.code == 500
        assert "interval_seconds" in refused.value.read().decode()
        refused.value.close()
        probed = node.metric("mailwatch_probes_total")
        node.wait(lambda: node.metric("mailwatch_probes_total") > probed + 120, "probes to go on as before")

        node.config.write_text(good)
        keyring = node.root / "keyring.json"
        keyring.rename(node.root / "away")
        node.process.send_signal(signal.SIGHUP)
        time.sleep(3)
        probed = node.metric("mailwatch_probes_total", result="healthy")
        node.wait(lambda: node.metric("mailwatch_probes_total", result="healthy") > probed + 120, "secrets to be opened still")
        (node.root / "away").rename(keyring)
        node.process.send_signal(signal.SIGHUP)
        node.wait(lambda: node.metric("mailwatch_config_last_reload_successful") == 1, "the good file to be in force")
        assert node.states() == {"connected": 60}
        assert node.stop() == 0


#: Everything that the daemon says goes where `$0` leads.
INTO_A_PIPE = ("sh", "-c", 'exec "$@" > "$0" 2>&1')
FLAPPING = [{"at": 4 * n, "kind": "drop_on_accept", "provider": "hoster-a", "duration": 2} for n in range(400)]


def is_at_work(node, lines):
    """Wait until it has said *lines* more, and probed more."""
    before = len(node.query("SELECT id FROM transitions"))
    node.wait(lambda: len(node.query("SELECT id FROM transitions")) > before + lines, "a lot to be said")
    probed = node.metric("mailwatch_probes_total")
    node.wait(lambda: node.metric("mailwatch_probes_total") > probed + 100, "probes to go on")


def test_without_standard_streams_no_other_file_takes_their_place(tmp_path):
    with Simulation(tmp_path, FLAPPING, mailboxes=60) as simulation, simulation.node(tmp_path, interval=2) as node:
        node.long_watched()
        node.start(before=("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"))
        is_at_work(node, 30)
        # Who writes to standard error must never write into a mail server's connection or into the database.
        assert {str(Path(f"/proc/{node.process.pid}/fd/{number}").readlink()) for number in (0, 1, 2)} == {os.devnull}
        assert node.stop() == 0
        node.verb("db", "check")


def test_a_reader_of_the_log_that_stops_reading_or_leaves_holds_nobody_up(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    with Simulation(tmp_path, FLAPPING, mailboxes=60) as simulation, simulation.node(tmp_path, interval=2) as node:
        node.long_watched()
        node.start(before=(*INTO_A_PIPE, pipe))
        is_at_work(node, 40)
        os.close(reader)
        is_at_work(node, 10)
        assert node.stop() == 0
        node.verb("db", "check")
