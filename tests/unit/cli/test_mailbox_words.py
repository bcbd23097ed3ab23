"""A mailbox and its history in words, and as JSON."""

from dataclasses import replace

from contract.fleet import SetClock, later, moved
from mailwatch.cli import mailbox_words
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Decision


def test_a_history_tells_when_what_and_why_in_the_servers_words(installed):
    async def work(store):
        (claim,) = await store.claim_due(later(), 1, 60)
        await store.record(claim, moved(claim))

    installed.fill(1)
    installed.with_store(work, SetClock(later()))
    installed.well("mailbox", "disconnect", "mb_0000")
    story = installed.well("mailbox", "history", "user0@example.org")
    assert "2026-11-22 12:00:00 UTC  pending → suspect" in story
    assert "a probe failed" in story
    assert "cause: invalid_credentials at IMAP auth" in story
    assert "the server said: “NO [AUTHENTICATIONFAILED] Invalid credentials”" in story
    assert "The server refuses the user name or the password." in story
    assert "suspect → inactive" in story
    assert "a person disconnected it, by cli:" in story
    told = installed.json("mailbox", "history", "mb_0000")["history"]
    assert [step["version"] for step in told] == [1, 2]
    assert told[0]["evidence"]["response_code"] == "AUTHENTICATIONFAILED"
    shown = installed.well("mailbox", "show", "mb_0000")
    assert "inactive: disconnected by an operator" in shown


def test_a_blocked_mailbox_is_shown_with_what_to_do(installed):
    async def work(store):
        (claim,) = await store.claim_due(later(), 1, 60)
        blocked = moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, cause=Cause.INVALID_CREDENTIALS)
        await store.record(claim, blocked)

    installed.fill(1)
    installed.with_store(work, SetClock(later()))
    shown = installed.well("mailbox", "show", "mb_0000")
    assert "blocked: needs a person" in shown
    assert "what to do 1. " in shown


def test_a_mailbox_that_we_cannot_look_at_is_shown_with_the_fault_and_its_cure(installed):
    unseen = {"impairment": "secret_unreadable", "impaired_since_at": later()}

    async def work(store):
        (claim,) = await store.claim_due(later(), 1, 60)
        after = replace(claim.standing, due_at=later(300), **unseen)
        await store.record(claim, Decision(claim.standing, after, note="impaired: secret_unreadable"))
        await store.flush()

    installed.fill(1)
    installed.with_store(work, SetClock(later()))
    shown = installed.well("mailbox", "show", "mb_0000")
    assert "not seen   mailwatch cannot look at it: its stored secret cannot be opened" in shown
    assert "what to do 1. Put the key ring back" in shown
    told = installed.json("mailbox", "show", "mb_0000")
    assert "secret_unreadable" in str(told)


def test_every_trigger_and_every_state_has_its_words():
    assert set(mailbox_words._WHAT) == set(Trigger)
    assert set(mailbox_words._NEXT) == set(State)


def test_what_no_server_said_is_told_by_its_exception():
    assert mailbox_words._said(Evidence("network", None, exception="TimeoutError")).endswith("failed with TimeoutError")
    refused = Evidence("oauth", None, oauth_error="invalid_grant", oauth_description="revoked")
    assert mailbox_words._said(refused) == "the token endpoint said: invalid_grant revoked"


def test_a_terminal_cannot_be_driven_by_what_a_server_said():
    assert "\x1b" not in mailbox_words._said(Evidence("imap", None, "NO \x1b[2J gone"))
