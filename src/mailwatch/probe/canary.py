"""Asks a few well-kept places of the internet whether they can be reached: the second opinion on our own side.

A connection shows that the uplink works and nothing else.  What it does not show is looked at only when somebody needs to know it:
whether name servers answer now (not from what was kept), and whether certificates can be judged - by the certificates of the
places, and by the time they tell (RFC 9110, 6.6.1), which needs no certificate to be right.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

from mailwatch.core.egress import Matter, Opinion
from mailwatch.probe.resolve import Resolver

_TIMEOUT_SECONDS: Final = 3.0
#: A close look may take two handshakes, or all that the resolver gives a name.
_CLOSE_LOOK_SECONDS: Final = 5.5
#: A clock that is off by more is wrong: certificates, signed assertions and Kerberos bear no more than this.
_SKEW_SECONDS: Final = 300.0
_MOST_HEADERS: Final = 16 * 1024
#: X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED: trusted by its issuer, but not now.
_NOT_NOW: Final = frozenset({9, 10})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one place showed of certificates; None: nothing."""

    verify_code: int | None = None  #: why OpenSSL refused its certificate, 0 for a good one
    skew_seconds: float | None = None  #: how far its clock is from ours


class NetworkCanary:
    """`ports.Canary` by connections.  *places* are (host, port) chosen by the operator, of unrelated providers.

    Certificates are judged by *context*, the one that probes use; at *http_ports* the time is asked for.
    """

    def __init__(
        self,
        places: Sequence[tuple[str, int]],
        resolver: Resolver,
        context: ssl.SSLContext,
        *,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        close_look_seconds: float = _CLOSE_LOOK_SECONDS,
        http_ports: Collection[int] = (443, 8443),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._places = tuple(places)
        self._resolver = resolver
        self._context = context
        self._timeout = timeout_seconds
        self._close_look_seconds = close_look_seconds
        self._http_ports = frozenset(http_ports)
        self._now = now

    async def answers(self) -> bool:
        """Whether at least one place accepted a connection; ends within the time-out."""
        return await _first([self._reach(host, port) for host, port in self._places], self._timeout)

    async def examine(self, matter: Matter) -> Opinion:
        """What a close look at all places says of *matter*."""
        if matter is Matter.NAMES:
            hosts = {host for host, _ in self._places}
            named = await self._within([self._resolver.asked_anew(host) for host in hosts], otherwise=False)
            return _of_names(named)
        if matter is Matter.TRUST:
            looks = [self._look(host, port) for host, port in self._places]
            return _of_trust(await self._within(looks, otherwise=_Shown()))
        return Opinion.UNKNOWN

    async def _within(self, questions: Sequence[Awaitable[T]], *, otherwise: T) -> list[T]:
        """The answers that come in time; *otherwise* for the rest, and for whatever goes wrong."""
        tasks = [asyncio.ensure_future(question) for question in questions]
        if not tasks:
            return []
        try:
            await asyncio.wait(tasks, timeout=self._close_look_seconds)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        return [otherwise if isinstance(each, BaseException) else each for each in ended]

    async def _reach(self, host: str, port: int) -> bool:
        try:
            addresses = await self._resolver.addresses(host)
        except Exception:  # noqa: BLE001  # whatever it is (resolver, descriptors), this place did not answer
            return False
        # all at once: where one family is broken, its addresses must not take the time of the other's
        return await _first([self._touch(address, port) for address in addresses], self._timeout)

    async def _touch(self, address: str, port: int) -> bool:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            return False
        writer.transport.abort()
        return True

    async def _look(self, host: str, port: int) -> _Shown:
        try:
            return _Shown(0, await self._greet(host, port, self._context))
        except ssl.SSLCertVerificationError as error:
            if port not in self._http_ports:
                return _Shown(error.verify_code)
            try:  # the time it tells is believed all the same: it only keeps us from blaming others
                return _Shown(error.verify_code, await self._greet(host, port, _judging_nothing()))
            except (OSError, TimeoutError):
                return _Shown(error.verify_code)

    async def _open(self, host: str, port: int, context: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection with TLS to the first address that takes one; raises OSError."""
        failure: OSError = ConnectionError(f"{host}: no address")
        for address in await self._resolver.addresses(host):
            try:
                async with asyncio.timeout(self._close_look_seconds / 4):
                    return await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
            except ssl.SSLCertVerificationError:
                raise
            except OSError as error:
                failure = error
        raise failure

    async def _greet(self, host: str, port: int, context: ssl.SSLContext) -> float | None:
        """A handshake; how far the place's clock is from ours, when it tells."""
        reader, writer = await self._open(host, port, context)
        try:
            if port not in self._http_ports:
                return None
            writer.write(f"HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            told_at = _date_in((await reader.read(_MOST_HEADERS)).split(b"\r\n"))
            return None if told_at is None else abs((told_at - self._now()).total_seconds())
        except OSError:
            return None
        finally:
            writer.transport.abort()


async def _first(tries: Sequence[Coroutine[Any, Any, bool]], seconds: float) -> bool:
    """Whether one of *tries* comes true within *seconds*; leaves none of them running."""
    tasks = [asyncio.create_task(each) for each in tries]
    try:
        for done in asyncio.as_completed(tasks, timeout=seconds):
            if await done:
                return True
    except TimeoutError:
        return False
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return False


def _of_names(named: Collection[bool | None]) -> Opinion:
    if True in named:
        return Opinion.SOUND
    return Opinion.RESOLVER if False in named else Opinion.UNKNOWN


def _of_trust(shown: Collection[_Shown]) -> Opinion:
    skews = [each.skew_seconds for each in shown if each.skew_seconds is not None]
    clock_is_right = any(skew <= _SKEW_SECONDS for skew in skews)
    if skews and not clock_is_right:
        return Opinion.CLOCK
    codes = {each.verify_code for each in shown} - {None}
    if codes & _NOT_NOW and not clock_is_right:
        return Opinion.CLOCK if 0 not in codes else Opinion.UNKNOWN
    if 0 in codes:
        return Opinion.SOUND
    return Opinion.AUTHORITIES if codes - _NOT_NOW else Opinion.UNKNOWN


def _judging_nothing() -> ssl.SSLContext:
    """A context for the time alone: nothing secret is said there, and nothing that is heard is trusted with anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _date_in(lines: Iterable[bytes]) -> datetime | None:
    """The moment in the Date of an HTTP answer."""
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"date":
            try:
                told_at = parsedate_to_datetime(value.decode("ascii", "replace").strip())
            except (TypeError, ValueError):
                return None
            return told_at if told_at.tzinfo is not None else told_at.replace(tzinfo=UTC)
    return None
