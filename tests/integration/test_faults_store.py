"""The database locked, full, failing, away, damaged, or sealed with another key: no mailbox is blamed and nothing told is lost."""

import base64
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager

import pytest

from integration.node import Node
from integration.simulated import Simulation
from servers.presence import give_up, need_program

pytestmark = [pytest.mark.slow, pytest.mark.waiting]


def told(node):
    """(mailbox, version, to_state) of every transition the daemon has spoken of: it speaks after the commit."""
    whole, _, _ = node.log.read_text(errors="replace").rpartition("\n")  # without what is being written
    lines = [line for line in whole.splitlines() if '"mailbox.transitioned"' in line]
    return {(row["mailbox"], row["version"], row["to_state"]) for row in map(json.loads, lines)}


def stored(node):
    """The same of the database."""
    return set(node.query("SELECT mailbox_id, version, to_state FROM transitions"))


def blamed(node):
    """Mailboxes with a cause beside them."""
    return node.query("SELECT mailbox_id, cause FROM standings WHERE cause IS NOT NULL")


def edit(node, *statements):
    """Change the database behind mailwatch's back."""
    with closing(sqlite3.connect(node.database, timeout=60)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_database_locked_for_20_seconds_stops_nobody_and_blames_nobody(tmp_path):
    with Simulation(tmp_path, [], mailboxes=100) as simulation, simulation.node(tmp_path, interval=2, timeout=30) as node:
        node.long_watched()
        node.start()
        node.wait(lambda: node.metric("mailwatch_probes_total") > 400, "all to be watched")
        with closing(sqlite3.connect(node.database, timeout=60, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(20)
            assert node.get("/-/healthy")[0] == 200
            assert node.status()["pending_rows"] <= 200, "no more than the probes that were in flight"
            assert json.loads(node.verb("mailbox", "list", "--json"))
            probed = node.metric("mailwatch_probes_total")
            other.execute("ROLLBACK")
        node.wait(lambda: node.metric("mailwatch_probes_total") > probed + 400, "the watch to go on")
        node.wait(lambda: node.status()["pending_rows"] == 0, "what waited to be written")
        assert blamed(node) == []
        assert stored(node) == set()
        assert node.query("SELECT count(*) FROM refusals WHERE kind = 'refused'") == [(0,)]
        assert node.stop() == 0
        node.verb("db", "check")


@contextmanager
def small_disk(place, size):
    """A file system of its own at *place*; yields what fills it and returns what frees it."""
    if os.geteuid() != 0:
        give_up("only root may mount a small file system")
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "mailwatch-test", place], check=True)
    ballast = place / "ballast"

    def fill():
        try:
            with ballast.open("wb", buffering=0) as file:
                while file.write(b"\0" * 4096):
                    pass
        except OSError:
            pass

    try:
        yield fill, ballast.unlink
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_pauses_the_watch_and_it_goes_on_without_a_restart(tmp_path):
    with (
        Simulation(tmp_path, [], mailboxes=60) as simulation,
        small_disk(tmp_path / "small", "6m") as (fill, free),
        simulation.node(tmp_path / "small", interval=2) as node,
    ):
        node.log = tmp_path / "daemon.log"
        node.long_watched()
        node.start()
        node.wait(lambda: node.metric("mailwatch_probes_total") > 240, "all to be watched")
        fill()
        before = stored(node)
        simulation.play({"at": 0, "kind": "refuse", "provider": "hoster-a"})
        time.sleep(8)
        assert node.get("/-/healthy")[0] == 200
        assert len(json.loads(node.verb("mailbox", "list", "--json"))) > 0
        node.wait(lambda: re.search(r'"(job\.)?store[._]unavailable"', node.log.read_text()), "it to be told")
        assert told(node) - before <= stored(node) - before, "what could not be stored was not told"
        node.wait(lambda: told(node) - before == stored(node) - before, "what could be stored to be told")
        free()
        node.wait(lambda: node.states().get("reconnecting", 0) > 10, "the outage to be seen after all")
        simulation.play({"at": 0, "kind": "heal", "provider": "hoster-a"})
        node.wait(lambda: node.states() == {"connected": 60}, "all to be connected again")
        assert told(node) <= stored(node)
        assert node.stop() == 0
        node.verb("db", "check")


def failing_disk(calls, which, when):
    """What to run the daemon under, so that these system calls fail as on a bad disk."""
    command = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", calls]
    return [*command, "-e", f"trace={which}", "-e", f"inject={which}:error=EIO:when={when}"]


@pytest.mark.parametrize(
    ("which", "when", "least"), [("fsync,fdatasync", "20..40", 7), ("pread64", "150+40", 10)], ids=["write", "read"]
)
def test_a_disk_that_fails_to_write_through_or_to_read_makes_no_false_promise(tmp_path, which, when, least):
    need_program("strace", "strace")
    weather = [{"at": 2 * n, "kind": "drop_on_accept", "provider": "yahoo", "duration": 2, "share": 0.5} for n in range(600)]
    calls = tmp_path / "calls"
    with Simulation(tmp_path, weather, mailboxes=60) as simulation, simulation.node(tmp_path, interval=2) as node:
        node.long_watched()
        node.start(before=failing_disk(calls, which, when))
        node.wait(lambda: calls.read_text().count("(INJECTED)") >= least, "the disk to fail")
        so_far = len(stored(node))
        node.wait(lambda: len(stored(node)) > so_far + 20, "more to be stored all the same")
        assert node.stop() == 0
        assert told(node) <= stored(node)
        assert node.query("PRAGMA integrity_check") == [("ok",)]
        node.verb("db", "check")


def test_a_database_that_is_not_there_damaged_or_newer_is_refused_in_plain_words(tmp_path):
    with Node(tmp_path, "/etc/ssl/certs/ca-certificates.crt") as node:
        node.add_users(["one"], "imaps://localhost:993")
        good = node.root / "good"
        shutil.copy(node.database, good)

        def refusal(change):
            for left in node.root.glob("mailwatch.db*"):
                left.unlink()
            shutil.copy(good, node.database)
            change(node.database)
            return node.refused()

        code, words = refusal(lambda path: path.unlink())
        assert code == 78
        assert "mailwatch db migrate" in words
        assert not node.database.exists(), "an empty database would forget every mailbox"

        code, words = refusal(lambda path: path.write_bytes(b"\0" * 4096 + good.read_bytes()[4096:]))
        assert code == 78
        assert "damaged" in words
        assert "restore" in words

        code, words = refusal(lambda path: path.write_bytes(b""))
        assert code == 78
        assert "mailwatch db migrate" in words

        code, words = refusal(lambda path: edit(node, "UPDATE alembic_version SET version_num = '9999'"))
        assert code == 78
        assert "newer" in words

        other = base64.b64encode(os.urandom(32)).decode()
        keyring = node.root / "keyring.json"
        ring = json.loads(keyring.read_text())
        keyring.chmod(0o600)
        keyring.write_text(json.dumps({"active": ring["active"], "keys": {ring["active"]: other}}))
        code, words = refusal(lambda path: edit(node, "SELECT 1"))
        assert code == 78
        assert "another installation" in words
        assert other not in words
        assert "Traceback" not in words


def test_a_read_only_database_is_refused_and_one_taken_away_is_not_replaced_by_an_empty_one(tmp_path):
    with (
        Simulation(tmp_path, [], mailboxes=30) as simulation,
        small_disk(tmp_path / "small", "16m"),
        simulation.node(tmp_path / "small", interval=2) as node,
    ):
        node.log = tmp_path / "daemon.log"
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "small"], check=True)
        code, words = node.refused()
        assert code in (75, 78)
        assert "mailwatch.db" in words
        assert "Traceback" not in words
        subprocess.run(["mount", "-o", "remount,rw", tmp_path / "small"], check=True)

        node.start()
        node.wait(lambda: node.states() == {"connected": 30}, "all to be connected")
        away = node.database.with_name("away.db")
        node.database.rename(away)
        node.wait(lambda: "removed or replaced" in node.log.read_text(), "it to be noticed")
        time.sleep(3)
        assert node.get("/-/healthy")[0] == 200
        assert not node.database.exists()
        away.rename(node.database)
        probed = node.metric("mailwatch_probes_total")
        node.wait(lambda: node.metric("mailwatch_probes_total") > probed + 120, "the watch to go on")
        assert blamed(node) == []
        assert node.stop() == 0


def test_a_secret_that_cannot_be_opened_impairs_its_mailbox_and_no_other(tmp_path):
    with Simulation(tmp_path, [], mailboxes=40) as simulation:
        with simulation.node(tmp_path, interval=2) as node:
            first, second, third = (row[0] for row in node.query("SELECT mailbox_id FROM secrets ORDER BY mailbox_id LIMIT 3"))
            edit(
                node,
                # Two change places, and of one a part is missing.
                f"UPDATE secrets SET mailbox_id = 'x' WHERE mailbox_id = '{first}'",
                f"UPDATE secrets SET mailbox_id = '{first}' WHERE mailbox_id = '{second}'",
                f"UPDATE secrets SET mailbox_id = '{second}' WHERE mailbox_id = 'x'",
                f"UPDATE secrets SET sealed = substr(sealed, 1, length(sealed) - 4) WHERE mailbox_id = '{third}'",
            )
            node.start()
            node.wait(lambda: node.states() == {"connected": 37, "pending": 3}, "the others to be connected")
            node.wait(lambda: node.metric("mailwatch_probes_impaired_total", reason="secret_unreadable") >= 6, "it to be counted")
            assert blamed(node) == []
            assert {row[0] for row in node.query("SELECT mailbox_id FROM standings WHERE state = 'pending'")} == {
                first,
                second,
                third,
            }
            assert node.stop() == 0
            found = node.verb("db", "check", expect=1)
            assert all(mailbox in found for mailbox in (first, second, third))
        assert sum(totals["rejected"] for totals in simulation.end().values()) == 0, "nothing else was tried in the secret's place"
