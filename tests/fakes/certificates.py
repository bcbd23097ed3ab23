"""Certificates for fake servers: contexts made by trustme, or by hand what trustme refuses to make; good and wrong in each known way."""

import base64
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
#: Servers that speak with no version or cipher which a client of today takes: their versions, and their ciphers.
OUTDATED = {
    "tls_1_0_only": (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1, "ALL"),
    "tls_1_1_only": (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1, "ALL"),
    "tls_1_0_and_1_1": (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, "ALL"),
    "no_encryption": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "eNULL"),
    "no_forward_secrecy": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "AES128-SHA"),
    "small_dh": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "DHE-RSA-AES128-GCM-SHA256"),
}
#: Diffie-Hellman parameters of 1024 bits: the second Oakley group (RFC 2409, 6.2).
_SMALL_DH = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)
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
        self,
        *,
        authority: bool = False,
        bits: int = 2048,
        days: int = 30,
        purpose: x509.ObjectIdentifier | None = None,
        name: str = "localhost",
    ) -> "Made":
        """A certificate for the DNS name *name*, signed by this one whether or not it may; it has ended when *days* is negative."""
        key, now = rsa.generate_private_key(65537, bits), dt.datetime.now(dt.UTC)
        issuer, number = self.certificate.subject, x509.random_serial_number()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"number {number}")])
        builder = x509.CertificateBuilder(issuer, subject, key.public_key(), number, now - 90 * DAY, now + days * DAY)
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
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
        if fault in OUTDATED:
            lowest, highest, ciphers = OUTDATED[fault]
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                context.minimum_version, context.maximum_version = lowest, highest
            context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
        if fault == "small_dh":
            context.load_dh_params(str(self._small_dh()))
        return context

    def server_of(self, *names: str) -> ssl.SSLContext:
        """A faultless certificate for *names*: IP addresses as such, other alphabets as DNS writes them."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.root.issue_cert(*names).configure_cert(context)
        return context

    def server_of_literal_name(self, name: str) -> ssl.SSLContext:
        """A certificate whose DNS name is *name*, though it is none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf = Made.of(self.root).issue(name=name)
        self._present(context, leaf.key_pem(), leaf.pem())
        return context

    def _small_dh(self) -> Path:
        path = self.ca_file.with_name("dh.pem")
        der = bytes.fromhex("30818702818100") + _SMALL_DH.to_bytes(128) + bytes.fromhex("020102")  # PKCS #3: the prime, and 2
        path.write_text(f"-----BEGIN DH PARAMETERS-----\n{base64.encodebytes(der).decode()}-----END DH PARAMETERS-----\n")
        return path

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
            case fault if fault in OUTDATED:
                options = {"key_type": trustme.KeyType.RSA}  # the old ciphers know no other
            case "whole_chain" | "incomplete_chain":
                issue = self.root.create_child_ca().issue_cert
        return issue(*names, **options)
