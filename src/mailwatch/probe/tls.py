"""TLS for every connection of the program: one shared context, its settings explicit, and what a certificate says.

A context costs 31 ms and 0.8 MiB, and one built while descriptors are short holds no CA at all and calls every server untrusted:
so it is built once, at the start, and checked.
"""

import asyncio.sslproto
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mailwatch.core.evidence import Certificate, clean
from mailwatch.ports import MailwatchError

HANDSHAKE_SECONDS: Final = 10.0
SHUTDOWN_SECONDS: Final = 1.0
_SMALL_BUFFER: Final = 16 * 1024


class CaStoreError(MailwatchError):
    """No certificate authority could be loaded: every server would look untrusted."""


def make_ssl_context(ca_file: Path | str | None = None) -> ssl.SSLContext:
    """The context that all probes share: the system's CAs, or those of *ca_file* alone; raises CaStoreError with the cure.

    TLS 1.2 at least, host names checked against subjectAltName only (RFC 9525, 2).  Python 3.13 turned VERIFY_X509_STRICT on; it
    refuses private CAs in wide use, so it is off here on every version.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags = ssl.VerifyFlags.VERIFY_X509_TRUSTED_FIRST | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    try:
        if ca_file is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            context.load_verify_locations(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise CaStoreError(f"{ca_file or 'the system'}: the CA certificates cannot be loaded ({error}); give a PEM file") from error
    if not context.cert_store_stats()["x509_ca"] and not _has_ca_directory(ca_file):
        place = ca_file or ssl.get_default_verify_paths().openssl_cafile
        raise CaStoreError(f"{place}: holds no CA certificate; install ca-certificates, or set [network] ca_file to a PEM bundle")
    return context


def _has_ca_directory(ca_file: Path | str | None) -> bool:
    """Whether certificates may come one by one from a hashed directory, which OpenSSL reads only when it needs them."""
    place = ssl.get_default_verify_paths().capath
    return ca_file is None and bool(place) and next(Path(place).glob("*.0"), None) is not None


def shrink_buffers() -> None:
    """Let asyncio's TLS take 60 KiB a connection instead of 300 KiB (its read buffer is zeroed memory of 256 KiB)."""
    if getattr(asyncio.sslproto.SSLProtocol, "max_size", 0) > _SMALL_BUFFER:
        asyncio.sslproto.SSLProtocol.max_size = _SMALL_BUFFER


class CertificateReader:
    """Reads peer certificates; each distinct one is parsed once."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[str, bytes], Certificate] = {}

    def read(self, peer: ssl.SSLObject, endpoint: str) -> Certificate | None:
        """What the verified certificate of *peer* says; *endpoint* is host:port."""
        der = peer.getpeercert(binary_form=True)
        if der is None:
            return None
        found = self._parsed.get((endpoint, der))
        if found is None:
            fields = peer.getpeercert()
            if not fields:
                return None
            expires = ssl.cert_time_to_seconds(str(fields["notAfter"]))
            found = Certificate(
                endpoint, datetime.fromtimestamp(expires, UTC), _name(fields.get("issuer")), _name(fields.get("subject"))
            )
            if len(self._parsed) >= 1024:  # noqa: PLR2004  # a bound, no tuning: servers are far fewer
                self._parsed.clear()
            self._parsed[endpoint, der] = found
        return found


def _name(rdns: object) -> str:
    """A distinguished name as one line, common name first."""
    if not isinstance(rdns, tuple):
        return ""
    pairs = [pair for rdn in rdns for pair in rdn]
    pairs.sort(key=lambda pair: pair[0] != "commonName")
    return clean(", ".join(str(value) for _, value in pairs), 200)
