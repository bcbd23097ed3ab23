"""What mail programs say in their own words; a server's reply that they quote is judged instead."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Evidence, Phase


@pytest.mark.parametrize(
    ("protocol", "phase", "words", "cause"),
    [
        ("imap", Phase.AUTH, "fetchmail: Authorization failure on user@imap.example.com", Cause.INVALID_CREDENTIALS),
        ("imap", Phase.AUTH, "No Response: [AUTHENTICATIONFAILED] Invalid credentials (Failure)", Cause.INVALID_CREDENTIALS),
        (
            "smtp",
            Phase.AUTH,
            "The transport error code was 0x80040217. The server response was not available",
            Cause.INVALID_CREDENTIALS,
        ),
        ("imap", Phase.AUTH, "The IMAP server does not seem to support encrypted passwords.", Cause.MECHANISM_UNSUPPORTED),
        ("imap", Phase.AUTH, "The IMAP server imap.example.com does not allow plaintext passwords.", Cause.TLS_REQUIRED),
        (
            "imap",
            Phase.TLS,
            "SSL fingerprint 'abc' does not match configured fingerprint(s) ['def'].",
            Cause.TLS_CERTIFICATE_UNTRUSTED,
        ),
        ("smtp", Phase.CONNECT, "SMTP Error (-1): Connection to server failed.", Cause.CONNECTION_REFUSED),
        ("smtp", Phase.SUBMIT, "the connection was lost in the middle of the transaction", Cause.CONNECTION_DROPPED),
        ("smtp", Phase.CONNECT, '{:network_failure, ~c"smtp.example.com", {:error, :timeout}}', Cause.CONNECTION_TIMEOUT),
    ],
)
def test_a_program_is_understood_by_its_own_words(protocol, phase, words, cause):
    assert diagnose(Evidence(protocol, phase, words)).cause is cause


@pytest.mark.parametrize(
    ("protocol", "phase", "words", "cause"),
    [
        (
            "network",
            Phase.TLS,
            "Connection to server failed because its certificate has been revoked",
            Cause.TLS_CERTIFICATE_UNTRUSTED,
        ),
        ("smtp", Phase.AUTH, "535 5.7.8 user name or password for this account has expired", Cause.PASSWORD_EXPIRED),
        ("imap", Phase.AUTH, "NO [UNAVAILABLE] authfail server is down for maintenance", Cause.SERVER_UNAVAILABLE),
    ],
)
def test_words_of_a_server_and_reasons_behind_them_weigh_more(protocol, phase, words, cause):
    assert diagnose(Evidence(protocol, phase, words)).cause is cause
