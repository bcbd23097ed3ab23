"""kill -9 at random moments under load: nothing that was acknowledged is lost, nothing is stuck, no login is multiplied."""

import itertools
import json
import random
import signal
import time

import pytest

from integration.simulated import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
CYCLES, MOST_CYCLES = 50, 200
MAILBOXES = 150


def restless(seconds):
    """Trouble without end: short drops everywhere, and secrets that are wrong from the beginning."""
    steps = [{"at": 0, "kind": "change_password", "provider": "hoster-b", "count": 6}]
    for number in range(seconds // 2):
        provider = ("hoster-a", "hoster-b", "yahoo")[number % 3]
        steps.append({"at": 2 * number, "kind": "drop_on_accept", "provider": provider, "duration": 3, "share": 0.4})
    return steps


def acknowledged(log):
    """(mailbox, version, to_state) of every transition the daemon has spoken of: it speaks after the commit."""
    told = set()
    for line in log.read_text(errors="replace").splitlines():
        if '"mailbox.transitioned"' not in line:
            continue
        try:
            event = json.loads(line[line.index("{") :])
        except ValueError:
            continue  # the line the kill cut off
        told.add((event["mailbox"], event["version"], event["to_state"]))
    return told


def check_story(node):
    """Every mailbox's transitions form an unbroken chain that ends where its standing is."""
    chains = {}
    for mailbox, version, old, new in node.query("SELECT mailbox_id, version, from_state, to_state FROM transitions ORDER BY id"):
        chains.setdefault(mailbox, []).append((version, old, new))
    for mailbox, rows in chains.items():
        assert [version for version, *_ in rows] == list(range(1, len(rows) + 1)), mailbox
        assert all(before[2] == after[1] for before, after in itertools.pairwise(rows)), mailbox
    for mailbox, version, state in node.query("SELECT mailbox_id, version, state FROM standings WHERE version > 0"):
        assert chains[mailbox][-1][0] == version
        assert chains[mailbox][-1][2] == state


def test_fifty_kills_lose_nothing_and_multiply_no_login(tmp_path):
    rng = random.Random(9)
    with Simulation(tmp_path, restless(3600), mailboxes=MAILBOXES) as simulation:
        with simulation.node(tmp_path, interval=2, max_in_flight=60) as node:
            refused = set()
            for cycle in range(MOST_CYCLES):
                if cycle >= CYCLES and len(acknowledged(node.log)) > 200:
                    break  # on a busy machine a life of the daemon is worth less
                # some are killed at work, others while they start
                node.start(wait=cycle == 0 or rng.random() < 0.6)
                time.sleep(rng.uniform(0.2, 2.2))
                node.stop(signal.SIGKILL)
                rows = node.query("SELECT mailbox_id, generation, at FROM refusals WHERE kind = 'refused'")
                assert refused <= set(rows), "the login budget forgot a refusal"
                refused = set(rows)
            told = acknowledged(node.log)
            assert len(told) > 200, "hardly anything happened: the test shows nothing"
            stored = set(node.query("SELECT mailbox_id, version, to_state FROM transitions"))
            assert told <= stored
            check_story(node)

            # Nothing is stuck: with the weather still bad, every mailbox is looked at again or waits for a moment that will come.
            before = int((time.time() - 10) * 1e6)
            node.start()
            late = "SELECT 1 FROM standings WHERE due_at < ? AND (lease_until_at IS NULL OR lease_until_at < ?)"
            node.wait(lambda: node.query(late, before, before) == [], "all that was late to be looked at")
            time.sleep(10)
            assert node.query(late, before, before) == []
            stuck = node.query("SELECT mailbox_id FROM standings WHERE state NOT IN ('inactive', 'held') AND due_at IS NULL")
            assert stuck == []
            assert node.stop() == 0
            check_story(node)
            assert node.query("PRAGMA integrity_check") == [("ok",)]
        # Whatever was killed when: no secret was refused more often than the budget allows.
        assert max(totals["most_rejected"] for totals in simulation.end().values()) <= 2
