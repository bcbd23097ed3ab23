"""The English words."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text
from mailwatch.core.signatures.lexicon import ENGLISH


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("535 Your password is wrong", Cause.INVALID_CREDENTIALS),
        ("535 your credentials were rejected", Cause.INVALID_CREDENTIALS),
    ],
)
def test_a_reply_nobody_listed_is_understood_by_its_words(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("words.")


@pytest.mark.parametrize("words", [ENGLISH])
def test_every_idea_of_a_language_has_words(words):
    assert words
    assert all(text.split() for text in words.values())
