"""The whole daemon over real Dovecot and Postfix: an outage, its story, and the return without a burst."""

import time
from collections import Counter

import pytest

from integration.node import Node

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
USERS = 200


def test_an_outage_of_dovecot_is_confirmed_told_and_healed_without_a_burst(start_dovecot, start_postfix, tmp_path):
    dovecot = start_dovecot(users=USERS, with_relay=False)
    postfix = start_postfix(dovecot)
    users = [f"u{number:05d}" for number in range(1, USERS + 1)]
    # Postfix hangs while its Dovecot is away: each probe then takes seconds, and needs its slot that long.
    with Node(tmp_path, dovecot.ca_file, max_in_flight=400) as node:
        node.add_users(users, f"imaps://localhost:{dovecot.imaps_port}", f"smtps://localhost:{postfix.submissions_port}")
        node.start()
        node.wait(lambda: node.states() == {"connected": USERS}, "all to be connected")

        dovecot.stop()
        node.wait(lambda: node.states() == {"reconnecting": USERS}, "all to be reconnecting")
        assert dict(node.query("SELECT cause, count(*) FROM standings GROUP BY cause")) == {"connection_refused": USERS}
        suspects = node.query("SELECT count(DISTINCT mailbox_id) FROM transitions WHERE to_state = 'suspect'")
        assert suspects == [(USERS,)]

        accepted_before = dovecot.accepted()
        back_at = time.time()
        dovecot.start()
        node.wait(lambda: node.states() == {"connected": USERS}, "all to be connected again")
        took = time.time() - back_at
        logins = dovecot.accepted() - accepted_before
        # Two channels, two clean probes each, and what else fell due meanwhile - spread, not at once.
        assert logins <= 2 * USERS * (2 + took / 10 + 1)
        # 200 mailboxes in 10 s are 20 probes a second; the ramp allows 1.5 times that: 30 logins of IMAP a second.  A busy machine
        # bunches them for a moment; a burst would be all of them within a breath.  When those of SMTP come is Postfix's to say: it
        # hangs while its Dovecot is away, and then lets go of all that wait in it at once.
        tries = dovecot.login_log()[accepted_before:]
        imap = Counter(int(one.at.timestamp()) for one in tries if one.protocol == "imap")
        smtp = Counter(int(one.at.timestamp()) for one in tries if one.protocol != "imap")
        for protocol, seconds in (("IMAP", imap), ("SMTP", smtp)):
            print(f"{protocol} logins a second after the return: {[count for _, count in sorted(seconds.items())]}")
        assert max(sum(imap[second + later] for later in range(3)) for second in list(imap)) <= 3 * 30 * 1.5
        assert sorted(imap.values())[len(imap) // 2] <= 33

        story = node.history(f"{users[0]}@mail.test")
        assert [row["to"] for row in story] == ["connected", "suspect", "reconnecting", "verifying", "connected"]
        causes = {row["to"]: row["cause"] for row in story}
        assert causes["reconnecting"] == "connection_refused"
        # Whoever was in the middle of a conversation when Dovecot ended saw that conversation end first.
        assert causes["suspect"] in ("connection_refused", "connection_dropped")
        # What the metrics say is what the database has.
        node.wait(lambda: node.metric("mailwatch_mailboxes", state="connected") == USERS, "the gauge to follow")
        assert node.metric("mailwatch_disconnections_total", cause="connection_refused") == USERS
        assert node.metric("mailwatch_reconnections_total", result="verified") == USERS
        for old, new, count in node.query("SELECT from_state, to_state, count(*) FROM transitions GROUP BY 1, 2"):
            assert node.metric("mailwatch_transitions_total", from_state=old, to_state=new) == count
        assert node.stop() == 0
