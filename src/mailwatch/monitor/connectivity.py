"""Is it us?  Feeds the egress watch with what probes reach, asks the canaries, and judges each failed probe."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from mailwatch.core.classify import diagnose
from mailwatch.core.egress import Egress, EgressWatch, may_be_ours
from mailwatch.core.evidence import ChannelReport, Outcome, Phase, Report
from mailwatch.core.gates import gate_of
from mailwatch.core.mailbox import Mailbox
from mailwatch.ports import Canary, Clock

#: An answer older than this, seen from the end of a failed probe, says nothing of that moment: uplinks break within a probe.
FRESH_SECONDS = 5.0
#: A second look of the clock that comes this much too late means that our own event loop, or the process, stood still.
STALL_SECONDS = 2.5
#: Phases up to which no server has answered.
_UNANSWERED = frozenset({None, Phase.RESOLVE, Phase.CONNECT, Phase.TOKEN})


class Connectivity:
    """What is known of our own uplink.  `changed` is told when an egress incident opens or closes."""

    def __init__(self, clock: Clock, canary: Canary | None = None, changed: Callable[[bool], None] = lambda _up: None) -> None:
        self.watch = EgressWatch()
        self._clock = clock
        self._canary = canary
        self._changed = changed
        self._was_down = False
        self._asking: asyncio.Future[None] | None = None
        self._alive: float | None = None
        self._stalled_at: datetime | None = None

    def alive(self) -> None:
        """Called every second; a call that comes late tells that we stood still, and time-outs of that time are our own."""
        monotonic = self._clock.monotonic()
        if self._alive is not None and monotonic - self._alive > STALL_SECONDS:
            self._stalled_at = self._clock.now()
        self._alive = monotonic

    def _stood_still(self, report: Report) -> bool:
        """Whether we stood still while *report* was being made."""
        if self._alive is not None and self._clock.monotonic() - self._alive > STALL_SECONDS:
            return True  # just now: nobody has had time to notice
        return self._stalled_at is not None and report.started_at <= self._stalled_at

    @property
    def is_up(self) -> bool:
        """False while an egress incident is open."""
        return not self.watch.is_down

    async def judge(self, mailbox: Mailbox, report: Report) -> Egress:
        """Whether the network failures of *report*, if it has any, may be held against the mailbox."""
        endpoints = {endpoint.protocol: endpoint.authority for endpoint in mailbox.endpoints}
        broken: ChannelReport | None = None
        asleep = self._stood_still(report)
        for channel in report.channels:
            if self._is_network_failure(channel):
                broken = channel
                if asleep:
                    continue  # our own sleep says nothing of the uplink either
                # by the gate, not the domain: one dead server with many domains on it is one failure, and not ours
                self.watch.failed(gate_of(mailbox), report.finished_at)
            elif channel.outcome is not Outcome.IMPAIRED and channel.phase not in _UNANSWERED:
                self.watch.reached(endpoints[channel.protocol], report.finished_at)
        if broken is None:
            self._notice()
            return Egress.UP
        if asleep:
            return Egress.DOWN
        since = max(report.started_at, report.finished_at - timedelta(seconds=FRESH_SECONDS))
        verdict = self.watch.verdict(endpoints[broken.protocol], since)
        if verdict is not Egress.UP and self._canary is not None and not self.watch.canary_knows(since):
            await self.ask_canary()
            verdict = self.watch.verdict(endpoints[broken.protocol], since)
        self._notice()
        return verdict

    async def ask_canary(self) -> None:
        """Try the canaries now; whoever asks meanwhile shares the answer."""
        if self._canary is None:
            return
        if self._asking is not None:
            await asyncio.shield(self._asking)
            return
        self._asking = asyncio.get_running_loop().create_future()
        try:
            began_at = self._clock.now()
            self.watch.canary(began_at, up=await self._canary.answers())
        finally:
            self._asking.set_result(None)
            self._asking = None
        self._notice()

    @staticmethod
    def _is_network_failure(channel: ChannelReport) -> bool:
        if channel.outcome is not Outcome.FAILED or channel.evidence is None:
            return False
        return may_be_ours(channel.evidence, diagnose(channel.evidence).cause)

    def _notice(self) -> None:
        if self.watch.is_down is not self._was_down:
            self._was_down = self.watch.is_down
            self._changed(not self._was_down)
