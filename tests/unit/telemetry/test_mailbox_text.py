"""The text of /metrics/mailboxes: what is in it, what is left out, and that a parser reads back what was written."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parse

from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import SENDING_STATES, State
from mailwatch.telemetry.mailbox_text import UNHEALTHY, MailboxRow, Wanted, mailbox_text

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_row(name="mb_1", state=State.BLOCKED, provider="google", **more):
    return MailboxRow(name, provider, state, NOW, **more)


def read(text):
    """Samples by name: a list of (labels, value)."""
    found = {}
    for family in parse(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def shown(text):
    return [labels["mailbox"] for labels, _ in read(text).get("mailwatch_mailbox_up", [])]


def test_a_mailbox_is_told_with_state_cause_and_moments():
    text = mailbox_text([a_row(cause=Cause.MFA_REQUIRED, last_success_at=NOW)])
    labels = {"mailbox": "mb_1", "provider": "google"}
    assert read(text) == {
        "mailwatch_mailbox_up": [(labels, 0)],
        "mailwatch_mailbox_state": [({**labels, "state": "blocked", "cause": "mfa_required"}, 1)],
        "mailwatch_mailbox_state_since_timestamp_seconds": [(labels, NOW.timestamp())],
        "mailwatch_mailbox_last_success_timestamp_seconds": [(labels, NOW.timestamp())],
        "mailwatch_mailboxes_truncated": [({}, 0)],
    }


def test_only_what_is_unhealthy_is_there_unless_asked():
    rows = [a_row(state.value, state) for state in State]
    assert set(shown(mailbox_text(rows))) == {state.value for state in UNHEALTHY}
    assert set(shown(mailbox_text(rows, Wanted(frozenset(State))))) == {state.value for state in State}


@pytest.mark.parametrize("state", list(State))
def test_up_is_what_campaigns_may_send_through(state):
    ((_, value),) = read(mailbox_text([a_row(state=state)], Wanted({state})))["mailwatch_mailbox_up"]
    assert value == (state in SENDING_STATES)


def test_provider_and_campaign_narrow_it_down():
    rows = [a_row("a", campaigns=("c1", "c2")), a_row("b", campaigns=("c3",)), a_row("c", provider="microsoft")]
    assert shown(mailbox_text(rows, Wanted(providers={"microsoft"}))) == ["c"]
    assert shown(mailbox_text(rows, Wanted(campaigns={"c2", "c9"}))) == ["a"]
    assert shown(mailbox_text(rows, Wanted(campaigns={"c2"}, providers={"microsoft"}))) == []


def test_what_is_left_out_is_counted():
    text = mailbox_text((a_row(f"mb_{number}") for number in range(10)), most=4)
    assert shown(text) == ["mb_0", "mb_1", "mb_2", "mb_3"]
    assert read(text)["mailwatch_mailboxes_truncated"] == [({}, 6)]


def test_an_address_is_there_only_where_it_is_given():
    assert b"@" not in mailbox_text([a_row()])
    ((labels, _),) = read(mailbox_text([a_row(address="ana@example.org")]))["mailwatch_mailbox_up"]
    assert labels["address"] == "ana@example.org"


def test_a_mailbox_that_never_worked_has_no_last_success():
    assert "mailwatch_mailbox_last_success_timestamp_seconds" not in read(mailbox_text([a_row()]))


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters='\\"\n'), min_size=1),
    st.text('\\"\na,{}=#', min_size=1),
)
def test_whatever_a_label_holds_is_read_back(address, name):
    ((labels, _),) = read(mailbox_text([a_row(name, address=address)]))["mailwatch_mailbox_up"]
    assert (labels["mailbox"], labels["address"]) == (name, address)
