"""A node whose database hears it but is not heard: it stops looking when its leases end, blames nobody, and goes on afterwards."""

import asyncio
import threading
import time
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import pytest

from fakes.proxy import FaultProxy
from integration.simulated import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
#: A probe's time-out and the margin above it: no lease lasts longer.
LEASE_SECONDS = 40


@contextmanager
def proxied(port):
    """A proxy in front of *port*, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="partition")
    thread.start()
    proxy = FaultProxy(port)
    context = proxy.running()
    asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(timeout=60)
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(timeout=60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=60)
        loop.close()


def probes(node):
    return node.metric("mailwatch_probes_total")


def connected(node):
    return node.metric("mailwatch_mailboxes", state="connected") == 60


def test_a_node_that_its_database_cannot_answer_stops_looking_and_goes_on_when_it_can(postgres_url, tmp_path):
    parts = urlsplit(postgres_url)
    secret = tmp_path / "password"
    secret.write_text(unquote(parts.password or ""))
    secret.chmod(0o600)
    with proxied(parts.port) as proxy, Simulation(tmp_path, [], mailboxes=60) as simulation:
        shared = {"store": f"postgresql://{parts.username}@127.0.0.1:{proxy.port}{parts.path}", "password": secret, "interval": 2}
        with simulation.node(tmp_path / "a", name="a", **shared) as node:
            node.start()
            node.wait(lambda: connected(node), "all to be connected")
            proxy.faults.mute_after_bytes = 0  # what it sends arrives; no answer does
            time.sleep(LEASE_SECONDS)
            node.wait(lambda: node.metric("mailwatch_probes_in_flight") == 0, "the last of its probes to end")
            before = probes(node)
            time.sleep(10)
            assert probes(node) == before
            node.wait(lambda: not node.is_ready(), "it to say that it cannot work")
            proxy.faults.mute_after_bytes = None
            node.wait(lambda: probes(node) > before + 120, "it to look again")
            node.wait(lambda: connected(node), "all to be as they were")
            assert node.metric("mailwatch_transitions_total", from_state="connected") == 0  # nobody was blamed
            assert node.stop() == 0
