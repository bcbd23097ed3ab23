"""The words people read: one for every cause, plain for customers, complete for operators."""

import re

import pytest

from mailwatch.core.cause_texts import TEXTS, family_of, remedy_for, texts_for, told_in, verdict_of, what_happened
from mailwatch.core.causes import Cause, Disposition, profile_of
from mailwatch.core.lifecycle import State

#: Words a customer need not know.
JARGON = re.compile(
    r"\b(IMAP|SMTP|TLS|SSL|OAuth|DNS|TCP|SASL|token|refresh|credential|endpoint|port|daemon|retry|backoff|throttl\w*|mailwatch|protocol|resolver)\b",
    re.IGNORECASE,
)


def test_every_cause_has_its_words():
    assert set(TEXTS) == set(Cause)


@pytest.mark.parametrize("cause", list(Cause))
def test_sentences_are_complete(cause):
    texts = texts_for(cause)
    for sentence in (texts.operator, texts.customer):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "  " not in sentence
        assert len(sentence) <= 320
    assert texts.remedy
    assert all(step.strip() == step and step for step in texts.remedy)


@pytest.mark.parametrize("cause", list(Cause))
def test_customers_read_no_jargon(cause):
    assert JARGON.findall(texts_for(cause).customer) == []


@pytest.mark.parametrize("cause", [cause for cause in Cause if profile_of(cause).disposition is Disposition.HUMAN])
def test_what_needs_a_person_says_that_logging_in_stopped_or_what_is_held(cause):
    assert re.search(r"stopped|until|holds|leaves it alone|releases", texts_for(cause).operator)


@pytest.mark.parametrize("cause", [cause for cause in Cause if profile_of(cause).disposition is not Disposition.HUMAN])
def test_what_heals_by_itself_asks_no_customer_to_log_in(cause):
    assert "Reconnect" not in texts_for(cause).customer


@pytest.mark.parametrize(
    ("provider", "family"),
    [
        ("gmail", "google"),
        ("microsoft365", "microsoft"),
        ("outlook.com", "microsoft"),
        ("163", "netease"),
        ("aol", "yahoo"),
        ("other", None),
    ],
)
def test_a_providers_name_leads_to_its_family(provider, family):
    assert family_of(provider) == family


def test_a_provider_has_its_own_steps_and_others_the_general_ones():
    google = remedy_for(Cause.APP_PASSWORD_REQUIRED, "gmail")
    assert any("myaccount.google.com/apppasswords" in step for step in google)
    assert remedy_for(Cause.APP_PASSWORD_REQUIRED) == texts_for(Cause.APP_PASSWORD_REQUIRED).remedy
    assert any("aka.ms/smtp_auth_disabled" in step for step in remedy_for(Cause.PROTOCOL_DISABLED, "microsoft365"))


def test_pages_are_https():
    links = [
        link
        for texts in TEXTS.values()
        for steps in texts.provider_remedies.values()
        for step in steps
        for link in re.findall(r"\w+://\S+", step)
    ]
    assert links
    assert all(link.startswith("https://") for link in links)


@pytest.mark.parametrize("cause", list(Cause))
def test_every_text_tells_what_happened_then_what_mailwatch_does_then_who_must_act(cause):
    what, does, *who = texts_for(cause).operator.split(". ")
    assert not re.search(r"mailwatch (stopped|keeps|tries|waits|renews|holds)", what)
    assert does.startswith("mailwatch ")
    assert len(who) <= 1


@pytest.mark.parametrize("cause", list(Cause))
def test_a_suspicion_claims_no_deed_that_only_follows_from_its_confirmation(cause):
    told = told_in(cause, State.SUSPECT)
    assert told == f"{what_happened(cause)} mailwatch looks again before it acts."
    assert told_in(cause, State.BLOCKED) == texts_for(cause).operator


def test_what_is_tried_again_or_proves_itself_is_not_told_as_stopped():
    tried = told_in(Cause.INVALID_CREDENTIALS, State.RECONNECTING)
    assert tried == (
        "The server refuses the user name or the password. mailwatch tries again. The mailbox owner must give the right password."
    )
    assert "stopped" not in told_in(Cause.INVALID_CREDENTIALS, State.VERIFYING)
    assert "keeps retrying" in told_in(Cause.DNS_FAILURE, State.RECONNECTING)


@pytest.mark.parametrize("cause", list(Cause))
def test_a_verdict_without_a_daemon_tells_of_no_daemons_deeds(cause):
    assert "mailwatch stopped" not in verdict_of(cause)
    assert verdict_of(cause).startswith(what_happened(cause))
