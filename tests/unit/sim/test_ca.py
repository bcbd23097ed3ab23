"""The throw-away authority's certificates are accepted, or refused for the reason asked for."""

import ssl

import pytest

from mailwatch.sim.ca import CertificateAuthority, CertificateKind


def handshake(server_context, client_context, name):
    """Both ends in memory; raises what the client raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    done = {server: False, client: False}
    for _ in range(10):
        for end in (client, server):
            if not done[end]:
                try:
                    end.do_handshake()
                    done[end] = True
                except ssl.SSLWantReadError:
                    pass
    assert all(done.values())
    return client.getpeercert()


def test_a_valid_certificate_is_accepted_by_name_and_by_address(tmp_path):
    authority = CertificateAuthority(tmp_path)
    context = authority.server_context(("mail.example", "127.0.0.1"))
    assert handshake(context, authority.client_context(), "mail.example")
    assert handshake(context, authority.client_context(), "127.0.0.1")


def test_a_valid_certificate_passes_the_strict_checks_that_python_313_turns_on(tmp_path):
    authority = CertificateAuthority(tmp_path)
    strict = authority.client_context()
    strict.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    assert handshake(authority.server_context(("mail.example",)), strict, "mail.example")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (CertificateKind.EXPIRED, 10),
        (CertificateKind.SELF_SIGNED, 18),
        (CertificateKind.UNTRUSTED, 20),
        (CertificateKind.WRONG_HOST, 62),
    ],
)
def test_each_bad_certificate_is_refused_for_its_own_reason(tmp_path, kind, code):
    authority = CertificateAuthority(tmp_path)
    context = authority.server_context(("mail.example",), kind)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        handshake(context, authority.client_context(), "mail.example")
    assert refused.value.verify_code == code


def test_no_private_key_stays_on_disk(tmp_path):
    authority = CertificateAuthority(tmp_path)
    authority.server_context(("mail.example",))
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]
    assert b"PRIVATE" not in authority.ca_file.read_bytes()
