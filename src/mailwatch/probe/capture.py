"""From an exception or a reply to evidence: the one edge where the words of peers come in.

Everything is cut here (`redact`) before it is kept; our own faults are told from the peer's by their errno.
"""

import errno
import re
import ssl
from typing import Final

from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.mailbox import Protocol
from mailwatch.ports import MailboxNotFoundError, MailwatchError, SecretUnreadableError, StoreUnavailableError
from mailwatch.probe.failures import (
    ConnectionClosedError,
    ImpairedError,
    PeerFailureError,
    ProtocolViolationError,
    ResolveError,
    ServerByeError,
    TargetDeniedError,
)
from mailwatch.probe.redact import Redactor

#: Enhanced status code at the start of a reply line (RFC 3463, 2; RFC 2034, 4).
_ENHANCED: Final = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_RESPONSE_CODE: Final = re.compile(rb"^\[([A-Za-z][A-Za-z0-9-]*)(?:[ \]])")

_OURS: Final = {
    errno.EMFILE: "out_of_descriptors",
    errno.ENFILE: "out_of_descriptors",
    errno.ENOMEM: "out_of_memory",
    errno.ENOBUFS: "out_of_memory",
}
_OURS_CONNECTING: Final = {
    errno.EACCES: "local_policy",
    errno.EPERM: "local_policy",
    errno.EINVAL: "local_policy",
    errno.EADDRNOTAVAIL: "out_of_ports",
    errno.ENETUNREACH: "network_unreachable",
    errno.EAFNOSUPPORT: "network_unreachable",
    errno.ENETDOWN: "network_unreachable",
}


def impairment_of(error: OSError, *, connecting: bool = False) -> str | None:
    """The name of our own fault that *error* shows, or None when it is the network's or the peer's.

    *connecting*: it came at once from connect(2), so that no packet of a peer can have caused it.
    """
    number = error.errno or 0
    return _OURS.get(number) or (_OURS_CONNECTING.get(number) if connecting else None)


def impairment_of_store(error: MailwatchError) -> str:
    """The name of the fault of our own surroundings that *error* tells."""
    if isinstance(error, SecretUnreadableError):
        return "secret_unreadable"
    if isinstance(error, MailboxNotFoundError):
        return "mailbox_removed"
    return "store_failing" if isinstance(error, StoreUnavailableError) else "internal"


class Capture:
    """Makes the evidence of one channel."""

    __slots__ = ("_provider", "_redactor", "protocol")

    def __init__(self, protocol: Protocol | str, provider: str, redactor: Redactor) -> None:
        self.protocol = str(protocol)
        self._provider = provider
        self._redactor = redactor

    def imap(self, phase: Phase, status: str, text: bytes, *, challenge: str | None = None, alerts: bytes = b"") -> Evidence:
        """A reply of an IMAP server: *text* is what follows the status; *alerts* are the ALERT texts it sent before."""
        found = _RESPONSE_CODE.match(text)
        words = b" ".join(part for part in (status.encode(), text, alerts) if part)
        return Evidence(
            self.protocol,
            phase,
            self._redactor.keep(words),
            self._provider,
            status=status,
            response_code=self._redactor.keep(found[1], 64).upper() if found else None,
            challenge=self._cut(challenge),
        )

    def smtp(self, phase: Phase, code: int, text: str, *, challenge: str | None = None, command: str | None = None) -> Evidence:
        """A reply of an SMTP server: *text* has its lines without the code, joined by line feeds; *command* it answered."""
        lines = text.split("\n")
        enhanced = next((found[1] for line in reversed(lines) if (found := _ENHANCED.match(line))), None)
        return Evidence(
            self.protocol,
            phase,
            self._redactor.keep(f"{code} {' '.join(lines)}"),
            self._provider,
            code=code,
            enhanced=enhanced,
            challenge=self._cut(challenge),
            command=command,
        )

    def finding(self, phase: Phase, text: str | bytes, exception: str) -> Evidence:
        """A failure that we found ourselves: *exception* names it for the classifier, *text* describes it."""
        return self._network(phase, text, exception)

    def error(self, phase: Phase, error: Exception) -> Evidence:
        """What *error*, caught in *phase*, says of the peer.

        Raises ImpairedError when it is our own fault, and *error* itself when nothing is known of it: that is a bug.
        """
        match error:
            case PeerFailureError():
                evidence = error.evidence
            case ServerByeError():
                evidence = self.imap(phase, "BYE", error.words)
            case ProtocolViolationError():
                evidence = self.finding(phase, f"protocol error: {error}", "ProtocolViolationError")
            case ResolveError():
                evidence = self._network(Phase.RESOLVE, str(error), error.kind)
            case TargetDeniedError():
                raise ImpairedError("target_denied") from error
            case ConnectionClosedError():
                evidence = self._network(phase, "the server closed the connection without a reply", "EOFError")
            case OSError():
                evidence = self._system(phase, error)
            case _:
                raise error
        return evidence

    def _system(self, phase: Phase, error: OSError) -> Evidence:
        impairment = impairment_of(error)
        if impairment is not None:
            raise ImpairedError(impairment) from error
        if phase is Phase.TLS or isinstance(error, ssl.SSLError):
            return self._tls(phase, error)
        if isinstance(error, TimeoutError):
            return self._network(phase, "", "TimeoutError", number=error.errno)
        return self._network(phase, str(error), _dotted(error), number=error.errno)

    def _tls(self, phase: Phase, error: OSError) -> Evidence:
        if isinstance(error, ConnectionAbortedError | TimeoutError):  # asyncio's word for a handshake that took too long
            return self._network(phase, "", "TimeoutError")
        if isinstance(error, ssl.SSLError):
            code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else None
            text = str(error)
            return self._network(phase, text.removeprefix(f"[Errno {error.errno}] "), _dotted(error), verify_code=code)
        return self._network(phase, str(error), _dotted(error), number=error.errno)

    def _network(
        self, phase: Phase, text: str | bytes, exception: str, *, number: int | None = None, verify_code: int | None = None
    ) -> Evidence:
        return Evidence(
            "network",
            phase,
            self._redactor.keep(text),
            self._provider,
            exception=exception,
            errno=number,
            verify_code=verify_code,
        )

    def _cut(self, text: str | None) -> str | None:
        return None if text is None else self._redactor.keep(text)


def _dotted(error: BaseException) -> str:
    kind = type(error)
    module = "ssl" if isinstance(error, ssl.SSLError) else kind.__module__  # uvloop and asyncio raise the same classes
    return f"{module}.{kind.__name__}".removeprefix("builtins.")
