"""English words for what became of something, how much is too much, and refusals."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text
from mailwatch.core.signatures.lexicon_states import STATES


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("535 Your password has lapsed", Cause.PASSWORD_EXPIRED),
        ("535 Your mailbox was hacked, account barred", Cause.ACCOUNT_DISABLED),
        ("552 The recipient violates the quota", Cause.MAILBOX_FULL),
    ],
)
def test_a_reply_nobody_listed_is_understood_by_its_words(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("words.")


@pytest.mark.parametrize("words", [STATES])
def test_every_idea_of_a_language_has_words(words):
    assert words
    assert all(text.split() for text in words.values())
