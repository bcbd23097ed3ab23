"""A daemon that lives but does not watch: the watchdog goes hungry, and what still can work goes on."""

import itertools
import signal
import time

import pytest

from integration import broken_daemon
from integration.simulated import Simulation
from integration.systemd_socket import SystemdSocket

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
WATCHDOG_SECONDS = 2.0


def longest_gap(moments):
    """The longest time between two of them."""
    return max(later - earlier for earlier, later in itertools.pairwise(moments))


def broken(bug):
    """What Python runs instead of mailwatch."""
    return (broken_daemon.__file__, bug.__name__)


def test_a_blocked_loop_and_a_frozen_process_feed_no_watchdog_and_are_seen_in_the_metric(tmp_path):
    with (
        Simulation(tmp_path, [], mailboxes=30) as simulation,
        SystemdSocket(tmp_path) as systemd,
        simulation.node(tmp_path, interval=2, timeout=60) as node,
    ):
        node.start(program=broken(broken_daemon.loop_blocks), environment=systemd.environment(WATCHDOG_SECONDS))
        node.wait(lambda: len(systemd.told("WATCHDOG=1")) > 2, "it to be fed")
        node.process.send_signal(signal.SIGUSR2)
        node.wait(
            lambda: node.metric("mailwatch_event_loop_lag_seconds") > broken_daemon.BLOCKED_SECONDS - 2, "the metric to tell of it"
        )
        assert longest_gap(systemd.told("WATCHDOG=1")) > WATCHDOG_SECONDS, "systemd would not have noticed"

        node.process.send_signal(signal.SIGSTOP)
        time.sleep(1)  # what was told before is read
        systemd.heard.clear()
        time.sleep(5)
        assert systemd.told("WATCHDOG=1") == []
        node.process.send_signal(signal.SIGCONT)
        node.wait(lambda: len(systemd.told("WATCHDOG=1")) > 2, "it to be fed again")
        # Nobody was blamed for our own sleep.
        assert node.query("SELECT to_state, cause, evidence FROM transitions WHERE cause IS NOT NULL") == []
        assert node.stop() == 0


def test_a_scheduler_that_died_starves_the_watchdog_though_all_else_lives(tmp_path):
    with (
        Simulation(tmp_path, [], mailboxes=10) as simulation,
        SystemdSocket(tmp_path) as systemd,
        simulation.node(tmp_path, interval=2) as node,
    ):
        node.start(program=broken(broken_daemon.scheduler_dies), environment=systemd.environment(WATCHDOG_SECONDS))
        node.process.send_signal(signal.SIGUSR2)
        node.wait(lambda: any("no progress: scheduler" in text for _, text in systemd.heard), "the standstill to be told")
        assert node.get("/metrics")[0] == 200, "by all other signs it is alive"
        systemd.heard.clear()
        time.sleep(2 * WATCHDOG_SECONDS)
        assert systemd.told("WATCHDOG=1") == []
        assert node.stop() == 0


def test_probes_and_http_need_no_thread_of_the_default_pool(tmp_path):
    with Simulation(tmp_path, [], mailboxes=30) as simulation, simulation.node(tmp_path, interval=2, timeout=30) as node:
        node.long_watched()
        node.start(program=broken(broken_daemon.threads_are_taken))
        node.process.send_signal(signal.SIGUSR2)
        time.sleep(1)
        probed = node.metric("mailwatch_probes_total", result="healthy")
        node.wait(lambda: node.metric("mailwatch_probes_total", result="healthy") > probed + 120, "probes to go on")
        node.wait(lambda: node.status()["due"] < 30, "the schedule to be kept")
        assert node.states() == {"connected": 30}
        node.process.send_signal(signal.SIGUSR2)
        assert node.stop() == 0
