"""What network stacks and token endpoints say, in words nobody wrote down before."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import Classifier
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.signatures import PHRASES

GENERAL = Classifier(without={rule.group for rule in PHRASES})


@pytest.mark.parametrize(
    ("protocol", "phase", "text", "cause"),
    [
        ("network", Phase.CONNECT, "proxy: SOCKS5 authentication failed", Cause.UNKNOWN),
        ("network", Phase.RESOLVE, "unable to look up host mail.example.com", Cause.DNS_FAILURE),
        ("network", Phase.TLS, "certificate chain could not be verified", Cause.TLS_CERTIFICATE_UNTRUSTED),
        ("oauth", Phase.TOKEN, "the answer is no valid JSON", Cause.SERVER_UNAVAILABLE),
        ("oauth", Phase.TOKEN, "this client may not use the grant_type", Cause.OAUTH_MISCONFIGURED),
        ("oauth", Phase.TOKEN, "Request failed!", Cause.SERVER_UNAVAILABLE),
        ("oauth", Phase.TOKEN, '{"error":"invalid_grant","error_description":"User is suspended"}', Cause.ACCOUNT_DISABLED),
    ],
)
def test_the_words_are_understood_without_any_providers_table(protocol, phase, text, cause):
    assert GENERAL.diagnose(Evidence(protocol, phase, text)).cause is cause
