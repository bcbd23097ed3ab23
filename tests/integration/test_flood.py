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
MAILBOXES, INTERVAL = 60, 2
ASKERS, A_SECOND, REQUESTS = 16, 1000, 10_000


def ask(place, over, answers):
    """Ask so often, or as fast as answers come, over one connection."""
    with closing(http.client.HTTPConnection(place, timeout=120)) as connection:
        at = time.monotonic()
        while not over.is_set():
            at = max(at + ASKERS / A_SECOND, time.monotonic())
            time.sleep(max(0.0, at - time.monotonic()))
            connection.request("GET", "/api/v1/mailboxes?limit=500", headers={"Authorization": "Bearer mw_none"})
            answer = connection.getresponse()
            answer.read()
            answers[answer.status] += 1


def probes(node):
    return node.metric("mailwatch_probes_total", protocol="imap", result="healthy")


def test_a_flood_is_refused_and_no_probe_is_late_for_it(tmp_path):
    with (
        Simulation(tmp_path, [], mailboxes=MAILBOXES) as simulation,
        simulation.node(tmp_path, interval=INTERVAL, timeout=30) as node,
    ):
        node.long_watched()
        node.start()
        node.wait(lambda: probes(node) > 2 * MAILBOXES, "the watch to be under way")

        place, answers, over = urlsplit(node.url).netloc, Counter(), threading.Event()
        host, port = place.split(":")
        with ExitStack() as idle:
            for _ in range(100):  # who begins a request and never ends it
                one = idle.enter_context(closing(socket.create_connection((host, int(port)))))
                one.sendall(b"POST /api/v1/mailboxes:import HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n[")
            began, before = time.time(), probes(node)
            askers = [threading.Thread(target=ask, args=(place, over, answers)) for _ in range(ASKERS)]
            for asker in askers:
                asker.start()
            try:
                node.wait(lambda: answers.total() >= REQUESTS, "the flood to be one")
                asked, flooded = answers.total(), probes(node) - before
                node.wait(
                    lambda: node.query("SELECT min(last_probe_at) FROM standings")[0][0] > began * 1e6, "each to be looked at again"
                )
            finally:
                over.set()
                for asker in askers:
                    asker.join()
        print(f"probes in the flood: {flooded:.0f} while {asked} were answered; answers: {dict(answers)}")
        assert set(answers) <= {401, 429}
        assert answers[429] > answers[401]
        # A thousand requests a second beside thirty probes: of what the daemon gets done, however much that is, probes have their
        # part.  Where a busy machine answers fewer requests, those that ask wait, and there are fewer probes for each of its seconds.
        assert flooded >= 0.6 * asked * MAILBOXES / INTERVAL / A_SECOND
        assert node.states() == {"connected": MAILBOXES}
        assert node.stop() == 0
