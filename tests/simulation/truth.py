"""The simulated world: what is true of each mailbox and provider at each virtual moment, and a prober that finds it out.

The prober answers with the words real servers use, so that the real classifier and the real decisions work on them.
"""

import asyncio
import random
from dataclasses import dataclass, field

from mailwatch.core.evidence import ChannelReport, Evidence, Outcome, Phase, Report
from mailwatch.core.mailbox import AuthKind, Depth, Endpoint, Mailbox, Protocol, TlsMode
from simulation.virtual_time import START_AT

DROPPED = Evidence("imap", Phase.AUTH, exception="ConnectionResetError")
REFUSED = Evidence("imap", Phase.CONNECT, exception="ConnectionRefusedError", errno=111)
TIMED_OUT = Evidence("imap", Phase.CONNECT, exception="TimeoutError")
WRONG = Evidence(
    "imap", Phase.AUTH, "[AUTHENTICATIONFAILED] Authentication failed.", status="NO", response_code="AUTHENTICATIONFAILED"
)
BUSY = Evidence("imap", Phase.AUTH, "[UNAVAILABLE] Temporary authentication failure.", status="NO", response_code="UNAVAILABLE")
THROTTLED = Evidence("imap", Phase.AUTH, "[ALERT] Too many simultaneous connections. (Failure)", status="NO", response_code="ALERT")
BANNED = Evidence("imap", Phase.CONNECT, exception="TimeoutError")


@dataclass
class Spell:
    """Something that is true for a while: from, to (seconds of virtual time), for whom, and what is then answered."""

    begin: float
    end: float
    evidence: Evidence
    providers: frozenset = frozenset()
    mailboxes: frozenset = frozenset()

    def holds(self, moment, mailbox):
        return self.begin <= moment < self.end and (mailbox.provider in self.providers or mailbox.id in self.mailboxes)


@dataclass
class World:
    """Truth, and the ledger of all that was done to it."""

    clock: object
    rng: random.Random
    spells: list = field(default_factory=list)
    uplink_cuts: list = field(default_factory=list)
    wrong_secret: set = field(default_factory=set)
    bans: dict = field(default_factory=dict)  # host -> (limit, window) of a fail2ban-like guard
    banned: set = field(default_factory=set)
    logins: list = field(default_factory=list)  # (moment, mailbox id, host, refused)
    live: dict = field(default_factory=dict)
    overlaps: int = 0

    def evidence_for(self, mailbox, moment, *, logs_in):
        """What the mailbox's servers answer now; None is health.  A secret that is refused is put into the ledger."""
        if any(begin <= moment < end for begin, end in self.uplink_cuts):
            return TIMED_OUT
        host = mailbox.imap.host
        if host in self.banned:
            return BANNED
        spell = next((spell for spell in self.spells if spell.holds(moment, mailbox)), None)
        if spell is not None:
            return spell.evidence
        if not logs_in:
            return None
        refused = mailbox.id in self.wrong_secret
        self.logins.append((moment, mailbox.id, host, refused))
        self._guard(host, moment)
        return WRONG if refused else None

    def _guard(self, host, moment):
        if host in self.bans:
            limit, window = self.bans[host]
            failed = sum(1 for at, _, where, refused in self.logins if where == host and refused and at > moment - window)
            if failed >= limit:
                self.banned.add(host)


class WorldProber:
    """Implements ports.Prober against a World."""

    def __init__(self, world):
        self.world = world

    async def probe(self, assignment):
        world, mailbox = self.world, assignment.mailbox
        started_at = world.clock.now()
        world.live[mailbox.id] = world.live.get(mailbox.id, 0) + 1
        world.overlaps += world.live[mailbox.id] > 1
        try:
            logs_in = assignment.depth is not Depth.REACH
            await asyncio.sleep(0.05)
            assignment.sent.secret |= logs_in
            evidence = world.evidence_for(mailbox, world.clock.monotonic(), logs_in=logs_in)  # here the secret leaves
            await asyncio.sleep(world.rng.random())
        finally:
            world.live[mailbox.id] -= 1
        outcome = Outcome.FAILED if evidence else Outcome.HEALTHY if logs_in else Outcome.WITHHELD
        refused = int(evidence is WRONG)
        channel = ChannelReport(
            Protocol.IMAP,
            outcome,
            evidence.phase if evidence else Phase.SELECT,
            evidence,
            logged_in=not evidence,
            rejected_logins=refused,
        )
        return Report(started_at, world.clock.now(), assignment.generation, (channel,))


def a_mailbox(number, provider="other", host=None):
    """Mailbox number *number* at *provider*."""
    host = host or f"imap.{provider}.test"
    return Mailbox(
        id=f"mb_{number:06}",
        address=f"u{number}@{provider}.test",
        username=f"u{number}",
        auth=AuthKind.PASSWORD,
        imap=Endpoint(Protocol.IMAP, host, 993, TlsMode.IMPLICIT),
        smtp=None,
        provider=provider,
        created_at=START_AT,
    )
