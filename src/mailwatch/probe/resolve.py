"""Host names to addresses, without threads: the system's getaddrinfo would let one dead name server starve every probe.

/etc/hosts and IP literals are honoured; A and AAAA are asked together under one deadline; one question per name is on the way at
a time; answers are kept for their TTL within bounds, failures for a few seconds.
"""

import asyncio
import ipaddress
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from mailwatch.probe.failures import ImpairedError, ResolveError

_SECOND_FAMILY_GRACE_SECONDS: Final = (
    0.3  #: how long one family waits for the other (RFC 8305, 3 waits 50 ms; a cached answer can wait longer)
)
_MAX_NAMES: Final = 20_000
_HOSTS_CHECK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer or a failure, until *until* on the monotonic clock."""

    until: float
    addresses: tuple[str, ...] = ()
    error: ResolveError | None = None
    asked_at: float = float("-inf")


class _Flight:
    """One running question and how many wait for it."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: "asyncio.Task[_Kept]") -> None:
        self.task = task
        self.waiting = 0


class Resolver:
    """Resolves host names for probes.

    *nameservers* are `address` or `address:port` / `[address]:port`; None takes /etc/resolv.conf, read again when it changes.
    *timeout_seconds* bounds a whole resolution; answers live between *min_ttl_seconds* and *max_ttl_seconds*.
    """

    def __init__(
        self,
        nameservers: Sequence[str] | None = None,
        timeout_seconds: float = 5.0,
        *,
        min_ttl_seconds: float = 10.0,
        max_ttl_seconds: float = 300.0,
        negative_ttl_seconds: float = 5.0,
        hosts_file: Path | None = Path("/etc/hosts"),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._nameservers = None if nameservers is None else [_nameserver(text) for text in nameservers]
        self._timeout = timeout_seconds
        self._ttl_bounds = (min_ttl_seconds, max_ttl_seconds)
        self._negative_ttl = negative_ttl_seconds
        self._hosts = _HostsFile(hosts_file, monotonic)
        self.monotonic = monotonic
        self._kept: dict[str, _Kept] = {}
        self._flights: dict[str, _Flight] = {}
        self._asker: dns.asyncresolver.Resolver | None = None
        self._asker_stamp: object = None

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The addresses of *host*, IPv6 and IPv4 in turn (RFC 8305, 4); raises ResolveError, ImpairedError."""
        name = host.rstrip(".").lower()
        kept = self._kept.get(name)
        if kept is None or kept.until <= self.monotonic():
            literal = _literal(name)
            if literal is not None:
                return (literal,)
            known = self._hosts.lookup(name)
            if known:
                return known
            kept = await self._fly(name)
        if kept.error is not None:
            raise ResolveError(kept.error.kind, str(kept.error))
        return kept.addresses

    def answered(self, host: str, since: float) -> bool:
        """Whether name servers, asked after *since* (of `monotonic`), gave an address of *host*: what was kept shows nothing."""
        kept = self._kept.get(host.rstrip(".").lower())
        return kept is not None and kept.error is None and kept.asked_at >= since

    async def asked_anew(self, host: str) -> bool | None:
        """Whether name servers give an address of *host* now, whatever is kept; None where none need be asked.

        Raises ImpairedError.
        """
        name = host.rstrip(".").lower()
        if _literal(name) is not None or self._hosts.lookup(name):
            return None
        return (await self._fly(name)).error is None

    async def mail_servers(self, domain: str) -> tuple[str, ...]:
        """The MX hosts of *domain*, best first (RFC 5321, 5.1); empty when there are none."""
        try:
            answer = await self._resolver().resolve(domain, dns.rdatatype.MX, lifetime=self._timeout)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            return ()
        return tuple(str(record.exchange).rstrip(".").lower() for record in sorted(answer, key=lambda record: record.preference))

    async def services(self, name: str) -> tuple[tuple[str, int], ...]:
        """The (host, port) pairs of SRV records at *name*, best first (RFC 2782); empty when there are none."""
        try:
            answer = await self._resolver().resolve(name, dns.rdatatype.SRV, lifetime=self._timeout)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            return ()
        ordered = sorted(answer, key=lambda record: (record.priority, -record.weight))
        pairs = ((str(record.target).rstrip(".").lower(), int(record.port)) for record in ordered)
        return tuple(pair for pair in pairs if pair[0])

    async def _fly(self, name: str) -> _Kept:
        flight = self._flights.get(name)
        if flight is None:
            flight = self._flights[name] = _Flight(asyncio.ensure_future(self._ask(name)))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
                if self._flights.get(name) is flight:
                    del self._flights[name]

    async def _ask(self, name: str) -> _Kept:
        now, asked_at = self.monotonic, self.monotonic()
        try:
            addresses, ttl = await self._ask_both(name)
            low, high = self._ttl_bounds
            kept = _Kept(now() + min(max(ttl, low), high), addresses, asked_at=asked_at)
        except ResolveError as error:
            kept = _Kept(now() + self._negative_ttl, error=error)
            known = self._kept.get(name)
            if known is not None and known.error is None and known.until > now():
                return kept  # asked anew, in vain: what is still good stays
        if len(self._kept) >= _MAX_NAMES:
            self._kept.clear()
        self._kept[name] = kept
        return kept

    async def _ask_both(self, name: str) -> tuple[tuple[str, ...], float]:
        resolver = self._resolver()
        families = {
            asyncio.ensure_future(resolver.resolve(name, family, lifetime=self._timeout, search=False)): family
            for family in (dns.rdatatype.AAAA, dns.rdatatype.A)
        }
        found: dict[dns.rdatatype.RdataType, tuple[list[str], float]] = {}
        errors: list[BaseException] = []
        waiting = set(families)
        try:
            while waiting:
                grace = _SECOND_FAMILY_GRACE_SECONDS if found else None
                done, waiting = await asyncio.wait(waiting, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    break
                for task in done:
                    error = task.exception()
                    if error is None:
                        answer = task.result()
                        found[families[task]] = (
                            [record.address for record in answer],
                            float(answer.rrset.ttl if answer.rrset else 0),
                        )
                    else:
                        errors.append(error)
        finally:
            for task in waiting:
                task.cancel()
        if not found:
            raise _failure(name, errors)
        return _interleave(found), min(ttl for _, ttl in found.values())

    def _resolver(self) -> dns.asyncresolver.Resolver:
        stamp = None if self._nameservers is not None else _stamp(Path("/etc/resolv.conf"))
        if self._asker is None or stamp != self._asker_stamp:
            try:
                asker = dns.asyncresolver.Resolver(configure=self._nameservers is None)
            except dns.resolver.NoResolverConfiguration as error:
                raise ImpairedError("no_resolver_configuration") from error
            if self._nameservers is not None:
                asker.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in self._nameservers]
            asker.cache = None
            asker.retry_servfail = False
            self._asker, self._asker_stamp = asker, stamp
        return self._asker


class _HostsFile:
    """/etc/hosts, read again when it changes; looked at no more than every few seconds."""

    def __init__(self, path: Path | None, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._checked = float("-inf")
        self._stamp: object = None
        self._names: dict[str, tuple[str, ...]] = {}

    def lookup(self, name: str) -> tuple[str, ...]:
        """The addresses of *name* in the file, IPv6 first; `localhost` is always known (RFC 6761, 6.3)."""
        if self._path is not None and self._monotonic() - self._checked > _HOSTS_CHECK_SECONDS:
            self._checked = self._monotonic()
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._stamp, self._names = stamp, _read_hosts(self._path)
        if name == "localhost" or name.endswith(".localhost"):
            return self._names.get(name) or ("::1", "127.0.0.1")
        return self._names.get(name, ())


def _read_hosts(path: Path) -> dict[str, tuple[str, ...]]:
    names: dict[str, list[str]] = {}
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return {}
    for line in text.splitlines():
        address, *aliases = line.partition("#")[0].split() or [""]
        if _literal(address) is None:
            continue
        for alias in aliases:
            names.setdefault(alias.rstrip(".").lower(), []).append(address)
    return {name: tuple(sorted(set(found), key=lambda text: ":" not in text)) for name, found in names.items()}


def _stamp(path: Path) -> object:
    try:
        status = os.stat(path)  # noqa: PTH116  # Path.stat costs twice as much on this hot path
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _literal(text: str) -> str | None:
    if ":" not in text and not text[-1:].isdigit():
        return None
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return text


def _nameserver(text: str) -> tuple[str, int]:
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, int(port.lstrip(":") or 53)
    if text.count(":") == 1:
        address, _, port = text.partition(":")
        return address, int(port)
    return text, 53


def _interleave(found: dict[dns.rdatatype.RdataType, tuple[list[str], float]]) -> tuple[str, ...]:
    six = found.get(dns.rdatatype.AAAA, ([], 0.0))[0]
    four = found.get(dns.rdatatype.A, ([], 0.0))[0]
    mixed: list[str] = []
    for index in range(max(len(six), len(four))):
        mixed += six[index : index + 1] + four[index : index + 1]
    return tuple(mixed)


def _failure(name: str, errors: Sequence[BaseException]) -> ResolveError:
    """The most telling of the two families' errors, as one."""
    ranks = (OSError, dns.resolver.NXDOMAIN, dns.resolver.NoNameservers, dns.exception.Timeout)
    error = min(errors, key=lambda one: next((rank for rank, kind in enumerate(ranks) if isinstance(one, kind)), len(ranks)))
    if isinstance(error, OSError):
        from mailwatch.probe.capture import impairment_of  # noqa: PLC0415  # capture knows errors of all adapters, this one included

        impairment = impairment_of(error)
        if impairment is not None:
            raise ImpairedError(impairment) from error
    kind = f"{type(error).__module__}.{type(error).__name__}".removeprefix("builtins.")
    return ResolveError(kind, f"{name}: {_words(error)}")


def _words(error: BaseException) -> str:
    if isinstance(error, dns.resolver.NXDOMAIN):
        return "the DNS name does not exist (NXDOMAIN)"
    if isinstance(error, dns.resolver.NoAnswer):
        return "the DNS name has no address (no A or AAAA record)"
    if isinstance(error, dns.resolver.NoNameservers):
        return f"all name servers failed: {error}"
    if isinstance(error, dns.exception.Timeout):
        return "the name servers do not answer (DNS time-out)"
    return f"the name cannot be looked up: {error}"
