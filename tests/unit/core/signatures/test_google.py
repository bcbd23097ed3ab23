"""What Gmail says, by its own documentation."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (
            "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
            Cause.APP_PASSWORD_REQUIRED,
        ),
        ("NO [WEBALERT https://accounts.google.com/signin/continue?sarp=1] Web login required.", Cause.WEB_LOGIN_REQUIRED),
        (
            "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page (Failure)",
            Cause.PROTOCOL_DISABLED,
        ),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", Cause.CONNECTION_LIMIT),
        ("BYE Account exceeded command or bandwidth limits.", Cause.RATE_LIMITED),
    ],
)
def test_its_own_words_have_their_own_cause(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("google.")
