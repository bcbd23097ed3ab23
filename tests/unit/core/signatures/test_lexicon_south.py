"""The words of Spanish, Italian and Portuguese servers."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text
from mailwatch.core.signatures.lexicon_south import ITALIAN, PORTUGUESE, SPANISH


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("535 Contraseña incorrecta", Cause.INVALID_CREDENTIALS),
        ("535 La password è errata", Cause.INVALID_CREDENTIALS),
        ("535 Senha incorreta", Cause.INVALID_CREDENTIALS),
        ("552 El buzón está lleno", Cause.MAILBOX_FULL),
        ("552 La casella è piena", Cause.MAILBOX_FULL),
        ("552 Caixa de correio cheia", Cause.MAILBOX_FULL),
    ],
)
def test_a_reply_nobody_listed_is_understood_by_its_words(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("words.")


@pytest.mark.parametrize("words", [ITALIAN, PORTUGUESE, SPANISH])
def test_every_idea_of_a_language_has_words(words):
    assert words
    assert all(text.split() for text in words.values())
