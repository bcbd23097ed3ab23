"""Certificates for fake servers: contexts made by trustme, or by hand what trustme refuses to make; good and wrong in each known way."""

import datetime as dt
import ssl
import warnings
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("localhost", "127.0.0.1")
DAY = dt.timedelta(days=1)
BY_HAND = ("expired_issuer", "issued_by_a_server", "stranger_with_its_root", "for_clients_only", "weak_key")


class Made(NamedTuple):
    """A certificate made by hand, and its key."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes

    @classmethod
    def of(cls, authority: trustme.CA) -> "Made":
        certificate = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
        return cls(certificate, serialization.load_pem_private_key(authority.private_key_pem.bytes(), None))

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    def issue(
        self, *, authority: bool = False, bits: int = 2048, days: int = 30, purpose: x509.ObjectIdentifier | None = None
    ) -> "Made":
        """A certificate for localhost, signed by this one whether or not it may; it has ended when *days* is negative."""
        key, now = rsa.generate_private_key(65537, bits), dt.datetime.now(dt.UTC)
        issuer, number = self.certificate.subject, x509.random_serial_number()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"number {number}")])
        builder = x509.CertificateBuilder(issuer, subject, key.public_key(), number, now - 90 * DAY, now + days * DAY)
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        return Made(builder.sign(self.key, hashes.SHA256()), key)


class Certificates:
    """A root that clients trust (`ca_file`), and server contexts by fault."""

    def __init__(self, directory: Path) -> None:
        self.root, self.stranger = trustme.CA(), trustme.CA()
        directory.mkdir(exist_ok=True)
        self.ca_file = directory / "ca.pem"
        self.root.cert_pem.write_to_path(self.ca_file)

    def server(self, fault: str = "good") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if fault in BY_HAND:
            context.set_ciphers("ALL:@SECLEVEL=0")  # or OpenSSL would not even present a weak key
            leaf, *others = self._by_hand(fault)
            self._present(context, leaf.key_pem(), leaf.pem(), *(each.pem() for each in others))
            return context
        leaf = self._leaf(fault)
        if fault == "incomplete_chain":
            self._present(context, leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes())
        else:
            leaf.configure_cert(context)
        if fault == "tls_1_2_only":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if fault == "tls_1_1_only":
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    def _present(self, context: ssl.SSLContext, *pems: bytes) -> None:
        path = self.ca_file.with_name("presented.pem")
        path.write_bytes(b"".join(pems))
        context.load_cert_chain(path)

    def _by_hand(self, fault: str) -> list[Made]:
        """The certificate, and those sent with it."""
        root, stranger = Made.of(self.root), Made.of(self.stranger)
        match fault:
            case "expired_issuer":
                issuer = root.issue(authority=True, days=-1)
            case "issued_by_a_server":
                issuer = root.issue()
            case "stranger_with_its_root":
                issuer = stranger
            case "for_clients_only":
                return [root.issue(purpose=ExtendedKeyUsageOID.CLIENT_AUTH)]
            case _:
                return [root.issue(bits=1024)]
        return [issuer.issue(), issuer]

    def _leaf(self, fault: str) -> trustme.LeafCert:
        now = dt.datetime.now(dt.UTC)
        issue, names, options = self.root.issue_cert, NAMES, {}
        match fault:
            case "expired":
                options = {"not_before": now - 9 * DAY, "not_after": now - DAY}
            case "not_yet_valid":
                options = {"not_before": now + DAY, "not_after": now + 9 * DAY}
            case "wrong_host":
                names = ("other.example",)
            case "wildcard_of_others":
                names = ("*.localhost", "*.example")
            case "name_only_in_subject":
                names, options = ("other.example",), {"common_name": "localhost"}
            case "stranger":
                issue = self.stranger.issue_cert
            case "whole_chain" | "incomplete_chain":
                issue = self.root.create_child_ca().issue_cert
        return issue(*names, **options)
