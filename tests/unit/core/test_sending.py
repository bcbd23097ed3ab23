"""May this mailbox be sent through: the answer in every state."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from builders import NOW, later
from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import SENDING_STATES, State
from mailwatch.core.sending import Reason, permit

POLICY = CampaignPolicy()
DAY = 86_400.0


@dataclass(frozen=True)
class Known:
    state: str = "connected"
    cause: str | None = None
    since_at: datetime = NOW - timedelta(seconds=1000)
    until_at: datetime | None = None
    outage_seconds: float = 0.0
    sends: bool = False


@pytest.mark.parametrize("state", State)
def test_only_connected_and_suspect_mailboxes_may_send(state):
    answer = permit(Known(state=state.value), NOW, POLICY)
    assert answer.allowed is (state in SENDING_STATES)
    assert answer.allowance_ratio == (1.0 if answer.allowed else 0.0)
    assert answer.reason == state.value
    assert answer.sentence.endswith(".")


@pytest.mark.parametrize("state", State)
def test_a_mailbox_that_lost_what_does_not_count_still_sends_but_not_against_a_person(state):
    answer = permit(Known(state=state.value, sends=True), NOW, POLICY)
    assert answer.allowed is (state in SENDING_STATES | {State.RECONNECTING, State.VERIFYING})


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_told_in_its_own_words(cause):
    answer = permit(Known(state="blocked", cause=cause.value), NOW, POLICY)
    assert answer.cause == cause.value
    assert len(answer.sentence) > len(permit(Known(state="blocked"), NOW, POLICY).sentence)


def test_it_tells_when_to_ask_again_only_while_that_lies_ahead():
    known = Known(state="reconnecting", until_at=later(60))
    assert permit(known, NOW, POLICY).until_at == later(60)
    assert permit(known, later(61), POLICY).until_at is None


def test_after_a_long_outage_a_part_is_allowed_and_then_all():
    known = Known(since_at=NOW, outage_seconds=2 * DAY)
    first = permit(known, NOW, POLICY)
    assert (first.allowed, first.reason, first.allowance_ratio, first.until_at) == (True, Reason.RAMPING, 0.25, later(DAY / 2))
    assert "25%" in first.sentence
    assert permit(known, later(DAY / 4), POLICY).allowance_ratio == 0.625
    assert permit(known, later(DAY / 2), POLICY).reason is Reason.CONNECTED


def test_a_paused_or_finished_campaign_may_not_send_through_a_mailbox_that_may():
    assert permit(Known(), NOW, POLICY, "paused").reason is Reason.CAMPAIGN_PAUSED
    assert permit(Known(), NOW, POLICY, "finished").reason is Reason.CAMPAIGN_FINISHED
    assert not permit(Known(), NOW, POLICY, "paused").allowed
    assert permit(Known(), NOW, POLICY, "active").allowed


def test_a_disconnected_mailbox_is_the_reason_before_its_paused_campaign():
    assert permit(replace(Known(), state="held"), NOW, POLICY, "paused").reason is Reason.HELD


def test_the_documentation_lists_every_reason(repository):
    text = (repository / "docs" / "campaigns.md").read_text()
    assert set(re.findall(r"^\| `([a-z_]+)` \| (?:yes|no|in part) \|", text, re.MULTILINE)) == {reason.value for reason in Reason}
