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
from integration.recording_daemon import looks_by_mailbox, recording
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
        assert ready.wait(60)
        yield ports
    finally:
        over.set()
        thread.join(60)


def resources(pid):
    """(resident KiB, open descriptors, threads) of a process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return int(status["VmRSS"].split()[0]), descriptors, int(status["Threads"])


def least(pid, seconds):
    """The least of each resource within so many seconds: what is in use for a moment is no leak."""
    seen = []
    for _ in range(2 * seconds):
        seen.append(resources(pid))
        time.sleep(0.5)
    return tuple(map(min, zip(*seen, strict=True)))


def test_good_mailboxes_stay_on_time_memory_and_descriptors_flat_and_the_daemon_still_drains(tmp_path):
    certificates, record = Certificates(tmp_path), tmp_path / "looks"
    with Simulation(tmp_path, [], mailboxes=100) as simulation, hostile_servers(certificates) as ports:
        both = tmp_path / "both.pem"
        both.write_bytes(Path(simulation.described["ca_file"]).read_bytes() + Path(certificates.ca_file).read_bytes())
        with simulation.node(tmp_path, interval=3, timeout=15, ca_file=both) as node:
            for number, port in enumerate(ports):
                node.add_users([f"bad{number}"], f"imaps://localhost:{port}")
            node.start(**recording(record))
            node.wait(lambda: node.states() == {"connected": 100, "reconnecting": 2, "blocked": 1}, "the bad ones to be found out")
            good = {mailbox for (mailbox,) in node.query("SELECT mailbox_id FROM standings WHERE state = 'connected'")}
            time.sleep(10)
            before, since = least(node.process.pid, 5), time.monotonic()

            def looked():
                counts = looks_by_mailbox(record, since)
                return [counts[mailbox] for mailbox in good]

            node.wait(lambda: min(looked()) >= 6, "each good one to be looked at six times")
            assert max(looked()) <= 2 * min(looked()), "none waits while others are looked at"
            node.wait(lambda: node.metric("mailwatch_probe_lag_seconds") < 3, "nobody to be late")
            after = least(node.process.pid, 5)
            assert node.query("SELECT count(DISTINCT mailbox_id) FROM transitions WHERE to_state = 'suspect'") == [(3,)]
            assert after[0] - before[0] < 8 * 1024, (before, after)
            assert after[1] <= before[1] + 20, (before, after)
            assert after[2] <= before[2] + 2, (before, after)
            assert node.stop() == 0
