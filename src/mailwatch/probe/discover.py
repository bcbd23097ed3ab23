"""From an address to its servers: the table of known providers, the domain's own SRV records (RFC 6186, RFC 8314), then its MX."""

import asyncio
from dataclasses import dataclass
from typing import Final

from mailwatch.core.mailbox import Endpoint, Protocol, TlsMode
from mailwatch.core.providers import endpoints_for_domain, provider_for_mail_exchanger
from mailwatch.probe.resolve import Resolver

#: SRV services by preference: TLS from the first byte before STARTTLS (RFC 8314, 3).
_SERVICES: Final = {
    Protocol.IMAP: (("_imaps._tcp", TlsMode.IMPLICIT), ("_imap._tcp", TlsMode.STARTTLS)),
    Protocol.SMTP: (("_submissions._tcp", TlsMode.IMPLICIT), ("_submission._tcp", TlsMode.STARTTLS)),
}


@dataclass(frozen=True, slots=True)
class Discovery:
    """The servers of an address, and the way they were found."""

    imap: Endpoint | None
    smtp: Endpoint | None
    found_by: str  #: known_provider | srv | mx | nothing


async def discover(address: str, resolver: Resolver) -> Discovery:
    """The servers for *address*; both endpoints are None when nothing is known."""
    domain = address.rpartition("@")[2].lower()
    if not domain.isascii():
        domain = domain.encode("idna").decode("ascii")
    known = endpoints_for_domain(domain)
    if known is not None:
        return Discovery(*known, found_by="known_provider")
    imap, smtp, exchangers = await asyncio.gather(
        _by_srv(domain, Protocol.IMAP, resolver), _by_srv(domain, Protocol.SMTP, resolver), resolver.mail_servers(domain)
    )
    provider = next((found for host in exchangers if (found := provider_for_mail_exchanger(host)) is not None), None)
    if imap is not None or smtp is not None:
        if provider is not None:  # what the domain does not say, its provider does
            return Discovery(imap or provider.imap, smtp or provider.smtp, "srv")
        return Discovery(imap, smtp, "srv")
    if provider is not None and (provider.imap is not None or provider.smtp is not None):
        return Discovery(provider.imap, provider.smtp, "mx")
    return Discovery(None, None, "nothing")


async def _by_srv(domain: str, protocol: Protocol, resolver: Resolver) -> Endpoint | None:
    for service, mode in _SERVICES[protocol]:
        for host, port in await resolver.services(f"{service}.{domain}"):
            return Endpoint(protocol, host, port, mode)
    return None
