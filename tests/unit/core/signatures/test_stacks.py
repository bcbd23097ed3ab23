"""What the program's own side of a connection says: resolver, sockets, TLS."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.raw_text import evidence_of_text


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (
            "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1007)",
            Cause.TLS_CERTIFICATE_EXPIRED,
        ),
        (
            "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1007)",
            Cause.TLS_CERTIFICATE_UNTRUSTED,
        ),
        ("socket.gaierror: [Errno -2] Name or service not known", Cause.DNS_FAILURE),
        ("ConnectionRefusedError: [Errno 111] Connection refused", Cause.CONNECTION_REFUSED),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", Cause.CONNECTION_DROPPED),
        ("OSError: [Errno 113] No route to host", Cause.CONNECTION_TIMEOUT),
        ("OSError: [Errno 24] Too many open files", Cause.UNKNOWN),
    ],
)
def test_its_own_words_have_their_own_cause(reply, cause):
    diagnosis = diagnose(evidence_of_text(reply))
    assert diagnosis.cause is cause
    assert diagnosis.rule.startswith("stack.")
