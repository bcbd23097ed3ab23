"""What Dovecot and Postfix say, by their sources."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.", Cause.TLS_REQUIRED),
        ("NO [UNAVAILABLE] Temporary authentication failure. [mail:2026-03-01 12:00:00]", Cause.SERVER_UNAVAILABLE),
        ("NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", Cause.CONNECTION_LIMIT),
        ("NO Internal error occurred. Refer to server log for more information. [2026-03-01 12:00:00]", Cause.SERVER_UNAVAILABLE),
        ("454 4.7.0 Temporary authentication failure: Connection lost to authentication server", Cause.SERVER_UNAVAILABLE),
        ("554 5.7.1 <user@example.org>: Sender address rejected: not owned by user x@example.org", Cause.ACCESS_DENIED),
    ],
)
def test_their_words_have_their_cause(reply, cause):
    assert diagnose(evidence_of_text(reply)).cause is cause
