"""One connection of a simulated server: lines and counted bytes in, replies out, TLS begun in mid-stream, a hard end.

A protocol of its own rather than asyncio's streams: their server-side STARTTLS keeps the old transport in the reader, and a
connection here must be able to end with a reset.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Final, cast

MAX_LINE: Final = 65_536
_NO_LINGER: Final = struct.pack("ii", 1, 0)


class PeerGoneError(Exception):
    """The client has closed the connection, or it was cut from here."""


class LineTooLongError(Exception):
    """The client sent more than `MAX_LINE` bytes without a line end."""


class Wire(asyncio.Protocol):
    """The server's end of a connection; *lost* is called when the transport is gone for good."""

    def __init__(self, lost: "Callable[[Wire], None]" = lambda _wire: None) -> None:
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._over = False
        self.encrypted = False

    # asyncio's side
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are no subclasses of asyncio's

    def data_received(self, data: bytes) -> None:
        """Bytes of the client; reading pauses while more than enough wait."""
        self._buffer += data
        if len(self._buffer) > 2 * MAX_LINE and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The client has no more to say: neither have we."""
        self._over = True
        self._wake()
        return False

    def connection_lost(self, _error: Exception | None, /) -> None:
        """The connection is gone."""
        self._over = True
        self._wake()
        self._lost(self)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _more(self) -> None:
        if self._over or self._transport is None:
            raise PeerGoneError
        self._transport.resume_reading()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    # the session's side
    async def line(self) -> bytes:
        """The next line without its end (CRLF or a bare LF); raises PeerGoneError, LineTooLongError."""
        while (cut := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                raise LineTooLongError
            await self._more()
        line = bytes(self._buffer[:cut])
        del self._buffer[: cut + 1]
        return line.removesuffix(b"\r")

    async def exactly(self, count: int) -> bytes:
        """The next *count* bytes."""
        while len(self._buffer) < count:
            await self._more()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    async def silence(self) -> None:
        """Say nothing, and swallow what comes, until the client gives up."""
        while True:
            self._buffer.clear()
            try:
                await self._more()
            except PeerGoneError:
                return

    def send(self, text: str | bytes) -> None:
        """Write; text gets a CRLF for each of its line ends and one behind it."""
        if self._transport is None or self._transport.is_closing():
            return
        if isinstance(text, str):
            text = text.replace("\n", "\r\n").encode() + b"\r\n"
        self._transport.write(text)

    @property
    def gone(self) -> bool:
        """Whether the connection has ended."""
        return self._over or self._transport is None or self._transport.is_closing()

    @property
    def unsent(self) -> int:
        """Bytes written that the client has not yet taken."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on in TLS; what the client sent ahead of it in clear is thrown away (RFC 3207, 4.2).  Raises PeerGoneError."""
        self._buffer.clear()
        if self._transport is None:
            raise PeerGoneError
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport, self, context, server_side=True, ssl_handshake_timeout=10, ssl_shutdown_timeout=1
            )
        except (OSError, ssl.SSLError) as error:
            raise PeerGoneError from error
        if transport is None:
            raise PeerGoneError
        self._transport = transport
        self.encrypted = True

    def close(self) -> None:
        """End the connection in order, after what was written."""
        self._over = True
        self._wake()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once, whatever the client does."""
        self._over = True
        self._wake()
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """End the connection at once, with a TCP reset."""
        self._over = True
        self._wake()
        if self._transport is not None:
            plain = self._transport.get_extra_info("socket")
            if plain is not None:
                with contextlib.suppress(OSError):
                    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._transport.abort()


def reset_socket(plain: socket.socket) -> None:
    """Close a socket nobody has wrapped yet with a TCP reset."""
    with contextlib.suppress(OSError):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    plain.close()
