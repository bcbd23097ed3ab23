"""Greetings gone wrong, the same for IMAP and SMTP: silence, a drip, a line without an end, another protocol, a refusal."""

import asyncio
from typing import Final

from mailwatch.core.mailbox import Protocol
from mailwatch.sim.faults import Fault, FaultKind
from mailwatch.sim.provider import Provider
from mailwatch.sim.replies import words_for
from mailwatch.sim.wire import Wire

_DRIP_SECONDS: Final = 1.0
_CHUNK: Final = b"a" * 16_384
_UNSENT_LIMIT: Final = 262_144


async def greet_badly(provider: Provider, wire: Wire, protocol: Protocol, fault: Fault, greeting: str) -> None:
    """Act out *fault* in place of *greeting*; the connection is of no use afterwards."""
    if fault.kind is FaultKind.MUTE:
        await wire.silence()
    elif fault.kind is FaultKind.DRIP:
        for byte in greeting.encode():
            if wire.gone:
                return
            wire.send(bytes((byte,)))
            await asyncio.sleep(fault.seconds or _DRIP_SECONDS)
    elif fault.kind is FaultKind.ENDLESS:
        wire.send(greeting.encode()[:6])
        while not wire.gone:
            if wire.unsent < _UNSENT_LIMIT:
                wire.send(_CHUNK)
            await asyncio.sleep(0.01)
    else:
        wire.send(words_for(fault, protocol, provider.spec.dialect, host=provider.spec.hostname, address=""))
