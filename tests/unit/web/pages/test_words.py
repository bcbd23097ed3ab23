"""Words for states, triggers, phases: total, and different from one another."""

import pytest

from mailwatch.core.cause_texts import texts_for
from mailwatch.core.causes import Cause, Owner
from mailwatch.core.evidence import Phase
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.ports.pages import ORDER
from mailwatch.web.pages.words import (
    OWNERS,
    PHASES,
    STATES,
    TRIGGERS,
    capital,
    cause_word,
    number_word,
    provider_word,
    scope_word,
    what_it_is,
)


def test_every_state_has_a_word_and_an_icon_of_its_own_in_the_order_of_the_list():
    assert tuple(STATES) == ORDER
    assert len({one.word for one in STATES.values()}) == len({one.icon for one in STATES.values()}) == len(State)


def test_nothing_is_left_without_a_word():
    assert (set(TRIGGERS), set(PHASES), set(OWNERS)) == (set(Trigger), set(Phase), set(Owner))


def test_causes_and_providers_are_written_as_people_write_them():
    assert cause_word(Cause.INVALID_CREDENTIALS) == "Invalid credentials"
    assert cause_word("tls_certificate_expired") == "TLS certificate expired"
    assert cause_word("oauth_grant_revoked") == "OAuth grant revoked"
    assert [provider_word(name) for name in ("google", "icloud", "other")] == ["Google", "iCloud", "Other"]


def test_numbers_agree_with_their_words():
    assert [number_word(number, "mailbox", "mailboxes") for number in (0, 1, 12_000)] == [
        "0 mailboxes",
        "1 mailbox",
        "12,000 mailboxes",
    ]
    assert number_word(2, "campaign") == "2 campaigns"


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (None, "all mailboxes"),
        (EGRESS, "mailwatch's own network"),
        (Scope(ScopeKind.PROVIDER, "icloud"), "iCloud"),
        (Scope(ScopeKind.ENDPOINT, "imap.example.org"), "the server imap.example.org"),
        (Scope(ScopeKind.DOMAIN, "example.org"), "the domain example.org"),
        (Scope(ScopeKind.OAUTH_APP, "outreach"), "the OAuth application outreach"),
    ],
)
def test_a_scope_has_words_within_a_sentence(scope, words):
    assert scope_word(scope) == words


def test_a_sentence_begins_with_a_capital_but_for_our_own_name():
    assert [capital("the domain"), capital("mailwatch's own"), capital("")] == ["The domain", "mailwatch's own", ""]


@pytest.mark.parametrize("cause", list(Cause))
def test_what_a_cause_is_is_one_sentence_that_promises_nothing_of_one_mailbox(cause):
    told = what_it_is(cause)
    assert told.endswith(".")
    assert not told.endswith("..")
    assert texts_for(cause).operator.startswith(told[:-1])
    assert "mailwatch keeps" not in told
