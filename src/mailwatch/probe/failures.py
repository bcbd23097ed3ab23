"""The ways a visit can fail, as the adapters raise them among themselves; `capture` turns them into evidence.

None of these leaves `probe`: the program sees reports.
"""

from typing import Final

from mailwatch.core.evidence import Evidence


class PeerFailureError(Exception):
    """The peer answered, and its answer is a failure: evidence is complete."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__("the peer refused")
        self.evidence = evidence


class TokenFailureError(PeerFailureError):
    """No access token could be had; the evidence (phase token) says why."""


class ImpairedError(Exception):
    """mailwatch itself is not able to look; *impairment* is the name of the fault."""

    def __init__(self, impairment: str) -> None:
        super().__init__(impairment)
        self.impairment = impairment


class ProtocolViolationError(Exception):
    """The peer does not speak the protocol, or floods us; the text quotes it and never what we sent."""


class ConnectionClosedError(EOFError):
    """The peer closed the connection without a word."""


class ServerByeError(Exception):
    """The server said BYE (RFC 9051, 7.1.5); *words* follow the BYE."""

    def __init__(self, words: bytes) -> None:
        super().__init__("BYE")
        self.words = words


class TargetDeniedError(Exception):
    """The egress policy forbids this target.  One text for all cases: it must not tell a scanner what is there."""

    TEXT: Final = "the host resolves to no address that the egress policy allows"

    def __init__(self) -> None:
        super().__init__(self.TEXT)


class ResolveError(Exception):
    """A host name has no usable address; *kind* is the dotted name of the resolver's error."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
