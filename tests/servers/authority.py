"""Certificates: one good, and one for every way a certificate can be wrong."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, unique
from pathlib import Path
from typing import assert_never

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("localhost", "mail.test", "127.0.0.1")


@unique
class Certificate(StrEnum):
    """Which certificate a server shows."""

    GOOD = "good"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_NAME = "wrong_name"
    SELF_SIGNED = "self_signed"
    UNTRUSTED = "untrusted"  #: faultless, by an authority the client does not know


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate chain and its private key, as PEM."""

    chain: bytes
    key: bytes

    def write(self, directory: Path, stem: str = "server") -> tuple[Path, Path]:
        """Write both under *directory*, readable by all (servers drop their rights); the two paths."""
        chain, key = directory / f"{stem}.pem", directory / f"{stem}.key"
        for path, content in ((chain, self.chain), (key, self.key)):
            path.write_bytes(content)
            path.chmod(0o644)
        return chain, key


class Authority:
    """A certificate authority of our own."""

    def __init__(self) -> None:
        self._known, self._unknown = trustme.CA(), trustme.CA()
        self.pem: bytes = self._known.cert_pem.bytes()  #: what a client must trust

    def write_ca(self, path: Path) -> Path:
        """Write the authority's own certificate, for a client's `cafile`."""
        path.write_bytes(self.pem)
        path.chmod(0o644)
        return path

    def issue(self, which: Certificate = Certificate.GOOD) -> Pair:
        """A new certificate, faulty in the way named."""
        now = datetime.now(UTC)
        match which:
            case Certificate.GOOD:
                leaf = self._known.issue_cert(*NAMES)
            case Certificate.EXPIRED:
                leaf = self._known.issue_cert(*NAMES, not_before=now - timedelta(days=90), not_after=now - timedelta(days=1))
            case Certificate.NOT_YET_VALID:
                leaf = self._known.issue_cert(*NAMES, not_before=now + timedelta(days=1), not_after=now + timedelta(days=90))
            case Certificate.WRONG_NAME:
                leaf = self._known.issue_cert("other.test")
            case Certificate.UNTRUSTED:
                leaf = self._unknown.issue_cert(*NAMES)
            case Certificate.SELF_SIGNED:
                return _self_signed(now)
            case _:
                assert_never(which)
        return Pair(b"".join(blob.bytes() for blob in leaf.cert_chain_pems), leaf.private_key_pem.bytes())


def _self_signed(now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
