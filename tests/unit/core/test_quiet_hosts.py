"""Which looks wait for a host that has refused too many logins, and until when."""

from dataclasses import replace

import pytest

from builders import NOW, a_mailbox, a_standing, later
from mailwatch.core.budget import HostBudget
from mailwatch.core.lifecycle import State
from mailwatch.core.policy import Policy
from mailwatch.core.quiet_hosts import is_asked_for, quiet_host_of, quiet_hosts

HOST, POLICY = "imap.example.org", Policy()
ASKED = a_standing(State.RECONNECTING, proven=False, forced=True)
NEW = a_standing(State.RECONNECTING, proven=False, generation=2)


def quiet(standing, *refused, strict=True):
    hosts = HostBudget(POLICY.budget)
    for seconds in refused:
        hosts.refuse(HOST, later(seconds))
    return quiet_host_of(a_mailbox(), standing, hosts, POLICY, NOW, strict=strict)


def test_the_wait_names_the_host_its_refusals_and_the_end():
    found = quiet(ASKED, -500, -400, -300)
    assert (found.host, found.refused, found.until_at) == (HOST, 3, later(100))
    assert found.sentence == (
        "imap.example.org refused 3 logins within 10 min, so mailwatch leaves it alone until 12:01 UTC: it must not ban our address."
    )


def test_the_last_place_is_for_proven_secrets_and_for_what_a_person_asked_for():
    for standing in (a_standing(), ASKED, NEW):
        assert quiet(standing, -500, -400) is None
    unproven = a_standing(State.PENDING)
    assert quiet(unproven, -500, -400).until_at == later(100)
    assert quiet(unproven, -500, -400, -300).until_at == later(200), "one must be left beside the last place"


def test_where_failures_count_by_account_the_proven_wait_for_nobody():
    refused = range(-90, 0)
    assert quiet(a_standing(), *refused, strict=False) is None
    assert quiet(ASKED, *refused, strict=False) is not None


def test_hosts_that_see_no_login_at_all_are_those_that_may_count_by_our_address():
    hosts = HostBudget(POLICY.budget)
    for seconds in (-500, -400, -300):
        for host in (HOST, "big.example"):
            hosts.refuse(host, later(seconds))
    hosts.refuse("fresh.example", later(-10))
    (found,) = quiet_hosts(hosts, NOW, lambda host: host != "big.example")
    assert (found.host, found.refused, found.until_at) == (HOST, 3, later(100))


@pytest.mark.parametrize(
    "standing",
    [
        a_standing(State.BLOCKED, proven=False),
        a_standing(State.INACTIVE, due_at=None),
        a_standing(State.RECONNECTING, proven=False, rejected_at=(later(-20), later(-10))),
        a_standing(due_at=later(300)),
    ],
    ids=["no login is due", "nothing is due", "its own budget is spent", "it is due later"],
)
def test_what_needs_no_login_of_the_host_now_waits_for_nobody(standing):
    assert quiet(standing, -500, -400, -300) is None


def test_a_person_asks_by_reconnect_or_with_a_secret_that_no_server_has_judged():
    assert is_asked_for(ASKED)
    assert is_asked_for(NEW)
    for judged in ({"proven": True}, {"rejected_at": (NOW,)}, {"lost_at": (NOW,)}, {"generation": 1}, {"state": State.PENDING}):
        assert not is_asked_for(replace(NEW, **judged))
