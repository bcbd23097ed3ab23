"""Simulated providers that speak real IMAP, SMTP submission and OAuth over TLS on loopback, with faults as real ones show them.

For the demo, for tests and for benchmarks: `world` holds the providers, `fleet` fills them with mailboxes, `faults` is the closed
set of what can go wrong, `script` says when, `replies` holds the words, and `ledger` what a provider saw of its clients.  Nothing
here listens anywhere but on 127.0.0.0/8.
"""

from mailwatch.sim.dialects import Dialect
from mailwatch.sim.faults import Fault, FaultKind
from mailwatch.sim.provider import Provider, ProviderSpec
from mailwatch.sim.script import ActionKind, Script, Step
from mailwatch.sim.world import World

__all__ = ["ActionKind", "Dialect", "Fault", "FaultKind", "Provider", "ProviderSpec", "Script", "Step", "World"]
