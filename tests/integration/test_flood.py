"""A flood of requests: refused with 429, and every mailbox is looked at as before."""

import http.client
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest

from integration.simulated import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
MAILBOXES, INTERVAL, SECONDS = 60, 2, 10


ASKERS, A_SECOND = 16, 1000


def ask(place, until, answers):
    """Ask so often, or as fast as answers come, over one connection."""
    with closing(http.client.HTTPConnection(place, timeout=20)) as connection:
        at = time.monotonic()
        while at < until:
            at = max(at + ASKERS / A_SECOND, time.monotonic())
            time.sleep(max(0.0, at - time.monotonic()))
            connection.request("GET", "/api/v1/mailboxes?limit=500", headers={"Authorization": "Bearer mw_none"})
            answer = connection.getresponse()
            answer.read()
            answers[answer.status] += 1


def probes(node):
    return node.metric("mailwatch_probes_total", protocol="imap", result="healthy")


def test_a_flood_is_refused_and_no_probe_is_late_for_it(tmp_path):
    with Simulation(tmp_path, [], mailboxes=MAILBOXES) as simulation, simulation.node(tmp_path, interval=INTERVAL) as node:
        node.long_watched()
        node.start()
        node.wait(lambda: probes(node) > 2 * MAILBOXES, "the watch to be under way")
        before = probes(node)
        time.sleep(SECONDS)
        quiet = probes(node) - before

        place, answers = urlsplit(node.url).netloc, Counter()
        host, port = place.split(":")
        until = time.monotonic() + SECONDS
        with ExitStack() as idle:
            for _ in range(100):  # who begins a request and never ends it
                one = idle.enter_context(closing(socket.create_connection((host, int(port)))))
                one.sendall(b"POST /api/v1/mailboxes:import HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n[")
            before = probes(node)
            askers = [threading.Thread(target=ask, args=(place, until, answers)) for _ in range(ASKERS)]
            for asker in askers:
                asker.start()
            for asker in askers:
                asker.join()
            flooded = probes(node) - before
        print(f"probes in {SECONDS} s: {quiet:.0f}, in the flood {flooded:.0f}; answers: {dict(answers)}")
        assert set(answers) <= {401, 429}
        assert answers[429] > answers[401]
        assert answers.total() > 0.5 * A_SECOND * SECONDS
        assert flooded >= 0.8 * quiet
        oldest = node.query("SELECT min(last_probe_at) FROM standings")[0][0]
        assert time.time() - oldest / 1e6 < 3 * INTERVAL
        assert node.states() == {"connected": MAILBOXES}
        assert node.stop() == 0
