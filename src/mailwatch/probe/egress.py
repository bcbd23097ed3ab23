"""Which addresses may be connected to: judged on the very address of the connection, never on a name or a spelling.

Mailbox owners choose host names, so each connection could be turned against our own network (SSRF).  Addresses that carry an
IPv4 address inside are unwrapped and judged by it; what is not globally routable is denied unless an operator allows it.
"""

import ipaddress
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

from mailwatch.probe.failures import TargetDeniedError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Ports where mail servers listen (RFC 8314, RFC 6409) and 2525, the usual stand-in for 587.
MAIL_PORTS: Final = frozenset({25, 143, 465, 587, 993, 2525})

_NAT64: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))  # RFC 6052, RFC 8215
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")  # RFC 4291, 2.5.5.1, deprecated
# Global by the registries, and yet never a mail server of somebody else: cloud metadata and platform addresses.
_ALWAYS_DENIED: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.169.254/32", "100.100.100.200/32", "168.63.129.16/32", "192.88.99.0/24", "fd00:ec2::254/128", "fec0::/10")
)
_REMEMBERED: Final = 4096


def unwrap(address: IPAddress) -> IPAddress:
    """The IPv4 address inside a mapped, compatible, NAT64, 6to4 or Teredo address; else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


@lru_cache(maxsize=_REMEMBERED)
def is_global(text: str) -> bool:
    """Whether the address literal *text* is one of the public internet: a way out leads there."""
    try:
        address = unwrap(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    return address.is_global and not _lies_in(address, _ALWAYS_DENIED)


def _lies_in(address: IPAddress, networks: Iterable[IPNetwork]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


class EgressPolicy:
    """Judges addresses before and after connecting.

    *allow_private_hosts* allows every unicast address but metadata services; *allowed_networks* (CIDR) allows just these;
    *denied_listen* are (host, port) pairs where mailwatch itself listens; *allowed_ports* None means any.
    """

    def __init__(
        self,
        *,
        allow_private_hosts: bool = False,
        allowed_networks: Iterable[str] = (),
        denied_listen: Iterable[tuple[str, int]] = (),
        allowed_ports: Collection[int] | None = MAIL_PORTS,
    ) -> None:
        self._allow_private = allow_private_hosts
        self._allowed: tuple[IPNetwork, ...] = tuple(ipaddress.ip_network(text, strict=False) for text in allowed_networks)
        self._denied_listen = frozenset((host.strip("[]"), port) for host, port in denied_listen)
        self._allowed_ports = None if allowed_ports is None else frozenset(allowed_ports)
        self._verdicts: dict[tuple[str, int], bool] = {}

    def allows(self, address: str, port: int) -> bool:
        """Whether a connection to *address* (a literal, perhaps with a zone) and *port* may be made."""
        verdict = self._verdicts.get((address, port))
        if verdict is None:
            verdict = self._judge(address, port)
            if len(self._verdicts) >= _REMEMBERED:
                self._verdicts.clear()
            self._verdicts[address, port] = verdict
        return verdict

    def allows_host(self, address: str) -> bool:
        """Whether *address* may be connected to on a port that is none of mail's, such as HTTPS of a token endpoint."""
        return self._judge(address, None)

    def check(self, address: str, port: int) -> None:
        """Raise TargetDeniedError unless the connection is allowed."""
        if not self.allows(address, port):
            raise TargetDeniedError

    def _judge(self, text: str, port: int | None) -> bool:
        try:
            address = unwrap(ipaddress.ip_address(text.partition("%")[0]))
        except ValueError:
            return False
        if port is not None and not self._allows_port(address, port):
            return False
        if _lies_in(address, _ALWAYS_DENIED):
            return False
        if _lies_in(address, self._allowed):
            return True
        if address.is_multicast or address.is_unspecified or (address.version == 4 and address.is_reserved):  # noqa: PLR2004  # IPv4
            return False
        return self._allow_private or address.is_global

    def _allows_port(self, address: IPAddress, port: int) -> bool:
        return (self._allowed_ports is None or port in self._allowed_ports) and not self._is_own_listener(address, port)

    def _is_own_listener(self, address: IPAddress, port: int) -> bool:
        for host, listening in self._denied_listen:
            if listening != port:
                continue
            if host in {"", "0.0.0.0", "::"} and (address.is_loopback or not address.is_global):  # noqa: S104  # compared, not bound
                return True
            if host == str(address) or (host == "localhost" and address.is_loopback):
                return True
        return False
