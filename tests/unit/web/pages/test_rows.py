"""A mailbox as a row: its sentence, its next attempt, whether a new password is asked for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, a_mailbox, a_standing, later
from mailwatch.core.cause_texts import texts_for
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.sending import at_incident
from mailwatch.ports import MailboxView
from mailwatch.web.pages.notices import Notices, Part
from mailwatch.web.pages.rows import etag_of, flapping_of, next_in, next_of, sentence_in, sentence_of, wants_secret


def view(state, cause=None, mailbox=None, **fields):
    return MailboxView(mailbox or a_mailbox(), a_standing(state, cause=cause, **fields))


def test_the_sentence_is_the_causes_own_where_the_mailbox_is_away():
    assert sentence_of(view(State.BLOCKED, Cause.INVALID_CREDENTIALS)) == texts_for(Cause.INVALID_CREDENTIALS).operator
    assert sentence_of(view(State.CONNECTED, Cause.CONNECTION_TIMEOUT)) == ""
    assert sentence_of(view(State.SUSPECT, Cause.CONNECTION_TIMEOUT)) == (
        "Connection timeout. A failure is being confirmed; campaigns still run."
    )
    assert sentence_of(view(State.RECONNECTING)) == "Disconnected. mailwatch keeps trying by itself; campaigns are paused."


def test_a_mailbox_that_we_cannot_look_at_says_so_whatever_its_state():
    unseen = {"impairment": "secret_unreadable", "impaired_since_at": NOW}
    words = "mailwatch cannot look at it: its stored secret cannot be opened with the key ring of this node."
    assert sentence_of(view(State.CONNECTED, **unseen)) == words
    away = sentence_of(view(State.BLOCKED, Cause.INVALID_CREDENTIALS, **unseen))
    assert away == f"{texts_for(Cause.INVALID_CREDENTIALS).operator} {words}"
    assert sentence_of(view(State.INACTIVE, **unseen)) == sentence_of(view(State.INACTIVE))


@pytest.mark.parametrize("state", list(State))
def test_every_state_tells_when_it_is_looked_at_next(state):
    assert next_of(view(state, due_at=later(240)), NOW)
    assert next_of(view(State.CONNECTED, due_at=later(240)), NOW).striptags() == "in 4 min"
    assert next_of(view(State.SUSPECT, due_at=NOW), NOW) == "due now"
    assert next_of(view(State.INACTIVE, due_at=None), NOW) == "none"
    assert next_of(view(State.HELD, due_at=None), NOW) == "when released"
    assert next_of(view(State.HELD, due_at=later(60), hold_until_at=later(60)), NOW).striptags() == "hold ends in 1 min"


def test_a_new_password_is_asked_for_only_where_the_stored_one_was_refused():
    assert wants_secret(view(State.BLOCKED, Cause.INVALID_CREDENTIALS))
    assert not wants_secret(view(State.BLOCKED, Cause.TLS_CERTIFICATE_EXPIRED))
    assert not wants_secret(view(State.RECONNECTING, Cause.INVALID_CREDENTIALS))
    assert not wants_secret(view(State.BLOCKED, Cause.OAUTH_GRANT_REVOKED, replace(a_mailbox(), auth=AuthKind.OAUTH)))


def test_the_etag_is_the_standings_version():
    assert etag_of(view(State.CONNECTED, version=7)) == '"7"'


DOWN = Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.CONNECTION_TIMEOUT, NOW, NOW, 9, 0.9, size=10)
GENTLY = Notices((DOWN,), canary_seconds=15.0)


def test_a_mailbox_whose_sending_only_an_incident_closes_says_so_though_it_is_connected():
    closed = Part(DOWN, at_incident(DOWN.cause))
    assert sentence_in(view(State.CONNECTED), closed) == (
        "sending is closed while Google is down; the mailbox worked when last looked at."
    )


def test_a_mailbox_that_is_away_with_others_tells_the_shared_cause_briefly_and_another_cause_in_full():
    part = Part(DOWN, None)
    assert sentence_in(view(State.RECONNECTING, Cause.CONNECTION_TIMEOUT), part) == "Connection timeout, with others of Google."
    other = view(State.RECONNECTING, Cause.TLS_REQUIRED)
    assert sentence_in(other, part) == sentence_in(other, None) == sentence_of(other)


def test_what_waits_for_canaries_names_no_time_of_its_own():
    away = view(State.RECONNECTING, due_at=later(60))
    assert next_in(away, Part(DOWN, None), GENTLY, NOW).striptags() == "after a canary"
    assert next_in(away, Part(DOWN, None), Notices((DOWN,)), NOW).striptags() == "in 1 min"
    assert next_in(away, None, GENTLY, NOW).striptags() == "in 1 min"
    assert next_in(view(State.BLOCKED), Part(DOWN, None), GENTLY, NOW).striptags() == "after you act"


def test_a_flapping_mailbox_is_told_as_such_and_that_its_campaigns_wait():
    episodes = tuple(NOW - timedelta(minutes=minutes) for minutes in (80, 40, 20, 5))
    told = flapping_of(a_standing(State.RECONNECTING, episodes_at=episodes), NOW)
    assert told == (
        "It comes and goes: 4 disconnections lately, told as one episode. Its campaigns go on once it was calm for 30 min."
    )
    assert flapping_of(a_standing(State.CONNECTED, episodes_at=episodes), NOW) == (
        "It comes and goes: 4 disconnections lately, told as one episode."
    )
    assert flapping_of(a_standing(State.CONNECTED, episodes_at=episodes[2:]), NOW) == ""
