"""How much is too much, in words nobody wrote down before."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import Classifier
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.signatures import PHRASES

GENERAL = Classifier(without={rule.group for rule in PHRASES})


@pytest.mark.parametrize(
    ("protocol", "phase", "text", "cause"),
    [
        ("smtp", Phase.GREETING, "451 Connection temporarily refused: this system is too busy", Cause.SERVER_UNAVAILABLE),
        ("imap", Phase.AUTH, "a NO The limit of simultaneous sessions is reached", Cause.CONNECTION_LIMIT),
        ("imap", Phase.AUTH, "a NO Wait a minute before you log in again", Cause.RATE_LIMITED),
        ("smtp", Phase.SUBMIT, "451 Limit of 20 messages per minute exceeded", Cause.RATE_LIMITED),
        ("smtp", Phase.SUBMIT, "550 You have exceeded your quota of outgoing mail", Cause.SENDING_LIMIT),
        ("smtp", Phase.SUBMIT, "550 The mailbox exceeds its size", Cause.MAILBOX_FULL),
        ("smtp", Phase.SUBMIT, "452 The disk is full", Cause.SERVER_UNAVAILABLE),
        ("imap", Phase.AUTH, "a NO Logins from your region are disabled", Cause.IP_BLOCKED),
    ],
)
def test_the_words_are_understood_without_any_providers_table(protocol, phase, text, cause):
    assert GENERAL.diagnose(Evidence(protocol, phase, text)).cause is cause
