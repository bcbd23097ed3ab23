"""The words of Chinese and Japanese servers."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text
from mailwatch.core.signatures.lexicon_asia import CHINESE, JAPANESE


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("535 パスワードが間違っています", Cause.INVALID_CREDENTIALS),
        ("552 メールボックスがいっぱいです", Cause.MAILBOX_FULL),
        ("552 邮箱已满", Cause.MAILBOX_FULL),
    ],
)
def test_a_reply_nobody_listed_is_understood_by_its_words(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("words.")


@pytest.mark.parametrize("words", [CHINESE, JAPANESE])
def test_every_idea_of_a_language_has_words(words):
    assert words
    assert all(text.split() for text in words.values())
