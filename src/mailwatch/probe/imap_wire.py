"""The wire of IMAP: aioimaplib's client protocol, made fit for peers that are broken or hostile.

aioimaplib 2.0.3 buffers without bound, recurses per line, loses BYE texts, does not notice a lost connection, has no STARTTLS, and
writes commands with their secrets into errors and logs.  What is kept of it: commands, tags, the table of states.  This is the
only module that imports it.
"""

import asyncio
import contextlib
import logging
import re
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from aioimaplib import aioimaplib

from mailwatch.probe.failures import ConnectionClosedError, ProtocolViolationError, ServerByeError
from mailwatch.probe.tls import HANDSHAKE_SECONDS, SHUTDOWN_SECONDS

MAX_LINE: Final = 64 * 1024
MAX_LITERAL: Final = 1024 * 1024
MAX_SESSION: Final = 4 * 1024 * 1024
MAX_LINES: Final = 10_000
_BYE_GRACE_SECONDS: Final = 0.5  #: how long a BYE may precede the close
_LITERAL: Final = re.compile(rb"\{(\d{1,9})\+?\}$")
_HUGE_LITERAL: Final = re.compile(rb"\{\d{10,}\+?\}$")
_STATUSES: Final = frozenset({b"OK", b"NO", b"BAD"})

# The library logs what it sends and receives; nothing of it may reach a log, whatever level somebody sets.
_library_log = logging.getLogger("aioimaplib")
_library_log.addHandler(logging.NullHandler())
_library_log.propagate = False
_library_log.disabled = True
aioimaplib.log.propagate = False
aioimaplib.log.disabled = True


class _Command(aioimaplib.Command):  # type: ignore[misc]  # aioimaplib has no types
    """A command of the library whose arguments are nowhere kept: its text is its name."""

    def __init__(self, name: str, tag: str, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name, tag, loop=loop)

    def fail(self, error: Exception) -> None:
        """Wake the waiter with *error*."""
        self._exception = error
        self._event.set()

    def rouse(self) -> None:
        """Wake the waiter without a reply."""
        self._event.set()

    def rest(self) -> None:
        """From now on a waiter waits again."""
        self._event.clear()


@dataclass(frozen=True, slots=True)
class Reply:
    """A tagged reply: status, the text behind it, the untagged lines before it, error challenges of SASL."""

    status: str
    text: bytes
    untagged: tuple[bytes, ...] = ()
    challenges: tuple[bytes, ...] = ()


@dataclass(slots=True)
class _Pending:
    """The command on the way, and what is still to be answered to continuation requests."""

    command: _Command
    answers: deque[bytes] = field(default_factory=deque)
    last: bytes | None = None
    challenges: list[bytes] = field(default_factory=list)
    kept: bool = True  #: the untagged lines are wanted
    idling: bool = False  #: the server waits with us
    ending: bool = False  #: and has been told to stop


class ImapWire(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]  # aioimaplib has no types
    """One IMAP connection: at most one command at a time, every byte bounded, every end noticed at once.

    *received* is called with each line of the server.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, received: Callable[[bytes], None]) -> None:
        super().__init__(loop)
        self._received = received
        self._buffer = bytearray()
        self._seen = 0
        self._lines = 0
        self._skip = 0
        self._partial = b""
        self._pending: _Pending | None = None
        self._greeting: asyncio.Future[bytes] = loop.create_future()
        self._switching = False
        self._grace: asyncio.TimerHandle | None = None
        self.failure: Exception | None = None
        self.offered: frozenset[str] = frozenset()  #: capabilities, upper case; empty until told
        self.bye: bytes | None = None
        self.alerts: list[bytes] = []

    # called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self.transport: Any = transport
        self.state = aioimaplib.CONNECTED

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone: whoever waits is told now, with the server's own reason where it gave one."""
        if self.bye is not None:
            self.fail(ServerByeError(self.bye))
        else:
            self.fail(exc or ConnectionClosedError())

    def data_received(self, d: bytes) -> None:
        """Bytes of the server, in any slicing."""
        if self.failure is not None:
            return
        self._seen += len(d)
        try:
            if self._switching:
                raise ProtocolViolationError("data in clear text behind the STARTTLS reply")  # noqa: TRY301  # one place turns faults into failures
            if self._seen > MAX_SESSION:
                raise ProtocolViolationError(f"more than {MAX_SESSION} bytes in one session")  # noqa: TRY301  # as above
            self._buffer += d
            self._consume()
        except ProtocolViolationError as violation:
            self.fail(violation)

    # called by the dialogue

    async def greeting(self) -> bytes:
        """The text of the OK greeting; raises what the peer did instead."""
        return await self._greeting

    async def run(self, name: str, arguments: str = "", *, answers: tuple[bytes, ...] = (), last: bytes | None = None) -> Reply:
        """Send a command and wait for its tagged reply.

        *answers* go out one for each continuation request, then *last* ends a SASL exchange.  Raises ServerByeError,
        ConnectionClosedError, ProtocolViolationError, OSError.
        """
        command = self._command(name)
        pending = self._pending = _Pending(command, deque(answers), last)
        try:
            self._send(f"{command.tag} {name} {arguments}".rstrip(" ").encode())
            await command.wait()
        finally:
            self._pending = None
        return _reply(pending)

    def _command(self, name: str) -> _Command:
        if self.failure is not None:
            raise self.failure
        if self.state not in aioimaplib.Commands[name].valid_states:
            raise ProtocolViolationError(f"{name} is not possible in the state {self.state}")
        return _Command(name, self.new_tag(), self.loop)

    async def idle(self, quiet_seconds: float, answer_seconds: float) -> Reply:
        """One round of IDLE (RFC 2177): begin, wait *quiet_seconds*, end; the reply, which may be that the server would not.

        What the server says meanwhile is bounded anew, and forgotten.  Raises as `run` does, whenever the session ends, and
        TimeoutError when an answer takes longer than *answer_seconds*.  Cancelled, it leaves the round open: see `stop_idling`.
        """
        command = self._command("IDLE")
        self._seen = self._lines = 0
        pending = self._pending = _Pending(command, kept=False)
        self._send(f"{command.tag} IDLE".encode())
        async with asyncio.timeout(answer_seconds):
            await command.wait()
        if self._pending is pending:  # else it has refused, or ended the round in the same breath
            command.rest()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(quiet_seconds):
                    await command.wait()
            async with asyncio.timeout(answer_seconds):
                await self.stop_idling()
        reply = _reply(pending)
        if reply.status == "OK" and not pending.ending:
            raise ProtocolViolationError(f"IDLE was ended unasked: {_quote(reply.text)}")
        return reply

    async def stop_idling(self) -> None:
        """End a round of IDLE that is open, if any, and wait for the server's word on it; raises as `run` does."""
        pending = self._pending
        if pending is None:
            return
        if not pending.idling:  # it has not begun to wait: whatever it says next would be taken for something else
            raise ProtocolViolationError("the server has not answered yet")
        if not pending.ending:
            pending.ending = True
            self._send(b"DONE")
        await pending.command.wait()

    def unheard(self) -> None:
        """From now on nobody is told what the server sends."""
        self._received = _nobody

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Put TLS on the connection, after the OK to STARTTLS; all that was said in clear is forgotten (RFC 9051, 11.1)."""
        if self.failure is not None:
            raise self.failure
        self.transport = await self.loop.start_tls(
            self.transport,
            self,
            context,
            server_hostname=host,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )
        self._switching = False
        self.offered, self.bye, self.alerts = frozenset(), None, []

    def entered(self, state: str) -> None:
        """The server accepted a command that changes the state (aioimaplib's NONAUTH, AUTH, SELECTED)."""
        self.state = state

    def abort(self) -> None:
        """Drop the connection at once; a TLS close would wait 30 s for a deaf peer."""
        if self._grace is not None:
            self._grace.cancel()
        if not self._greeting.done():
            self._greeting.cancel()
        if self.transport is not None:
            self.transport.abort()

    def fail(self, error: Exception) -> None:
        """End the session with *error*; the first one stays."""
        if self.failure is not None:
            return
        self.failure = error
        if self._pending is not None:
            self._pending.command.fail(error)
        if not self._greeting.done():
            self._greeting.set_exception(error)
            self._greeting.exception()  # nobody may be waiting: then it is no news
        self.abort()

    # parsing

    def _consume(self) -> None:
        buffer, start = self._buffer, 0
        try:
            while self.failure is None:
                if self._skip:
                    dropped = min(self._skip, len(buffer) - start)
                    start += dropped
                    self._skip -= dropped
                    if self._skip:
                        return
                end = buffer.find(b"\n", start)
                if (len(buffer) if end < 0 else end) - start > MAX_LINE:
                    raise ProtocolViolationError(f"a line of more than {MAX_LINE} bytes")
                if end < 0:
                    return
                line = bytes(buffer[start:end])
                start = end + 1
                self._take(line.removesuffix(b"\r"))
                if self._switching and start < len(buffer):
                    raise ProtocolViolationError("data in clear text behind the STARTTLS reply")
        finally:
            del buffer[:start]

    def _take(self, line: bytes) -> None:
        """One line; those of one response that literals split are put together, without the literals."""
        self._lines += 1
        if self._lines > MAX_LINES:
            raise ProtocolViolationError(f"more than {MAX_LINES} lines in one session")
        if self._partial or line.startswith(b"* "):
            whole = self._partial + line
            words = whole.split(b" ", 2)
            status = len(words) > 1 and words[1].upper() in {b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"}
            if not status and self._begins_literal(whole):
                return
            line, self._partial = whole, b""
        self._received(line)
        self._dispatch(line)

    def _begins_literal(self, line: bytes) -> bool:
        found = _LITERAL.search(line)
        size = int(found[1]) if found else 0
        if size > MAX_LITERAL or _HUGE_LITERAL.search(line):
            raise ProtocolViolationError(f"a literal of more than {MAX_LITERAL} bytes")
        if found is None:
            return False
        if len(line) > MAX_LINE:
            raise ProtocolViolationError(f"a response of more than {MAX_LINE} bytes")
        self._skip = size
        self._partial = line[: found.start()] + b'"" '
        return True

    def _dispatch(self, line: bytes) -> None:
        if not self._greeting.done():
            self._greet(line)
        elif line.startswith(b"* "):
            self._untagged(line[2:])
        elif line.startswith(b"+"):
            self._continue(line[1:].lstrip(b" "))
        elif line or self._pending is None:
            self._tagged(line)

    def _greet(self, line: bytes) -> None:
        star, _, rest = line.partition(b" ")
        kind, _, text = rest.partition(b" ")
        kind = kind.upper()
        if star != b"*" or kind not in {b"OK", b"BYE", b"PREAUTH"}:
            raise ProtocolViolationError(f"not an IMAP greeting: {_quote(line)}")
        if kind == b"PREAUTH":  # it would skip STARTTLS and the login: nothing would be proven
            raise ProtocolViolationError(f"a PREAUTH greeting is refused: {_quote(line)}")
        if kind == b"BYE":
            self.fail(ServerByeError(text))
            return
        self.state = aioimaplib.NONAUTH
        self._note_capabilities(text)
        self._note_alert(text)
        self._greeting.set_result(text)

    def _untagged(self, text: bytes) -> None:
        kind, _, rest = text.partition(b" ")
        kind = kind.upper()
        if kind == b"BYE":
            self.bye = rest
            if self._pending is None or self._pending.command.name != "LOGOUT":
                self._grace = self._grace or self.loop.call_later(_BYE_GRACE_SECONDS, self.fail, ServerByeError(rest))
        elif kind == b"CAPABILITY":
            self.offered = _words(rest)
        elif kind in _STATUSES:
            self._note_capabilities(rest)
            self._note_alert(rest)
        if self._pending is not None and self._pending.kept:
            self._pending.command.append_to_resp(text)

    def _continue(self, text: bytes) -> None:
        pending = self._pending
        if pending is None:
            raise ProtocolViolationError("an unasked continuation request")
        if pending.command.name == "IDLE" and not pending.idling:
            pending.idling = True
            pending.command.rouse()
        elif pending.answers:
            self._send(pending.answers.popleft())
        elif pending.last is not None and not pending.challenges:
            pending.challenges.append(text)
            self._send(pending.last)
        else:
            raise ProtocolViolationError("an unasked continuation request")

    def _tagged(self, line: bytes) -> None:
        tag, _, rest = line.partition(b" ")
        status, _, text = rest.partition(b" ")
        status = status.upper()
        # The words must never come from the command: it may hold a password.
        if self._pending is None or tag != self._pending.command.tag.encode() or status not in _STATUSES:
            raise ProtocolViolationError(f"an unexpected reply: {_quote(line)}")
        command, self._pending = self._pending.command, None
        self._note_capabilities(text)
        self._note_alert(text)
        self._switching = command.name == "STARTTLS" and status == b"OK"
        command.close(text, status.decode())

    def _note_capabilities(self, text: bytes) -> None:
        if text[:12].upper() == b"[CAPABILITY ":
            self.offered = _words(text[12:].partition(b"]")[0])

    def _note_alert(self, text: bytes) -> None:
        if text[:7].upper() == b"[ALERT]" and len(self.alerts) < 4:  # noqa: PLR2004  # a bound, no meaning
            self.alerts.append(text[:1024])

    def _send(self, line: bytes) -> None:
        if self.transport is None or self.transport.is_closing():
            raise self.failure or ConnectionClosedError()
        self.transport.write(line + b"\r\n")

    def send(self, line: str, scrub: str | None = None) -> Any:
        """The library's way to send, which logs: closed."""
        raise NotImplementedError("use run")


def _reply(pending: _Pending) -> Reply:
    status, lines = pending.command.response
    return Reply(status, lines[-1], tuple(lines[:-1]), tuple(pending.challenges))


def _nobody(line: bytes) -> None:
    """Nobody listens to *line*."""


def _words(text: bytes) -> frozenset[str]:
    return frozenset(text.decode("ascii", "replace").upper().split())


def _quote(line: bytes) -> str:
    return line[:200].decode("utf-8", "replace")
