"""A throw-away certificate authority for the simulated providers: good certificates, and each kind of bad one.

Keys are made afresh at every start and live in the world's directory only.  The certificates carry key usage and key
identifiers, so that they also pass OpenSSL's strict checks (the default since Python 3.13).
"""

import ipaddress
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_A_DAY: Final = timedelta(days=1)


@unique
class CertificateKind(StrEnum):
    """What a client sees when it looks at the certificate."""

    VALID = "valid"
    EXPIRED = "expired"
    UNTRUSTED = "untrusted"  #: signed by an authority nobody knows
    SELF_SIGNED = "self_signed"
    WRONG_HOST = "wrong_host"


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


class _Issuer:
    """A key and the certificate over it that may sign others."""

    def __init__(self, common_name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        name, public = _name(common_name), self.key.public_key()
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _A_DAY)
            .not_valid_after(now + 365 * _A_DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def sign(self, hosts: Sequence[str], key: ec.EllipticCurvePrivateKey, not_after: datetime) -> x509.Certificate:
        """A server certificate over *key* for *hosts*, valid until *not_after*."""
        return (
            _leaf(hosts, key, not_after)
            .issuer_name(self.certificate.subject)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def _leaf(hosts: Sequence[str], key: ec.EllipticCurvePrivateKey, not_after: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(hosts[0]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC), not_after) - 90 * _A_DAY)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


class CertificateAuthority:
    """Issues server certificates; clients that trust `ca_file` accept the valid ones only."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._issuer = _Issuer("mailwatch simulated providers")
        self._stranger = _Issuer("an authority nobody trusts")
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(self._issuer.certificate.public_bytes(Encoding.PEM))

    def issue(self, hosts: Sequence[str], kind: CertificateKind = CertificateKind.VALID) -> bytes:
        """Certificate and key as PEM, for the host names and IP addresses *hosts*."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        not_after = now - _A_DAY if kind is CertificateKind.EXPIRED else now + 60 * _A_DAY
        names = ("other.invalid",) if kind is CertificateKind.WRONG_HOST else tuple(hosts)
        if kind is CertificateKind.SELF_SIGNED:
            certificate = _leaf(names, key, not_after).issuer_name(_name(names[0])).sign(key, hashes.SHA256())
        else:
            signer = self._stranger if kind is CertificateKind.UNTRUSTED else self._issuer
            certificate = signer.sign(names, key, not_after)
        return certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def server_context(self, hosts: Sequence[str], kind: CertificateKind = CertificateKind.VALID) -> ssl.SSLContext:
        """A server's TLS context showing such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.num_tickets = 0  # nobody resumes here, and each ticket costs a write
        pem = self._directory / f"{hosts[0]}-{kind}.pem"
        pem.touch(mode=0o600)
        pem.write_bytes(self.issue(hosts, kind))  # OpenSSL loads a chain from a file only
        context.load_cert_chain(pem)
        pem.unlink()
        return context

    def client_context(self) -> ssl.SSLContext:
        """A client's TLS context that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.ca_file))
