"""A session that a healthy probe has left open: IDLE on it, so that its end is seen within a second (RFC 2177).

Silence is broken by ourselves long before a NAT on the way forgets the connection, and a peer that vanished is noticed by its
missing answer.  How the session ends is evidence; a verdict on the mailbox is for the next probe to give.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.mailbox import AuthKind, Protocol
from mailwatch.ports import Assignment, MailwatchError
from mailwatch.probe.capture import Capture
from mailwatch.probe.failures import ImpairedError, PeerFailureError, ProtocolViolationError, ServerByeError
from mailwatch.probe.imap_wire import ImapWire, Reply
from mailwatch.probe.redact import MASK, Redactor

#: How long the server may take to answer IDLE and DONE.
ANSWER_SECONDS: Final = 10.0
#: For DONE and LOGOUT together.
GOODBYE_SECONDS: Final = 1.0
_ENDS: Final = (OSError, EOFError, ProtocolViolationError, PeerFailureError, ServerByeError)
#: What could be an access token: those in use are far longer.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{24,}")


class ImapSession:
    """Implements ports.watching.OpenSession on *wire*; *assignment* is that of the probe which opened it."""

    def __init__(self, wire: ImapWire, assignment: Assignment) -> None:
        self._wire = wire
        self._assignment = assignment
        wire.unheard()

    async def watch(self, renew_seconds: Callable[[], float]) -> Evidence:
        """Wait in IDLE until the session ends by itself; how it ended."""
        end: Exception | Reply
        try:
            while (end := await self._wire.idle(renew_seconds(), ANSWER_SECONDS)).status == "OK":
                pass
        except _ENDS as error:
            end = error
        self._wire.abort()
        return self._evidence(end)

    async def leave(self) -> None:
        """DONE and LOGOUT, and close, within a second; raises nothing."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._wire.stop_idling()
                await self._wire.run("LOGOUT")
        except Exception:  # noqa: BLE001, S110  # whatever a dying connection says: it is over, and a probe is waiting for that
            pass
        finally:
            self._wire.abort()

    def drop(self) -> None:
        """Close at once."""
        self._wire.abort()

    def _evidence(self, end: Exception | Reply) -> Evidence:
        """The end as evidence; the redactor lives no longer than this, and with it the secret."""
        mailbox = self._assignment.mailbox
        capture = Capture(Protocol.IMAP, mailbox.provider, redactor_for(self._assignment))
        try:
            evidence = capture.imap(Phase.IDLE, end.status, end.text) if isinstance(end, Reply) else capture.error(Phase.IDLE, end)
        except ImpairedError as ours:
            evidence = capture.finding(Phase.IDLE, ours.impairment, "ImpairedError")
        response = evidence.response
        if mailbox.auth is AuthKind.OAUTH:  # the token it logged in with is kept nowhere, and may be renewed by now
            response = _TOKEN.sub(MASK, response)
        return replace(evidence, response=response, session_worked=True)


def redactor_for(assignment: Assignment) -> Redactor:
    """Knows the password of the mailbox, opened for this moment; a redactor that lets nothing through when it cannot be read."""
    redactor = Redactor()
    credential = assignment.credential
    if credential is not None and assignment.mailbox.auth is AuthKind.PASSWORD:
        try:
            redactor.learn(assignment.mailbox.username, credential.password().reveal())
        except MailwatchError:
            return _Silent()
    return redactor


class _Silent(Redactor):
    """Lets no word through: what would have to be cut out is not known."""

    __slots__ = ()

    def redact(self, text: str) -> str:
        return MASK if text else text
