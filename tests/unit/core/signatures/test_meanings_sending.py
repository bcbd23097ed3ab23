"""What may not be sent, in words nobody wrote down before."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import Classifier
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.signatures import PHRASES

GENERAL = Classifier(without={rule.group for rule in PHRASES})


@pytest.mark.parametrize(
    ("protocol", "phase", "text", "cause"),
    [
        ("smtp", Phase.SUBMIT, "552 An attachment of this type is not allowed", Cause.SENDING_BLOCKED),
        ("smtp", Phase.SUBMIT, "550 Mail refused: it looks like phishing", Cause.SENDING_BLOCKED),
        ("smtp", Phase.SUBMIT, "550 Your outgoing mail was blocked", Cause.SENDING_BLOCKED),
        ("smtp", Phase.SUBMIT, "550 Sending is not configured for this domain", Cause.ACCESS_DENIED),
        ("smtp", Phase.SUBMIT, "550 The sender must be the owner of the address", Cause.ACCESS_DENIED),
        ("smtp", Phase.AUTH, "535 SMTP submission is switched off for this login", Cause.PROTOCOL_DISABLED),
    ],
)
def test_the_words_are_understood_without_any_providers_table(protocol, phase, text, cause):
    assert GENERAL.diagnose(Evidence(protocol, phase, text)).cause is cause
