"""Whom a fault strikes."""

import pytest

from mailwatch.core.mailbox import Protocol
from mailwatch.sim.faults import ActiveFaults, Fault, FaultKind, Stage, stage_of

ADDRESSES = [f"user{number}@{domain}" for number in range(500) for domain in ("a.example", "b.example")]


def struck(fault):
    return {address for address in ADDRESSES if fault.strikes(Protocol.IMAP, address, 0.0)}


def test_a_fault_without_a_target_strikes_everyone():
    assert struck(Fault(FaultKind.WRONG_SECRET, "x")) == set(ADDRESSES)


def test_a_fault_of_a_domain_strikes_that_domain_alone():
    assert struck(Fault(FaultKind.WRONG_SECRET, "x", domain="a.example")) == {a for a in ADDRESSES if a.endswith("@a.example")}


def test_named_mailboxes_are_struck_and_no_others():
    assert struck(Fault(FaultKind.WRONG_SECRET, "x", addresses=frozenset({"user3@a.example"}))) == {"user3@a.example"}


@pytest.mark.parametrize("share", [0.05, 0.3, 0.8])
def test_a_share_is_about_that_many_and_always_the_same_ones(share):
    fault = Fault(FaultKind.WRONG_SECRET, "x", share=share, seed=11)
    again = Fault(FaultKind.WRONG_SECRET, "x", share=share, seed=11)
    assert struck(fault) == struck(again)
    assert abs(len(struck(fault)) / len(ADDRESSES) - share) < 0.05
    assert struck(fault) != struck(Fault(FaultKind.WRONG_SECRET, "x", share=share, seed=12))


def test_before_a_login_a_share_is_of_connections_and_named_mailboxes_cannot_be_struck():
    half = Fault(FaultKind.DROP_ON_ACCEPT, "x", share=0.5)
    assert half.strikes(Protocol.IMAP, None, 0.4)
    assert not half.strikes(Protocol.IMAP, None, 0.6)
    assert not Fault(FaultKind.DROP_ON_ACCEPT, "x", domain="a.example").strikes(Protocol.IMAP, None, 0.0)


def test_some_faults_are_of_one_protocol_and_any_can_be_narrowed_to_one():
    assert not Fault(FaultKind.SMTP_AUTH_DISABLED, "x").strikes(Protocol.IMAP, "a@a.example", 0.0)
    assert Fault(FaultKind.SMTP_AUTH_DISABLED, "x").strikes(Protocol.SMTP, "a@a.example", 0.0)
    assert not Fault(FaultKind.WRONG_SECRET, "x", protocol=Protocol.SMTP).strikes(Protocol.IMAP, "a@a.example", 0.0)


def test_active_faults_come_in_the_order_they_began_and_go_when_they_end():
    faults = ActiveFaults()
    first, second = Fault(FaultKind.WRONG_SECRET, "x"), Fault(FaultKind.ACCOUNT_DISABLED, "x")
    faults.add(first)
    faults.add(second)
    assert [*faults.at(Stage.LOGIN, Protocol.IMAP, "a@a.example")] == [first, second]
    faults.remove(first)
    faults.remove(first)
    assert [*faults] == [second]
    faults.clear()
    assert not [*faults]


@pytest.mark.parametrize("kind", FaultKind)
def test_every_fault_strikes_somewhere(kind):
    assert stage_of(kind) in set(Stage)
