"""The whole daemon over real Dovecot and Postfix: an outage, its story, and the return without a burst."""

import time
from collections import Counter

import pytest

from integration.node import Node
from integration.recording_daemon import looks, most_within, recording

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
USERS = 200


def test_an_outage_of_dovecot_is_confirmed_told_and_healed_without_a_burst(start_dovecot, start_postfix, tmp_path):
    dovecot = start_dovecot(users=USERS, with_relay=False)
    postfix = start_postfix(dovecot)
    users, record = [f"u{number:05d}" for number in range(1, USERS + 1)], tmp_path / "looks"
    # Postfix hangs while its Dovecot is away: each probe then takes seconds, and needs its slot that long.
    with Node(tmp_path, dovecot.ca_file, max_in_flight=400) as node:
        node.add_users(users, f"imaps://localhost:{dovecot.imaps_port}", f"smtps://localhost:{postfix.submissions_port}")
        node.start(**recording(record))
        node.wait(lambda: node.states() == {"connected": USERS}, "all to be connected")

        dovecot.crash()
        node.wait(lambda: node.states() == {"reconnecting": USERS}, "all to be reconnecting")
        node.wait(
            lambda: node.query("SELECT cause, count(*) FROM standings GROUP BY cause") == [("connection_refused", USERS)],
            "all to have been refused",
        )
        suspects = node.query("SELECT count(DISTINCT mailbox_id) FROM transitions WHERE to_state = 'suspect'")
        assert suspects == [(USERS,)]

        accepted_before, back_at, back = dovecot.accepted(), time.time(), time.monotonic()
        dovecot.start()
        node.wait(lambda: node.states() == {"connected": USERS}, "all to be connected again")
        took = time.time() - back_at
        # Two channels, two clean probes each, and what else fell due meanwhile - spread, not at once.
        assert dovecot.accepted() - accepted_before <= 2 * USERS * (2 + took / 10 + 1)
        # 200 mailboxes in 10 s are 20 probes a second; the ramp allows 1.5 times that, and a second's worth of them at once.  It is
        # looked at when mailwatch sets out: when a login is made is the servers' to say, and the machine's, which bunch them.
        after = looks(record, back)
        print(f"looks a second after the return: {[count for _, count in sorted(Counter(map(int, after)).items())]}")
        assert len(after) >= 2 * USERS
        for seconds in (1, 3, 10):
            assert most_within(after, seconds) <= 30 * (seconds + 1) + 1, seconds

        check_story(node, users)
        assert node.stop() == 0


WHOLE = ["connected", "suspect", "reconnecting", "verifying", "connected"]


def goes_through(steps, wanted):
    """Whether *wanted* are among *steps*, in this order."""
    left = iter(steps)
    return all(state in left for state in wanted)


def check_story(node, users):
    """Each mailbox's history tells of the outage and of the return, and what the metrics say is what the database has."""
    stories = {}
    for mailbox, state in node.query("SELECT mailbox_id, to_state FROM transitions ORDER BY id"):
        stories.setdefault(mailbox, []).append(state)
    assert len(stories) == USERS
    assert all(goes_through(steps, WHOLE) for steps in stories.values())
    assert sum(steps == WHOLE for steps in stories.values()) > 0.9 * USERS, "they come and go"
    story = node.history(f"{users[0]}@mail.test")
    causes = {row["to"]: row["cause"] for row in story}
    # Whoever was in the middle of a conversation when Dovecot ended saw that conversation end first.
    assert {causes["suspect"], causes["reconnecting"]} <= {"connection_refused", "connection_dropped"}

    node.wait(lambda: node.metric("mailwatch_mailboxes", state="connected") == USERS, "the gauge to follow")
    moves = node.query("SELECT from_state, to_state, cause, count(*) FROM transitions GROUP BY 1, 2, 3")
    lost, came, back = Counter(), Counter(), 0
    for old, new, cause, count in moves:
        came[old, new] += count
        if (old, new) == ("suspect", "reconnecting"):
            lost[cause] += count
        back += count if (old, new) == ("verifying", "connected") else 0
    assert lost["connection_refused"] > 0.9 * USERS
    assert {cause: node.metric("mailwatch_disconnections_total", cause=cause) for cause in lost} == lost
    assert node.metric("mailwatch_reconnections_total", result="verified") == back >= USERS
    assert {move: node.metric("mailwatch_transitions_total", from_state=move[0], to_state=move[1]) for move in came} == came
