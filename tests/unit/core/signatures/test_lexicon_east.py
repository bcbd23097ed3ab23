"""The words of Dutch, Polish, Turkish and Russian servers."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text
from mailwatch.core.signatures.lexicon_east import DUTCH, OTHERS, POLISH, RUSSIAN, TURKISH


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("535 Onjuist wachtwoord", Cause.INVALID_CREDENTIALS),
        ("535 Nieprawidłowe hasło", Cause.INVALID_CREDENTIALS),
        ("535 Yanlış şifre", Cause.INVALID_CREDENTIALS),  # noqa: RUF001  # it is Turkish
        ("535 Неверный пароль", Cause.INVALID_CREDENTIALS),
        ("552 почтовый ящик переполнен", Cause.MAILBOX_FULL),
    ],
)
def test_a_reply_nobody_listed_is_understood_by_its_words(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("words.")


@pytest.mark.parametrize("words", [DUTCH, POLISH, TURKISH, RUSSIAN, OTHERS])
def test_every_idea_of_a_language_has_words(words):
    assert words
    assert all(text.split() for text in words.values())
