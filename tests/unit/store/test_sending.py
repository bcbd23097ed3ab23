"""What of a standing a sender is told.  Who is told, and when, tests/contract shows."""

from datetime import UTC, datetime, timedelta

import pytest

from mailwatch.core.campaigns import CampaignPolicy, Channel
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import SENDING_STATES, State
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import ChannelHealth, Standing
from mailwatch.store.sending import _change

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON = NOON + timedelta(minutes=5)


@pytest.mark.parametrize("policy", [CampaignPolicy(), CampaignPolicy(channel=Channel.SMTP)])
@pytest.mark.parametrize("state", State)
def test_only_a_mailbox_that_works_or_is_suspected_sends(state, policy):
    standing = Standing("mb_1", state, NOON, SOON, cause=Cause.SERVER_UNAVAILABLE)
    change = _change("a@example.org", "google", standing, policy, set())
    assert change.sends is (state in SENDING_STATES)
    assert (change.state, change.cause, change.address_key, change.gate) == (
        state.value,
        "server_unavailable",
        "a@example.org",
        "google",
    )


def test_until_when_is_the_next_attempt_or_the_end_of_a_hold():
    def until(state, **fields):
        return _change("a", "other", Standing("mb_1", state, NOON, SOON, **fields), CampaignPolicy(), set()).until_at

    assert until(State.RECONNECTING) == SOON
    assert until(State.HELD, hold_until_at=NOON) == NOON
    assert until(State.HELD) is None
    assert until(State.CONNECTED) is None


def test_a_mailbox_whose_campaigns_are_paused_does_not_send_in_part():
    policy = CampaignPolicy(channel=Channel.SMTP)
    channels = {Protocol.SMTP: ChannelHealth(healthy=True, since_at=NOON)}
    standing = Standing("mb_1", State.RECONNECTING, SOON, None, channels=channels, down_since_at=SOON)
    assert _change("a", "other", standing, policy, set()).sends
    assert not _change("a", "other", standing, policy, {"mb_1"}).sends
