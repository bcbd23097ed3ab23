"""The SMTP dialogue of a probe: greeting, EHLO, STARTTLS, one AUTH, a sign of life or an envelope, QUIT (RFC 5321, 4954)."""

import asyncio
import re
from typing import Final

from mailwatch.core.evidence import Phase
from mailwatch.core.mailbox import Depth, TlsMode
from mailwatch.probe import sasl
from mailwatch.probe.dial import Dialer
from mailwatch.probe.failures import ImpairedError, PeerFailureError, ProtocolViolationError
from mailwatch.probe.smtp_wire import Answer, LateReplyError, SmtpWire, extensions
from mailwatch.probe.visit import Visit

_GOODBYE_SECONDS: Final = 1.0
_DOMAIN: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Za-z:.]+\]")
#: The commands of a submission, as evidence names them.
_COMMANDS: Final = {"MAIL": "mail", "RCPT": "rcpt", "DATA": "data"}
_MAX_COMMAND: Final = 510  #: octets of a command without its line end (RFC 5321, 4.5.3.1.4)
_READY, _OK, _GO_ON, _AUTHENTICATED, _SEND = 220, 250, 334, 235, 354
_CLOSED: Final = 421


class SmtpProbe:
    """Visits submission servers; *ehlo_name* is what we call ourselves, if it is a domain or an address literal."""

    def __init__(self, dialer: Dialer, ehlo_name: str = "mailwatch") -> None:
        self._dialer = dialer
        self._ehlo_name = ehlo_name if _DOMAIN.fullmatch(ehlo_name) else "mailwatch"

    async def visit(self, visit: Visit) -> None:
        """Do what *visit* asks; returns when all of it worked, and raises what `capture` understands when not."""
        wire, offered = await self.open(visit)
        try:
            if visit.login is not None and visit.depth is not Depth.REACH:
                await self.log_in(visit, wire, visit.login, offered)
                visit.trace.enter(Phase.SUBMIT)
                if visit.depth is Depth.SUBMIT:
                    await self.envelope(visit, wire)
                    await self.command(visit, wire, "RSET")
                else:  # some servers accept a login and drop it: one more command shows that the session lives
                    await self.command(visit, wire, "NOOP")
            await self.leave(visit, wire)
        finally:
            wire.abort()

    async def open(self, visit: Visit) -> tuple[SmtpWire, frozenset[str]]:
        """A greeted and secured connection and the mechanisms it offers; the caller aborts it."""
        loop = asyncio.get_running_loop()
        wires: list[SmtpWire] = []

        def make() -> SmtpWire:
            wires.append(SmtpWire(loop, visit.trace.received))
            return wires[-1]

        try:
            transport, wire = await self._dialer.open(visit.endpoint, make, visit.trace)
            visit.certificate = self._dialer.certificate(transport, visit.endpoint)
            visit.trace.enter(Phase.GREETING)
            self._expect(visit, await wire.greeting(), _READY)
            keywords, mechanisms = await self._hello(visit, wire)
            if visit.endpoint.tls_mode is TlsMode.STARTTLS:
                await self._start_tls(visit, wire, keywords)
                _, mechanisms = await self._hello(visit, wire)
        except BaseException:
            for made in wires:
                made.abort()
            raise
        return wire, mechanisms

    async def log_in(self, visit: Visit, wire: SmtpWire, login: sasl.Login, offered: frozenset[str]) -> None:
        """One AUTH, by the one mechanism that suits; raises PeerFailureError with the server's words."""
        visit.trace.enter(Phase.AUTH)
        mechanism = sasl.choose(login.kind, offered)
        if mechanism is None:
            names = " ".join(sorted(offered)) or "no AUTH at all"
            raise visit.lacking(
                f"unsupported authentication mechanism: the server offers none that suits (offered: {names})",
                "MechanismUnsupportedError",
            )
        exchange = sasl.exchange(mechanism, login)
        answers = list(exchange.answers)
        line = f"AUTH {mechanism}".encode()
        if mechanism != sasl.LOGIN and len(line) + 1 + len(answers[0]) <= _MAX_COMMAND:
            line += b" " + answers.pop(0)
        visit.sent.secret = True
        visit.trace.sent(f"AUTH {mechanism} ***")
        answer = await self._send(visit, wire, line)
        challenge: str | None = None
        while answer.code == _GO_ON:
            if not answers and challenge is not None:
                raise ProtocolViolationError("an AUTH exchange without an end")
            if not answers:
                challenge = sasl.challenge_text(answer.text)
            visit.trace.sent("***" if answers else exchange.last.decode())
            answer = await self._send(visit, wire, answers.pop(0) if answers else exchange.last)
        if answer.code != _AUTHENTICATED:
            raise visit.fail(visit.capture.smtp(Phase.AUTH, answer.code, answer.text, challenge=challenge))
        visit.logged_in = True

    async def envelope(self, visit: Visit, wire: SmtpWire) -> None:
        """MAIL FROM and RCPT TO the mailbox's own address: may it send, and would it be taken?"""
        utf8 = "" if visit.address.isascii() else " SMTPUTF8"  # RFC 6531
        self._expect(visit, await self.command(visit, wire, f"MAIL FROM:<{visit.address}>{utf8}"), _OK, command="mail")
        self._expect(visit, await self.command(visit, wire, f"RCPT TO:<{visit.address}>"), _OK, 251, command="rcpt")

    async def message(self, visit: Visit, wire: SmtpWire, content: bytes) -> None:
        """DATA and *content*, after `envelope` (RFC 5321, 4.1.1.4)."""
        self._expect(visit, await self.command(visit, wire, "DATA"), _SEND, command="data")
        visit.trace.sent(f"({len(content)} bytes of message)")
        self._expect(visit, await wire.content(content), _OK, command="data")

    async def command(self, visit: Visit, wire: SmtpWire, line: str) -> Answer:
        """Send a command that holds no secret; raises PeerFailureError when the server gives up."""
        visit.trace.sent(line)
        answer = await self._send(visit, wire, line.encode())
        if answer.code == _CLOSED:
            raise visit.fail(visit.capture.smtp(visit.trace.phase, answer.code, answer.text, command=_COMMANDS.get(line[:4])))
        return answer

    async def leave(self, visit: Visit, wire: SmtpWire) -> None:
        """Say goodbye, and wait a second at most: what the server does now says nothing about the mailbox."""
        visit.trace.enter(Phase.QUIT)
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self.command(visit, wire, "QUIT")
        except (OSError, EOFError, ProtocolViolationError, PeerFailureError):
            return

    async def _hello(self, visit: Visit, wire: SmtpWire) -> tuple[dict[str, str], frozenset[str]]:
        answer = await self.command(visit, wire, f"EHLO {self._ehlo_name}")
        self._expect(visit, answer, _OK)
        return extensions(answer.text)

    async def _start_tls(self, visit: Visit, wire: SmtpWire, offered: dict[str, str]) -> None:
        visit.trace.enter(Phase.STARTTLS)
        if "starttls" not in offered:
            raise visit.lacking("STARTTLS is required, but the server does not offer it", "StartTlsUnavailableError")
        visit.trace.sent("STARTTLS")
        try:
            answer = await wire.secure(self._dialer.ssl_context, visit.endpoint.host, lambda: visit.trace.enter(Phase.TLS))
        except LateReplyError as late:
            raise visit.fail(visit.capture.smtp(Phase.STARTTLS, *late.answer)) from None
        self._expect(visit, answer, _READY)
        if wire.transport is not None:
            visit.certificate = self._dialer.certificate(wire.transport, visit.endpoint)
        visit.trace.enter(Phase.STARTTLS)

    async def _send(self, visit: Visit, wire: SmtpWire, line: bytes) -> Answer:
        try:
            return await wire.command(line)
        except LateReplyError as late:
            raise visit.fail(visit.capture.smtp(visit.trace.phase, *late.answer)) from None
        except ValueError:  # the library's refusal of control characters
            raise ImpairedError("secret_unsendable") from None

    def _expect(self, visit: Visit, answer: Answer, *codes: int, command: str | None = None) -> None:
        if answer.code not in codes:
            raise visit.fail(visit.capture.smtp(visit.trace.phase, answer.code, answer.text, command=command))
