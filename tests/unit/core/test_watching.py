"""Who is watched, and how soon a mailbox is looked at whose open session has ended."""

import random

import pytest

from builders import a_mailbox
from mailwatch.core.pacing import Pace
from mailwatch.core.watching import CALM_SECONDS, FLEET_PER_SECOND, FLOOR_SECONDS, EarlyLooks, WatchRules

WIDE = Pace(max_connections=1000, logins_per_minute=60_000.0, burst=1000)


def looks(pace=WIDE):
    """`look(mailbox_id, now)`: how long to wait."""
    early, rng = EarlyLooks(), random.Random(1)

    def look(mailbox_id="mb_1", now=1000.0, gate="lab"):
        return early.wait_seconds(mailbox_id, gate, pace, now=now, rng=rng)

    return look


@pytest.mark.parametrize(
    ("labels", "carried", "watched"),
    [
        ((), {"tier": "gold"}, False),
        (("*",), {}, True),
        (("tier",), {"tier": "tin"}, True),
        (("tier=gold",), {"tier": "gold"}, True),
        (("tier=gold",), {"tier": "tin"}, False),
        (("tier=",), {"tier": "gold"}, False),
        (("tier=",), {"tier": ""}, True),
        (("team", "tier=gold"), {"tier": "gold"}, True),
        (("gold",), {"tier": "gold"}, False),
    ],
)
def test_a_mailbox_is_watched_for_one_of_its_labels(labels, carried, watched):
    assert WatchRules(labels).wants(a_mailbox(labels=carried)) is watched


def test_without_imap_there_is_nothing_to_watch():
    assert not WatchRules(("*",)).wants(a_mailbox(imap=None))


def test_one_that_ends_is_looked_at_at_once():
    assert looks()() == 0.0


def test_a_session_that_ends_again_at_once_is_looked_at_ever_more_rarely():
    look, now, waits = looks(), 1000.0, []
    for _ in range(8):
        waits.append(look(now=now))
        now += waits[-1] + 1.0
    floor = FLOOR_SECONDS
    assert [wait + bool(wait) for wait in waits[:6]] == [0, floor, 2 * floor, 4 * floor, 8 * floor, 16 * floor]
    assert min(waits[6:]) > 15 * floor


def test_ends_that_are_far_apart_have_nothing_to_do_with_each_other():
    look, now = looks(), 1000.0
    for _ in range(20):
        assert look(now=now) == 0.0
        now += CALM_SECONDS
    assert look(now=now - CALM_SECONDS + 1) == FLOOR_SECONDS - 1


def test_a_server_that_heals_is_looked_at_at_once_again():
    look, now = looks(), 1000.0
    for _ in range(500):  # each ordinary probe opens a session, and it ends at once
        wait = look(now=now)
        now += 300.0
    assert wait <= 32 * FLOOR_SECONDS
    assert look(now=now + 2 * 32 * FLOOR_SECONDS) == 0.0


def test_sessions_that_are_ended_every_two_minutes_make_no_login_every_two_minutes():
    look, now, logins = looks(), 0.0, 0
    while now < 24 * 3600:
        now += 120 + min(look(now=now), 300.0)  # at the next interval it is probed in any case
        logins += 1
    assert logins <= 1.1 * 24 * 3600 / (120 + 300) + 10


def test_a_provider_that_ends_a_thousand_sessions_gets_no_thousand_logins_at_once():
    pace = Pace(max_connections=4, logins_per_minute=120.0, burst=4)
    look = looks(pace)
    waits = [look(f"mb_{number}") for number in range(1000)]
    assert waits[: pace.burst] == [0.0] * pace.burst
    for begin in range(0, 600, 60):
        inside = sum(begin <= wait < begin + 60 for wait in waits)
        assert inside <= pace.logins_per_minute / 2 + pace.burst
    assert max(waits) <= 1.1 * 1000.0  # half of two a second: they are all looked at in the end


def test_many_providers_together_are_held_to_what_a_node_does():
    look = looks()
    waits = [look(f"mb_{number}", gate=f"host:{number}") for number in range(500)]
    for begin in range(0, 100, 10):
        assert sum(begin <= wait < begin + 10 for wait in waits) <= 11 * FLEET_PER_SECOND


def test_what_is_remembered_is_bounded():
    early = EarlyLooks()
    for number in range(60_000):
        early.wait_seconds(f"mb_{number}", f"host:{number}", WIDE, now=100.0 * number, rng=random.Random(1))
    assert len(early._last) + len(early._gates) <= 10_001
