"""The order of commands, encryption and the ways to log in, in words nobody wrote down before."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import Classifier
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.signatures import PHRASES

GENERAL = Classifier(without={rule.group for rule in PHRASES})


@pytest.mark.parametrize(
    ("protocol", "phase", "text", "cause"),
    [
        ("smtp", Phase.STARTTLS, "503 TLS was already started", Cause.PROTOCOL_ERROR),
        ("smtp", Phase.SUBMIT, "550 Please authenticate before you send", Cause.INVALID_CREDENTIALS),
        ("imap", Phase.AUTH, "a NO Directory service failed while looking up the user", Cause.SERVER_UNAVAILABLE),
        ("imap", Phase.AUTH, "a NO This login needs a one-time password", Cause.MFA_REQUIRED),
        ("imap", Phase.AUTH, "a NO Only OAuth logins are welcome here", Cause.BASIC_AUTH_DISABLED),
        ("imap", Phase.AUTH, "a NO Encryption is mandatory before logging in", Cause.TLS_REQUIRED),
        ("imap", Phase.SELECT, "a NO This folder is read-only", Cause.ACCESS_DENIED),
        ("imap", Phase.AUTH, "Login is disabled on this server", Cause.TLS_REQUIRED),
    ],
)
def test_the_words_are_understood_without_any_providers_table(protocol, phase, text, cause):
    assert GENERAL.diagnose(Evidence(protocol, phase, text)).cause is cause
