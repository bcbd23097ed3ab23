"""What the large free-mail providers say."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
            Cause.IP_BLOCKED,
        ),
        ("NO [AUTHENTICATIONFAILED] mbr1240: please verify your account by visiting the site", Cause.WEB_LOGIN_REQUIRED),
        ("NO Error: rate limit hit", Cause.RATE_LIMITED),
        ("535 Error: authentication failed, 请使用授权码登录", Cause.APP_PASSWORD_REQUIRED),
        ("535 密码错误", Cause.INVALID_CREDENTIALS),
    ],
)
def test_its_own_words_have_their_own_cause(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith(("yahoo.", "netease_tencent."))
