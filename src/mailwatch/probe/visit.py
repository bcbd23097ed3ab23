"""One visit to one server of one mailbox: what the IMAP and SMTP dialogues share and fill in."""

from dataclasses import dataclass, field

from mailwatch.core.evidence import Certificate, Evidence
from mailwatch.core.mailbox import Depth, Endpoint, TlsMode
from mailwatch.ports import Sent
from mailwatch.probe.capture import Capture
from mailwatch.probe.failures import PeerFailureError
from mailwatch.probe.imap_wire import ImapWire
from mailwatch.probe.sasl import Login
from mailwatch.probe.trace import Trace


@dataclass(slots=True)
class Visit:
    """What to do at an endpoint, and what was found.  Without a login the visit ends before the secret would be sent."""

    endpoint: Endpoint
    address: str
    depth: Depth
    login: Login | None
    trace: Trace
    capture: Capture
    certificate: Certificate | None = None
    logged_in: bool = False
    sent: Sent = field(default_factory=Sent)
    leaves_open: bool = False  #: the IMAP session shall not be ended when all was well and the server offers IDLE, …
    left_open: ImapWire | None = None  #: … and this is it; whoever asked for it ends it

    def fail(self, evidence: Evidence) -> PeerFailureError:
        """The exception that ends the visit with *evidence*."""
        return PeerFailureError(evidence)

    def lacking(self, words: str, exception: str) -> PeerFailureError:
        """The exception for something the server does not offer; *words* begin with what is wrong."""
        return PeerFailureError(self.capture.finding(self.trace.phase, words, exception))

    @property
    def secured(self) -> bool:
        """Whether this endpoint is used with TLS."""
        return self.endpoint.tls_mode is not TlsMode.NONE
