"""Is it us?  Feeds the egress watch with what probes reach, asks the canaries, and judges each failed probe."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mailwatch.core.classify import diagnose
from mailwatch.core.egress import Egress, EgressWatch, Fault, Matter, matter_of
from mailwatch.core.evidence import ChannelReport, Outcome, Phase, Report
from mailwatch.core.gates import gate_of
from mailwatch.core.mailbox import Endpoint, Mailbox, TlsMode
from mailwatch.ports import Canary, Clock

#: An answer older than this, seen from the end of a failed probe, says nothing of that moment: uplinks break within a probe.
FRESH_SECONDS = 5.0
#: The same for what canaries said when they were looked at closely, which costs more: shorter than any wait for a second look.
CLOSE_FRESH_SECONDS = 10.0
#: A second look of the clock that comes this much too late means that our own event loop, or the process, stood still.
STALL_SECONDS = 2.5
#: Phases up to which no server has answered.
_UNANSWERED = frozenset({None, Phase.RESOLVE, Phase.CONNECT, Phase.TOKEN})
#: What is asked of the canaries again until it is over.
_ASKED_AGAIN: Final = {
    Fault.RESOLVER: Matter.NAMES,
    Fault.CLOCK: Matter.TRUST,
    Fault.AUTHORITIES: Matter.TRUST,
    Fault.CERTIFICATES: Matter.TRUST,
}
#: The worst of several channels' verdicts counts.
_WORST_FIRST: Final = (Egress.DOWN, Egress.UNCLEAR, Egress.UP)
_MOST_PLACES: Final = 200_000


@dataclass(frozen=True, slots=True)
class _Broken:
    """A channel that failed in a way that our own side may have caused."""

    matter: Matter
    authority: str
    nearby: bool


class Connectivity:
    """What is known of our own side.  `changed` is told when an egress incident opens or closes."""

    def __init__(self, clock: Clock, canary: Canary | None = None, changed: Callable[[bool], None] = lambda _up: None) -> None:
        self.watch = EgressWatch()
        self._clock = clock
        self._canary = canary
        self._changed = changed
        self._was_down = False
        self._asking: dict[Matter, asyncio.Future[None]] = {}
        self._alive: float | None = None
        self._stalled_at: datetime | None = None
        self._doubted_until = float("-inf")  # of the monotonic clock
        self._nearby: dict[str, bool] = {}  # by authority, as it was seen last

    def doubt(self, seconds: float) -> None:
        """Correlation blames our own side: for *seconds* from now network failures are held against nobody.

        Said anew while the incident is open; 0 ends it at once.
        """
        self._doubted_until = self._clock.monotonic() + seconds
        self._notice()

    @property
    def is_doubted(self) -> bool:
        """Whether correlation blames our own side, whatever was reached."""
        return self._clock.monotonic() < self._doubted_until

    def alive(self) -> None:
        """Called every second; a call that comes late tells that we stood still, and time-outs of that time are our own."""
        monotonic = self._clock.monotonic()
        if self._alive is not None and monotonic - self._alive > STALL_SECONDS:
            self._stalled_at = self._clock.now()
        self._alive = monotonic
        self.watch.forget(self._clock.now())
        self._notice()

    def _stood_still(self, report: Report) -> bool:
        """Whether we stood still while *report* was being made."""
        if self._alive is not None and self._clock.monotonic() - self._alive > STALL_SECONDS:
            return True  # just now: nobody has had time to notice
        return self._stalled_at is not None and report.started_at <= self._stalled_at

    @property
    def is_up(self) -> bool:
        """False while an egress incident is open, whoever found it."""
        return not (self.watch.is_down or self.is_doubted)

    @property
    def fault(self) -> Fault | None:
        """What of our own is broken; None where nothing is, or correlation alone blames us."""
        return self.watch.fault

    async def judge(self, mailbox: Mailbox, report: Report) -> Egress:
        """Whether the failures of *report* that our own side may have caused, if it has any, may be held against the mailbox."""
        asleep = self._stood_still(report)
        broken = self._note(mailbox, report, asleep=asleep)
        if not broken:
            self._notice()
            return Egress.UP
        if asleep:
            return Egress.DOWN
        by_matter = {each.matter: each for each in broken}
        verdicts = [await self._judge(each, report) for each in by_matter.values()]
        self._notice()
        return Egress.DOWN if self.is_doubted else min(verdicts, key=_WORST_FIRST.index)

    async def _judge(self, broken: _Broken, report: Report) -> Egress:
        since = max(report.started_at, report.finished_at - timedelta(seconds=FRESH_SECONDS))
        matter = broken.matter
        if matter in (Matter.NAMES, Matter.TRUST):
            # whoever else is well: kept addresses and certificates with some time left are no proof, a close look is
            close = report.finished_at - timedelta(seconds=CLOSE_FRESH_SECONDS)
            await self._ask(matter, unless_since=close)
            since = min(since, close) if self.watch.vouched(matter, close) else since
        verdict = self.watch.verdict(broken.authority, since, matter=matter, nearby=broken.nearby)
        if verdict is not Egress.UP and not self.watch.vouched(matter, since):
            await self._ask(Matter.REACH, unless_since=since)
            verdict = self.watch.verdict(broken.authority, since, matter=matter, nearby=broken.nearby)
        return verdict

    def _note(self, mailbox: Mailbox, report: Report, *, asleep: bool) -> Sequence[_Broken]:
        """Tell the watch what *report* shows; its channels that our own side may have broken."""
        endpoints = {endpoint.protocol: endpoint for endpoint in mailbox.endpoints}
        broken: list[_Broken] = []
        lost_seconds = 0.0
        for channel in report.channels:
            matter = _matter_of(channel)
            if matter is not None:
                authority = endpoints[channel.protocol].authority
                broken.append(_Broken(matter, authority, self._is_nearby(authority, channel)))
                lost_seconds += sum(channel.timings_seconds.values())
        if not broken and report.impairment is None:
            self.watch.well(gate_of(mailbox))
        if not asleep:  # our own sleep says nothing of our uplink either
            for each in broken:
                # by the gate, not the domain: one dead server with many domains on it is one failure, and not ours
                self.watch.failed(gate_of(mailbox), report.finished_at, matter=each.matter, nearby=each.nearby)
        # one channel comes after the other: what failed last may have failed long after the first one's answer
        answered_at = report.finished_at - timedelta(seconds=lost_seconds)
        for channel in report.channels:
            answered = channel.outcome is not Outcome.IMPAIRED and channel.phase not in _UNANSWERED
            if answered and _matter_of(channel) is None:
                self._reached(endpoints[channel.protocol], channel, max(report.started_at, answered_at))
        return broken

    def _reached(self, endpoint: Endpoint, channel: ChannelReport, at: datetime) -> None:
        self.watch.reached(
            endpoint.authority,
            at,
            nearby=self._is_nearby(endpoint.authority, channel),
            accepted=_accepted(endpoint, channel),
            looked_up=channel.looked_up is not False,
        )

    def _is_nearby(self, authority: str, channel: ChannelReport) -> bool:
        """Whether the server is none of the public internet; as it was seen last, where this look did not come so far."""
        if channel.nearby is not None:
            if len(self._nearby) >= _MOST_PLACES:
                self._nearby.clear()
            self._nearby[authority] = channel.nearby
            return channel.nearby
        return self._nearby.get(authority, False)

    async def ask_canary(self) -> None:
        """Try the canaries now, and what they said was broken once more; whoever asks meanwhile shares the answer."""
        await self._ask(Matter.REACH)
        again = None if self.watch.fault is None else _ASKED_AGAIN.get(self.watch.fault)
        if again is not None:
            await self._ask(again)
        self._notice()  # also where there are none: a doubt may have lapsed

    async def _ask(self, matter: Matter, *, unless_since: datetime | None = None) -> None:
        """Ask the canaries about *matter*, unless that was done since; whoever asks meanwhile shares the answer."""
        if self._canary is None or (unless_since is not None and self.watch.knows(matter, unless_since)):
            return
        under_way = self._asking.get(matter)
        if under_way is not None:
            await asyncio.shield(under_way)
            return
        asking = self._asking[matter] = asyncio.get_running_loop().create_future()
        try:
            await self._put(matter, self._canary)
        finally:
            asking.set_result(None)
            del self._asking[matter]
        self._notice()

    async def _put(self, matter: Matter, canary: Canary) -> None:
        began_at = self._clock.now()
        if matter is Matter.REACH:
            self.watch.canary(began_at, up=await canary.answers())
        else:
            self.watch.opinion(matter, began_at, await canary.examine(matter))

    def _notice(self) -> None:
        is_down = not self.is_up
        if is_down is not self._was_down:
            self._was_down = is_down
            self._changed(not is_down)


def _matter_of(channel: ChannelReport) -> Matter | None:
    """What of our own side may have failed *channel*; None when it did not fail, or not by us."""
    if channel.outcome is not Outcome.FAILED or channel.evidence is None:
        return None
    return matter_of(channel.evidence, diagnose(channel.evidence).cause)


def _accepted(endpoint: Endpoint, channel: ChannelReport) -> bool:
    """Whether the server's certificate was found good."""
    if channel.certificate is not None:
        return True
    if endpoint.tls_mode is TlsMode.NONE:
        return False
    implicit = endpoint.tls_mode is TlsMode.IMPLICIT and channel.phase is not Phase.TLS
    return channel.logged_in or implicit
