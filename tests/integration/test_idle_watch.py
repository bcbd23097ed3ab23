"""Open sessions at a real Dovecot: their end is seen in seconds although the interval is an hour, and they are in nobody's way."""

import json
import shutil
import signal
import subprocess
import time
from datetime import datetime
from urllib.parse import unquote, urlsplit

import pytest

from fakes.forgetful import ForgetfulRouter
from integration.node import Node
from mailwatch.core.watching import FLEET_PER_SECOND
from servers.dovecot import user_name

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
HOUR = 3600
USERS = 3


def users(count=USERS):
    return [user_name(number) for number in range(1, count + 1)]


def watching(node, *, labels=("*",), **keys):
    """Let *node* watch mailboxes of these labels."""
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in ({"watch": list(labels)} | keys).items())
    kept = [line for line in node.config.read_text().splitlines(keepends=True) if not line.startswith("watch")]
    node.config.write_text("".join(kept).replace("[probing]\n", f"[probing]\n{lines}", 1))
    return node


def a_node(root, dovecot, *, port=None, count=USERS, interval=HOUR, timeout=60, **keys):
    """A node that watches *count* users at *dovecot*."""
    node = watching(Node(root, dovecot.ca_file, interval=interval, timeout=timeout), **keys)
    node.add_users(users(count), f"imaps://localhost:{port or dovecot.imaps_port}")
    return node


def all_watched(node, count=USERS):
    """Start *node*, and wait until all are connected and watched."""
    node.start()
    node.wait(lambda: node.states() == {"connected": count}, "all to be connected")
    node.wait(lambda: node.metric("mailwatch_watched_mailboxes") == count, "all to be watched")


def doveadm(dovecot, *arguments):
    command = ["doveadm", "-c", str(dovecot.root / "dovecot.conf"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sessions(dovecot):
    """How many IMAP sessions each user has, as Dovecot tells it."""
    rows = (line.split() for line in doveadm(dovecot, "who").splitlines()[1:])
    return {row[0]: int(row[1]) for row in rows if len(row) > 2 and row[2] == "imap"}


def told(node, event):
    """The log's lines of *event*."""
    lines = (json.loads(line) for line in node.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def moves(node):
    """From which state to which the mailboxes went, and how many did."""
    rows = node.query("SELECT from_state, to_state, count(*) FROM transitions GROUP BY 1, 2")
    return {f"{old} {new}": count for old, new, count in rows}


def ends(node, **labels):
    return node.metric("mailwatch_watch_ends_total", **labels)


def test_a_server_that_goes_away_is_noticed_within_seconds_although_the_interval_is_an_hour(start_dovecot, tmp_path):
    dovecot = start_dovecot()
    with a_node(tmp_path, dovecot) as node:
        all_watched(node)
        dovecot.stop()
        node.wait(lambda: moves(node).get("connected suspect") == USERS, "all to be suspected")
        assert len(told(node, "watch.ended")) == USERS
        assert ends(node) == USERS
        dovecot.start()
        node.wait(lambda: node.metric("mailwatch_watched_mailboxes") == USERS, "all to be watched again")
        assert node.states() == {"connected": USERS}
        assert node.stop() == 0


def test_a_farewell_is_told_with_its_words_and_an_announced_end_is_no_transition(start_dovecot, tmp_path):
    dovecot = start_dovecot(max_userip_connections=1)
    with a_node(tmp_path, dovecot) as node:
        all_watched(node)
        for user in users():
            doveadm(dovecot, "kick", user)
        node.wait(lambda: dovecot.accepted() == 2 * USERS, "one more probe of each")
        node.wait(lambda: node.metric("mailwatch_watched_mailboxes") == USERS, "all to be watched again")
        assert {line["quote"] for line in told(node, "watch.ended")} == {"BYE Server shutting down."}
        assert ends(node, cause="server_unavailable") == USERS
        assert moves(node) == {"pending connected": USERS}
        assert sessions(dovecot) == dict.fromkeys(users(), 1)
        assert node.stop() == 0


def test_a_server_that_stands_still_is_noticed_by_its_missing_answer(start_dovecot, tmp_path):
    dovecot = start_dovecot()
    with a_node(tmp_path, dovecot, timeout=10, watch_renew_seconds=2) as node:
        all_watched(node)
        dovecot.process.freeze()
        try:
            node.wait(lambda: ends(node, cause="connection_timeout") == USERS, "the silence to be noticed")
            node.wait(lambda: moves(node).get("connected suspect") == USERS, "all to be suspected")
        finally:
            dovecot.process.thaw()
        node.wait(lambda: node.states() == {"connected": USERS}, "all to be connected again")
        assert node.stop() == 0


def test_a_router_that_forgets_silent_lines_is_kept_from_it(start_dovecot, tmp_path):
    dovecot = start_dovecot()
    with (
        ForgetfulRouter(dovecot.imaps_port, idle_seconds=8) as router,
        a_node(tmp_path, dovecot, port=router.port, watch_renew_seconds=1) as node,
    ):
        all_watched(node)
        time.sleep(20)
        assert (router.forgotten, router.connections) == (0, USERS)
        assert ends(node) == 0
        assert node.stop() == 0


def test_a_line_that_was_forgotten_all_the_same_is_opened_anew_and_nobody_is_alarmed(start_dovecot, tmp_path):
    dovecot = start_dovecot()
    with (
        ForgetfulRouter(dovecot.imaps_port, idle_seconds=2) as router,
        a_node(tmp_path, dovecot, port=router.port, watch_renew_seconds=6) as node,
    ):
        all_watched(node)
        node.wait(lambda: ends(node, cause="connection_timeout") >= USERS, "the silence to be noticed")
        node.wait(lambda: dovecot.accepted() >= 2 * USERS, "one more probe of each")
        assert router.forgotten >= USERS
        assert moves(node) == {"pending connected": USERS}
        assert node.metric("mailwatch_incidents") == 0
        assert node.stop() == 0


def test_a_probe_never_finds_the_open_session_in_its_way(start_dovecot, tmp_path):
    """The server takes one session of each user, and refuses the login of a second."""
    dovecot = start_dovecot(max_userip_connections=1)
    with a_node(tmp_path, dovecot, interval=2) as node:
        all_watched(node)
        node.wait(lambda: dovecot.accepted() >= 8 * USERS, "several rounds of probes")
        assert node.metric("mailwatch_probes_total", result="failed") == 0
        assert dovecot.rejected() == 0
        assert moves(node) == {"pending connected": USERS}
        assert ends(node) == 0
        assert node.stop() == 0


def test_what_a_person_stops_or_a_reload_leaves_out_is_let_go(start_dovecot, tmp_path):
    dovecot = start_dovecot()
    first, second, third = users()
    with a_node(tmp_path, dovecot) as node:
        all_watched(node)
        node.verb("mailbox", "disconnect", f"{first}@mail.test")
        node.wait(lambda: sorted(sessions(dovecot)) == [second, third], "the session of the first to end")
        node.verb("mailbox", "remove", f"{second}@mail.test", "--yes", f"{second}@mail.test")
        node.wait(lambda: sorted(sessions(dovecot)) == [third], "the session of the second to end")
        watching(node, labels=["tier=gold"])
        node.process.send_signal(signal.SIGHUP)
        node.wait(lambda: sessions(dovecot) == {}, "the session of the third to end")
        assert ends(node) == 0
        assert moves(node) == {"pending connected": USERS - 1, "connected inactive": 1}  # what was removed has no history
        assert node.stop() == 0


def test_beyond_the_most_mailboxes_are_only_probed_and_that_is_told(start_dovecot, tmp_path):
    dovecot = start_dovecot()
    with a_node(tmp_path, dovecot, watch_max=1) as node:
        node.start()
        node.wait(lambda: node.states() == {"connected": USERS}, "all to be connected")
        node.wait(lambda: node.metric("mailwatch_watch_passed_over_mailboxes") == USERS - 1, "the others to be told")
        node.wait(lambda: list(sessions(dovecot).values()) == [1], "the others to be ended")
        assert node.metric("mailwatch_watched_mailboxes") == 1
        assert len(told(node, "watch.full")) == 1
        assert node.stop() == 0


def test_a_stop_drops_two_hundred_sessions_at_once(start_dovecot, tmp_path):
    dovecot = start_dovecot(users=200)
    with a_node(tmp_path, dovecot, count=200) as node:
        all_watched(node, 200)
        assert node.stop() == 0
        (stopped,) = told(node, "daemon.stopped")
        assert stopped["cancelled"] == 0
        node.wait(lambda: sessions(dovecot) == {}, "the server to see the end of all")
        # Nothing was due by it: the next start finds them as they were.
        (soonest,) = node.query("SELECT min(due_at) FROM standings")[0]
        assert soonest / 1e6 > time.time() + HOUR / 2
        assert told(node, "watch.ended") == told(node, "loop.exception") == []


def test_many_sessions_that_end_at_once_are_looked_at_one_after_the_other(start_dovecot, tmp_path):
    many = 60
    dovecot = start_dovecot(users=many)
    with a_node(tmp_path, dovecot, count=many) as node:
        all_watched(node, many)
        doveadm(dovecot, "kick", "*")
        node.wait(lambda: dovecot.accepted() == 2 * many, "one more probe of each")
        ended_at = max(line["at"] for line in told(node, "watch.ended"))
        moments = [one.at.timestamp() for one in dovecot.login_log()[many:]]
        # The ramp alone would let through ten a second: a busy machine makes it longer, and never shorter.
        assert max(moments) - datetime.fromisoformat(ended_at).timestamp() > 0.8 * (many - FLEET_PER_SECOND) / FLEET_PER_SECOND
        node.wait(lambda: node.metric("mailwatch_watched_mailboxes") == many, "all to be watched again")
        assert moves(node) == {"pending connected": many}
        assert node.stop() == 0


def test_of_two_nodes_the_one_that_probed_last_keeps_the_session(start_dovecot, postgres_url, tmp_path):
    dovecot = start_dovecot()
    parts = urlsplit(postgres_url)
    secret = tmp_path / "password"
    secret.write_text(unquote(parts.password or ""))
    secret.chmod(0o600)
    store = f"postgresql://{parts.username}@{parts.hostname}:{parts.port}{parts.path}"
    shared = {"interval": 8, "timeout": 60, "store": store, "password": secret}
    with watching(Node(tmp_path / "a", dovecot.ca_file, **shared)) as one:
        one.add_users(users(), f"imaps://localhost:{dovecot.imaps_port}")
        (tmp_path / "b").mkdir()
        shutil.copy(tmp_path / "a" / "keyring.json", tmp_path / "b" / "keyring.json")
        with watching(Node(tmp_path / "b", dovecot.ca_file, name="b", **shared)) as other:
            nodes = (one.start(), other.start())
            probes = [lambda node=node: node.metric("mailwatch_probes_total", result="healthy") for node in nodes]
            one.wait(lambda: all(count() > USERS for count in probes), "both to have probed each mailbox or so")
            one.wait(
                lambda: (
                    sum(node.metric("mailwatch_watched_mailboxes") for node in nodes) == USERS
                    and sessions(dovecot) == dict.fromkeys(users(), 1)
                ),
                "each mailbox to have one session",
            )
            assert sum(ends(node) for node in nodes) == 0
            assert [node.stop() for node in nodes] == [0, 0]


def test_without_a_label_to_watch_no_session_stays_open(start_dovecot, tmp_path):
    dovecot = start_dovecot()
    with a_node(tmp_path, dovecot, labels=[]) as node:
        node.start()
        node.wait(lambda: node.states() == {"connected": USERS}, "all to be connected")
        node.wait(lambda: sessions(dovecot) == {}, "all sessions to be ended")
        assert node.metric("mailwatch_watched_mailboxes") == 0
        assert node.stop() == 0
