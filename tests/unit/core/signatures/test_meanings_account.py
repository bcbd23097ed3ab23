"""Services switched off, accounts closed and servers in trouble, in words nobody wrote down before."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import Classifier
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.signatures import PHRASES

GENERAL = Classifier(without={rule.group for rule in PHRASES})


@pytest.mark.parametrize(
    ("protocol", "phase", "text", "cause"),
    [
        ("imap", Phase.AUTH, "a NO IMAP is only available in the premium plan", Cause.PROTOCOL_DISABLED),
        ("imap", Phase.AUTH, "a NO IMAP access is denied for this user", Cause.PROTOCOL_DISABLED),
        ("imap", Phase.AUTH, "a NO This account was revoked by its owner", Cause.ACCOUNT_DISABLED),
        ("imap", Phase.AUTH, "a NO User has no licence", Cause.ACCOUNT_DISABLED),
        ("imap", Phase.AUTH, "a NO El servidor no está disponible", Cause.SERVER_UNAVAILABLE),
        ("imap", Phase.AUTH, "Error while connecting to the server", Cause.CONNECTION_REFUSED),
        ("smtp", Phase.GREETING, "550 authorization denied", Cause.IP_BLOCKED),
    ],
)
def test_the_words_are_understood_without_any_providers_table(protocol, phase, text, cause):
    assert GENERAL.diagnose(Evidence(protocol, phase, text)).cause is cause
