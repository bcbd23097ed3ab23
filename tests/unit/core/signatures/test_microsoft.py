"""What Exchange Online says, by its own documentation."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled",
            Cause.PROTOCOL_DISABLED,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect or the account is locked",
            Cause.ACCOUNT_DISABLED,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
            Cause.BASIC_AUTH_DISABLED,
        ),
        ("NO LOGIN failed: BasicAuthBlocked", Cause.BASIC_AUTH_DISABLED),
        ("535 5.7.3 Authentication unsuccessful: federated STS service was unreachable", Cause.SERVER_UNAVAILABLE),
        ("NO the user's password has expired and must be changed", Cause.PASSWORD_EXPIRED),
    ],
)
def test_its_own_words_have_their_own_cause(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("microsoft.")
