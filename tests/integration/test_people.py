"""What people do, through the command line, while the daemon watches real servers."""

import json
import time

import pytest

from integration.node import Node

pytestmark = [pytest.mark.slow, pytest.mark.waiting]


def state_of(node, address):
    """(state, cause) of a mailbox, from the CLI."""
    shown = json.loads(node.verb("mailbox", "show", address, "--json"))
    return shown["state"], shown["cause"]


def test_a_wrong_password_is_asked_about_once_and_healed_by_a_new_secret_and_the_other_acts_hold(
    start_dovecot, start_postfix, tmp_path
):
    dovecot = start_dovecot(with_relay=False)
    postfix = start_postfix(dovecot)
    urls = (f"imaps://localhost:{dovecot.imaps_port}", f"smtps://localhost:{postfix.submissions_port}")
    with Node(tmp_path, dovecot.ca_file, interval=2) as node:
        node.add_users(["u00001", "u00002", "u00003"], *urls, password=lambda user: "wrong" if user == "u00001" else f"pw-{user}")
        node.start()
        node.wait(lambda: node.states().get("connected") == 2, "the good ones to be connected")
        node.wait(lambda: state_of(node, "u00001@mail.test")[0] in ("suspect", "blocked"), "the bad one to be suspected")

        # Meanwhile: disconnect stops all probing of one mailbox and keeps it; reconnect brings it back through verification.
        node.verb("mailbox", "disconnect", "u00002@mail.test")
        assert state_of(node, "u00002@mail.test") == ("inactive", "operator_disconnect")
        node.wait(lambda: node.metric("mailwatch_probes_in_flight") == 0, "what was under way to end")
        time.sleep(3)  # and to be in the server's log
        accepted = dovecot.accepted("u00002")
        time.sleep(6)
        assert dovecot.accepted("u00002") == accepted
        node.verb("mailbox", "reconnect", "u00002@mail.test")
        node.wait(lambda: state_of(node, "u00002@mail.test")[0] == "connected", "the disconnected one to be back")
        assert [row["to"] for row in node.history("u00002@mail.test")][-4:] == [
            "inactive",
            "reconnecting",
            "verifying",
            "connected",
        ]

        # The wrong password: a second look after a minute, then no more logins.
        node.wait(lambda: state_of(node, "u00001@mail.test") == ("blocked", "invalid_credentials"), "the bad one to be blocked")
        node.wait(lambda: dovecot.rejected("u00001") == 2, "the server's log to have both refusals")
        assert [row["to"] for row in node.history("u00001@mail.test")] == ["suspect", "blocked"]
        told = node.verb("mailbox", "history", "u00001@mail.test")
        assert "Authentication failed" in told
        time.sleep(6)
        assert dovecot.rejected("u00001") == 2
        node.verb("mailbox", "set-secret", "u00001@mail.test", "--secret-stdin", text="pw-u00001\n")
        node.wait(lambda: state_of(node, "u00001@mail.test")[0] == "connected", "the healed one to be connected")
        assert dovecot.rejected("u00001") == 2

        # Removal: nothing is left, in the file or beside it.
        node.verb("mailbox", "remove", "u00003@mail.test", "--yes", "u00003@mail.test")
        time.sleep(3)
        assert node.stop() == 0
        for path in tmp_path.glob("mailwatch.db*"):
            assert b"u00003" not in path.read_bytes(), path
        secrets = [
            text
            for text in ("pw-u00001", "pw-u00002")
            for path in tmp_path.glob("mailwatch.db*")
            if text.encode() in path.read_bytes()
        ]
        assert secrets == []
        assert "pw-u0000" not in node.log.read_text()
