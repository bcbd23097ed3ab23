"""What numbers of the network stack mean."""

import errno

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.network_codes import ERRNO, cause_of_verify_code


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ECONNREFUSED, Cause.CONNECTION_REFUSED),
        (errno.ETIMEDOUT, Cause.CONNECTION_TIMEOUT),
        (errno.EHOSTUNREACH, Cause.CONNECTION_TIMEOUT),
        (errno.ENETUNREACH, Cause.CONNECTION_TIMEOUT),
        (errno.ECONNRESET, Cause.CONNECTION_DROPPED),
        (errno.EPIPE, Cause.CONNECTION_DROPPED),
        (errno.EMFILE, Cause.UNKNOWN),
        (errno.ENFILE, Cause.UNKNOWN),
        (-2, Cause.DNS_FAILURE),
        (-3, Cause.DNS_FAILURE),
        (10061, Cause.CONNECTION_REFUSED),
        (10060, Cause.CONNECTION_TIMEOUT),
        (10054, Cause.CONNECTION_DROPPED),
    ],
)
def test_an_error_number_has_its_cause_on_every_system(number, cause):
    assert ERRNO[number] is cause


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (9, Cause.TLS_CERTIFICATE_EXPIRED),  # not yet valid
        (10, Cause.TLS_CERTIFICATE_EXPIRED),
        (18, Cause.TLS_CERTIFICATE_UNTRUSTED),  # self-signed
        (20, Cause.TLS_CERTIFICATE_UNTRUSTED),  # issuer not found
        (62, Cause.TLS_CERTIFICATE_UNTRUSTED),  # another host's
    ],
)
def test_a_certificate_that_is_refused_is_expired_or_not_to_be_trusted(code, cause):
    assert cause_of_verify_code(code) is cause
