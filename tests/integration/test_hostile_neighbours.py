"""One silent, one endless and one dripping server among a hundred good ones disturb nobody but themselves."""

import asyncio
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.certificates import Certificates
from fakes.dialogues import drip, flood, mute
from fakes.peer import ScriptedServer
from integration.simulated import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.waiting]


@contextmanager
def hostile_servers(certificates):
    """The ports of a silent, an endless and a dripping IMAP server behind good TLS, served by a thread of their own."""
    ports, ready, over = [], threading.Event(), threading.Event()

    async def serve():
        scripts = (mute, flood(b"* OK " + b"x" * 65_000, 10_000), drip)
        servers = [ScriptedServer(script, tls=certificates.server()) for script in scripts]
        async with servers[0].running(), servers[1].running(), servers[2].running():
            ports.extend(server.port for server in servers)
            ready.set()
            while not over.is_set():
                await asyncio.sleep(0.1)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield ports
    finally:
        over.set()
        thread.join(20)


def resources(pid):
    """(resident KiB, open descriptors, threads) of a process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return int(status["VmRSS"].split()[0]), descriptors, int(status["Threads"])


def test_good_mailboxes_stay_on_time_memory_and_descriptors_flat_and_the_daemon_still_drains(tmp_path):
    certificates = Certificates(tmp_path)
    with Simulation(tmp_path, [], mailboxes=100) as simulation, hostile_servers(certificates) as ports:
        both = tmp_path / "both.pem"
        both.write_bytes(Path(simulation.described["ca_file"]).read_bytes() + Path(certificates.ca_file).read_bytes())
        with simulation.node(tmp_path, interval=3, ca_file=both) as node:
            for number, port in enumerate(ports):
                node.add_users([f"bad{number}"], f"imaps://localhost:{port}")
            node.start()
            node.wait(
                lambda: node.states() == {"connected": 100, "reconnecting": 2, "blocked": 1}, "the bad ones to be found out", 120
            )
            time.sleep(10)
            before = resources(node.process.pid)
            lags = []
            for _ in range(20):
                time.sleep(1)
                lags.append(node.metric("mailwatch_probe_lag_seconds"))
            after = resources(node.process.pid)
            gaps = node.query("SELECT (? - last_probe_at) / 1e6 FROM standings WHERE state = 'connected'", int(time.time() * 1e6))
            assert len(gaps) == 100
            assert max(gap for (gap,) in gaps) < 2 * 3 + 2
            assert max(lags) < 2 * 3
            assert node.query("SELECT count(DISTINCT mailbox_id) FROM transitions WHERE to_state = 'suspect'") == [(3,)]
            assert after[0] - before[0] < 8 * 1024, (before, after)
            assert after[1] <= before[1] + 60, (before, after)
            assert after[2] <= before[2] + 2, (before, after)
            began = time.monotonic()
            assert node.stop() == 0
            assert time.monotonic() - began < 20
