"""The wire of SMTP: aiosmtplib's protocol, driven directly and made to keep what it would drop.

aiosmtplib's parser is bounded and sound; its client is not used, since it tries three mechanisms after one refusal and loses a
late 421.  With `smtp_wire` and nothing else of the program importing it, this is where a change of that library would show.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple

from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.esmtp import parse_esmtp_extensions
from aiosmtplib.protocol import SMTPProtocol

from mailwatch.probe.failures import ConnectionClosedError, ProtocolViolationError
from mailwatch.probe.tls import HANDSHAKE_SECONDS, SHUTDOWN_SECONDS

MAX_SESSION: Final = 4 * 1024 * 1024
_KEPT_UNASKED: Final = 1024
_LOWEST, _HIGHEST = 200, 599


class Answer(NamedTuple):
    """A reply: its code and its lines without the code, joined by line feeds (RFC 5321, 4.2)."""

    code: int
    text: str


class LateReplyError(Exception):
    """A reply that nobody asked for: `421` and its like, sent as the server gives up (RFC 5321, 3.8)."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.code}")
        self.answer = answer


class SmtpWire(SMTPProtocol):
    """One SMTP connection; *received* is called with each line of the server, code included."""

    def __init__(self, loop: asyncio.AbstractEventLoop, received: Callable[[str], None]) -> None:
        super().__init__(loop=loop)
        self._received = received
        self._seen = 0
        self._unasked = bytearray()
        self._news: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        self._raw: asyncio.Transport | None = None

    # called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        super().connection_made(transport)
        self._raw = transport  # type: ignore[assignment]  # a stream transport, by the way it was opened

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._lost = self._lost or exc or ConnectionClosedError()
        super().connection_lost(exc)
        self._tell()

    def eof_received(self) -> bool:
        """The peer sends no more."""
        self._lost = self._lost or ConnectionClosedError()
        self._tell()
        return super().eof_received()

    def data_received(self, data: bytes) -> None:
        """Bytes of the server, in any slicing; what no command waits for is kept apart."""
        self._seen += len(data)
        if self._seen > MAX_SESSION:
            self._lost = ProtocolViolationError(f"more than {MAX_SESSION} bytes in one session")
            self.abort()
            return
        waiter = self._response_waiter
        if waiter is None or waiter.done() or not self._response_pending:
            self._keep_unasked(data)
            return
        super().data_received(data)
        if waiter.done() and self._buffer:
            self._keep_unasked(bytes(self._buffer))
            del self._buffer[:]

    # called by the dialogue

    async def greeting(self) -> Answer:
        """The server's first reply."""
        return self._checked(*await self._guarded(self.read_response()))

    async def command(self, line: bytes) -> Answer:
        """Send *line* and wait for its reply; raises LateReplyError, ProtocolViolationError, ConnectionClosedError, OSError."""
        await self._hear_unasked()
        return self._checked(*await self._guarded(self.execute_command(line)))

    async def content(self, message: bytes) -> Answer:
        """A message after DATA's 354: line ends made CRLF, leading dots doubled, the final dot (RFC 5321, 4.5.2)."""
        lines = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
        stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
        self._response_pending = True
        try:
            self.write(stuffed + b".\r\n")
        except SMTPServerDisconnected:
            raise self._lost or ConnectionClosedError() from None
        return self._checked(*await self._guarded(self.read_response()))

    async def secure(self, context: ssl.SSLContext, host: str, shaking_hands: Callable[[], None]) -> Answer:
        """STARTTLS, and the handshake when the answer is 220; a byte too many in clear text ends it (RFC 3207, 6).

        *shaking_hands* is called as the handshake begins.
        """
        answer = await self.command(b"STARTTLS")
        if answer.code != 220:  # noqa: PLR2004  # ready to start TLS
            return answer
        if self._unasked or self._buffer:
            raise ProtocolViolationError("data in clear text behind the STARTTLS reply")
        transport = self.transport
        if transport is None:
            raise self._lost or ConnectionClosedError()
        shaking_hands()
        secured = await self._loop.start_tls(
            transport,  # type: ignore[arg-type]  # a stream transport, by the way it was opened
            self,
            context,
            server_hostname=host,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )
        if secured is None:
            raise self._lost or ConnectionClosedError()
        self.transport = self._raw = secured
        self._over_ssl = True
        if self._unasked:
            raise ProtocolViolationError("data in clear text behind the STARTTLS reply")
        return answer

    def abort(self) -> None:
        """Drop the connection at once; a TLS close would wait 30 s for a deaf peer."""
        if self._raw is not None:
            self._raw.abort()

    # inner matters

    def _keep_unasked(self, data: bytes) -> None:
        self._unasked += data[: _KEPT_UNASKED - len(self._unasked)]
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def _hear_unasked(self) -> None:
        """Before a command: whatever the server said on its own ends the session, once its line is whole."""
        while self._unasked and b"\n" not in self._unasked and self._lost is None and len(self._unasked) < _KEPT_UNASKED:
            self._news = self._loop.create_future()
            try:
                await self._news
            finally:
                self._news = None
        if self._unasked:
            raise self._late()

    def _late(self) -> Exception:
        text = bytes(self._unasked).decode("utf-8", "replace")
        self._received(text)
        first = text.splitlines()[0] if text.strip() else ""
        if first[:3].isdecimal() and first[:1] in {"4", "5"}:
            lines = [line[4:].strip() for line in text.splitlines() if line[:3] == first[:3]]
            return LateReplyError(Answer(int(first[:3]), "\n".join(lines)))
        return ProtocolViolationError(f"an unasked reply: {first[:200]}")

    async def _guarded(self, reply: "asyncio.Future[tuple[int, str]] | object") -> tuple[int, str]:
        try:
            return await reply  # type: ignore[misc,no-any-return]  # a coroutine of the library giving (code, text)
        except SMTPResponseException as error:
            words = error.message.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            self._received(words)
            raise ProtocolViolationError(words[:300]) from None
        except SMTPServerDisconnected as error:
            if self._unasked:
                raise self._late() from None
            raise self._lost or _root(error) from None
        except SMTPException:
            raise self._lost or ConnectionClosedError() from None

    def _checked(self, code: int, text: str) -> Answer:
        words = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        lines = words.split("\n")
        for line in lines[:-1]:
            self._received(f"{code}-{line}")
        self._received(f"{code} {lines[-1]}")
        if not _LOWEST <= code <= _HIGHEST:
            raise ProtocolViolationError(f"not an SMTP reply: {code} {words[:200]}")
        return Answer(code, words)


def _root(error: BaseException) -> Exception:
    """The network's error behind the library's."""
    cause = error.__cause__
    return cause if isinstance(cause, OSError) else ConnectionClosedError()


def extensions(ehlo: str) -> tuple[dict[str, str], frozenset[str]]:
    """The extensions an EHLO reply offers (lower case) and its SASL mechanisms (upper case)."""
    offered, mechanisms = parse_esmtp_extensions(ehlo)
    return offered, frozenset(mechanism.upper() for mechanism in mechanisms)
