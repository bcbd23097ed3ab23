"""The network: probes of mailboxes over IMAP and SMTP, and the OAuth tokens they need.

`prober.NetworkProber` is the one that others use; `dial` connects, `imap` and `smtp` hold the dialogues on top of `imap_wire` and
`smtp_wire`, `watch` waits in an IMAP session that stays open between probes, `oauth` fetches tokens, `capture` and `redact` are the
edge where the words of peers come in.  Failures of peers leave here as evidence (`core.evidence`), never as exceptions.
"""

from typing import TYPE_CHECKING

from mailwatch.probe.dial import Dialer
from mailwatch.probe.egress import MAIL_PORTS, EgressPolicy
from mailwatch.probe.oauth import TokenSource
from mailwatch.probe.prober import NetworkProber
from mailwatch.probe.resolve import Resolver
from mailwatch.probe.tls import CaStoreError, make_ssl_context

if TYPE_CHECKING:
    from mailwatch.probe.token_endpoint import TokenEndpoint

__all__ = [
    "MAIL_PORTS",
    "CaStoreError",
    "Dialer",
    "EgressPolicy",
    "NetworkProber",
    "Resolver",
    "TokenEndpoint",
    "TokenSource",
    "make_ssl_context",
]


def __getattr__(name: str) -> object:
    """`TokenEndpoint` is imported when it is asked for: its HTTP client costs 0.1 s, which `mailwatch check` need not pay."""
    if name == "TokenEndpoint":
        from mailwatch.probe.token_endpoint import TokenEndpoint  # noqa: PLC0415  # see above

        return TokenEndpoint
    raise AttributeError(name)
