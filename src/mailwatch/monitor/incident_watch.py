"""Correlation as a coarse job: reads what failed, opens, grows and closes incidents, and brings back what an incident had stopped.

Only one node evaluates (a duty with a lease); every node follows the open incidents for its circuits and its gauges.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from mailwatch.core.causes import SECRET_REFUSALS, Cause
from mailwatch.core.incidents.baseline import Baseline, expected_share, learn
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.detect import DetectPolicy, Finding, Group, Look, detect
from mailwatch.core.incidents.life import Change, Incident, LifePolicy, News, advance
from mailwatch.core.incidents.picture import by_scope, holders, signs_of
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind, Traits
from mailwatch.core.providers import OTHER
from mailwatch.monitor.circuits import Circuits, gate_within, scope_of
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.ports import Clock, EventLog
from mailwatch.ports.incidents import FreshFailures, Incidents, Recent

#: Two intervals: each mailbox was looked at at least once.
WINDOW_INTERVALS: Final = 2.0
#: What counts as lately, in intervals: long enough for some retries, short enough to see the end of an outage.
LATELY_INTERVALS: Final = 0.4
#: How often the fleet is counted by scope, and the baselines are learnt.
COUNT_SECONDS: Final = 600.0
#: How old that count may be when an incident is opened on it: mailboxes are added, and first looks come in.
STALE_SECONDS: Final = 10.0
_DUTY: Final = "incidents"
_DUTY_SECONDS: Final = 60.0
#: What an incident stops for good and its end heals: refused secrets that were no fault of theirs, a dead client secret.
_STOPPED_BY_INCIDENTS: Final = tuple(sorted({*SECRET_REFUSALS, Cause.OAUTH_MISCONFIGURED, Cause.IP_BLOCKED}))
#: How many stopped mailboxes are tried at once to see whether an incident that only people end is over.
_FEELERS: Final = 2
_RETURNS_AT_ONCE: Final = 500
_CONFIRMED_AT_ONCE: Final = 200
#: What a run of failures that opens a circuit says of its gate.
_TRIPPED_SHARE: Final = CircuitPolicy().trip_share


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """The numbers of the watch; durations in seconds."""

    interval_seconds: float = 300.0
    feeler_seconds: float = 1800.0  #: how often an incident is felt for that stopped all of its mailboxes
    detect: DetectPolicy = field(default_factory=DetectPolicy)
    life: LifePolicy = field(default_factory=LifePolicy)


class IncidentWatch:
    """Evaluates and remembers.  *bring_back(mailbox id)* makes a stopped mailbox due again, within its login budget;
    *confirm(mailbox id, cause)* takes a suspicion for confirmed.
    """

    def __init__(
        self,
        incidents: Incidents,
        connectivity: Connectivity,
        circuits: Circuits,
        clock: Clock,
        log: EventLog,
        *,
        policy: WatchPolicy,
        bring_back: Callable[[str], Awaitable[None]],
        confirm: Callable[[str, Cause], Awaitable[None]],
        changed: Callable[[Sequence[Incident]], None] = lambda _open: None,
    ) -> None:
        self.policy = policy
        self._incidents = incidents
        self._connectivity = connectivity
        self._circuits = circuits
        self._clock = clock
        self._log = log
        self._bring_back = bring_back
        self._confirm = confirm
        self._changed = changed
        self._sizes: Mapping[Scope, int] = {}
        self._holders: Mapping[Scope, Collection[Scope]] = {}
        self._baselines: Mapping[Scope, Baseline] = {}
        self._counted_at: datetime | None = None
        self._learnt_at: datetime | None = None
        self._unexplained: Counter[Scope] = Counter()
        self._noted_to: datetime | None = None
        self._felt_at: dict[str, datetime] = {}
        self._returning: set[str] = set()  # incidents whose circuit is on its ramp …
        self._over: set[str] = set()  # … and those of them that were seen to be over
        self.open: Sequence[Incident] = ()
        self._on_duty = False

    @property
    def on_duty(self) -> bool:
        """Whether this node is the one that evaluates, as of its last look."""
        return self._on_duty

    async def evaluate(self) -> None:
        """One look; raises MailwatchError when the database cannot be read."""
        now = self._clock.now()
        known = await self._incidents.known(now - timedelta(seconds=self.policy.life.reopen_seconds))
        await self._count(now)
        self._on_duty = await self._incidents.hold(_DUTY, now, _DUTY_SECONDS)
        if self._on_duty:
            known = await self._evaluate(known, now)
        self._follow(known)

    async def look(self) -> None:
        """Learn of the open incidents without evaluating: for nodes that only serve."""
        now = self._clock.now()
        await self._count(now)
        self._follow(await self._incidents.known(now))

    def provider_of(self, scope: Scope) -> str:
        """The provider that (nearly) all mailboxes of *scope* are at, `other` where there is none."""
        if scope.kind is ScopeKind.PROVIDER:
            return scope.name
        holders = self._holders.get(scope, ())
        return next((each.name for each in holders if each.kind is ScopeKind.PROVIDER), OTHER)

    def _follow(self, known: Sequence[Incident]) -> None:
        self.open = tuple(each for each in known if each.is_open)
        self._circuits.follow(self.open, self._clock.monotonic())
        self._changed(self.open)

    async def _evaluate(self, known: Sequence[Incident], now: datetime) -> Sequence[Incident]:
        await self._learn(now)
        uplink = self._uplink(known, now)
        if uplink is not None or not self._connectivity.is_up:
            news = [] if uplink is None else [uplink]  # while our own network is broken nobody else is judged
        else:
            window = timedelta(seconds=WINDOW_INTERVALS * self.policy.interval_seconds)
            lately = timedelta(seconds=max(10.0, LATELY_INTERVALS * self.policy.interval_seconds))
            recent = await self._incidents.recent(now - window, now - lately)
            known, overrun = self._overrun(known, recent)
            if self._are_new(findings := self._findings(known, recent), known) and await self._count(now, STALE_SECONDS):
                findings = self._findings(known, recent)
            news = self._judge(known, recent, findings, now)
            self._note(recent, known, news, now)
            said = {each.incident.id for each in news}
            news += [News(Change.GREW, each) for each in overrun if each.id not in said]
            news += self._widened(known, news)
        await self._incidents.save([each.incident for each in news])
        for step in news:
            await self._tell(step)
        changed = {step.incident.id: step.incident for step in news}
        after = [changed.pop(each.id, each) for each in known] + list(changed.values())
        for each in after:
            if each.is_open:
                await self._hasten(each, now)
                await self._confirm_suspects(each)
                await self._feel(each, now)
        return after

    def _findings(self, known: Sequence[Incident], recent: Recent) -> Sequence[Finding]:
        usual = expected_share(Baseline(), WINDOW_INTERVALS * self.policy.interval_seconds)
        failed = [each for each in recent.fresh if _still_counts(each, known)]
        look = Look(
            [Group(each.traits, each.cause, each.count) for each in failed],
            {**self._sizes, **self._looked_at(failed)},
            {
                scope: expected_share(rate, WINDOW_INTERVALS * self.policy.interval_seconds)
                for scope, rate in self._baselines.items()
            },
            usual,
        )
        return detect(look, self.policy.detect)

    def _looked_at(self, failed: Sequence[FreshFailures]) -> Mapping[Scope, int]:
        """Where only canaries look, no more than what tripped the circuit: of that most failed, of the fleet it is little."""
        totals = by_scope((each.traits, each.count) for each in failed)
        tripped = (scope_of(gate) for gate in self._circuits.limited() if self._circuits.is_open(gate))
        return {scope: min(self._sizes.get(scope, 0), math.ceil(totals[scope] / _TRIPPED_SHARE)) for scope in tripped}

    @staticmethod
    def _are_new(findings: Sequence[Finding], known: Sequence[Incident]) -> bool:
        """Whether one of them would open an incident: then shares must be of the fleet as it is now."""
        return not {finding.scope for finding in findings} <= {each.scope for each in known if each.is_open}

    def _judge(self, known: Sequence[Incident], recent: Recent, findings: Sequence[Finding], now: datetime) -> list[News]:
        fresh = [(each.traits, each.lately, each.last_at) for each in recent.fresh]
        failing = [(each.traits, each.count, each.lately) for each in recent.failing]
        recovered = [(each.traits, each.count) for each in recent.recovered]
        signs = {
            each.scope: signs_of(each.scope, fresh=fresh, failing=failing, recovered=recovered, now=now)
            for each in known
            if each.is_open
        }
        others = [each for each in known if each.scope != EGRESS]
        news = advance(others, findings, signs, self._holders, now, self.policy.life)
        news = [replace(each, incident=self._measured(each.incident)) for each in news]
        return self._with_their_circuits(others, news, now)

    def _with_their_circuits(self, known: Sequence[Incident], news: Sequence[News], now: datetime) -> list[News]:
        """*news*, but no incident ends before its circuit lets all through: until then most of its mailboxes have not looked."""
        limited = self._circuits.limited()
        told = {each.incident.id: each for each in news}
        for each in known:
            gate, step = gate_within(each), told.get(each.id)
            if not each.is_open or self._circuits.is_open(gate):
                self._over.discard(each.id)  # over, or a relapse
            ends = step is not None and step.change is Change.CLOSED
            if gate in limited and step is not None and ends:
                del told[each.id]
                self._over.add(each.id)
            elif gate not in limited and not ends and each.id in self._over:
                told[each.id] = News(Change.CLOSED, replace(self._measured(each), closed_at=now))
        return list(told.values())

    def _measured(self, incident: Incident) -> Incident:
        """With the size of its scope; where nearly every look failed until only canaries were sent, it takes the whole of it.

        The share of fresh failures alone would stay small there: nobody else looks any more.
        """
        share = max(incident.peak_share, self._circuits.failing_share(gate_within(incident)))
        return replace(incident, size=self._sizes.get(incident.scope, incident.failed), peak_share=share)

    def _widened(self, known: Sequence[Incident], news: Sequence[News]) -> list[News]:
        """Open incidents nothing else is said of, that turn out to take their whole scope, or more of it than was known."""
        said = {each.incident.id for each in news}
        others = [each for each in known if each.is_open and each.id not in said and each.scope != EGRESS]
        wider = [(self._measured(each), each) for each in others]
        return [News(Change.GREW, now) for now, before in wider if now.takes_all and now.affected > before.affected]

    def _overrun(self, known: Sequence[Incident], recent: Recent) -> tuple[Sequence[Incident], Sequence[Incident]]:
        """*known*, and those of it that were declared maintenance until now and fail for a reason of their own since."""
        overrun: dict[str, Incident] = {}
        for each in known:
            if not each.is_open or each.cause is not Cause.PLATFORM_MAINTENANCE:
                continue
            causes: Counter[Cause] = Counter()
            for failing in recent.failing:
                if failing.cause is not None and each.scope in failing.traits.scopes():
                    causes[failing.cause] += failing.lately
            latest = max(causes, key=lambda cause: (causes[cause], cause), default=each.cause)
            if latest is not each.cause and causes[latest]:
                overrun[each.id] = replace(each, cause=latest)
                self._log.warning("incident.outlasts_maintenance", incident=each.id, cause=latest)
        return [overrun.get(each.id, each) for each in known], tuple(overrun.values())

    def _uplink(self, known: Sequence[Incident], now: datetime) -> News | None:
        """The incident of our own uplink follows what connectivity knows at once."""
        current = next((each for each in known if each.scope == EGRESS and each.is_open), None)
        if self._connectivity.is_up:
            return None if current is None else News(Change.CLOSED, replace(current, closed_at=now))
        if current is not None:
            return None
        opened = Incident(f"inc_{now:%Y%m%d%H%M%S}_egress_own", EGRESS, Cause.LOCAL_NETWORK_DOWN, now, now, 0, 1.0)
        return News(Change.OPENED, opened)

    async def _count(self, now: datetime, seconds: float = COUNT_SECONDS) -> bool:
        """The fleet by scope, unless that was done within so many seconds."""
        if self._counted_at is not None and (now - self._counted_at).total_seconds() < seconds:
            return False
        watched = await self._incidents.watched()
        self._sizes, self._holders = await asyncio.to_thread(_picture, watched)
        self._counted_at = now
        return True

    async def _learn(self, now: datetime) -> None:
        """What the last span showed outside of incidents, now and then."""
        if self._learnt_at is not None and (now - self._learnt_at).total_seconds() < COUNT_SECONDS:
            return
        self._baselines = await self._incidents.baselines()
        if self._learnt_at is not None:
            seconds = (now - self._learnt_at).total_seconds()
            learnt = {
                scope: learn(
                    self._baselines.get(scope, Baseline()), events=self._unexplained[scope], mailboxes=size, seconds=seconds
                )
                for scope, size in self._sizes.items()
                if scope in self._baselines or self._unexplained[scope]
            }
            await self._incidents.learn(learnt)
            self._baselines = {**self._baselines, **learnt}
        self._unexplained.clear()
        self._learnt_at = now

    def _note(self, recent: Recent, known: Sequence[Incident], news: Sequence[News], now: datetime) -> None:
        """Remember for the baselines what failed by itself since the last look."""
        troubled = {each.scope for each in known if each.is_open} | {each.incident.scope for each in news}
        for each in recent.fresh:
            scopes = tuple(each.traits.scopes())
            if (self._noted_to is None or each.last_at > self._noted_to) and not troubled.intersection(scopes):
                for scope in scopes:
                    self._unexplained[scope] += min(each.count, max(1, each.lately))
        self._noted_to = now

    async def _tell(self, news: News) -> None:
        incident = news.incident
        if news.change is Change.GREW:
            return
        say = self._log.warning if incident.is_open else self._log.info
        say(
            f"incident.{news.change}",
            incident=incident.id,
            scope=incident.scope.kind,
            name=incident.scope.name,
            cause=incident.cause,
            count=incident.failed,
        )
        if news.change is Change.CLOSED:
            self._felt_at.pop(incident.id, None)
            self._returning.discard(incident.id)
            self._over.discard(incident.id)
            await self._incidents.hasten(incident, self._clock.now())
            for mailbox_id in await self._incidents.waiting_for(incident, _STOPPED_BY_INCIDENTS, _RETURNS_AT_ONCE):
                await self._bring_back(mailbox_id)

    async def _hasten(self, incident: Incident, now: datetime) -> None:
        """What failed last waits longest by its own backoff; once canaries came through it comes first, on the ramp."""
        if not self._circuits.is_returning(gate_within(incident)):
            self._returning.discard(incident.id)
        elif incident.id not in self._returning:
            self._returning.add(incident.id)
            await self._incidents.hasten(incident, now)

    async def _confirm_suspects(self, incident: Incident) -> None:
        """While only canaries look, nobody's suspicion would ever be confirmed by a look of its own."""
        gate = gate_within(incident)
        if gate is None or gate not in self._circuits.limited():
            return
        for mailbox_id in await self._incidents.suspects(incident, _CONFIRMED_AT_ONCE):
            await self._confirm(mailbox_id, incident.cause)

    async def _feel(self, incident: Incident, now: datetime) -> None:
        """Where an incident has stopped its mailboxes for good, a few are tried now and then: only so its end can be seen."""
        since = self._felt_at.setdefault(incident.id, incident.opened_at)
        if now - since < timedelta(seconds=self.policy.feeler_seconds):
            return
        self._felt_at[incident.id] = now
        causes = [Cause.OAUTH_MISCONFIGURED] if incident.scope.kind is ScopeKind.OAUTH_APP else [*SECRET_REFUSALS]
        for mailbox_id in await self._incidents.waiting_for(incident, causes, _FEELERS):
            await self._bring_back(mailbox_id)


def _picture(watched: Sequence[tuple[Traits, int]]) -> tuple[Mapping[Scope, int], Mapping[Scope, Collection[Scope]]]:
    return by_scope(watched), holders(watched)


def _still_counts(failure: FreshFailures, known: Sequence[Incident]) -> bool:
    """Whether a failure may speak for an incident: what one that has closed explained does not open it again."""
    scopes = set(failure.traits.scopes())
    return not any(
        each.closed_at is not None and failure.last_at <= each.closed_at and (each.scope == EGRESS or each.scope in scopes)
        for each in known
    )
