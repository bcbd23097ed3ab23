"""The IMAP dialogue of a probe: greeting, STARTTLS, one login, SELECT, LOGOUT (RFC 9051)."""

import asyncio
from typing import Final

from mailwatch.core.evidence import Phase
from mailwatch.core.mailbox import AuthKind, Depth, TlsMode
from mailwatch.probe import sasl
from mailwatch.probe.dial import Dialer
from mailwatch.probe.failures import PeerFailureError, ProtocolViolationError, ServerByeError
from mailwatch.probe.imap_text import folder as folder_name
from mailwatch.probe.imap_text import quoted
from mailwatch.probe.imap_wire import ImapWire, Reply
from mailwatch.probe.visit import Visit

_GOODBYE_SECONDS: Final = 1.0
_MAX_INITIAL_RESPONSE: Final = 8000  #: octets a server must take on one line (RFC 7162, 4 recommends 8192)


class ImapProbe:
    """Visits IMAP servers; *folder* is the one selected after the login."""

    def __init__(self, dialer: Dialer, folder: str = "INBOX") -> None:
        self._dialer = dialer
        self._folder = folder_name(folder)

    async def visit(self, visit: Visit) -> None:
        """Do what *visit* asks; returns when all of it worked, and raises what `capture` understands when not."""
        wire = await self.open(visit)
        try:
            if visit.login is not None and visit.depth is not Depth.REACH:
                await self.log_in(visit, wire, visit.login)
                await self.select(visit, wire)
                if visit.leaves_open and "IDLE" in wire.offered and wire.bye is None:
                    visit.left_open = wire
                    return
            await self.leave(visit, wire)
        finally:
            if visit.left_open is None:
                wire.abort()

    async def open(self, visit: Visit) -> ImapWire:
        """A greeted and secured connection; the caller aborts it."""
        loop = asyncio.get_running_loop()
        wires: list[ImapWire] = []

        def make() -> ImapWire:
            wires.append(ImapWire(loop, visit.trace.received))
            return wires[-1]

        try:
            transport, wire = await self._dialer.open(visit.endpoint, make, visit.trace)
            visit.certificate = self._dialer.certificate(transport, visit.endpoint)
            visit.trace.enter(Phase.GREETING)
            await wire.greeting()
            if visit.endpoint.tls_mode is TlsMode.STARTTLS:
                await self._start_tls(visit, wire)
            if not wire.offered:
                self._expect(visit, await self._run(visit, wire, "CAPABILITY"), wire)
        except BaseException:
            for made in wires:
                made.abort()
            raise
        return wire

    async def log_in(self, visit: Visit, wire: ImapWire, login: sasl.Login) -> None:
        """One login, by the one mechanism that suits; raises PeerFailureError with the server's words."""
        visit.trace.enter(Phase.AUTH)
        offered = {word.removeprefix("AUTH=") for word in wire.offered if word.startswith("AUTH=")}
        mechanism = sasl.choose(login.kind, offered)
        plain_command = login.kind is AuthKind.PASSWORD and "LOGINDISABLED" not in wire.offered
        if mechanism == sasl.PLAIN or (mechanism is not None and not plain_command):
            visit.sent.secret = True
            reply = await self._authenticate(visit, wire, sasl.exchange(mechanism, login))
        elif plain_command:
            visit.sent.secret = True
            visit.trace.sent(f"LOGIN {quoted(login.username)} ***")
            reply = await wire.run("LOGIN", f"{quoted(login.username)} {quoted(login.secret.reveal())}")
        else:
            raise self._no_way_in(visit, wire)
        self._expect(visit, reply, wire)
        wire.entered("AUTH")
        visit.logged_in = True

    async def select(self, visit: Visit, wire: ImapWire) -> None:
        """Open the folder: proves that the mailbox behind the login can be read."""
        visit.trace.enter(Phase.SELECT)
        self._expect(visit, await self._run(visit, wire, "SELECT", self._folder), wire)
        wire.entered("SELECTED")

    async def leave(self, visit: Visit, wire: ImapWire) -> None:
        """Say goodbye, and wait a second at most: what the server does now says nothing about the mailbox.

        Raises ServerByeError when the server had ended the session before that.
        """
        visit.trace.enter(Phase.QUIT)
        if wire.bye is not None:
            raise ServerByeError(wire.bye)
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._run(visit, wire, "LOGOUT")
        except (OSError, EOFError, ProtocolViolationError, PeerFailureError, ServerByeError):
            return

    async def _start_tls(self, visit: Visit, wire: ImapWire) -> None:
        visit.trace.enter(Phase.STARTTLS)
        if wire.offered and "STARTTLS" not in wire.offered:
            raise visit.lacking("STARTTLS is required, but the server does not offer it", "StartTlsUnavailableError")
        reply = await self._run(visit, wire, "STARTTLS")
        if reply.status != "OK":
            words = b"STARTTLS is required, but the server refuses it: " + reply.text
            raise visit.fail(visit.capture.finding(Phase.STARTTLS, words, "StartTlsUnavailableError"))
        visit.trace.enter(Phase.TLS)
        await wire.start_tls(self._dialer.ssl_context, visit.endpoint.host)
        visit.certificate = self._dialer.certificate(wire.transport, visit.endpoint)
        visit.trace.enter(Phase.STARTTLS)

    async def _authenticate(self, visit: Visit, wire: ImapWire, exchange: sasl.Exchange) -> Reply:
        first, *rest = exchange.answers
        initial = "SASL-IR" in wire.offered and exchange.mechanism != sasl.LOGIN and len(first) <= _MAX_INITIAL_RESPONSE
        visit.trace.sent(f"AUTHENTICATE {exchange.mechanism} ***")
        if initial:  # RFC 4959
            arguments, answers = f"{exchange.mechanism} {first.decode()}", tuple(rest)
        else:
            arguments, answers = exchange.mechanism, exchange.answers
        return await wire.run("AUTHENTICATE", arguments, answers=answers, last=exchange.last)

    async def _run(self, visit: Visit, wire: ImapWire, name: str, arguments: str = "") -> Reply:
        visit.trace.sent(f"{name} {arguments}".rstrip())
        return await wire.run(name, arguments)

    def _expect(self, visit: Visit, reply: Reply, wire: ImapWire) -> None:
        if reply.status == "OK":
            return
        challenge = sasl.challenge_text(reply.challenges[0]) if reply.challenges else None
        alerts = b" ".join(alert for alert in wire.alerts if alert != reply.text)
        raise visit.fail(visit.capture.imap(visit.trace.phase, reply.status, reply.text, challenge=challenge, alerts=alerts))

    def _no_way_in(self, visit: Visit, wire: ImapWire) -> PeerFailureError:
        if not visit.secured and "LOGINDISABLED" in wire.offered:
            return visit.lacking("LOGINDISABLED: the server takes no login without TLS", "TlsRequiredError")
        # Only mechanisms are named: other capabilities would be read as the server's reason.
        names = " ".join(sorted(word.removeprefix("AUTH=") for word in wire.offered if word.startswith("AUTH="))) or "none"
        return visit.lacking(
            f"unsupported authentication mechanism: the server offers none that suits (offered: {names})",
            "MechanismUnsupportedError",
        )
