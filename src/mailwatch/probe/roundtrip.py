"""The last proof: a message sent through the mailbox's submission server to itself, seen to arrive over IMAP, and deleted again.

One small message of fixed words and a random token; nothing of the mailbox's own mail is read or touched.
"""

import asyncio
import re
import secrets
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum, unique
from typing import Final

from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.mailbox import Depth, Endpoint, Mailbox
from mailwatch.core.secret import Secret
from mailwatch.ports import Clock
from mailwatch.probe.capture import Capture
from mailwatch.probe.dial import Dialer
from mailwatch.probe.imap import ImapProbe
from mailwatch.probe.imap_text import quoted
from mailwatch.probe.imap_wire import ImapWire
from mailwatch.probe.redact import Redactor
from mailwatch.probe.sasl import Login
from mailwatch.probe.smtp import SmtpProbe
from mailwatch.probe.trace import Trace
from mailwatch.probe.visit import Visit

_LOOK_SECONDS: Final = (0.25, 2.0)  #: the first pause between two looks, and the longest
#: A folder line with the \Junk attribute (RFC 6154): attributes, delimiter, name.
_JUNK: Final = re.compile(rb'^LIST \([^)]*\\Junk[^)]*\) (?:"[^"]*"|NIL) (?P<name>"(?:[^"\\]|\\.)*"|[^\s"]+)$', re.IGNORECASE)


@unique
class Arrival(StrEnum):
    """Where the message was seen."""

    INBOX = "inbox"
    SPAM = "spam"
    LOST = "lost"  #: nowhere, within the time
    FAILED = "failed"  #: it could not be sent, or not be looked for


@dataclass(frozen=True, slots=True)
class RoundTripReport:
    """How a round trip ended; *seconds* from its acceptance by the server to its sight."""

    arrival: Arrival
    seconds: float
    evidence: Evidence | None = None


class RoundTrip:
    """Makes round trips for mailboxes that have both endpoints."""

    def __init__(self, dialer: Dialer, clock: Clock, *, ehlo_name: str = "mailwatch") -> None:
        self._clock = clock
        self._imap = ImapProbe(dialer)
        self._smtp = SmtpProbe(dialer, ehlo_name)

    async def run(self, mailbox: Mailbox, secret: Secret, timeout_seconds: float) -> RoundTripReport:
        """Send, look, delete; ends within *timeout_seconds*.  Raises ImpairedError when mailwatch itself is at fault."""
        if mailbox.imap is None or mailbox.smtp is None:
            raise ValueError("a round trip needs an IMAP and an SMTP endpoint")
        redactor = Redactor()
        redactor.learn(mailbox.username, secret.reveal())
        login = Login(mailbox.username, secret, mailbox.auth)
        token = secrets.token_hex(16)
        sent_at = self._clock.monotonic()
        visit = self._visit(mailbox, mailbox.smtp, login, redactor)
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._send(visit, login, token)
                sent_at = self._clock.monotonic()
                visit = self._visit(mailbox, mailbox.imap, login, redactor)
                arrival = await self._find(visit, login, token)
        except Exception as error:  # noqa: BLE001  # capture raises again what it does not know
            waited = self._clock.monotonic() - sent_at
            if isinstance(error, TimeoutError) and visit.trace.phase is Phase.SELECT:
                return RoundTripReport(Arrival.LOST, waited)
            return RoundTripReport(Arrival.FAILED, waited, visit.capture.error(visit.trace.phase, error))
        return RoundTripReport(arrival, self._clock.monotonic() - sent_at)

    def _visit(self, mailbox: Mailbox, endpoint: Endpoint, login: Login, redactor: Redactor) -> Visit:
        capture = Capture(endpoint.protocol, mailbox.provider, redactor)
        return Visit(endpoint, mailbox.address, Depth.SUBMIT, login, Trace(self._clock.monotonic), capture)

    async def _send(self, visit: Visit, login: Login, token: str) -> None:
        wire, offered = await self._smtp.open(visit)
        try:
            await self._smtp.log_in(visit, wire, login, offered)
            visit.trace.enter(Phase.SUBMIT)
            await self._smtp.envelope(visit, wire)
            await self._smtp.message(visit, wire, self._message(visit.address, token))
            await self._smtp.leave(visit, wire)
        finally:
            wire.abort()

    def _message(self, address: str, token: str) -> bytes:
        message = EmailMessage()
        message["From"] = message["To"] = address
        message["Subject"] = f"mailwatch round trip {token}"
        message["Message-ID"] = _message_id(address, token)
        message["Date"] = format_datetime(self._clock.now())
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's out-of-office may answer
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content("This message checks that mail sent from here arrives here. It is deleted at once.\n")
        return message.as_bytes()

    async def _find(self, visit: Visit, login: Login, token: str) -> Arrival:
        """Look into the inbox and the junk folder in turn until the message is in one; then delete it."""
        wire = await self._imap.open(visit)
        try:
            await self._imap.log_in(visit, wire, login)
            await self._imap.select(visit, wire)
            junk = await _junk_folder(wire)
            criterion = f"SEARCH HEADER Message-ID {quoted(_message_id(visit.address, token))}"
            pause, longest = _LOOK_SECONDS
            while True:
                for arrival, folder in ((Arrival.INBOX, '"INBOX"'), (Arrival.SPAM, junk)):
                    if folder is None or (await wire.run("SELECT", folder)).status != "OK":
                        continue
                    wire.entered("SELECTED")
                    uids = _found(await wire.run("UID", criterion))
                    if uids:
                        await self._delete(wire, uids)
                        await self._imap.leave(visit, wire)
                        return arrival
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)
        finally:
            wire.abort()

    async def _delete(self, wire: ImapWire, uids: bytes) -> None:
        """Only this message goes: without UIDPLUS it is marked, since a plain EXPUNGE would take others along."""
        listed = uids.decode("ascii")
        await wire.run("UID", f"STORE {listed} +FLAGS.SILENT (\\Deleted)")
        if not wire.offered or "UIDPLUS" in wire.offered:
            await wire.run("UID", f"EXPUNGE {listed}")


def _message_id(address: str, token: str) -> str:
    domain = address.rpartition("@")[2]
    return f"<{token}@{domain if domain.isascii() else 'mailwatch.invalid'}>"


async def _junk_folder(wire: ImapWire) -> str | None:
    reply = await wire.run("LIST", '"" "*"')
    return next((found["name"].decode("ascii", "replace") for line in reply.untagged if (found := _JUNK.match(line))), None)


def _found(reply: object) -> bytes:
    """The UIDs of a SEARCH reply as a set; empty when there are none."""
    for line in getattr(reply, "untagged", ()):
        kind, _, rest = line.partition(b" ")
        numbers = rest.split()
        if kind.upper() == b"SEARCH" and numbers and all(number.isdigit() for number in numbers):
            return b",".join(numbers)
    return b""
