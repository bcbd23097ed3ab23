"""From an endpoint to a verified connection, on sockets of our own, each step timed.

Names are resolved by `resolve`, each address is judged by `egress`, and the judged address itself is connected to, addresses in
turn 250 ms apart (RFC 8305).  Errors that our own machine makes (no descriptor, a forbidding route) are told from the peer's.
"""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from mailwatch.core.evidence import Certificate, Phase
from mailwatch.core.mailbox import Endpoint, TlsMode
from mailwatch.probe.capture import impairment_of
from mailwatch.probe.egress import EgressPolicy, is_global
from mailwatch.probe.failures import ImpairedError, TargetDeniedError
from mailwatch.probe.resolve import Resolver
from mailwatch.probe.sockets import OwnSocket
from mailwatch.probe.tls import HANDSHAKE_SECONDS, SHUTDOWN_SECONDS, CertificateReader, shrink_buffers
from mailwatch.probe.trace import Trace

CONNECT_SECONDS: Final = 10.0  #: for all addresses of a host together
_ATTEMPT_DELAY_SECONDS: Final = 0.25  #: RFC 8305, 5
_IN_PROGRESS: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, errno.EINTR})

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Dialer:
    """Opens connections for probes.  *source_address* is the local IP address to connect from."""

    def __init__(
        self,
        resolver: Resolver,
        policy: EgressPolicy,
        ssl_context: ssl.SSLContext,
        source_address: str | None = None,
    ) -> None:
        self.resolver = resolver
        self.policy = policy
        self.ssl_context = ssl_context
        self._source = source_address
        self._certificates = CertificateReader()
        shrink_buffers()

    async def open(self, endpoint: Endpoint, factory: Callable[[], P], trace: Trace) -> tuple[asyncio.Transport, P]:
        """A connection to *endpoint* with TLS on it when its mode is implicit; the caller aborts the transport.

        Raises ResolveError, TargetDeniedError, ImpairedError, OSError, ssl.SSLError, TimeoutError.
        """
        trace.enter(Phase.RESOLVE)
        asked_from = self.resolver.monotonic()
        addresses = await self.resolver.addresses(endpoint.host)
        trace.looked_up = self.resolver.answered(endpoint.host, asked_from)
        allowed = [address for address in addresses if self.policy.allows(address, endpoint.port)]
        if not allowed:
            raise TargetDeniedError
        trace.nearby = not any(is_global(address) for address in allowed)
        trace.enter(Phase.CONNECT)
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await self._connect(allowed, endpoint.port)
        loop = asyncio.get_running_loop()
        try:
            peer = connection.getpeername()[0]
            self.policy.check(peer, endpoint.port)
            trace.nearby = not is_global(peer)
            if endpoint.tls_mode is TlsMode.IMPLICIT:
                trace.enter(Phase.TLS)
                return await loop.create_connection(
                    factory,
                    sock=connection,
                    ssl=self.ssl_context,
                    server_hostname=endpoint.host,
                    ssl_handshake_timeout=HANDSHAKE_SECONDS,
                    ssl_shutdown_timeout=SHUTDOWN_SECONDS,
                )
            return await loop.create_connection(factory, sock=connection)
        except BaseException:
            connection.close()  # the loop may own it by now, or have closed it: see `sockets`
            raise

    def certificate(self, transport: asyncio.BaseTransport, endpoint: Endpoint) -> Certificate | None:
        """What the server's certificate says, once TLS is on."""
        peer = transport.get_extra_info("ssl_object")
        return None if peer is None else self._certificates.read(peer, endpoint.authority)

    async def _connect(self, addresses: Sequence[str], port: int) -> socket.socket:
        if len(addresses) == 1:
            return await self._attempt(addresses[0], port)
        return await self._race(addresses, port)

    async def _race(self, addresses: Sequence[str], port: int) -> socket.socket:
        """The first of *addresses* to answer; the next one starts when one fails, or after 250 ms."""
        waiting: set[asyncio.Task[socket.socket]] = set()
        errors: list[Exception] = []
        left = iter(addresses)
        try:
            while True:
                address = next(left, None)
                if address is not None:
                    waiting.add(asyncio.ensure_future(self._attempt(address, port)))
                elif not waiting:
                    raise _most_telling(errors)
                delay = None if address is None else _ATTEMPT_DELAY_SECONDS
                done, waiting = await asyncio.wait(waiting, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
                winner: socket.socket | None = None
                for task in done:
                    error = task.exception()
                    if error is None and winner is None:
                        winner = task.result()
                    elif error is None:
                        task.result().close()
                    elif isinstance(error, Exception):
                        errors.append(error)
                    else:
                        raise error
                if winner is not None:
                    return winner
        finally:
            for task in waiting:
                task.add_done_callback(_discard)
                task.cancel()

    async def _attempt(self, address: str, port: int) -> socket.socket:
        """One connection to one address literal."""
        bare, _, zone = address.partition("%")
        family = socket.AF_INET6 if ":" in bare else socket.AF_INET
        target: tuple[str, int] | tuple[str, int, int, int] = (bare, port)
        if family is socket.AF_INET6:
            target = (bare, port, 0, _zone_index(zone))
        try:
            connection = OwnSocket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        except OSError as error:
            raise ImpairedError(impairment_of(error) or "no_socket") from error
        try:
            if not self._begin(connection, target):
                await _connected(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin(self, connection: socket.socket, target: tuple[str, int] | tuple[str, int, int, int]) -> bool:
        """Start connecting; whether it is done already.  An error that comes at once is our own machine's, not the network's."""
        if self._source is not None:
            try:
                connection.bind((self._source, 0))
            except OSError as error:
                raise ImpairedError("source_address_unusable") from error
        try:
            connection.connect(target)
        except OSError as error:
            if error.errno in _IN_PROGRESS:
                return False
            impairment = impairment_of(error, connecting=True)
            if impairment is not None:
                raise ImpairedError(impairment) from error
            raise
        return True


async def _connected(connection: socket.socket) -> None:
    """Wait until a connection under way is made; raises the OSError it ends with."""
    loop = asyncio.get_running_loop()
    writable = loop.create_future()
    loop.add_writer(connection, _wake, writable)
    try:
        await writable
    finally:
        loop.remove_writer(connection)
    number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, os.strerror(number))


def _wake(writable: "asyncio.Future[None]") -> None:
    if not writable.done():
        writable.set_result(None)


def _zone_index(zone: str) -> int:
    if not zone:
        return 0
    try:
        return int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
    except OSError:
        return 0


def _most_telling(errors: Sequence[Exception]) -> Exception:
    """The error that says most of the peer: a refusal before a silence before an error of our own."""
    ranks = (ConnectionRefusedError, TimeoutError, OSError)
    return min(errors, key=lambda error: next((rank for rank, kind in enumerate(ranks) if isinstance(error, kind)), len(ranks)))


def _discard(task: "asyncio.Task[socket.socket]") -> None:
    """Close the socket of a race's loser that connected after all."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
