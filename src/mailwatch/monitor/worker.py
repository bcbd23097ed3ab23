"""One probe, from start to record: the lines everybody will read.

1. plan: what this probe may do (`core.plan`);
2. probe: the only await on the network; remote failures come back as values;
3. decide: pure (`core.decide`), once it is known whether our own uplink worked;
4. record: one transaction; a result that comes too late changes nothing;
5. tell: metrics, log, live stream.

An exception in here is a bug of ours, never a mailbox's failure: the mailbox is pushed ahead, the bug is reported, and the loop
goes on.  Logins that were or may have been refused count even then, so that no bug of ours can lock an account.

A probe that is cancelled (a stop) gives its lease back when no secret had left, and counts one lost login when one had: a stop
while a provider hangs must not cost the mailboxes behind it their logins.
"""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta

from mailwatch.core.acts import hold_ended
from mailwatch.core.causes import Disposition, profile_of
from mailwatch.core.decide import decide
from mailwatch.core.evidence import Report
from mailwatch.core.incidents.scopes import Traits
from mailwatch.core.lifecycle import State
from mailwatch.core.maintenance import Window, covering
from mailwatch.core.plan import Plan, plan
from mailwatch.core.policy import Policy
from mailwatch.core.standing import Decision, Transition
from mailwatch.core.unfinished import unfinished
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.ports import Assignment, Claim, Clock, EventLog, LiveStream, MailwatchError, Meter, Prober, Recorded, Sent, Store

#: How far a mailbox is pushed ahead when probing it uncovered a bug.
POISON_SECONDS = 900.0
#: How far when the database could not take the result.
UNSTORED_SECONDS = 30.0
#: A prober that is this late is a bug: its place is taken back before the lease ends.
LATE_SECONDS = 10.0
#: How long a cancelled probe waits for its lease to be given back; the writing of it goes on behind.
GIVE_BACK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Voices:
    """Who hears of what happened."""

    meter: Meter
    log: EventLog
    live: LiveStream


class Worker:
    """Runs claims.  `policy` may be replaced between probes (reload), and so may `windows`, the declared maintenance."""

    def __init__(
        self,
        *,
        store: Store,
        prober: Prober,
        connectivity: Connectivity,
        policy: Policy,
        clock: Clock,
        rng: random.Random,
        voices: Voices,
    ) -> None:
        self.policy = policy
        self.windows: tuple[Window, ...] = ()
        self._store = store
        self._prober = prober
        self._connectivity = connectivity
        self._clock = clock
        self._rng = rng
        self._voices = voices
        self._giving_back: set[asyncio.Task[Decision | None]] = set()

    async def run(self, claim: Claim) -> Decision | None:
        """Probe, decide, record; raises nothing but cancellation.

        The decision is told even when the store dropped it as too late, for the refused logins in it; None when there is none.
        """
        planned: Plan | None = None
        report: Report | None = None
        sent, told_store = Sent(), False
        try:
            if claim.standing.state is State.HELD:
                decision = hold_ended(claim.standing, self._clock.now())
            else:
                planned = plan(claim.mailbox, claim.standing, self.policy, self._clock.now())
                async with asyncio.timeout(self.policy.timeout_seconds + LATE_SECONDS):
                    report = await self._prober.probe(self._assignment(claim, planned, sent))
                decision = await self._decide(claim, report)
            told_store = True
            recorded = await self._store.record(claim, decision)
        except asyncio.CancelledError:
            if not told_store:  # else it is written by the store, whoever waits for it
                await self._give_back(claim, planned if sent.secret else None, report)
            raise
        except MailwatchError as error:
            self._voices.log.error("store.unavailable", mailbox=claim.mailbox.id, error=str(error))
            return await self._push_ahead(claim, planned, report, UNSTORED_SECONDS)
        except Exception as error:  # noqa: BLE001  # a bug must not stop the loop
            self._crashed(claim, error)
            return await self._push_ahead(claim, planned, report, POISON_SECONDS)
        try:
            self._tell(claim, report, decision, recorded)
            if report is not None and recorded is Recorded.STORED:
                await self._store.keep_details(claim, report)
        except Exception as error:  # noqa: BLE001  # it is recorded: only the news of it is lost
            self._crashed(claim, error)
        return decision

    async def _decide(self, claim: Claim, report: Report) -> Decision:
        egress = await self._connectivity.judge(claim.mailbox, report)
        now = self._clock.now()
        return decide(
            claim.mailbox,
            claim.standing,
            report,
            self.policy,
            now,
            self._rng,
            egress=egress,
            maintenance=bool(self.windows) and covering(self.windows, Traits.of(claim.mailbox), now) is not None,
            credential_age_seconds=claim.credential_age_seconds,
        )

    def _crashed(self, claim: Claim, error: Exception) -> None:
        self._voices.log.error("probe.crashed", mailbox=claim.mailbox.id, exception=type(error).__name__, exc_info=error)

    def _assignment(self, claim: Claim, planned: Plan, sent: Sent) -> Assignment:
        return Assignment(
            mailbox=claim.mailbox,
            generation=claim.standing.generation,
            credential=claim.credential if planned.logs_in else None,
            depth=planned.depth,
            timeout_seconds=self.policy.timeout_seconds,
            first=planned.first,
            withheld_reason=planned.withheld_reason,
            refusals_left=planned.refusals_left,
            sent=sent,
        )

    def _tell(self, claim: Claim, report: Report | None, decision: Decision, recorded: Recorded) -> None:
        if recorded is Recorded.FENCED:
            self._voices.meter.fenced()
            self._voices.log.warning("result.fenced", mailbox=claim.mailbox.id, lease=claim.lease)
            return
        if report is not None:
            self._voices.meter.probed(claim, report, decision)
        else:
            self._voices.meter.moved(claim.mailbox.provider, decision)
        for transition in decision.transitions:
            self._tell_of(claim, transition)
        if decision.note is not None and decision.note.startswith("impaired"):
            self._voices.log.warning("probe.impaired", mailbox=claim.mailbox.id, reason=decision.note)

    def _tell_of(self, claim: Claim, transition: Transition) -> None:
        diagnosis = transition.diagnosis
        loud = transition.cause is not None and profile_of(transition.cause).disposition is Disposition.HUMAN
        say = self._voices.log.warning if loud else self._voices.log.info
        say(
            "mailbox.transitioned",
            mailbox=claim.mailbox.id,
            provider=claim.mailbox.provider,
            version=transition.version,
            from_state=transition.from_state,
            to_state=transition.to_state,
            trigger=transition.trigger,
            cause=transition.cause,
            rule=diagnosis.rule if diagnosis else None,
            quote=diagnosis.quote if diagnosis else None,
        )
        self._voices.live.publish(claim.mailbox, transition)

    async def _give_back(self, claim: Claim, planned: Plan | None, report: Report | None) -> None:
        """End the lease of a probe that was cut short, as fast as a stop needs it; *planned* None: no secret had left."""
        giving = asyncio.create_task(self._push_ahead(claim, planned, report, 0.0), name=f"give back {claim.mailbox.id}")
        self._giving_back.add(giving)  # the loop alone would not keep it
        giving.add_done_callback(self._giving_back.discard)
        await asyncio.wait({giving}, timeout=GIVE_BACK_SECONDS)

    async def _push_ahead(self, claim: Claim, planned: Plan | None, report: Report | None, seconds: float) -> Decision | None:
        """Make the mailbox due later, so that one that always fails cannot stop the others; its lease ends either way."""
        now = self._clock.now()
        due_at = now + timedelta(seconds=seconds * (1 + 0.25 * self._rng.random()))
        counted: Decision | None = None
        try:
            counted = unfinished(claim.mailbox, claim.standing, planned, report, now, due_at)
            if counted is None:
                await self._store.postpone(claim, due_at)
            else:
                await self._store.record(claim, counted)
        except Exception as error:  # noqa: BLE001  # the lease's end is the second safety net: then its login counts as lost
            self._voices.log.error("mailbox.not_postponed", mailbox=claim.mailbox.id, exception=type(error).__name__)
        return counted
