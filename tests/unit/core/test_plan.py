"""What a probe may do: logins only where the state and the budget allow them, the ill channel first."""

from dataclasses import replace

import pytest

from builders import IMAP, NOW, SMTP, a_mailbox, a_standing, later
from mailwatch.core.lifecycle import LOGIN_STATES, State
from mailwatch.core.mailbox import Depth
from mailwatch.core.plan import plan
from mailwatch.core.policy import Policy
from mailwatch.core.standing import ChannelHealth

SPENT = (later(-7200), later(-3600))


@pytest.mark.parametrize("state", sorted(LOGIN_STATES))
def test_a_mailbox_with_budget_is_logged_in(state):
    planned = plan(a_mailbox(), a_standing(state), Policy(), NOW)
    assert planned.logs_in
    assert (planned.depth, planned.refusals_left, planned.withheld_reason) == (Depth.LOGIN, 2, None)


@pytest.mark.parametrize("state", sorted(set(State) - LOGIN_STATES))
def test_no_secret_leaves_where_a_person_is_needed(state):
    planned = plan(a_mailbox(), a_standing(state, forced=True), Policy(), NOW)
    assert not planned.logs_in
    assert (planned.depth, planned.refusals_left, planned.withheld_reason) == (Depth.REACH, 0, "blocked")


def test_a_spent_budget_allows_a_look_without_login_only():
    planned = plan(a_mailbox(), a_standing(rejected_at=SPENT), Policy(), NOW)
    assert (planned.depth, planned.refusals_left, planned.withheld_reason) == (Depth.REACH, 0, "budget")


def test_one_refusal_leaves_one():
    assert plan(a_mailbox(), a_standing(rejected_at=SPENT[:1]), Policy(), NOW).refusals_left == 1


def test_lost_leases_count_as_refusals():
    assert not plan(a_mailbox(), a_standing(rejected_at=SPENT[:1], lost_at=SPENT[1:]), Policy(), NOW).logs_in


def test_a_persons_reconnect_allows_one_refusal_beyond_the_budget():
    assert plan(a_mailbox(), a_standing(State.RECONNECTING, rejected_at=SPENT, forced=True), Policy(), NOW).refusals_left == 1


def test_a_persons_reconnect_adds_nothing_to_a_budget_that_is_not_spent():
    assert plan(a_mailbox(), a_standing(State.RECONNECTING, forced=True), Policy(), NOW).refusals_left == 2


def test_the_budget_is_free_again_when_the_window_has_passed():
    assert plan(a_mailbox(), a_standing(rejected_at=SPENT), Policy(), later(86_400)).refusals_left == 2


def test_imap_comes_first_when_all_is_well():
    assert plan(a_mailbox(), a_standing(), Policy(), NOW).first is IMAP


def test_the_ill_channel_comes_first():
    channels = {IMAP: ChannelHealth(healthy=True, since_at=NOW), SMTP: ChannelHealth(healthy=False, since_at=NOW)}
    assert plan(a_mailbox(), a_standing(channels=channels), Policy(), NOW).first is SMTP


def test_a_mailbox_with_one_channel_begins_there():
    assert plan(a_mailbox(imap=None), a_standing(), Policy(), NOW).first is SMTP


def test_the_configured_depth_is_used():
    assert plan(a_mailbox(), a_standing(), replace(Policy(), depth=Depth.SUBMIT), NOW).depth is Depth.SUBMIT
