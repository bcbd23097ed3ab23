"""New keys while the daemon works: `key rotate` killed again and again, and no login fails for want of its secret."""

import subprocess
import sys
import time

import pytest

from integration.simulated import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
MAILBOXES = 200


def rotation(node):
    """`mailwatch key rotate`, begun."""
    command = [sys.executable, "-m", "mailwatch", "key", "rotate", *node._config]
    return subprocess.Popen(command, env=node._environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def rotate(node):
    """`mailwatch key rotate`, to its end."""
    running = rotation(node)
    said, _ = running.communicate(timeout=300)
    assert running.returncode == 0, said


def test_rotations_killed_under_load_leave_every_secret_readable(tmp_path):
    with Simulation(tmp_path, [], mailboxes=MAILBOXES) as simulation, simulation.node(tmp_path, interval=2, timeout=30) as node:
        node.long_watched()
        node.start()
        began = time.monotonic()
        rotate(node)
        lasts = time.monotonic() - began
        for share in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
            killed = rotation(node)
            time.sleep(share * lasts)
            killed.kill()
            killed.communicate()
        rotate(node)
        healthy = node.metric("mailwatch_probes_total", result="healthy")
        node.wait(
            lambda: node.metric("mailwatch_probes_total", result="healthy") > healthy + 4 * MAILBOXES, "all to be looked at again"
        )
        assert node.states() == {"connected": MAILBOXES}
        assert node.query("SELECT count(*) FROM transitions") == [(0,)]
        assert node.metric("mailwatch_probes_total", result="failed") == 0
        assert node.query("SELECT count(DISTINCT kid) FROM secrets") == [(1,)]
        node.verb("db", "check")
        assert node.stop() == 0
        node.start()
        node.wait(
            lambda: node.metric("mailwatch_probes_total", result="healthy") > 2 * MAILBOXES, "all to be looked at after a restart"
        )
        assert node.states() == {"connected": MAILBOXES}
        assert node.stop() == 0
