"""The machine under the daemon: no descriptors, no uplink, no authorities, five thousand mailboxes after a stop - nobody is blamed."""

import itertools
import socket
import subprocess
import time
from pathlib import Path

import pytest

from integration.node import Node
from integration.simulated import Simulation
from servers.presence import need_program
from servers.process import free_port

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
CUT_AT, CUT_SECONDS = 9, 14


def test_with_64_descriptors_it_takes_on_less_answers_and_blames_nobody(tmp_path):
    need_program("prlimit", "util-linux")
    slow = [{"at": 0, "kind": "login_delay", "provider": name, "seconds": 1} for name in ("hoster-a", "hoster-b", "yahoo")]
    with Simulation(tmp_path, slow, mailboxes=150) as simulation, simulation.node(tmp_path, interval=4, max_in_flight=100) as node:
        node.long_watched(overdue_seconds=4)
        node.start(before=("prlimit", "--nofile=64:64"))
        busiest = 0
        for _ in range(20):
            time.sleep(0.8)
            assert node.get("/-/healthy")[0] == 200
            busiest = max(busiest, node.metric("mailwatch_probes_in_flight"))
        assert 6 <= busiest <= 12, "more would fit the configuration, but not the descriptors"
        assert '"probes.limited"' in node.log.read_text()
        assert node.metric("mailwatch_probes_total", result="healthy") > 60
        assert node.states() == {"connected": 150}
        assert node.query("SELECT count(*) FROM transitions") == [(0,)]

        # Something else takes what was left for HTTP and the database: what fails then is ours, and is said to be.
        subprocess.run(["prlimit", f"--pid={node.process.pid}", "--nofile=34:64"], check=True)
        time.sleep(8)
        subprocess.run(["prlimit", f"--pid={node.process.pid}", "--nofile=64:64"], check=True)
        impaired = node.metric("mailwatch_probes_impaired_total", reason="out_of_descriptors")
        assert impaired > 0, "they were enough: this shows nothing"
        assert node.metric("mailwatch_probes_impaired_total") == impaired
        probed = node.metric("mailwatch_probes_total", result="healthy")
        node.wait(lambda: node.metric("mailwatch_probes_total", result="healthy") > probed + 20, "probes to go on", 15)
        assert node.states() == {"connected": 150}
        assert node.query("SELECT count(*) FROM transitions") == [(0,)]
        assert node.stop() == 0


def test_while_our_uplink_is_cut_no_mailbox_changes_and_all_are_watched_afterwards(tmp_path):
    cut = [
        {"at": CUT_AT, "kind": "refuse", "provider": name, "duration": CUT_SECONDS} for name in ("hoster-a", "hoster-b", "yahoo")
    ]
    port = free_port()
    with Simulation(tmp_path, cut, mailboxes=90) as simulation:
        began = time.monotonic()
        with simulation.node(tmp_path, interval=3) as node, socket.socket() as canary:
            node.config.write_text(node.config.read_text().replace("[network]", f'[network]\ncanaries = ["127.0.0.1:{port}"]'))
            canary.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            canary.bind(("127.0.0.1", port))
            canary.listen(64)
            node.long_watched(overdue_seconds=3)
            node.start()
            time.sleep(max(0.0, began + CUT_AT - 0.5 - time.monotonic()))
            canary.close()
            node.wait(lambda: node.metric("mailwatch_self_connectivity_up") == 0, "the cut to be noticed", 12)
            assert "own network is down" in node.status()["sentence"]
            node.wait(lambda: node.metric("mailwatch_probes_total", result="failed") > 60, "probes to fail", 15)
            time.sleep(max(0.0, began + CUT_AT + CUT_SECONDS + 1 - time.monotonic()))
            with socket.create_server(("127.0.0.1", port)):
                node.wait(lambda: node.metric("mailwatch_self_connectivity_up") == 1, "the end of the cut to be noticed", 25)
                probed = node.metric("mailwatch_probes_total", result="healthy")
                node.wait(lambda: node.metric("mailwatch_probes_total", result="healthy") > probed + 180, "all to be watched", 25)
            assert node.states() == {"connected": 90}
            assert node.query("SELECT count(*) FROM transitions") == [(0,)]
            assert node.stop() == 0
        totals = simulation.end()
        assert sum(total["rejected"] for total in totals.values()) == 0


def test_without_authorities_to_trust_it_does_not_start(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with Node(tmp_path, empty) as node:
        code, words = node.refused()
        assert code == 78
        assert "ca_file" in words or "certificate" in words
        assert "Traceback" not in words
        node.config.write_text(node.config.read_text().replace(str(empty), str(tmp_path / "nowhere.pem")))
        code, words = node.refused()
        assert code == 78
        assert "nowhere.pem" in words
        assert "Traceback" not in words


def test_a_restart_with_five_thousand_overdue_mailboxes_is_no_burst_and_no_news(tmp_path):
    count, interval = 5000, 100
    with Simulation(tmp_path, [], mailboxes=count) as simulation:
        with simulation.node(tmp_path, interval=interval, max_in_flight=200) as node:
            node.long_watched(overdue_seconds=600)
            node.start(before=["prlimit", f"--data={256 * 2**20}"])  # what it writes to, stacks of threads and all
            # The fleet may be caught up with one and a half times as fast as its interval asks for; a login over each channel.
            most = 2 * 1.5 * count / interval
            seen = [(time.monotonic(), node.metric("mailwatch_probes_total"))]
            for _ in range(40):
                time.sleep(1)
                seen.append((time.monotonic(), node.metric("mailwatch_probes_total")))
            rates = [(after - before) / (late - early) for (early, before), (late, after) in itertools.pairwise(seen)]
            print(f"channels probed a second: {[round(rate) for rate in rates]}")
            # A burst of one second may come on top, and a second of the scrape is not a second of the daemon.
            assert max(rates) <= 2.5 * most
            assert sum(rates) / len(rates) > 0.6 * most, "the backlog is worked off"
            assert sum(rates[:5]) / 5 <= 1.5 * most
            assert node.states() == {"connected": count}
            assert node.query("SELECT count(*) FROM transitions") == [(0,)]
            status = dict(line.split(":", 1) for line in Path(f"/proc/{node.process.pid}/status").read_text().splitlines())
            assert int(status["VmHWM"].split()[0]) < 256 * 1024, status["VmHWM"]
            assert node.stop() == 0
        assert max(total["sessions_peak"] for total in simulation.end().values()) == 1
