"""Too many mailboxes for a pace: found, measured, and told with the cure."""

import pytest

from mailwatch.core.crowding import crowds, least_crowd
from mailwatch.core.gates import gate_of_host
from mailwatch.core.pacing import Pace, Pacer
from mailwatch.core.providers import PACES

OTHER = Pace()
OWN = gate_of_host("mail.own.example")


def pace_of(gate):
    return PACES.get(gate, OTHER)


@pytest.mark.parametrize("interval_seconds", [60.0, 300.0, 3600.0])
def test_a_pacer_really_takes_as_long_as_is_told(interval_seconds):
    mailboxes = 2 * least_crowd({}, OTHER, interval_seconds)
    (crowd,) = crowds({OWN: mailboxes}, pace_of, interval_seconds)
    pacer, now, started = Pacer(OTHER), 0.0, 0
    while started < mailboxes:
        for _ in range(pacer.room(now)):
            pacer.start(now)
            pacer.finish()
            started += 1
        now += 0.25
    assert now == pytest.approx(crowd.round_seconds, rel=0.05)


def test_five_thousand_mailboxes_on_ones_own_server_are_told_with_the_cure():
    (crowd,) = crowds({OWN: 5000, "google": 30_000}, pace_of, 300.0)
    assert (crowd.gate, crowd.mailboxes, round(crowd.round_seconds / 60)) == (OWN, 5000, 42)
    assert str(crowd).startswith(
        "mail.own.example: 5000 mailboxes at 120 logins a minute: one node looks at each only every 42 min;"
    )
    assert "[providers.other] logins_per_minute = 1000 or more" in str(crowd)
    faster = Pace(logins_per_minute=1000.0)
    assert crowds({OWN: 5000}, lambda _gate: faster, 300.0) == []


def test_a_known_provider_is_told_by_its_name_and_the_slowest_comes_first():
    found = crowds({"google": 60_000, "strato": 6000, OWN: 601}, pace_of, 300.0)
    assert [crowd.gate for crowd in found] == ["strato", "google", OWN]
    assert "set [providers.strato] logins_per_minute = 1200" in str(found[0])


def test_no_gate_can_be_crowded_with_as_many_as_the_slowest_takes():
    least = least_crowd(PACES, OTHER, 300.0)
    assert least == 600
    assert crowds(dict.fromkeys([*PACES, OWN], least), pace_of, 300.0) == []
    assert crowds({OWN: least + 1}, pace_of, 300.0)


def test_a_short_round_is_told_in_seconds_and_one_mailbox_is_one():
    (crowd,) = crowds({OWN: 1}, lambda _gate: Pace(logins_per_minute=1.0), 30.0)
    assert "1 mailbox at 1 logins a minute: one node looks at each only every 60 s;" in str(crowd)
