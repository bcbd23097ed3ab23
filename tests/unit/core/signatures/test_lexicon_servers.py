"""English words for a server's own troubles, ends of sessions and protocols."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text
from mailwatch.core.signatures.lexicon_servers import SERVERS


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("421 machine overburdened, come back later", Cause.SERVER_UNAVAILABLE),
        ("504 digest-md5 was retired", Cause.MECHANISM_UNSUPPORTED),
        ("451 hypervisor rebooting, service down", Cause.SERVER_UNAVAILABLE),
    ],
)
def test_a_reply_nobody_listed_is_understood_by_its_words(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("words.")


@pytest.mark.parametrize("words", [SERVERS])
def test_every_idea_of_a_language_has_words(words):
    assert words
    assert all(text.split() for text in words.values())
