"""The words of German and French servers."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text
from mailwatch.core.signatures.lexicon_world import FRENCH, GERMAN


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("535 5.7.0 Das Passwort ist falsch", Cause.INVALID_CREDENTIALS),
        ("535 5.7.0 Ihr Konto wurde gesperrt", Cause.ACCOUNT_DISABLED),
        ("535 Mot de passe incorrect", Cause.INVALID_CREDENTIALS),
        ("552 Postfach ist voll", Cause.MAILBOX_FULL),
        ("452 Le quota de la boîte aux lettres est dépassé", Cause.MAILBOX_FULL),
    ],
)
def test_a_reply_nobody_listed_is_understood_by_its_words(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("words.")


@pytest.mark.parametrize("words", [GERMAN, FRENCH])
def test_every_idea_of_a_language_has_words(words):
    assert words
    assert all(text.split() for text in words.values())
