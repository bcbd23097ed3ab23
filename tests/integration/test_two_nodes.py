"""Two nodes share one PostgreSQL: no mailbox is probed twice at once, a frozen node's results are dropped, a dead one is replaced."""

import asyncio
import itertools
import shutil
import signal
import time
from urllib.parse import unquote, urlsplit

import asyncpg
import pytest

from integration.simulated import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
MAILBOXES = 120


def ask(url, *queries):
    """The rows of each query of the shared database, all of one moment."""

    async def fetch():
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return [[tuple(row) for row in await connection.fetch(sql)] for sql in queries]
        finally:
            await connection.close()

    return asyncio.run(fetch())


#: Of any state: nobody holds it, and its moment has been for longer than it takes to get round to it.
LATE = "SELECT mailbox_id, state FROM standings WHERE due_at < (extract(epoch FROM now()) - 10) * 1000000 AND lease IS NULL"
STALE = (
    "SELECT mailbox_id, state FROM standings WHERE state = 'connected'"
    " AND last_probe_at < (extract(epoch FROM now()) - 30) * 1000000"
)


def check_chains(url):
    """Every mailbox's transitions form an unbroken chain that ends where its standing is."""
    chains = {}
    steps, standings = ask(
        url,
        "SELECT mailbox_id, version, from_state, to_state FROM transitions ORDER BY id",
        "SELECT mailbox_id, version, state FROM standings WHERE version > 0",
    )
    for mailbox, version, old, new in steps:
        chains.setdefault(mailbox, []).append((version, old, new))
    for rows in chains.values():
        assert [version for version, *_ in rows] == list(range(1, len(rows) + 1))
        assert all(before[2] == after[1] for before, after in itertools.pairwise(rows))
    for mailbox, version, state in standings:
        assert (chains[mailbox][-1][0], chains[mailbox][-1][2]) == (version, state)


def imap_probes(node):
    return node.metric("mailwatch_probes_total", protocol="imap")


def test_nodes_share_the_work_and_replace_one_another(postgres_url, tmp_path):
    parts = urlsplit(postgres_url)
    secret = tmp_path / "password"
    secret.write_text(unquote(parts.password or ""))
    secret.chmod(0o600)
    shared = {
        "store": f"postgresql://{parts.username}@{parts.hostname}:{parts.port}{parts.path}",
        "password": secret,
        "interval": 2,
    }
    steps = [{"at": 5 + 6 * n, "kind": "drop_on_accept", "provider": "yahoo", "duration": 4, "share": 0.5} for n in range(400)]
    steps.append({"at": 0, "kind": "change_password", "provider": "hoster-b", "count": 3})
    with Simulation(tmp_path, steps, mailboxes=MAILBOXES) as simulation:
        with simulation.node(tmp_path / "a", name="a", **shared) as first:
            (tmp_path / "b").mkdir()
            shutil.copy(tmp_path / "a" / "keyring.json", tmp_path / "b" / "keyring.json")
            with simulation.node(tmp_path / "b", name="b", add=False, **shared) as second:
                first.start()
                second.start()
                began = [imap_probes(node) for node in (first, second)]

                def shares():
                    return [imap_probes(node) - before for node, before in zip((first, second), began, strict=True)]

                first.wait(lambda: sum(shares()) > 4 * MAILBOXES, "work to be done by the two of them")
                first.wait(lambda: min(shares()) > 0.15 * sum(shares()), "the work to be shared")

                # A pause longer than a lease (timeout 10 s + 30 s): the other takes over; what the first then brings is dropped.
                first.process.send_signal(signal.SIGSTOP)
                time.sleep(45)
                second.wait(lambda: ask(postgres_url, LATE) == [[]], "the other to do the work of both")
                first.process.send_signal(signal.SIGCONT)
                time.sleep(6)
                check_chains(postgres_url)

                # kill -9: the other goes on with all of them; one that reconnects may wait for its moment, but none is left behind.
                first.stop(signal.SIGKILL)
                time.sleep(48)
                second.wait(lambda: ask(postgres_url, STALE, LATE) == [[], []], "the other to go on with all of them")
                assert second.stop() == 0
                check_chains(postgres_url)
        totals = simulation.end()
        assert max(total["most_rejected"] for total in totals.values()) <= 2
        assert max(total["sessions_peak"] for total in totals.values()) == 1, "a mailbox was logged in twice at once"
