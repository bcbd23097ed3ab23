"""The machine under the daemon: no descriptors, no uplink, no authorities, five thousand mailboxes after a stop - nobody is blamed."""

import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from integration.node import Node
from integration.recording_daemon import looks, most_within, recording
from integration.simulated import Simulation
from servers.presence import need_program
from servers.process import free_port, listens

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
PROVIDERS = ("hoster-a", "hoster-b", "yahoo")


def test_with_64_descriptors_it_takes_on_less_answers_and_blames_nobody(tmp_path):
    need_program("prlimit", "util-linux")
    slow = [{"at": 0, "kind": "login_delay", "provider": name, "seconds": 1} for name in PROVIDERS]
    options = {"interval": 4, "timeout": 30, "max_in_flight": 100}
    with Simulation(tmp_path, slow, mailboxes=150) as simulation, simulation.node(tmp_path, **options) as node:
        node.long_watched(overdue_seconds=4)
        node.start(before=("prlimit", "--nofile=64:64"))
        seen = []

        def looked_in():
            assert node.get("/-/healthy")[0] == 200
            seen.append(node.metric("mailwatch_probes_in_flight"))
            return len(seen) >= 20 and max(seen) >= 6 and node.metric("mailwatch_probes_total", result="healthy") > 60

        node.wait(looked_in, "it to be as busy as it may be")
        assert max(seen) <= 12, "more would fit the configuration, but not the descriptors"
        assert '"probes.limited"' in node.log.read_text()
        assert node.states() == {"connected": 150}
        assert node.query("SELECT count(*) FROM transitions") == [(0,)]

        # Something else takes what was left for HTTP and the database: what fails then is ours, and is said to be.
        subprocess.run(["prlimit", f"--pid={node.process.pid}", "--nofile=34:64"], check=True)
        time.sleep(8)
        subprocess.run(["prlimit", f"--pid={node.process.pid}", "--nofile=64:64"], check=True)

        def impaired(**labels):
            return node.metric("mailwatch_probes_impaired_total", **labels)

        node.wait(lambda: impaired(reason="out_of_descriptors") > 0, "it to be told: they were enough, and this shows nothing")
        samples = {labels for name, labels in node.metrics() if name == "mailwatch_probes_impaired_total"}
        assert {dict(labels)["reason"] for labels in samples if node.metric("mailwatch_probes_impaired_total", **dict(labels))} == {
            "out_of_descriptors"
        }
        probed = node.metric("mailwatch_probes_total", result="healthy")
        node.wait(lambda: node.metric("mailwatch_probes_total", result="healthy") > probed + 20, "probes to go on")
        assert node.states() == {"connected": 150}
        assert node.query("SELECT count(*) FROM transitions") == [(0,)]
        assert node.stop() == 0


def test_while_our_uplink_is_cut_no_mailbox_changes_and_all_are_watched_afterwards(tmp_path):
    port = free_port()
    with Simulation(tmp_path, [], mailboxes=90) as simulation:
        with simulation.node(tmp_path, interval=3, timeout=30) as node, socket.socket() as canary:
            node.config.write_text(node.config.read_text().replace("[network]", f'[network]\ncanaries = ["127.0.0.1:{port}"]'))
            canary.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            canary.bind(("127.0.0.1", port))
            canary.listen(64)
            node.long_watched(overdue_seconds=3)
            node.start()
            node.wait(lambda: node.metric("mailwatch_probes_total", result="healthy") > 90, "the watch to be under way")
            canary.close()  # first: a provider's outage must never look like one
            simulation.play(*({"at": 0, "kind": "refuse", "provider": name} for name in PROVIDERS))
            node.wait(lambda: node.metric("mailwatch_self_connectivity_up") == 0, "the cut to be noticed")
            assert "own network is down" in node.status()["sentence"]
            node.wait(lambda: node.metric("mailwatch_probes_total", result="failed") > 60, "probes to fail")
            # a look that is under way at the cut, beside one that just got through, may raise a suspicion; after that nothing does
            suspicions = node.query("SELECT from_state, to_state FROM transitions")
            assert set(suspicions) <= {("connected", "suspect")}
            assert len(suspicions) < 9
            failed = node.metric("mailwatch_probes_total", result="failed")
            node.wait(lambda: node.metric("mailwatch_probes_total", result="failed") > failed + 180, "all to fail again")
            assert node.query("SELECT from_state, to_state FROM transitions") == suspicions
            simulation.play(*({"at": 0, "kind": "heal", "provider": name} for name in PROVIDERS))
            ports = [urlsplit(known[end]).port for known in simulation.described["providers"].values() for end in ("imap", "smtp")]
            node.wait(lambda: all(map(listens, ports)), "the way to the providers to be there before the canary is")
            with socket.create_server(("127.0.0.1", port)):
                node.wait(lambda: node.metric("mailwatch_self_connectivity_up") == 1, "the end of the cut to be noticed")
                probed = node.metric("mailwatch_probes_total", result="healthy")
                node.wait(lambda: node.metric("mailwatch_probes_total", result="healthy") > probed + 180, "all to be watched")
            node.wait(lambda: node.states() == {"connected": 90}, "all to be as they were")
            assert node.query("SELECT count(*) FROM transitions") == [(2 * len(suspicions),)]
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
    count, interval, record = 5000, 100, tmp_path / "looks"
    with Simulation(tmp_path, [], mailboxes=count) as simulation:
        with simulation.node(tmp_path, interval=interval, timeout=60, max_in_flight=200) as node:
            node.long_watched(overdue_seconds=600)
            started_at = time.time()
            # what it writes to, stacks of threads and all
            node.start(before=["prlimit", f"--data={256 * 2**20}"], **recording(record))
            # The fleet may be caught up with one and a half times as fast as its interval asks for, by a second's worth at once;
            # that it is caught up with shows that the backlog is worked off.
            most = 1.5 * count / interval

            def behind():
                return node.query(
                    "SELECT count(*) FROM standings WHERE last_probe_at < ? OR last_probe_at IS NULL", started_at * 1e6
                )

            node.wait(lambda: behind() == [(0,)], "all to be looked at", 600)
            for seconds in (1, 5, 20):
                assert most_within(looks(record), seconds) <= most * (seconds + 1) + 1, seconds
            assert node.states() == {"connected": count}
            assert node.query("SELECT count(*) FROM transitions") == [(0,)]
            status = dict(line.split(":", 1) for line in Path(f"/proc/{node.process.pid}/status").read_text().splitlines())
            assert int(status["VmHWM"].split()[0]) < 256 * 1024, status["VmHWM"]
            assert node.stop() == 0
        assert max(total["sessions_peak"] for total in simulation.end().values()) == 1
